"""What a board says of itself to the tool (board.toml) and to the firmware (board.py) (host)."""

from __future__ import annotations

import ast
import copy
from typing import Any

import pytest

from controller_tool import board_rules, resources

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


@pytest.mark.parametrize("folder", BOARDS)
def test_a_charger_fails_open_by_its_description(folder: str) -> None:
    assert board_rules.problems(resources.describe_board(folder)) == []


def spoilt(folder: str, *path: str, value: Any = None) -> list[str]:
    """What the rules say of a board of which one value is another, or is gone."""
    description: Any = copy.deepcopy(resources.describe_board(folder))
    where = description
    for name in path[:-1]:
        where = where[name]
    if value is None:
        del where[path[-1]]
    else:
        where[path[-1]] = value
    return board_rules.problems(description)


def test_an_expander_that_keeps_its_state_needs_a_contactor() -> None:
    for folder in ("virtual_charger10", "virtual_charger16"):
        assert any("no contactor" in text for text in spoilt(folder, "wiring", "contactor"))
        assert "the contactor hangs on an expander" in spoilt(
            folder, "wiring", "contactor", value=63
        )
    row = {"kind": "hc595", "latch": 12, "chips": 2, "first": 40}
    without = spoilt("virtual_charger12", "wiring", "expanders", value=[row])
    assert any("neither reset nor enable" in text for text in without)


@pytest.mark.parametrize(
    ("folder", "path", "value"),
    [
        ("virtual_charger2", ("wiring", "relays", "port1"), 14),  # moves at boot
        ("virtual_charger2", ("wiring", "relays", "port1"), 33),  # that of port 2
        ("virtual_charger16", ("wiring", "contactor"), 5),  # moves, and is the tamper's
        ("virtual_charger16", ("wiring", "contactor"), 34),  # an input
        ("virtual_charger16", ("capabilities", "points"), 15),
        ("virtual_charger16", ("wiring", "relays", "port16"), None),
        (
            "virtual_charger16",
            ("partitions",),
            [{"label": "journal", "size": 0xE0000, "offset": 0}],
        ),
    ],
)
def test_what_is_wrong_with_a_charger_s_description_is_found(
    folder: str, path: tuple[str, ...], value: Any
) -> None:
    assert spoilt(folder, *path, value=value)


def test_an_enable_line_stands_on_no_pin_that_chooses_how_the_chip_boots() -> None:
    row = {"kind": "hc595", "latch": 26, "enable": 12, "chips": 2, "first": 40}
    found = spoilt("virtual_charger12", "wiring", "expanders", value=[row])
    assert any("must be low at boot" in text for text in found)
