"""Handlers whose code is brought from the pack for one request (device)."""

from firmware.loan import forget
from protocol.codes import OP_GET_CONFIG, OP_PUT_CONFIG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firmware.controller import Arguments, Controller, Value

    Handler = Callable[[Controller, Arguments], Awaitable[Value]]


def on_demand(operation: int) -> "Handler":
    """The handler of an operation that seldom.py or device_config.py carries out."""

    async def handler(c: "Controller", arguments: "Arguments") -> "Value":
        if operation in (OP_GET_CONFIG, OP_PUT_CONFIG):
            from firmware.device_config import get, put

            forget("firmware.device_config")
            return await (get if operation == OP_GET_CONFIG else put)(c, arguments)
        from firmware.handlers.seldom import carry_out

        forget("firmware.handlers.seldom")
        return await carry_out(c, operation, arguments)

    return handler
