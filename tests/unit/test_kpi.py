"""Key figures of chargers from journals and accounts of energy (host)."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import cli, messages
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.services import energy_pull, kpi
from protocol.codes import (
    CLOCK_UNSET,
    END_FULL,
    END_SMOKE,
    END_UNPLUGGED,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_FIRE,
    EVENT_INPUT_FAULT,
    EVENT_METER_BACK,
    EVENT_METER_LOST,
    EVENT_OVER_POWER,
    EVENT_SELF_TEST,
    LINE_OK,
    LINE_OPEN,
)
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.energy_support import BEGIN_S, Ring
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_journal import pull

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86400
NAME = "pile-1"


@pytest.fixture
def told(site) -> Board:
    """Two days of one charger: 2026-05-04 two sessions at port 1, one at port 12; a day later one,
    smoke, a line that was cut and mended.
    """
    board = Board(site, NAME, board="virtual_charger")
    access, alarm = board.pen(RING_ACCESS), board.pen(RING_ALARM)
    for point, end, minutes, wh, time_s in (
        (0, END_FULL, 120, 512, BEGIN_S),
        (0, END_UNPLUGGED, 7, 31, BEGIN_S + 9000),
        (11, END_FULL, 600, 65535, BEGIN_S + 9100),
        (0, END_SMOKE, 30, 400, BEGIN_S + DAY_S),
    ):
        access.write(EVENT_CHARGE_STARTED, 1, point=point, time_s=time_s, extra=600 << 16 | 2000)
        access.write(EVENT_CHARGE_ENDED, end, point=point, time_s=time_s, extra=minutes << 16 | wh)
    for event, reason, point, time_s in (
        (EVENT_OVER_POWER, 0, 3, BEGIN_S),
        (EVENT_METER_LOST, 1, 3, BEGIN_S),
        (EVENT_METER_BACK, 0, 3, BEGIN_S),
        (EVENT_METER_LOST, 1, 3, BEGIN_S),
        (EVENT_SELF_TEST, 0, 255, BEGIN_S),
        (EVENT_FIRE, 0, 255, BEGIN_S + DAY_S),
        (EVENT_INPUT_FAULT, LINE_OPEN, 255, BEGIN_S + DAY_S),
        (EVENT_INPUT_FAULT, LINE_OK, 255, BEGIN_S + DAY_S),
    ):
        alarm.write(event, reason, point=point, time_s=time_s)
    pull(site, board, access)
    pull(site, board, alarm)
    return board


def charged(site, board: Board, *sessions: tuple[int, int, int]) -> None:
    """Sessions by (seconds after the first second, minutes, watts), one after another."""
    ring: Any = Ring()
    for at_s, minutes, power_w in sessions:
        ring.time_s = BEGIN_S + at_s
        ring.charge(0, minutes, power_w)
    energy_pull.pull_open(site, board.device, ring)


def test_each_day_has_its_own_figures(site, told) -> None:
    charged(site, told, (0, 10, 300), (9000, 10, 750), (DAY_S, 10, 90))
    first, second = kpi.figures(site)
    assert (first.period, first.controller) == ("2026-05-04", NAME)
    assert (first.sessions, first.energy_wh, first.minutes) == (3, 66078, 727)
    assert (first.peak_w, first.peak_time) == (750, "2026-05-04 06:03")
    assert first.ends == {"full": 2, "unplugged": 1}
    assert first.faults == {"over_power": 1, "meter_lost": 2}
    assert {number: vars(port) for number, port in first.ports.items()} == {
        1: {"port": 1, "sessions": 2, "energy_wh": 543, "minutes": 127},
        12: {"port": 12, "sessions": 1, "energy_wh": 65535, "minutes": 600},
    }
    assert (second.period, second.sessions, second.energy_wh) == ("2026-05-05", 1, 400)
    assert second.peak_w == 90
    assert second.faults == {"fire": 1, "input_fault": 1}


@pytest.mark.parametrize(
    ("by", "periods"),
    [("day", ["2026-05-04", "2026-05-05"]), ("week", ["2026-W19"]), ("month", ["2026-05"]),
     ("all", ["all"])],
)  # fmt: skip
@pytest.mark.usefixtures("told")
def test_longer_periods_hold_the_same(site, by: str, periods: list[str]) -> None:
    found = kpi.figures(site, by=by)
    assert [one.period for one in found] == periods
    [whole] = kpi.totals(found)
    assert (whole.sessions, whole.energy_wh, sum(whole.faults.values())) == (4, 66478, 5)
    assert sum(port.energy_wh for port in whole.ports.values()) == whole.energy_wh


def test_the_peak_of_all_is_the_highest_and_when_it_was(site, told) -> None:
    charged(site, told, (0, 10, 300), (DAY_S, 10, 900))
    [whole] = kpi.totals(kpi.figures(site))
    assert (whole.peak_w, whole.peak_time) == (900, "2026-05-05 03:33")


@pytest.mark.usefixtures("told")
def test_times_narrow_and_doors_have_no_such_figures(site) -> None:
    [second] = kpi.figures(site, (NAME, NAME), since_s=BEGIN_S + DAY_S)
    assert second.sessions == 1
    assert kpi.figures(site, until_s=BEGIN_S) == []
    Board(site, "door-1")
    assert {one.controller for one in kpi.figures(site)} == {NAME}
    with pytest.raises(OperatorError, match="does not charge"):
        kpi.figures(site, ("door-1",))


def test_two_chargers_stand_apart(site, told) -> None:
    other = Board(site, "pile-2", board="virtual_charger")
    pen = other.pen(RING_ACCESS)
    pen.write(EVENT_CHARGE_ENDED, END_FULL, time_s=BEGIN_S, extra=60 << 16 | 100)
    pull(site, other, pen)
    charged(site, other, (0, 5, 1000))
    charged(site, told, (0, 5, 10))
    found = kpi.figures(site, by="all")
    assert [(one.controller, one.energy_wh, one.peak_w) for one in found] == [
        (NAME, 66478, 10),
        ("pile-2", 100, 1000),
    ]


def undated(site, board: Board) -> None:
    """A session and a fault from before anybody set the clock: it counts from 2020."""
    for ring, event, reason, extra in (
        (RING_ACCESS, EVENT_CHARGE_ENDED, END_FULL, 60 << 16 | 100),
        (RING_ALARM, EVENT_OVER_POWER, 0, 0),
    ):
        pen = board.pen(ring)
        pen.write(event, reason, point=1, time_s=0, quality=CLOCK_UNSET, extra=extra)
        pull(site, board, pen)


def test_sessions_without_a_clock_are_in_no_day(site) -> None:
    other = Board(site, "pile-2", board="virtual_charger")
    undated(site, other)
    for by in ("day", "week", "month"):
        [one] = kpi.figures(site, by=by)
        assert (one.period, one.sessions, one.energy_wh) == ("clock_not_set", 1, 100)
        assert one.faults == {"over_power": 1}
    [whole] = kpi.figures(site, by="all")
    assert (whole.period, whole.energy_wh) == ("all", 100)
    [apart] = kpi.figures(site, by="all", since_s=0)
    assert apart.period == "clock_not_set"


def test_a_row_of_their_own_in_both_languages_and_in_files(run, site, tmp_path: Path) -> None:
    undated(site, Board(site, "pile-2", board="virtual_charger"))
    assert "clock not set" in run()[1]
    assert "时钟未校" in run("--lang", "zh")[1]
    table = tmp_path / "kpi.csv"
    _, out, _ = run("--json", "--lang", "zh", "--csv", str(table))
    assert json.loads(out)["figures"][0]["period"] == "clock_not_set"
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert {row["period"] for row in rows} == {"clock_not_set"}


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def run(site, capsys, monkeypatch):
    """Carries out `kpi charging` on the test's site; returns exit code, output, error lines."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)

    def run_(*words: str):
        code = cli.run(["kpi", "charging", "--site", str(site.path), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run_
    messages.set_language(None)


@pytest.mark.usefixtures("told")
def test_the_command_in_both_languages(run) -> None:
    code, out, _ = run()
    assert code == 0
    assert out.splitlines()[1].split() == [
        "2026-05-04", NAME, "3", "66.08", "kWh", "727", "-", "3",
    ]  # fmt: skip
    assert "meter_lost   2" in out
    code, out, _ = run("--lang", "zh", "--by", "month")
    assert code == 0
    assert "电表失联" in out
    assert "已充满" in out


@pytest.mark.usefixtures("told")
def test_as_json_and_as_csv(run, tmp_path: Path) -> None:
    table = tmp_path / "kpi.csv"
    code, out, _ = run("--json", "--by", "all", "--csv", str(table))
    assert code == 0
    [one] = json.loads(out)["figures"]
    assert one["faults"] == {"fire": 1, "input_fault": 1, "meter_lost": 2, "over_power": 1}
    assert [port["port"] for port in one["ports"]] == [1, 12]
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert [(row["port"], row["energy_wh"], row["fault_fire"]) for row in rows] == [
        ("", "66478", "1"), ("1", "943", ""), ("12", "65535", ""),
    ]  # fmt: skip
    assert run("--csv", str(table))[0] == 1


@pytest.mark.usefixtures("told")
def test_nothing_then(run) -> None:
    code, out, _ = run("--until", "2020-02-02")
    assert (code, out) == (0, "No charging and no fault is stored of this time\n")


def test_nothing_pulled_yet(run, site) -> None:
    Board(site, NAME, board="virtual_charger")
    code, _, err = run()
    assert code == 1
    assert "Nothing pulled yet" in err
