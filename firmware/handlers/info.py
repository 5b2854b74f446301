"""What the controller is and how it fares, by name (device); loaded for each request."""

import gc

from protocol.codes import (
    DOOR_ALARM,
    DOOR_FIRE,
    DOOR_LEAF_OPEN,
    DOOR_MODE_SHIFT,
    DOOR_UNLOCKED,
)
from protocol.constants import PROTOCOL_VERSION
from protocol.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Arguments, Controller, Value

packfs: "Any" = __import__("packfs")


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """A map of text to numbers, text and bytes (docs/protocol.cddl `info`)."""
    gc.collect()
    readers = c.kind.swipes.readers
    told = {
        "name": c.config.name,
        "site": c.config.site,
        "device": c.config.device,
        "board": c.board.BOARD,
        "kind": c.board.KIND,
        "protocol": PROTOCOL_VERSION,
        "firmware": c.firmware,
        "slot": c.slot,
        "trial": packfs.state == "t",
        "version": VERSION,
        "boot": c.journal.boot,
        "reset_cause": c.board.reset_cause(),
        "uptime_s": c.clock.uptime_s,
        "heap_free": gc.mem_free(),
        "heap_used": gc.mem_alloc(),
        "idf_largest": c.board.idf_largest(),
        "longest_gap_ms": c.pace.longest_ms,
        "longest_handshake_step_ms": c.pace.handshake_ms,
        "refused_attempts": c.admission.total,
        "fault": c.fault,
        "capacity": c.board.capabilities["cards"],
        "doors": bytes([state_of(point.door) for point in getattr(c.kind, "points", ())]),
        "reader_trouble": bytes([reader.driver.trouble for reader in readers]),
        "reader_pairing": bytes([getattr(reader.driver, "pairing", 0) for reader in readers]),
    }
    drift = getattr(c.clock.rtc, "drift_ms_a_day", None)
    if drift is not None:
        told["drift_ms_a_day"] = drift
    return told


def state_of(door: "Any") -> int:
    """DOOR_… bits of protocol/codes.py, and its mode above them."""
    state = door.mode << DOOR_MODE_SHIFT
    if door.unlocked:
        state |= DOOR_UNLOCKED
    if door.leaf_open:
        state |= DOOR_LEAF_OPEN
    if door.fire:
        state |= DOOR_FIRE
    if door.forced or door.held:
        state |= DOOR_ALARM
    return state
