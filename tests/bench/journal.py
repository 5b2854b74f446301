"""The journal on the controller: flash a record, RAM of both rings, wear over a million records."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from controller_tool.sim.micropython import find
from tests.bench.charged_house import row
from tests.bench.whitelist import compiled

NAME = "journal"
RECORDS = 1_000_000
_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = _ROOT / "tests" / "firmware" / "measure_journal.py"
_SHORT, _PROCESSES = 200, 7
_HEAP_BYTES = 96 * 1024 * 1024  # the chips lie in it too
_A_DAY = 2000
_ERASE_CYCLES = 100_000
_KEY_SLOT_BYTES = 2 * 84  # the new slot, and zeros over the old one
_YEARS = 50
_DAYS_A_YEAR = 365.25


def figures(records: int, path: Path) -> dict[str, float]:
    """What tests/firmware/measure_journal.py prints."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            find().argv(str(_SCRIPT), str(records), folder, esp32_heap_bytes=_HEAP_BYTES),
            env={**os.environ, "MICROPYPATH": f"{path}:{_ROOT}:.frozen"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name: float(value) for name, value in pairs}


def _years(found: dict[str, float], worn: str) -> float:
    """Until the most worn sector has had its cycles, all records of a day in this one ring."""
    records = found["written"] / found[worn] * _ERASE_CYCLES
    return records / _A_DAY / _DAYS_A_YEAR


def run() -> list[dict[str, Any]]:
    """Every figure, with the ring full: each sector has to be erased before it is filled."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder))
        found = figures(RECORDS, Path(folder))
        # a word on the stack may look like a pointer to garbage, in another place in each process:
        # what is held is held in all of them
        short = [figures(_SHORT, Path(folder)) for _ in range(_PROCESSES)]
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
