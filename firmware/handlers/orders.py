"""Signed orders: tickets, times, checkpoints; loaded for each and forgotten after it (device).

Apart from what else is seldom asked: while a signature is verified, the heap has no room for code
that has no part in it.
"""

import asyncio
from hashlib import sha256

from firmware import signed
from firmware.handlers.timing import clock_was_set
from firmware.loan import forget
from protocol import cbor
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_BUSY,
    ERR_DIGEST,
    ERR_MALFORMED,
    ERR_NONCE,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    EVENT_CHECKPOINT,
    EVENT_CHECKPOINT_REFUSED,
    EVENT_CLOCK_SET,
    EVENT_TICKET_EXECUTED,
    EVENT_TICKET_REFUSED,
    KEY_CHECKPOINT,
    KEY_TICKET,
    OP_DO_TICKET,
    OP_PUT_CHECKPOINT,
    OP_SET_SIGNED_TIME,
    TICKET_CHARGE_START,
    TICKET_ENROL,
    TICKET_PAIR_READER,
    TICKET_REBOOT,
    TICKET_RETIRE,
)
from protocol.constants import (
    AAD_CHECKPOINT,
    AAD_TICKET,
    AAD_TIME,
    CARD_KEY_BYTES,
    CHARGE_WH_MAX,
    CHARGE_WH_SHIFT,
    ENROL_MAX_S,
)
from protocol.messages import Refused, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value
    from firmware.ring import Ring
    from protocol.cose import Buffer

_CHARGE_MAX = CHARGE_WH_MAX << CHARGE_WH_SHIFT | (1 << CHARGE_WH_SHIFT) - 1
# whoever may ask for these could push the evidence out of the ring
_RECORDED = {OP_SET_SIGNED_TIME: EVENT_CLOCK_SET, OP_PUT_CHECKPOINT: EVENT_CHECKPOINT}


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; rights and arguments have been checked."""
    if operation in _RECORDED and not c.journal.admits(_RECORDED[operation]):
        raise Refused(ERR_BUSY)
    return await _HANDLERS[operation](c, arguments)


def _addressed(c: "Controller", payload: "Buffer", count: int) -> "Arguments":
    """The fields of a signed array that begins with site and device; raises Refused."""
    fields = cbor.decode(payload)
    if not isinstance(fields, list) or len(fields) != count:
        raise Refused(ERR_MALFORMED)
    if fields[0] != c.config.site:
        raise Refused(ERR_OTHER_SITE)
    if fields[1] != c.config.device:
        raise Refused(ERR_OTHER_DEVICE)
    return fields


async def _do_ticket(c: "Controller", arguments: "Arguments") -> "Value":
    """Physical actions: signed, for this controller's own nonce, once."""
    try:
        payload = await signed.payload(c.keys, KEY_TICKET, arguments[0], AAD_TICKET)
        return await _act(c, _addressed(c, payload, 6))
    except Refused as error:
        c.journal.note(EVENT_TICKET_REFUSED, error.code)
        raise


async def _act(c: "Controller", fields: "Arguments") -> "Value":
    action, point, argument = fields[3:]
    # a charge has its energy beside its minutes
    greatest = _CHARGE_MAX if action == TICKET_CHARGE_START else 0xFFFF
    if not (is_number(action, 255) and is_number(point, 255) and is_number(argument, greatest)):
        raise Refused(ERR_MALFORMED)
    if point == 255 and action != TICKET_ENROL:
        raise Refused(ERR_MALFORMED)
    if not c.use_nonce(fields[2]):
        raise Refused(ERR_NONCE)
    if not _is_possible(c, action, point, argument):
        raise Refused(ERR_ARGUMENT)
    c.journal.record(EVENT_TICKET_EXECUTED, action, point, extra=argument)
    if action == TICKET_REBOOT:
        c.restart_wanted = True
    elif action == TICKET_ENROL:
        from firmware.enrolment import Enrolment

        forget("firmware.enrolment")
        c.enrolment = Enrolment(c, point, argument)
    elif action == TICKET_PAIR_READER:
        from firmware.pairing import pair

        forget("firmware.pairing")
        pair(c, point, argument == 1)
    elif action == TICKET_RETIRE:
        from firmware.retire import retire

        forget("firmware.retire")
        return await retire(c, fields[2])
    else:
        c.kind.act(action, point, argument)
    return None


def _is_possible(c: "Controller", action: int, point: int, argument: int) -> bool:
    # not while a fire is latched: that is reset on site
    if action == TICKET_REBOOT:
        return c.kind.at_rest()
    if action == TICKET_RETIRE:  # argument 1: whatever of its journal nobody has pulled
        return argument <= 1 and c.kind.at_rest()
    if action == TICKET_ENROL:
        return 0 < argument <= ENROL_MAX_S
    if action == TICKET_PAIR_READER:
        from firmware.pairing import keys_for

        forget("firmware.pairing")
        return argument <= 1 and keys_for(c, point, argument == 1) is not None
    return c.kind.takes(action, point, argument)


async def _set_signed_time(c: "Controller", arguments: "Arguments") -> "Value":
    payload = await signed.payload(c.keys, KEY_TICKET, arguments[0], AAD_TIME)
    fields = _addressed(c, payload, 4)
    if not isinstance(fields[3], int) or fields[3] < 0:
        raise Refused(ERR_MALFORMED)
    if not c.use_nonce(fields[2]):
        raise Refused(ERR_NONCE)
    c.clock.set_signed(fields[3])
    return clock_was_set(c, 1)


async def _put_checkpoint(c: "Controller", arguments: "Arguments") -> "Value":
    """What the desk says it holds, compared with what is here; the record of it binds both sides.

    Its `key` is the beginning of the SHA-256 of what was signed.
    """
    forget("firmware.ring_pages")  # of the pull before: big numbers and its code are too much
    payload = await signed.payload(c.keys, KEY_CHECKPOINT, arguments[0], AAD_CHECKPOINT)
    fields = _addressed(c, payload, 6)
    for place in (2, 4):
        if not is_number(fields[place], 0xFFFFFFFF) or not isinstance(fields[place + 1], bytes):
            raise Refused(ERR_MALFORMED)
    for ring in c.journal.rings:
        at = 2 + 2 * ring.number
        if not _passes_through(ring, fields[at], fields[at + 1]):
            c.journal.note(EVENT_CHECKPOINT_REFUSED, ring.number, extra=fields[at])
            raise Refused(ERR_DIGEST)
        await asyncio.sleep_ms(0)
    digest = sha256(payload).digest()[:CARD_KEY_BYTES]
    c.journal.record(EVENT_CHECKPOINT, key=digest, extra=fields[2])
    return None


def _passes_through(ring: "Ring", seq: int, value: bytes) -> bool:
    """Whether c was this before that number, as far as the ring still reaches back."""
    from firmware.ring_pages import chain_value

    if seq > ring.seq:
        return False
    known = chain_value(ring, seq)
    return known is None or known == value


_HANDLERS = {
    OP_SET_SIGNED_TIME: _set_signed_time,
    OP_PUT_CHECKPOINT: _put_checkpoint,
    OP_DO_TICKET: _do_ticket,
}
