"""Handlers whose code is brought from the pack for one request (device)."""

from firmware.loan import forget
from protocol.codes import (
    OP_DO_TICKET,
    OP_GET_CONFIG,
    OP_GET_PORTS,
    OP_PUT_CHECKPOINT,
    OP_PUT_CONFIG,
    OP_READ_ENERGY,
    OP_SET_SIGNED_TIME,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firmware.controller import Arguments, Controller, Value

    Handler = Callable[[Controller, Arguments], Awaitable[Value]]


def on_demand(operation: int) -> "Handler":
    """The handler of an operation that one of the others of this folder carries out."""

    async def handler(c: "Controller", arguments: "Arguments") -> "Value":
        if operation in (OP_GET_CONFIG, OP_PUT_CONFIG):
            from firmware.handlers.configure import carry_out

            forget("firmware.handlers.configure")
        elif operation in (OP_DO_TICKET, OP_SET_SIGNED_TIME, OP_PUT_CHECKPOINT):
            from firmware.handlers.orders import carry_out

            forget("firmware.handlers.orders")
        elif operation in (OP_GET_PORTS, OP_READ_ENERGY):
            from firmware.handlers.charging import carry_out

            forget("firmware.handlers.charging")
        else:
            from firmware.handlers.seldom import carry_out

            forget("firmware.handlers.seldom")
        return await carry_out(c, operation, arguments)

    return handler
