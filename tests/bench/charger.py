"""Sixteen ports: smoke to relays, the energy account, the loop's time, many sessions (host)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import charger_board, charger_energy
from tests.bench.charged_house import row
from tests.bench.scripts import told
from tests.bench.whitelist import compiled

NAME = "charger"
SESSIONS = 10_000
_HEAP_BYTES = 4 * 1024 * 1024  # the rig and its flash lie in it too
_SMOKE_MAX_MS, _ERROR_MAX_PERCENT, _LOOP_MAX_PERCENT = 150, 1, 30
# facts.md: what takes this machine 1.9 ms takes an ESP32 at 240 MHz some 95
_ESP32_SLOWER = 50
_TURN_US = 10_000


def run() -> list[dict[str, Any]]:
    """First on the rig: times of the loop's turns, processor time estimated from this computer's.
    Then whole boards: times of their own clocks.
    """
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder), "tests/firmware", "tests/both")
        (words,) = told(
            "soak_charger.py", str(SESSIONS), heap_bytes=_HEAP_BYTES, before=Path(folder)
        )
    found = json.loads(" ".join(words))
    load = found["turn_us"] * _ESP32_SLOWER / _TURN_US * 100
    return [
        row("smoke to the contactor and sixteen relays", found["smoke_ms"], "ms",
            at_most=_SMOKE_MAX_MS),
        row("energy account against what flowed: worst port", found["energy_error"], "%",
            at_most=_ERROR_MAX_PERCENT),
        row("share of the loop, sixteen ports metering, est.", load, "%",
            at_most=_LOOP_MAX_PERCENT),
        row(f"heap growth, {found['sessions']} sessions", found["growth"], "B", at_most=0),
        *charger_board.rows(),
        *charger_energy.rows(),
    ]  # fmt: skip
