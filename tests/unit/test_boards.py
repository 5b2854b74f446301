"""What a board says of itself to the tool (board.toml) and to the firmware (board.py) (host)."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from controller_tool import resources

BOARDS = sorted(path.parent.name for path in resources.boards_dir().glob("*/board.py"))


def capabilities_of(folder: str) -> dict[str, Any]:
    """The dictionary that the firmware goes by."""
    tree = ast.parse((resources.boards_dir() / folder / "board.py").read_text("utf-8"))
    [found] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "capabilities"
    ]
    said: dict[str, Any] = ast.literal_eval(found)
    return said


@pytest.mark.parametrize("folder", BOARDS)
def test_a_board_can_do_the_same_by_both_its_files(folder: str) -> None:
    described = resources.describe_board(folder)["capabilities"]
    for name, value in capabilities_of(folder).items():
        assert described.get(name) == value, name


@pytest.mark.parametrize("folder", BOARDS)
def test_a_reader_on_rs_485_says_how_its_line_is_turned_around(folder: str) -> None:
    described = resources.describe_board(folder)
    rows = [row for row in described["wiring"]["readers"] if row["kind"] == "osdp"]
    assert bool(rows) == bool(described["capabilities"].get("osdp"))
    for row in rows:
        assert row["direction"] == "automatic" or isinstance(row["direction"], int), row
