"""How the controller fares: state, ping (device)."""

from protocol.policy.decide import FRESH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


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
