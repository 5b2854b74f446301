"""Heap that a controller's code takes after its import, by module of the pack (host)."""

from __future__ import annotations

from typing import Any

from controller_tool.pack import compiled_modules
from tests.bench.charged_house import row
from tests.firmware.loading import heap_by_module
from tests.firmware.test_ram import CODE_MAX_BYTES, OTHERS

NAME = "ram"


def run() -> list[dict[str, Any]]:
    """For each kind of board: every module of its pack, then the sum against its budget."""
    rows = []
    for board in OTHERS:
        compiled = compiled_modules(board)
        taken = heap_by_module(board)
        for name, size in taken.items():
            rows.append(row(f"{board}: {name} ({len(compiled[name])} bytes of .mpy)", size, "B"))
        rows.append(row(f"{board}: all code", sum(taken.values()), "B", at_most=CODE_MAX_BYTES))
    return rows
