"""What the controller is and how it fares: info, state, self-test, ping (device)."""

import gc

from firmware.handlers.on_demand import on_demand
from protocol.codes import OP_SELF_TEST
from protocol.constants import PROTOCOL_VERSION
from protocol.policy.decide import FRESH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def get_info(c: "Controller", arguments: "Arguments") -> "Value":
    """A map of text to numbers, text and bytes (docs/protocol.cddl `info`)."""
    gc.collect()
    return {
        "name": c.config.name,
        "site": c.config.site,
        "device": c.config.device,
        "board": c.board.BOARD,
        "kind": c.board.KIND,
        "protocol": PROTOCOL_VERSION,
        "firmware": c.firmware,
        "slot": c.slot,
        "boot": c.journal.boot,
        "reset_cause": c.board.reset_cause(),
        "uptime_s": c.clock.uptime_s,
        "heap_free": gc.mem_free(),
        "heap_used": gc.mem_alloc(),
        "longest_gap_ms": c.pace.longest_ms,
        "longest_handshake_step_ms": c.pace.handshake_ms,
        "refused_attempts": c.admission.total,
        "fault": c.fault,
        "capacity": c.board.capabilities["cards"],
    }


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
