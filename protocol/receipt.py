"""Receipts: what a controller states about the list that it holds, docs section 4 (both)."""

from protocol import cbor
from protocol.codes import ERR_MALFORMED, ERR_SIGNATURE
from protocol.constants import ID_BYTES, NONCE_BYTES
from protocol.hmac import equal, hmac_sha256
from protocol.messages import Refused, decode, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LABEL = b"receipt"
_MAC_BYTES = 16
_MAX_BYTES = 160
# bytes of each field of the body; 0: a number
_SIZES = (ID_BYTES, ID_BYTES, 0, 0, 0, 32, 0, NONCE_BYTES)


class Receipt:
    """The body of a receipt; `journal_seq` is the next one of the alarm ring."""

    def __init__(
        self,
        site: bytes,
        device: bytes,
        epoch: int,
        boot: int,
        version: int,
        digest: bytes,
        journal_seq: int,
        nonce: bytes,
    ) -> None:
        self.site = site
        self.device = device
        self.epoch = epoch
        self.boot = boot
        self.version = version
        self.digest = digest
        self.journal_seq = journal_seq
        self.nonce = nonce


def make(
    key: bytes,
    site: bytes,
    device: bytes,
    epoch: int,
    boot: int,
    version: int,
    digest: bytes,
    journal_seq: int,
    nonce: bytes,
) -> bytes:
    """Receipt under the controller's own receipt key, for the nonce of the one who asks."""
    return seal(key, _LABEL, (site, device, epoch, boot, version, digest, journal_seq, nonce))


def seal(key: bytes, label: bytes, fields: "tuple[cbor.Value, ...]") -> bytes:
    """A receipt of any kind; its label keeps it from being taken for another."""
    body = cbor.encode(fields)
    return cbor.encode((body, hmac_sha256(key, label, body)[:_MAC_BYTES]))


def read(key: bytes, data: "bytes | memoryview") -> Receipt:
    """The receipt, its MAC proven. Raises Refused(ERR_MALFORMED or ERR_SIGNATURE).

    Whether site, device and nonce are those that were asked for is the caller's to see.
    """
    return Receipt(*unseal(key, _LABEL, data, _SIZES))


def unseal(
    key: bytes, label: bytes, data: "bytes | bytearray | memoryview", sizes: "tuple[int, ...]"
) -> "list[Any]":
    """Host only. The fields of a receipt of that kind, as read(); sizes: as _SIZES."""
    if len(data) > _MAX_BYTES:
        raise Refused(ERR_MALFORMED)
    outer = decode(data)
    if not _fits(outer, (-1, _MAC_BYTES)):
        raise Refused(ERR_MALFORMED)
    if not equal(hmac_sha256(key, label, outer[0])[:_MAC_BYTES], outer[1]):
        raise Refused(ERR_SIGNATURE)
    fields: "list[Any]" = decode(outer[0])
    if not _fits(fields, sizes):
        raise Refused(ERR_MALFORMED)
    return fields


def _fits(values: "cbor.Value", sizes: "tuple[int, ...]") -> bool:
    """Whether it is a list of byte strings of these sizes (-1: any) and numbers (0)."""
    if not isinstance(values, list) or len(values) != len(sizes):
        return False
    for i in range(len(sizes)):
        value = values[i]
        if sizes[i] == 0:
            if not is_number(value, 0xFFFFFFFF):
                return False
        elif not isinstance(value, bytes) or (sizes[i] > 0 and len(value) != sizes[i]):
            return False
    return True
