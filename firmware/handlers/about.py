"""What the controller is and how it fares: info, state, self-test, ping (device)."""

from firmware.handlers.on_demand import on_demand
from firmware.loan import forget
from protocol.codes import OP_SELF_TEST
from protocol.policy.decide import FRESH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def get_info(c: "Controller", arguments: "Arguments") -> "Value":
    from firmware.handlers.info import info

    forget("firmware.handlers.info")
    return info(c)


async def get_state(c: "Controller", arguments: "Arguments") -> "Value":
    c.clock.tick()
    held = c.whitelist
    manifest = held.manifest
    return [
        c.config.epoch if manifest is None else manifest.epoch,
        held.version,
        held.digest,
        held.count,
        c.keys.version,
        c.access.freshness() != FRESH,
        c.clock.quality,
        c.clock.time_s,
        len(held.index),
    ]


async def ping(c: "Controller", arguments: "Arguments") -> "Value":
    return None


self_test = on_demand(OP_SELF_TEST)
