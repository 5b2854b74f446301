"""Four busy doors: card to relay, fire to relay, and a million decisions on one heap (host)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.bench.charged_house import row
from tests.bench.scripts import figures, told
from tests.bench.whitelist import compiled

NAME = "door"
DECISIONS = 1_000_000
# the chips and the list of 20 000 cards lie in this heap too
_BUSY_HEAP_BYTES = 48 * 1024 * 1024
_SOAK_HEAP_BYTES = 111_936  # an ESP32's (ADR-0016), with the rig in it
_MEDIAN_MAX_MS, _P99_MAX_MS, _FIRE_MAX_MS = 10, 50, 200
# facts.md: what takes this machine 1.9 ms takes an ESP32 at 240 MHz some 95
_ESP32_SLOWER = 50


def run() -> list[dict[str, Any]]:
    """Times of the flash's model; processor time is an estimate and has no limit."""
    busy = figures("busy_doors.py", heap_bytes=_BUSY_HEAP_BYTES)
    rows = [
        row("card to relay, four doors at once: median", busy["median_us"] / 1000, "ms",
            at_most=_MEDIAN_MAX_MS),
        row("card to relay: p99", busy["p99_us"] / 1000, "ms", at_most=_P99_MAX_MS),
        row("card to relay: worst", busy["worst_us"] / 1000, "ms"),
        row("of that a page of the pull, at most", busy["pull_page_us"] / 1000, "ms"),
        row("processor of a round of four, ESP32 est.",
            busy["cpu_round_us"] * _ESP32_SLOWER / 1000, "ms"),
        row("fire input to the last relay: worst", busy["fire_worst_us"] / 1000, "ms",
            at_most=_FIRE_MAX_MS),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder), "tests/firmware", "tests/both")
        soaked = told(
            "soak_door.py", str(DECISIONS), heap_bytes=_SOAK_HEAP_BYTES, before=Path(folder)
        )
    for words in soaked:
        growth = int(words[words.index("growth") + 1])
        name = f"heap growth, settings {words[1]}, {DECISIONS // 3} decisions"
        rows.append(row(name, growth, "B", at_most=0))
    return rows
