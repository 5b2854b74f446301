"""The board's own code as one module: nothing is lost, and no name means two things (host)."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

import pytest

from controller_tool import resources
from controller_tool.beside import board_and_wiring, board_files, board_module
from controller_tool.errors import ImageError

CHIP = resources.boards_dir() / "esp32"
BOARDS = sorted(path.parent for path in resources.boards_dir().glob("*/board.py"))


def chips_of(board: Path) -> list[Path]:
    return resources.chip_dirs(resources.describe_board(board.name)["chip"])


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_a_board_is_one_module_with_all_that_its_files_define(board: Path) -> None:
    files = board_files(board, chips_of(board))
    assert list(files)[-1] == "board"
    tree = board_module(files)
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & set(files), "it would look for a file that is not there"
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"safe_state", "relays", "partition", "watchdog"} <= defined


def test_only_what_a_board_imports_goes_along() -> None:
    def chips(name: str) -> set[str]:
        return set(board_files(resources.boards_dir() / name, [CHIP])) - {
            "board",
            "chip",
            "on_demand",
        }

    assert chips("virtual_door") == set()
    assert chips("virtual_charger12") == {"analog_mux", "hc595", "output"}
    assert chips("virtual_charger16") == {"analog_mux", "expander_bus", "mcp23017", "output"}


def test_two_files_that_mean_different_things_by_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "on_demand.py").write_text("")
    (tmp_path / "a.py").write_text("def step():\n    return 1\n")
    (tmp_path / "b.py").write_text("from a import step\n\n\ndef twice():\n    return 2 * step()\n")
    (tmp_path / "board.py").write_text("from b import twice\n")
    files = board_files(tmp_path, [tmp_path])
    assert list(files) == ["on_demand", "a", "b", "board"]
    board_module(files)
    (tmp_path / "b.py").write_text("from a import step\n\n\ndef step():\n    return 3\n")
    with pytest.raises(ImageError, match="both have a step"):
        board_module(files)


# what boot.py, a running controller or its way out asks for, with no flash to be read for it
STAYING = {"safe_state", "partition", "listen_address", "watchdog"}
# asked once, at a start or for a new configuration
LEAVING = {"relays", "readers", "inputs", "indicator", "station", "nvs", "service_port"}


def names(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_what_is_asked_once_leaves_the_heap_and_nothing_is_lost(board: Path) -> None:
    files = board_files(board, chips_of(board))
    parts = board_and_wiring(files)
    kept, leaving = names(parts["board"]), names(parts["wiring"])
    assert not kept & leaving
    assert kept | leaving == names(board_module(files))
    assert kept >= STAYING
    assert leaving >= LEAVING


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_each_part_finds_every_name_that_it_uses(board: Path) -> None:
    parts = board_and_wiring(board_files(board, chips_of(board)))
    for tree in parts.values():
        known = set(dir(builtins)) | {"__import__"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                known |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                known.add(node.name)
            elif isinstance(node, ast.arg):
                known.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                known.add(node.id)
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert used <= known, used - known


def test_what_somebody_may_hold_keeps_no_module_alive(tmp_path: Path) -> None:
    """A function or object of the part that leaves would keep all of it."""
    (tmp_path / "on_demand.py").write_text("")
    (tmp_path / "board.py").write_text(
        "STATE = []\nPINS = (1, 2)\n\n\ndef relays():\n    return [one(n) for n in PINS]\n\n\n"
        "def one(number):\n    STATE.append(number)\n    return number\n\n\n"
        "def thermistors():\n    return lambda index: index\n"
    )
    parts = board_and_wiring(board_files(tmp_path, [tmp_path]))
    assert names(parts["board"]) == {"thermistors"}
    assert names(parts["wiring"]) == {"relays", "one"}
    assert "STATE = []" in ast.unparse(parts["board"]), "it would be forgotten with each use"
    assert "PINS = (1, 2)" in ast.unparse(parts["wiring"])
