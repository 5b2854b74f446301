"""Requests whose code is brought from the pack for each of them (device)."""

from firmware.loan import forget
from protocol.codes import (
    OP_DO_TICKET,
    OP_FIRMWARE_BEGIN,
    OP_FIRMWARE_PROVE,
    OP_GET_BUCKETS,
    OP_GET_CONFIG,
    OP_GET_INFO,
    OP_GET_PORTS,
    OP_GET_RECORDS,
    OP_PUT_CHECKPOINT,
    OP_PUT_CONFIG,
    OP_PUT_TRUST,
    OP_READ_ENERGY,
    OP_SET_SIGNED_TIME,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def on_demand(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; rights and arguments have been checked."""
    if operation == OP_GET_INFO:
        from firmware.handlers.info import carry_out

        forget("firmware.handlers.info")
    elif operation in (OP_GET_CONFIG, OP_PUT_CONFIG):
        from firmware.handlers.configure import carry_out

        forget("firmware.handlers.configure")
    elif operation in (OP_DO_TICKET, OP_SET_SIGNED_TIME, OP_PUT_CHECKPOINT):
        from firmware.handlers.orders import carry_out

        forget("firmware.handlers.orders")
    elif operation in (OP_GET_PORTS, OP_READ_ENERGY):
        from firmware.handlers.charging import carry_out

        forget("firmware.handlers.charging")
    elif operation in (OP_GET_BUCKETS, OP_GET_RECORDS):
        from firmware.handlers.compare import carry_out

        forget("firmware.handlers.compare")
    elif operation == OP_PUT_TRUST:
        from firmware.trust_change import carry_out

        forget("firmware.trust_change")
    elif OP_FIRMWARE_BEGIN <= operation <= OP_FIRMWARE_PROVE:
        from firmware.update import carry_out

        forget("firmware.update")
    else:
        from firmware.handlers.seldom import carry_out

        forget("firmware.handlers.seldom")
    return await carry_out(c, operation, arguments)
