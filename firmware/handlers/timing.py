"""The controller's clock: read, set within reach (device)."""

from protocol.codes import ERR_BUSY, EVENT_CLOCK_SET
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


def clock_was_set(c: "Controller", by_signature: int) -> "Value":
    """Record and reply of either."""
    c.access.refill_grace()
    c.journal.record(EVENT_CLOCK_SET, by_signature)
    return [c.clock.time_s, c.clock.quality]
