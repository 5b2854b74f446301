"""The controller's clock: read, set within reach, set by a signature (device)."""

from firmware.handlers.on_demand import on_demand
from protocol.codes import ERR_BUSY, EVENT_CLOCK_SET, OP_SET_SIGNED_TIME
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def get_time(c: "Controller", arguments: "Arguments") -> "Value":
    c.clock.tick()
    return [c.clock.time_s, c.clock.ms, c.clock.quality, c.clock.floor_s]


async def set_time(c: "Controller", arguments: "Arguments") -> "Value":
    if not c.journal.admits(EVENT_CLOCK_SET):
        raise Refused(ERR_BUSY)
    c.clock.set_unsigned(arguments[0])
    return clock_was_set(c, 0)


set_signed_time = on_demand(OP_SET_SIGNED_TIME)


def clock_was_set(c: "Controller", by_signature: int) -> "Value":
    """Record and reply of either."""
    c.access.refill_grace()
    c.journal.record(EVENT_CLOCK_SET, by_signature)
    return [c.clock.time_s, c.clock.quality]
