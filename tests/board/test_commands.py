"""`controller-tool sim` as a person types it (host)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller_tool.cli import run
from controller_tool.services.site_file import SiteFile
from controller_tool.sim import service

Tool = Callable[..., tuple[int, str]]


@pytest.fixture
def tool(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Tool]:
    """Runs one command on a site folder; exit code and what it wrote."""
    facts = SiteFile(bytes(8), "yard", "office", "Li", 1, 1, 1, 1, ("technician",))
    facts.write(tmp_path)

    def command(*words: str) -> tuple[int, str]:
        code = run(["--site", str(tmp_path), "--lang", "en", "sim", *words])
        out, error = capfd.readouterr()
        return code, out + error

    yield command
    for board in service.list_boards(tmp_path / "sim"):
        service.stop(tmp_path / "sim", board.name)


def parsed(answer: tuple[int, str]) -> Any:
    """The JSON that a command printed."""
    code, text = answer
    assert code == 0, text
    return json.loads(text)


def test_a_board_is_started_listed_and_stopped(tool: Tool) -> None:
    started = parsed(tool("start", "gate", "--json"))
    assert started["running"] is True
    assert started["serial_port"].startswith("/dev/pts/")
    assert [board["name"] for board in parsed(tool("list", "--json"))] == ["gate"]
    assert parsed(tool("stop", "--json")) == {"stopped": ["gate"]}
    assert parsed(tool("list", "--json"))[0]["running"] is False


def test_the_world_acts_upon_it(tool: Tool) -> None:
    tool("start", "gate")
    for words in (
        ("rex", "gate", "--ms", "50"), ("door", "gate", "open"), ("smoke", "gate", "raise"),
        ("tamper", "gate", "open"), ("clock", "gate", "2027-01-31T08:00:00"),
        ("power", "gate", "cut"), ("power", "gate", "restore"),
    ):  # fmt: skip
        assert tool(*words) == (0, "gate: done\n")
    assert parsed(tool("show", "gate", "--json"))["resets"]["power"] == 2


def test_the_world_acts_upon_a_charging_station(tool: Tool) -> None:
    tool("start", "pile", "--board", "virtual-charger16")
    for words in (
        ("plug", "pile", "out", "--port", "3"), ("draw", "pile", "90.5"),
        ("heat", "pile", "71", "--port", "16"), ("heat", "pile", "40"),
        ("meter", "pile", "checksum", "--port", "2"), ("skew", "pile", "--port", "2", "--", "-3"),
        ("leakage", "pile", "trip"),
        ("estop", "pile", "press"), ("key", "pile"), ("smoke", "pile", "raise"),
        ("relay", "pile", "weld", "--port", "3"),
    ):  # fmt: skip
        assert tool(*words) == (0, "pile: done\n"), words
    code, text = tool("plug", "pile", "in", "--port", "3", "--watts", "220")
    assert (code, len(text.splitlines())) == (0, 2)
    assert "port 3, which has no contact" in text
    assert "sim swipe pile NUMBER+3" in text
    loads = parsed(tool("load", "pile", "--json"))
    assert len(loads) == 16
    assert loads[2] == {"port": 3, "watts": 0.0, "mwh": 0.0}, "the contactor is open"
    assert tool("load", "pile")[1].splitlines()[0].split() == ["port", "W", "Wh"]
    code, text = tool("button", "pile")
    assert (code, len(text.splitlines())) == (1, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rex", "nobody"), "no virtual board nobody"),
        (("plug", "gate", "in"), "cannot do that"),
        (("clock", "gate", "yesterday"), "Not a time"),
        (("start", "x", "--board", "toaster"), "No virtual board is named toaster"),
        (("start", "gate", "--board", "virtual-charger"), "is a virtual-door, not a virtual-cha"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_next_step(
    tool: Tool, words: tuple[str, ...], said: str
) -> None:
    tool("start", "gate")
    code, text = tool(*words)
    assert code == 1
    assert said in text.splitlines()[0]
    assert len(text.splitlines()) == 2


def test_a_card_at_a_board_without_power_is_one_line_and_a_next_step(tool: Tool) -> None:
    tool("start", "gate")
    tool("power", "gate", "cut")
    code, text = tool("swipe", "gate", "0099999999")
    assert code == 1
    assert "gate has no power" in text.splitlines()[0]
    assert "sim power gate restore" in text.splitlines()[1]


def test_a_board_starts_again_as_what_it_is(tool: Tool) -> None:
    tool("start", "pile", "--board", "virtual-charger")
    tool("stop", "pile")
    assert parsed(tool("start", "pile", "--json"))["board"] == "virtual-charger"
    tool("stop", "pile")
    code, text = tool("start", "pile", "--board", "virtual-door")
    assert code == 1
    assert "pile is a virtual-charger, not a virtual-door" in text


def test_a_board_with_another_chip_is_refused_by_name(tool: Tool) -> None:
    code, said = tool("start", "s3", "--board", "waveshare-s3-relay6")
    assert code == 1
    assert "No virtual chip plays the one of waveshare-s3-relay6" in said
