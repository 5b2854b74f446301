"""Physical actions, by ticket only: signed, for this controller's own nonce, once (device)."""

from firmware import signed
from firmware.handlers.timing import addressed
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_MALFORMED,
    ERR_NONCE,
    EVENT_TICKET_EXECUTED,
    EVENT_TICKET_REFUSED,
    KEY_TICKET,
    TICKET_REBOOT,
)
from protocol.constants import AAD_TICKET
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def get_nonce(c: "Controller", arguments: "Arguments") -> "Value":
    return c.make_nonce()


async def do_ticket(c: "Controller", arguments: "Arguments") -> "Value":
    try:
        payload = await signed.payload(c.keys, KEY_TICKET, arguments[0], AAD_TICKET)
        _do(c, addressed(c, payload, 6))
    except Refused as error:
        c.journal.record(EVENT_TICKET_REFUSED, error.code)
        raise
    return None


def _do(c: "Controller", fields: "Arguments") -> None:
    action, point, argument = fields[3:]
    for number in fields[3:]:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 0xFFFF:
            raise Refused(ERR_MALFORMED)
    if point > 254 or action > 255:
        raise Refused(ERR_MALFORMED)
    if not c.use_nonce(fields[2]):
        raise Refused(ERR_NONCE)
    if action != TICKET_REBOOT and not c.kind.takes(action, point):
        raise Refused(ERR_ARGUMENT)
    c.journal.record(EVENT_TICKET_EXECUTED, action, point, extra=argument)
    if action == TICKET_REBOOT:
        c.restart_wanted = True
    else:
        c.kind.act(action, point, argument)
