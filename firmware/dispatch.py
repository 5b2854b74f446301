"""From a message to its reply: rights, arguments, handler; one place for all errors (device)."""

from firmware import reserve
from firmware.handlers import about, acts, book, lists, timing
from firmware.handlers.on_demand import on_demand
from protocol import cbor, framing, messages, roles
from protocol.codes import (
    ERR_BUSY,
    ERR_FLASH,
    ERR_MALFORMED,
    ERR_REFUSED,
    ERR_ROLE,
    EVENT_FIRMWARE_FAULT,
    OK,
    OP_GET_CREDENTIAL,
    OP_GET_NONCE,
    OP_GET_RECEIPT,
    OP_GET_STATE,
    OP_GET_TIME,
    OP_JOURNAL_HEAD,
    OP_JOURNAL_READ,
    OP_JOURNAL_SECTORS,
    OP_LIST_BEGIN,
    OP_LIST_CHUNK,
    OP_LIST_COMMIT,
    OP_PING,
    OP_PUT_CONFIG,
    OP_PUT_TRUST,
    OP_SET_TIME,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Arguments, Controller

_ENOMEM = 12

# all others are on_demand's
_HANDLERS = {
    OP_GET_STATE: about.get_state,
    OP_GET_TIME: timing.get_time,
    OP_SET_TIME: timing.set_time,
    OP_LIST_BEGIN: lists.begin,
    OP_LIST_CHUNK: lists.chunk,
    OP_LIST_COMMIT: lists.commit,
    OP_GET_RECEIPT: lists.get_receipt,
    OP_JOURNAL_HEAD: book.head,
    OP_JOURNAL_READ: book.read,
    OP_JOURNAL_SECTORS: book.sectors,
    OP_GET_NONCE: acts.get_nonce,
    OP_PING: about.ping,
    OP_GET_CREDENTIAL: acts.get_credential,
}
# asked for again and again, and carried out with what is there
_LIGHT = (OP_LIST_CHUNK, OP_JOURNAL_READ, OP_PING, OP_GET_STATE, OP_GET_TIME, OP_SET_TIME)
# what writes much to the flash waits while the supply sags
_HELD = (OP_LIST_BEGIN, OP_LIST_CHUNK, OP_LIST_COMMIT, OP_PUT_TRUST, OP_PUT_CONFIG)


async def answer(c: "Controller", role: int, message: "framing.Buffer") -> memoryview:
    """The framed reply to one message, good until the next; Refused when it has no id."""
    request = messages.parse_request(message)
    value: "Any" = None
    try:
        value = await _carry_out(c, role, request[1], request[2:])
        status = OK
    except Exception as error:  # noqa: BLE001 - the one place where every fault becomes a code
        status = code_of(error)
        if is_of_memory(error):  # a restart mends it, as soon as nobody notices
            status = ERR_BUSY
            c.heap_is_spent = True
            fault(c, error)
        elif status == ERR_REFUSED:
            fault(c, error)
        value = getattr(error, "setting", 0) or None
    try:
        return framing.encode_into(c.reply, (request[0], status, value))
    except cbor.Malformed as error:  # no request is to blame for an answer that has no form
        fault(c, error)
    return framing.encode_into(c.reply, (request[0], ERR_REFUSED, None))


async def _carry_out(c: "Controller", role: int, operation: int, arguments: "Arguments") -> "Any":
    if operation in messages.OPS and not roles.may(role, operation):
        raise messages.Refused(ERR_ROLE)
    messages.check_args(operation, arguments)
    if operation in _HELD and c.supply is not None and c.supply.sags():
        raise messages.Refused(ERR_BUSY)
    if operation in _LIGHT:
        return await _HANDLERS[operation](c, arguments)
    handler = _HANDLERS.get(operation)
    reserve.give()
    try:
        if handler is None:
            return await on_demand(c, operation, arguments)
        return await handler(c, arguments)
    finally:
        reserve.keep()


def code_of(error: Exception) -> int:
    """The wire error of an exception: its own, or one that tells nothing."""
    if isinstance(error, messages.Refused):
        return error.code
    if isinstance(error, cbor.Malformed):
        return ERR_MALFORMED
    return ERR_FLASH if isinstance(error, OSError) else ERR_REFUSED


def is_of_memory(error: BaseException) -> bool:
    """Whether there was no room, as MicroPython says it or as TLS does."""
    return isinstance(error, MemoryError) or error.args[:1] == (_ENOMEM,)


def fault(c: "Controller", error: BaseException) -> None:
    """A defect of ours showed: on record, and its kind told to whoever asks for the info."""
    c.fault = type(error).__name__
    if is_of_memory(error):
        c.memory_faults += 1
    c.journal.note(EVENT_FIRMWARE_FAULT)  # strangers may bring many about: they are folded
