"""Requests and replies as data: arguments with their types and bounds (both interpreters)."""

from protocol import cbor, framing
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_BOUNDS,
    ERR_MALFORMED,
    ERR_NOT_ON_BOARD,
    ERR_SETTING,
    ERR_UNKNOWN_OPERATION,
    KEY_FIRMWARE,
    KEY_ROOT,
    OP_DO_TICKET,
    OP_ENROLL,
    OP_FIRMWARE_BEGIN,
    OP_FIRMWARE_CHUNK,
    OP_FIRMWARE_COMMIT,
    OP_FIRMWARE_PROVE,
    OP_GET_AUDIT_KEY,
    OP_GET_BUCKETS,
    OP_GET_CONFIG,
    OP_GET_CREDENTIAL,
    OP_GET_INFO,
    OP_GET_NONCE,
    OP_GET_PORTS,
    OP_GET_RECEIPT,
    OP_GET_RECORDS,
    OP_GET_STATE,
    OP_GET_TIME,
    OP_JOURNAL_HEAD,
    OP_JOURNAL_READ,
    OP_JOURNAL_SECTORS,
    OP_LIST_BEGIN,
    OP_LIST_CHUNK,
    OP_LIST_COMMIT,
    OP_PING,
    OP_PUT_CHECKPOINT,
    OP_PUT_CONFIG,
    OP_PUT_TRUST,
    OP_READ_ENERGY,
    OP_SELF_TEST,
    OP_SET_SIGNED_TIME,
    OP_SET_TIME,
)
from protocol.constants import (
    BUCKETS,
    BUCKETS_A_PAGE,
    CHUNK_BYTES,
    ENERGY_PAGE_SLOTS,
    ENVELOPE_MAX_BYTES,
    JOURNAL_PAGE_RECORDS,
    LIST_PAYLOAD_MAX_BYTES,
    NONCE_BYTES,
    PACK_MAX_BYTES,
    RECORDS_A_PAGE,
    RING_ALARM,
    SECTOR_HEADERS_A_PAGE,
    TIME_END_S,
    TRUST_MAX_BYTES,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Bounds = tuple[int, int, int]  # UINT or BYTES, least and greatest

UINT = 0
BYTES = 1

# one row for each argument in one tuple, which operations share: each tuple costs a controller heap
_NOTHING = ()
_ENVELOPE = (BYTES, 1, ENVELOPE_MAX_BYTES)
_NONCE = (BYTES, NONCE_BYTES, NONCE_BYTES)
_RING = (UINT, 0, RING_ALARM)

# operation: type, least and greatest of each argument, one after another; bounds of bytes are
# lengths
OPS: "dict[int, tuple[int, ...]]" = {
    OP_GET_INFO: _NOTHING,
    OP_GET_STATE: _NOTHING,
    OP_SELF_TEST: _NOTHING,
    OP_GET_TIME: _NOTHING,
    OP_SET_TIME: (UINT, 0, TIME_END_S),
    OP_SET_SIGNED_TIME: _ENVELOPE,
    OP_LIST_BEGIN: _ENVELOPE,
    OP_LIST_CHUNK: (UINT, 0, LIST_PAYLOAD_MAX_BYTES, BYTES, 1, CHUNK_BYTES),
    OP_LIST_COMMIT: _NONCE,
    OP_GET_RECEIPT: _NONCE,
    OP_JOURNAL_HEAD: (UINT, 0, RING_ALARM, BYTES, NONCE_BYTES, NONCE_BYTES),
    OP_JOURNAL_READ: (UINT, 0, RING_ALARM, UINT, 0, 0xFFFFFFFF, UINT, 1, JOURNAL_PAGE_RECORDS),
    OP_PUT_CHECKPOINT: _ENVELOPE,
    OP_ENROLL: _NOTHING,
    OP_GET_NONCE: _NOTHING,
    OP_DO_TICKET: _ENVELOPE,
    OP_PING: _NOTHING,
    OP_GET_BUCKETS: (UINT, 0, BUCKETS - 1, UINT, 1, BUCKETS_A_PAGE),
    OP_GET_RECORDS: (UINT, 0, BUCKETS - 1, UINT, 0, 0xFFFF, UINT, 1, RECORDS_A_PAGE),
    OP_JOURNAL_SECTORS: (UINT, 0, RING_ALARM, UINT, 0, 0xFFFFFFFF, UINT, 1, SECTOR_HEADERS_A_PAGE),
    OP_GET_AUDIT_KEY: _RING,
    OP_FIRMWARE_BEGIN: (UINT, KEY_ROOT, KEY_FIRMWARE, BYTES, 1, ENVELOPE_MAX_BYTES),
    OP_FIRMWARE_CHUNK: (UINT, 0, PACK_MAX_BYTES, BYTES, 1, CHUNK_BYTES),
    OP_FIRMWARE_COMMIT: _NOTHING,
    OP_FIRMWARE_PROVE: _NOTHING,
    OP_GET_CONFIG: _NOTHING,
    OP_PUT_CONFIG: _ENVELOPE,
    OP_GET_CREDENTIAL: _NOTHING,
    OP_GET_PORTS: _NOTHING,
    OP_READ_ENERGY: (UINT, 0, 0xFFFFFFFF, UINT, 1, ENERGY_PAGE_SLOTS),
    OP_PUT_TRUST: (UINT, 0, TRUST_MAX_BYTES, UINT, 1, TRUST_MAX_BYTES, BYTES, 1, CHUNK_BYTES),
}


class Refused(ValueError):
    """A request that is not carried out; `code` is the wire error that says why.

    setting: the number that the reply names, with the codes that have one, else 0.
    """

    def __init__(self, code: int, setting: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.setting = setting


def decode(data: "framing.Buffer", views: bool = False) -> "cbor.Value":
    """The value that `data` holds; raises Refused(ERR_MALFORMED)."""
    try:
        return cbor.decode(data, views)
    except cbor.Malformed as error:
        raise Refused(ERR_MALFORMED) from error


def is_number(value: "cbor.Value", greatest: int) -> bool:
    """Whether it is an integer, no boolean, from 0 to `greatest`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= greatest


def check_args(operation: int, arguments: "Sequence[cbor.Value]") -> None:
    """Raise Refused unless the operation exists and takes these arguments."""
    bounds = OPS.get(operation)
    if bounds is None:
        raise Refused(ERR_UNKNOWN_OPERATION)
    if len(bounds) != 3 * len(arguments):
        raise Refused(ERR_ARGUMENT)
    at = 0
    for argument in arguments:
        if bounds[at] == UINT:
            if isinstance(argument, bool) or not isinstance(argument, int):
                raise Refused(ERR_ARGUMENT)
            measure = argument
        elif isinstance(argument, (bytes, memoryview)):
            measure = len(argument)
        else:
            raise Refused(ERR_ARGUMENT)
        if not bounds[at + 1] <= measure <= bounds[at + 2]:
            raise Refused(ERR_BOUNDS)
        at += 3


def arguments_of(operation: int) -> "tuple[Bounds, ...]":
    """Host only. The bounds of each argument that an operation takes."""
    bounds = OPS[operation]
    return tuple([(bounds[at], bounds[at + 1], bounds[at + 2]) for at in range(0, len(bounds), 3)])


def request(request_id: int, operation: int, *arguments: "cbor.Value") -> bytes:
    """Host only. Framed request; raises Refused for arguments that no controller takes."""
    check_args(operation, arguments)
    return framing.encode([request_id, operation] + list(arguments))  # noqa: RUF005


def parse_request(message: "framing.Buffer") -> "list[cbor.Value]":
    """[request id, operation, arguments…] of a message, ids checked and arguments not.

    Long byte strings are views of the message.

    Raises Refused(ERR_MALFORMED) when not even the request id can be told.
    """
    value = decode(message, True)
    if (
        not isinstance(value, list)
        or len(value) < 2
        or not is_number(value[0], 0xFFFF)
        or not is_number(value[1], 0xFFFF)
    ):
        raise Refused(ERR_MALFORMED)
    return value


def reply(request_id: int, status: int, value: "cbor.Value" = None) -> bytes:
    """Framed reply."""
    return framing.encode([request_id, status, value])


def parse_reply(message: "framing.Buffer") -> "tuple[int, int, cbor.Value]":
    """Host only. (request id, status, value); raises cbor.Malformed for any other shape."""
    value = cbor.decode(message)
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not is_number(value[0], 0xFFFF)
        or not is_number(value[1], 0xFF)
        or (value[1] != 0 and value[2] is not None and not _names_a_setting(value))
    ):
        raise cbor.Malformed("not a reply")
    return value[0], value[1], value[2]


def _names_a_setting(value: "list[cbor.Value]") -> bool:
    return value[1] in (ERR_SETTING, ERR_NOT_ON_BOARD) and is_number(value[2], 0xFF)
