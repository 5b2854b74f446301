"""Physical actions, by ticket only: signed, for this controller's own nonce, once (device)."""

from firmware.handlers.on_demand import on_demand
from protocol.codes import OP_DO_TICKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def get_nonce(c: "Controller", arguments: "Arguments") -> "Value":
    return c.make_nonce()


do_ticket = on_demand(OP_DO_TICKET)
