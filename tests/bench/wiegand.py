"""Wiegand frames read, refused and read wrongly while the flash is at work (host)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.charged_house import row
from tests.bench.scripts import told

NAME = "wiegand"
FRAMES = 10_000
_HEAP_BYTES = 4 * 1024 * 1024
_REFUSED_MAX = {"rest": 1.0, "merge": 10.0, "push": 25.0}  # per cent
_PITCHES_US = (1000, 2000)


def figures(situation: str, pitch_us: int, frames: int = FRAMES) -> tuple[int, int, int]:
    """Frames read, refused and read wrongly."""
    [words] = told(
        "measure_wiegand.py", str(frames), str(pitch_us), situation, heap_bytes=_HEAP_BYTES
    )
    read, refused, wrong = (int(word) for word in words)
    return read, refused, wrong


def run() -> list[dict[str, Any]]:
    """Each situation at one and at two milliseconds a bit."""
    asked = [(situation, pitch_us) for situation in _REFUSED_MAX for pitch_us in _PITCHES_US]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda one: figures(*one), asked))
    rows = []
    for (situation, pitch_us), (read, refused, wrong) in zip(asked, found, strict=True):
        what = f"{situation}, {pitch_us // 1000} ms a bit"
        share = 100 * refused / (read + refused + wrong)
        rows.append(row(f"{what}: read wrongly, of {FRAMES}", wrong, "", at_most=0))
        rows.append(row(f"{what}: refused", share, "%", at_most=_REFUSED_MAX[situation]))
    return rows
