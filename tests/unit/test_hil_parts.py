"""The parts of the device-level suite that need no board: lines, wiring, figures, report (host)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller_tool.errors import OperatorError
from hil_tests import report, strip_plot, wiring
from hil_tests.jig.device import jig_line
from hil_tests.measures import Measure, Measures
from hil_tests.world import MORE_TWINS, TWINS, Wish

BOARDS = (*TWINS, *MORE_TWINS, "esp32-devkitc", "esp32-devkitc-rdm6300")
LISTENING_ONLY = range(34, 40)
FLASH = range(6, 12)
BOOT_OR_CONSOLE = {0, 1, 2, 3, 5, 12, 15}


def test_a_line_comes_back_as_it_was() -> None:
    assert jig_line.opened(jig_line.seal([7, "press", {"pin": 25}])) == [7, "press", {"pin": 25}]


@pytest.mark.parametrize("place", range(len(jig_line.seal([7, "level", {}])) - 1))
def test_a_line_with_a_wrong_bit_is_none(place: int) -> None:
    line = bytearray(jig_line.seal([7, "level", {}]))
    line[place] ^= 4
    assert jig_line.opened(bytes(line)) is None


@pytest.mark.parametrize("line", [b"", b"\n", b">>> \n", b"J*00000000\n", jig_line.seal([1, 2])])
def test_what_is_no_line_is_none(line: bytes) -> None:
    assert jig_line.opened(line) is None


@pytest.mark.parametrize("board", BOARDS)
def test_every_wire_has_two_ends(board: str) -> None:
    wires = wiring.read(board).wires.values()
    pins = [wire.pin for wire in wires]
    assert len(set(pins)) == len(pins), "a pin of the jig is wired twice"
    assert not {*FLASH, *BOOT_OR_CONSOLE} & set(pins)
    assert all(wire.watched or wire.pin not in LISTENING_ONLY for wire in wires)
    ends = [wire.end for wire in wires]
    assert len(set(ends)) == len(ends)
    assert any(wire.watched for wire in wires), "nobody watches the relay"


def test_a_board_without_wires_is_named() -> None:
    with pytest.raises(OperatorError, match="no wires for olimex-esp32-evb"):
        wiring.read("olimex-esp32-evb")


def test_a_wire_goes_through_a_part_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "wiring.toml"
    path.write_text(wiring.WIRING.read_text("utf-8").replace('"contact"', '"contract"'))
    with pytest.raises(OperatorError, match="rex of virtual-door goes through a contract"):
        wiring.read("virtual-door", path)


def test_figures_of_a_measure() -> None:
    made = Measure("b", "n", 20, "jig", values=[float(n) for n in range(1, 21)])
    assert (made.median, made.p95, made.worst, made.holds) == (10.5, 19, 20, True)
    made.values.append(20.5)
    assert not made.holds


def test_a_mark_for_each_value() -> None:
    assert strip_plot.draw([1, 2, 30], 40, "ms").count("<circle") == 3
    assert "limit 400 →" in strip_plot.draw([1, 2, 30], 400, "ms")
    assert strip_plot.draw([0, 0], 0, "times").startswith("<svg")


@pytest.fixture
def page(tmp_path: Path) -> str:
    """A report of a run in which no test ran, with a figure over its limit."""
    measures = Measures()
    measures.put("a <b>", "card → lock", 12.5, limit=10, by="jig", unit="ms")
    measures.missing["a <b>", "watchdog"] = "nothing hangs it"
    wish = Wish(("virtual-door",), None, None, None, None, wiring.WIRING, True)
    report.Reporter(tmp_path / "r.html", wish, measures, "Li & Wu").pytest_sessionfinish(0)
    return (tmp_path / "r.html").read_text("utf-8")


def test_report_of_nothing_is_no_pass(page: str) -> None:
    assert "FAILED: no test ran" in page


def test_report_has_figures_and_what_is_missing(page: str) -> None:
    assert re.search(r'class="failed">card → lock, a &lt;b&gt;<', page)
    assert "max 12.5 ms · limit 10 ms · by jig" in page
    assert "watchdog, a &lt;b&gt;</td><td>nothing hangs it" in page
    assert "Li &amp; Wu" in page
