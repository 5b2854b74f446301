"""The journal on the controller: flash a record, RAM of both rings, wear over a million records."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.bench.charged_house import row
from tests.bench.scripts import figures
from tests.bench.whitelist import compiled

NAME = "journal"
RECORDS = 1_000_000
_SHORT, _PROCESSES = 200, 7
_HEAP_BYTES = 96 * 1024 * 1024  # the chips lie in it too
_A_DAY = 2000
_ERASE_CYCLES = 100_000
_KEY_SLOT_BYTES = 2 * 84  # the new slot, and zeros over the old one
_YEARS = 50
_DAYS_A_YEAR = 365.25


def _figures(records: int, path: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return figures(
            "measure_journal.py", str(records), folder, heap_bytes=_HEAP_BYTES, before=path
        )


def _years(found: dict[str, float], worn: str) -> float:
    """Until the most worn sector has had its cycles, all records of a day in this one ring."""
    records = found["written"] / found[worn] * _ERASE_CYCLES
    return records / _A_DAY / _DAYS_A_YEAR


def run() -> list[dict[str, Any]]:
    """Every figure, with the ring full: each sector has to be erased before it is filled."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder))
        found = _figures(RECORDS, Path(folder))
        # a word on the stack may look like a pointer to garbage, in another place in each process:
        # what is held is held in all of them
        short = [_figures(_SHORT, Path(folder)) for _ in range(_PROCESSES)]
    found |= {name: min(once[name] for once in [found, *short]) for name in ("ram", "ram_full")}
    beside = found["programmed"] - _KEY_SLOT_BYTES
    return [
        row("programs a record, key cell aside", found["programs"] - 2, "", at_most=1.06),
        row("bytes programmed a record, key cell aside", beside, "B", at_most=64),
        row("records an erase, all told", found["records_per_erase"], "", at_least=30),
        row("append, median", found["median_us"] / 1000, "ms", at_most=1),
        row("append, worst, erased ahead", found["worst_us"] / 1000, "ms", at_most=2),
        row("append, worst in a burst", found["burst_worst_us"] / 1000, "ms", at_most=60),
        row("erases in one append of a burst", found["burst_erases"], "", at_most=1),
        row("RAM of both rings, begun", found["ram"], "B", at_most=2048),
        row("RAM of both rings, full", found["ram_full"], "B", at_most=2048),
        row("records held by the access ring", found["held"], "", at_least=18_000),
        row("years, key cells of one ring", _years(found, "worn_keys"), "a", at_least=_YEARS),
        row("years, sectors of the access ring", _years(found, "worn_journal"), "a",
            at_least=_YEARS),
    ]  # fmt: skip
