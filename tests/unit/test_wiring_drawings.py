"""Drawings are what the boards' data give, and can be read (host)."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import cli, messages, resources
from controller_tool.board_rules.wiring import RELAY, uses
from controller_tool.drawing import draw
from controller_tool.drawing.sheet import WIDTH, Text, folded, width
from tests import wiring_drawings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.drawing.sheet import Sheet

BOARDS = resources.board_folders()
UNWIRED = "not wired"


@pytest.fixture(params=["en", "zh"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    messages.set_language(request.param)
    yield request.param
    messages.set_language(None)


def words(sheet: Sheet) -> list[str]:
    return [text.text for text in sheet.texts]


def test_the_files_are_what_the_data_give() -> None:
    made = wiring_drawings.drawings()
    held = {path for folder in wiring_drawings.LANGUAGES.values() for path in folder.glob("*.svg")}
    different = sorted(
        path.name for path in held | made.keys()
        if path not in held or path not in made or path.read_text("utf-8") != made[path]
    )  # fmt: skip
    assert not different, "make them anew: python -m tests.wiring_drawings"


def test_a_changed_pin_changes_its_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = draw("olimex_esp32_evb").svg()
    described = resources.describe_board("olimex_esp32_evb")
    described["wiring"]["inputs"]["rex"]["pin"] = 39
    monkeypatch.setattr(resources, "describe_board", lambda _folder: described)
    assert draw("olimex_esp32_evb").svg() != before


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize("board", BOARDS)
def test_no_text_lies_over_another_or_off_the_sheet(board: str) -> None:
    sheet = draw(board)
    met = [(a.text, b.text) for a, b in itertools.combinations(sheet.texts, 2) if a.meets(b)]
    assert not met
    assert [text for text in sheet.texts if text.left < 0 or text.right > WIDTH] == []


def test_texts_that_meet_are_seen() -> None:
    first = Text("a", 0, 0, 50, 10)
    assert first.meets(Text("b", 49, 9, 60, 20))
    assert not first.meets(Text("b", 50, 0, 60, 10))


@pytest.mark.parametrize("board", BOARDS)
def test_every_pin_that_is_wired_is_on_the_drawing(board: str) -> None:
    description = resources.describe_board(board)
    wiring: dict[str, Any] = description["wiring"]
    labels = description.get("terminals", {})
    silent = {row.get("tx") for row in wiring["readers"] if row["kind"] == "rdm6300"}
    shown = " ".join(words(draw(board)))
    places = {int(pin) for pin in re.findall(r"GPIO (\d+)", shown)}
    inner = {"scl", "sda", "Ethernet", *wiring.get("spare_relays", {})}
    for use in uses(wiring):
        if use.name in inner or " of hc595" in use.name or use.pin in silent:
            continue  # on the board, not at its screws
        if labels.get(str(use.pin)) == UNWIRED:
            continue
        chips = [row for row in wiring.get("expanders", []) if use.pin >= row["first"]]
        if chips and use.pin > 39 and use.role in {RELAY, "contact"}:
            row = max(chips, key=lambda row: int(row["first"]))
            assert f"P{use.pin - row['first']}" in shown, use
        else:
            assert use.pin in places, use


@pytest.mark.parametrize("board", BOARDS)
def test_what_cuts_the_power_without_the_controller_is_on_the_drawing(board: str) -> None:
    description = resources.describe_board(board)
    shown = words(draw(board))
    if description["kind"] == "door":
        assert "fire panel, 1st contact: opens on fire" in shown
        locks = [text for text in shown if text.startswith("lock ") and "fail-safe" in text]
        assert len(locks) == description["capabilities"]["points"]
    else:
        assert "smoke detector, 1st contact: opens on smoke" in shown
        assert "emergency stop, 1st contact" in shown
        driven = [text for text in shown if text.startswith("contactor · ")]
        assert len(driven) == ("contactor" in description["wiring"])
        sockets = [text for text in shown if re.search(r"socket \d+$", text)]
        assert len(sockets) == description["capabilities"]["points"]


@pytest.mark.parametrize("board", BOARDS)
def test_a_drawing_is_black_on_white_and_well_formed(board: str) -> None:
    text = draw(board).svg()
    ET.fromstring(text)  # noqa: S314 - our own
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', text)) <= {"white", "black", "none"}


def test_long_notes_are_folded() -> None:
    lines = folded("one two three four", width("one two "))
    assert lines == ["one two", "three", "four"]
    assert len(folded("断电开的锁在锁闭时通电", width("断电开的"))) > 2


def test_a_board_of_ones_own_can_be_drawn(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv(resources.OWN_BOARDS, str(tmp_path))
    assert cli.run(["board", "new", "my-board"]) == 0
    assert cli.run(["board", "drawing", "my-board", str(tmp_path / "my.svg")]) == 0
    assert "my.svg" in capsys.readouterr().out
    assert "my-board" in (tmp_path / "my.svg").read_text("utf-8")
    assert cli.run(["board", "drawing", "nobody", str(tmp_path / "no.svg")]) == 1
