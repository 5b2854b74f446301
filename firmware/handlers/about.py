"""What the controller is and how it fares: info, state, self-test, ping (device)."""

import asyncio
import gc
import os

from firmware.whitelist import BASE_PATHS
from protocol import cards
from protocol.codes import EVENT_SELF_TEST
from protocol.constants import PROTOCOL_VERSION
from protocol.messages import Refused
from protocol.policy.decide import FRESH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value

_CHECK_BYTES = 1024


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
    return [
        c.config.epoch,
        held.version,
        held.digest,
        held.count,
        c.keys.version,
        c.access.freshness() != FRESH,
        c.clock.quality,
        c.clock.time_s,
    ]


async def ping(c: "Controller", arguments: "Arguments") -> "Value":
    return None


async def self_test(c: "Controller", arguments: "Arguments") -> "Value":
    """Each check by name; what failed is also in the journal, as a mask."""
    checks = (
        ("entropy", os.urandom(16) != os.urandom(16)),
        ("clock", c.clock.quality > 0),
        ("journal", c.journal.rings[0].oldest <= c.journal.rings[0].seq),
        ("whitelist", await _list_is_whole(c)),
        ("relay", c.kind.relay_follows()),
        ("room", _has_room()),
    )
    failed = 0
    for i in range(len(checks)):
        if not checks[i][1]:
            failed |= 1 << i
    c.journal.record(EVENT_SELF_TEST, failed)
    return dict(checks)


async def _list_is_whole(c: "Controller") -> bool:
    held = c.whitelist.manifest
    if held is None:
        return True
    digest = cards.Digest()
    block = c.scratch[:_CHECK_BYTES]
    try:
        with open(BASE_PATHS[c.whitelist.slot], "rb") as file:
            while True:
                size = file.readinto(block)
                if not size:
                    return digest.digest() == held.result_digest
                digest.update(block[:size])
                await asyncio.sleep_ms(0)
    except (OSError, Refused):
        return False


def _has_room() -> bool:
    room = os.statvfs("/")
    return bool(room[0] * room[3] >= 65536)
