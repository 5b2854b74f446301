"""The board's own code as one module: nothing is lost, and no name means two things (host)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from controller_tool import resources
from controller_tool.beside import board_files, board_module
from controller_tool.errors import ImageError

CHIP = resources.boards_dir() / "esp32"
BOARDS = sorted(path.parent for path in resources.boards_dir().glob("*/board.py"))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_a_board_is_one_module_with_all_that_its_files_define(board: Path) -> None:
    files = board_files(board, CHIP)
    assert list(files)[-1] == "board"
    tree = board_module(files)
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & set(files), "it would look for a file that is not there"
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"safe_state", "relays", "partition", "watchdog"} <= defined


def test_only_what_a_board_imports_goes_along() -> None:
    def chips(name: str) -> set[str]:
        return set(board_files(resources.boards_dir() / name, CHIP)) - {"board", "chip"}

    assert chips("virtual_door") == set()
    assert chips("virtual_charger12") == {"analog_mux", "hc595", "output"}
    assert chips("virtual_charger16") == {"analog_mux", "expander_bus", "mcp23017", "output"}


def test_two_files_that_mean_different_things_by_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def step():\n    return 1\n")
    (tmp_path / "b.py").write_text("from a import step\n\n\ndef twice():\n    return 2 * step()\n")
    (tmp_path / "board.py").write_text("from b import twice\n")
    files = board_files(tmp_path, tmp_path)
    assert list(files) == ["a", "b", "board"]
    board_module(files)
    (tmp_path / "b.py").write_text("from a import step\n\n\ndef step():\n    return 3\n")
    with pytest.raises(ImageError, match="both have a step"):
        board_module(files)
