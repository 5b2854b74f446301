"""A decision against 10 000 cards: flash reads, modelled time, heap after 10 000 swipes (host)."""

from __future__ import annotations

from typing import Any

from tests.bench.charged_house import row
from tests.bench.scripts import figures

NAME = "decision"
# the chips lie in this heap too
_HEAP_BYTES = 16 * 1024 * 1024
_READS_MAX = 24
_MODEL_MAX_MS = 1.0
# two collections never agree to the byte; what a swipe leaked would stand here 9500 times
_JITTER_BYTES = 1024


def run() -> list[dict[str, Any]]:
    """Mean and worst of all swipes."""
    found = figures("decide.py", heap_bytes=_HEAP_BYTES)
    return [
        row("flash reads, mean", found["reads_mean"], ""),
        row("flash reads, worst", found["reads_worst"], "", at_most=_READS_MAX),
        row("flash model, mean", found["model_us_mean"] / 1000, "ms"),
        row("flash model, worst", found["model_us_worst"] / 1000, "ms", at_most=_MODEL_MAX_MS),
        row("heap growth over 10 000 swipes", found["heap_growth"], "B", at_most=_JITTER_BYTES),
        row("cards granted, of 10 000 swipes", found["granted"], ""),
    ]
