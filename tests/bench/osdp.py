"""OSDP: four readers on a line in model time: how often each is asked, how soon a card is there.

The model: bytes at the wire's pace, an answer begins 3 ms behind its command, the door turns each
10 ms (or 11, with a millisecond of work beside) and looks at the line twice in between. A card is
held to its reader at any moment; the times end when the driver gives it to the door, whose decision
takes 1 ms more. Runs on the host.
"""

from __future__ import annotations

from typing import Any

from tests.bench.charged_house import row
from tests.bench.scripts import figures

NAME = "osdp"
_HEAP_BYTES = 16 * 1024 * 1024
_POLL_MAX_MS = {57600: 50, 9600: 150}
_CARD_MAX_MS = {57600: 120}


def run() -> list[dict[str, Any]]:
    """One group for each kind of channel, speed and length of a turn."""
    found = figures("measure_osdp.py", heap_bytes=_HEAP_BYTES)
    rows = []
    for kind in ("secure", "plain"):
        for baud in (57600, 9600):
            for turn_ms in (10, 11):
                key = f"{kind}_{baud}_{turn_ms}"
                name = f"{kind}, {baud} baud, turns of {turn_ms} ms"
                poll_max = _POLL_MAX_MS[baud]
                rows += [
                    row(f"{name}: poll, half", found[f"{key}_poll_p50"], "ms"),
                    row(f"{name}: poll, p95", found[f"{key}_poll_p95"], "ms", at_most=poll_max),
                    row(f"{name}: card, half", found[f"{key}_card_p50"], "ms"),
                    row(
                        f"{name}: card, worst",
                        found[f"{key}_card_worst"],
                        "ms",
                        at_most=_CARD_MAX_MS.get(baud),
                    ),
                ]
    return rows
