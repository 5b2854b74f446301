"""What a pack's modules hold of one another: what was let go does not come back (host)."""

from __future__ import annotations

import ast

import pytest

from controller_tool import resources
from controller_tool.pack import packed_modules

BOARDS = sorted(path.parent.name for path in resources.boards_dir().glob("*/board.py"))
STAYING = {"firmware.app", "firmware.door", "firmware.charger"}
# who takes what from a module that is loaded for its use, and why nothing stays for good
KNOWN = {
    ("firmware.pairing", "firmware.device_config"): "it is forgotten there with each use",
    ("firmware.osdp_rows", "firmware.readers.osdp"): "a driver stays as long as its reader",
    ("firmware.readers.virtual", "firmware.readers.rdm6300"): "a driver stays, too",
    ("firmware.energy_pages", "firmware.energy_ledger"): "a door has no energy to be read",
}


@pytest.mark.parametrize("board", BOARDS)
def test_nothing_that_is_loaded_for_its_use_imports_another_such_module(board: str) -> None:
    """A module that is imported at another's top is in sys.modules again, and nobody forgets it."""
    modules = packed_modules(board)
    loans = set(modules) - STAYING
    assert len(loans) > 20, "looked at nothing"
    found = {
        (name, str(node.module))
        for name in loans
        for node in modules[name].body
        if isinstance(node, ast.ImportFrom) and node.module in loans
    }
    assert found <= set(KNOWN)
