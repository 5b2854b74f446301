"""A charger's energy as people see it: sums, peaks, curves in terminal and picture (host)."""

from __future__ import annotations

import csv
import itertools
import json
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_tool import cli, messages
from controller_tool.cli import chart, device_energy
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.services import energy_pull, energy_read, energy_report, load_curve
from controller_tool.services.energy_read import PortSum, Step
from tests.unit.energy_support import BEGIN_S, Ring
from tests.unit.registry_support import PASSPHRASE, Board

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from controller_tool.registry.models import Device

NAME = "pile-1"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def charger(site) -> Device:
    return Board(site, NAME, board="virtual_charger").device


def told(site, device: Device, ring: Ring) -> None:
    client: Any = ring
    energy_pull.pull_open(site, device, client)


@pytest.fixture
def evening(site, charger) -> Ring:
    """Port 1: 60 min of 300 W; half way port 2 begins with 120 W for 60 min."""
    ring = Ring()
    for minute in range(1, 91):
        ports = {}
        if minute <= 60:
            ports[0] = (5000 * minute, 60 * minute, 300)
        if minute > 30:
            ports[1] = (2000 * (minute - 30), 60 * (minute - 30), 120)
        ring.minute(ports)
        if minute == 60:
            ring.minute({0: (300_000, 3600, 0), 1: (60_000, 1800, 0)}, ended=0, passed_s=0)
    ring.minute({1: (120_000, 3600, 0)}, ended=1, passed_s=0)
    told(site, charger, ring)
    return ring


# --- sums ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("evening")
def test_energy_and_peaks_are_what_went_through(site) -> None:
    made = energy_report.report(site, NAME)
    assert made is not None
    assert made.energy_wh == 420
    assert (made.peak_w, made.peak_time) == (420, "2026-05-04 04:03")
    assert [vars(one) for one in made.ports] == [
        {"port": 1, "energy_wh": 300, "peak_w": 300, "minutes": 60},
        {"port": 2, "energy_wh": 120, "peak_w": 120, "minutes": 60},
    ]
    curve_wh = sum(one.power_w * one.seconds for one in made.curve) / 3600
    assert curve_wh == pytest.approx(420)


@pytest.mark.usefixtures("evening")
def test_one_port_is_shown_alone(site) -> None:
    made = energy_report.report(site, NAME, port=2)
    assert made is not None
    assert (made.energy_wh, made.peak_w, len(made.ports)) == (120, 120, 1)
    nothing = energy_report.report(site, NAME, port=9)
    assert nothing is not None
    assert (nothing.energy_wh, nothing.curve) == (0, [])


@pytest.mark.usefixtures("evening")
def test_of_a_session_that_ran_before_only_what_was_added_counts(site, charger) -> None:
    since_s = BEGIN_S + 46 * 60
    found = energy_read.minutes(site, charger, since_s, since_s + 10 * 60)
    assert [one.time_s for one in found] == list(range(since_s, since_s + 600, 60))
    first, second = energy_read.sums(found)
    assert (first.energy_wh, second.energy_wh) == (45, 18)


def test_a_new_session_at_the_same_port_is_not_the_old_one(site, charger) -> None:
    ring = Ring()
    ring.charge(3, 10, 300)
    ring.charge(3, 10, 300)
    told(site, charger, ring)
    [one] = energy_read.sums(energy_read.minutes(site, charger))
    assert one == PortSum(3, 100, 300, 1200)


def test_minutes_that_were_overwritten_are_no_power_and_still_energy(site, charger) -> None:
    ring = Ring()
    ring.charge(0, 60, 300)
    del ring.slots[20:40]
    told(site, charger, ring)
    found = energy_read.minutes(site, charger)
    assert energy_read.sums(found)[0].energy_wh == 300
    shown_wh = sum(s.power_w * (s.end_s - s.begin_s) for s in energy_read.steps(found)) / 3600
    assert shown_wh == pytest.approx(300 * 40 / 60)


def test_times_of_a_clock_that_was_unset_are_guessed(site, charger) -> None:
    ring = Ring()
    ring.minute({0: (5000, 60, 300)})
    ring.minute({0: (10_000, 120, 300)}, knows_time=False)
    ring.minute({0: (15_000, 180, 300)})
    told(site, charger, ring)
    found = energy_read.minutes(site, charger)
    assert [(one.time_s - BEGIN_S, one.guessed) for one in found] == [
        (60, False), (120, True), (180, False),
    ]  # fmt: skip


def test_a_time_is_guessed_from_the_very_slot_before_alone(site, charger) -> None:
    ring = Ring()
    ring.charge(0, 5, 300)
    since_s = ring.time_s + 600
    ring.time_s += 3600
    ring.minute({0: (5000, 60, 300)})
    ring.minute({0: (5000, 60, 300)}, knows_time=False)
    told(site, charger, ring)
    assert len(energy_read.minutes(site, charger)) == 8
    assert len(energy_read.minutes(site, charger, until_s=since_s)) == 6
    assert len(energy_read.minutes(site, charger, since_s)) == 2


def test_an_entry_says_that_its_session_went_on_after_an_outage(site, charger) -> None:
    ring = Ring()
    ring.minute({0: (5000, 60, 300)})
    ring.minute({0: (5000, 60, 0)}, resumed=0)
    ring.minute({0: (10_000, 120, 300)})
    told(site, charger, ring)
    found = [minute.ports[0] for minute in energy_read.minutes(site, charger)]
    assert [(one.resumed, one.ended, one.by_ticket) for one in found] == [
        (False, False, False), (True, False, False), (False, False, False),
    ]  # fmt: skip
    assert energy_read.sums(energy_read.minutes(site, charger)) == [PortSum(0, 10.0, 300, 120)]


def test_a_ledger_is_no_minute(site, charger) -> None:
    ring = Ring()
    ring.charge(0, 3, 300)
    ring.ledger()
    told(site, charger, ring)
    assert len(energy_read.minutes(site, charger)) == 4


# --- peaks -----------------------------------------------------------------------------------


def test_a_second_between_two_slots_makes_no_peak(site, charger) -> None:
    ring = Ring()
    for count in range(1, 6):
        ring.minute({0: (11_667 * count, 60 * count, 700)})
    ring.minute({0: (59_100, 304, 1378)}, passed_s=2)
    ring.minute({0: (59_300, 305, 1378)}, passed_s=1)
    ring.minute({0: (71_000, 365, 700)})
    told(site, charger, ring)
    made = energy_report.report(site, NAME)
    assert made is not None
    assert made.peak_w < 740
    assert made.ports[0].peak_w == made.peak_w
    assert min(one.seconds for one in made.curve) >= 30
    drawn_ws = sum(step.power_w * step.seconds for step in made.steps)
    assert drawn_ws == pytest.approx(6 * 60 * 700 + 3 * 1378)


@given(
    raw=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 8000)), min_size=1, max_size=60)
)  # fmt: skip
def test_no_step_is_short_and_all_energy_stays(raw: list[tuple[int, int]]) -> None:
    at_s, before_s, written, energy_ws = BEGIN_S, 0, [], 0
    for passed_s, power_w in raw:
        at_s += passed_s
        begin_s = before_s if at_s - before_s <= 90 else at_s - 60
        energy_ws += power_w * (at_s - begin_s)
        written.append((at_s, power_w))
        before_s = at_s
    made = list(energy_read._steps(written))
    assert sum(step.power_w * step.seconds for step in made) == pytest.approx(energy_ws)
    assert all(step.seconds >= 30 for step in made)
    assert all(one.end_s <= other.begin_s for one, other in itertools.pairwise(made))
    assert max((step.power_w for step in made), default=0) <= max(power for _, power in raw)


def test_many_short_steps_in_a_row_are_not_one_long_one() -> None:
    written = [(BEGIN_S, 100), *((BEGIN_S + second, 500) for second in range(1, 301))]
    made = list(energy_read._steps(written))
    assert len(made) == 4
    assert max(step.power_w for step in made) == 500


# --- a clock that was not set ----------------------------------------------------------------


def untimed(ring: Ring, minutes: int) -> None:
    for count in range(1, minutes + 1):
        ring.minute({0: (5000 * count, 60 * count, 300)}, knows_time=False)


def test_energy_without_a_time_is_told(run, site, charger) -> None:
    ring = Ring()
    untimed(ring, 6)
    told(site, charger, ring)
    code, out, err = run(NAME, "--stored")
    assert (code, out) == (0, "")
    assert "pile-1: 30 Wh have no time, for its clock was not set" in err
    assert "journal sessions pile-1" in err
    assert "30 Wh 没有时间" in run(NAME, "--stored", "--lang", "zh")[2]
    assert json.loads(run(NAME, "--stored", "--json")[1])["untimed_wh"] == 30
    ring.charge(1, 10, 300)
    told(site, charger, ring)
    code, out, err = run(NAME, "--stored")
    assert "50 Wh, at most 300 W" in out
    assert "30 Wh have no time" in err
    assert "have no time" not in run(NAME, "--stored", "--point", "2")[2]


def test_energy_whose_time_is_a_guess_is_told_too(run, site, charger) -> None:
    ring = Ring()
    ring.charge(1, 10, 300)
    untimed(ring, 6)
    told(site, charger, ring)
    _, out, err = run(NAME, "--stored", "--json")
    assert (json.loads(out)["untimed_wh"], json.loads(out)["guessed_wh"], err) == (0, 30, "")
    assert "30 Wh were drawn while its clock was not set" in run(NAME, "--stored")[2]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (45, "45 s"), (150, "2.5 min"), (9000, "2.5 h"), (1_817_658, "21.0 days")],
)
def test_a_column_is_told_in_a_unit_that_fits(seconds: float, words: str) -> None:
    messages.set_language("en")
    assert device_energy._span(seconds) == words
    messages.set_language("zh")
    assert device_energy._span(172_800) == "2.0 天"
    messages.set_language(None)


# --- the terminal ----------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(1, 300), st.integers(1, 8000)), max_size=30
).map(lambda raw: [Step(begin, begin + length, power) for begin, length, power in raw])


@given(steps=STEPS, count=st.integers(1, 120))
def test_columns_keep_the_energy(steps: list[Step], count: int) -> None:
    values = chart.columns(steps, 0, 6000, count)
    energy = sum(step.power_w * (step.end_s - step.begin_s) for step in steps)
    assert sum(values) * 6000 / count == pytest.approx(energy)


@given(values=st.lists(st.floats(0, 20_000), min_size=1, max_size=120))
def test_every_value_fits_under_the_top_and_every_line_is_as_wide(values: list[float]) -> None:
    assert max(values) <= chart.top_of(values) <= 20 * max(*values, 1.0)
    lines = chart.rows(values, 12, "W")
    assert len(lines) == 13
    assert len({len(line) for line in lines}) == 1


def test_a_curve_looks_like_its_numbers() -> None:
    assert chart.rows([0, 100, 200, 400, 50], 4, "W") == [
        "400 W ┤   █ ",
        "300 W ┤   █ ",
        "200 W ┤  ██ ",
        "100 W ┤ ███▄",
        "  0 W └─────",
    ]


def test_words_under_a_curve_never_touch() -> None:
    assert chart.times([(0, "08:00"), (3, "09:00"), (6, "10:00"), (18, "11:00")], 2, 20) == (
        "  08:00 10:00"
    )


# --- the picture -----------------------------------------------------------------------------


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(PNG)
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def ink(png: bytes) -> int:
    """Bytes of the picture that are not what the row above has: something is drawn."""
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    return sum(byte != 0 for byte in zlib.decompress(data))


RUNAWAY = (
    load_curve.Curve("port 3", [0, 60, 300, 301], [480, 480, 900, 0], filled=True),
    load_curve.Curve("port 3, °C", [0, 60, 300], [24, 26, 81], load_curve.CELSIUS),
)


def test_the_picture_of_a_thermal_runaway_has_both_axes_limits_and_marks() -> None:
    bare = load_curve.draw(RUNAWAY[:1])
    whole = load_curve.draw(
        RUNAWAY,
        title="port 3",
        limits=[load_curve.Limit("75 °C", 75, load_curve.CELSIUS)],
        marks=[load_curve.Mark("smoke", 290), load_curve.Mark("relays open", 290.1)],
    )
    assert size_of(bare) == size_of(whole) == (1210, 605)
    assert ink(whole) > ink(bare) > ink(load_curve.draw([]))
    assert load_curve.draw(RUNAWAY) == load_curve.draw(RUNAWAY), "the same every time"


@pytest.mark.parametrize("letters", ["5号楼", "naïve", "", "$x_1$ \\frac"])
def test_any_name_can_be_drawn(letters: str) -> None:
    curve = load_curve.Curve(letters, [0, 1], [1, 2])
    marks = [load_curve.Mark(letters, 0.5)]
    assert load_curve.draw([curve], title=letters, marks=marks).startswith(PNG)


def test_a_curve_of_steps_falls_to_zero_where_nobody_charges() -> None:
    curve = load_curve.of_steps("x", [Step(60, 120, 300), Step(120, 180, 200), Step(600, 660, 50)])
    assert list(zip(curve.times_s, curve.values, strict=True)) == [
        (60, 0), (60, 300), (120, 300), (120, 200), (180, 200), (180, 0), (600, 0), (600, 50),
        (660, 50), (660, 0),
    ]  # fmt: skip


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def run(site, capsys, monkeypatch):
    """Carries out `device energy` on the test's site; returns exit code, output, error lines."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)

    def run_(*words: str):
        code = cli.run(["device", "energy", "--site", str(site.path), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run_
    messages.set_language(None)


@pytest.mark.usefixtures("evening")
def test_the_command_shows_the_curve_and_the_ports(run) -> None:
    code, out, _ = run(NAME, "--stored")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].endswith("420 Wh, at most 420 W at 2026-05-04 04:03")
    assert lines[1].strip().startswith("600 W ┤")
    assert "█" in out
    assert "300 Wh  300 W  60" in out


@pytest.mark.usefixtures("evening")
def test_in_chinese_too(run) -> None:
    code, out, _ = run(NAME, "--stored", "--lang", "zh")
    assert code == 0
    assert "最高 420 W" in out


@pytest.mark.usefixtures("evening")
def test_as_json(run) -> None:
    code, out, _ = run(NAME, "--stored", "--json", "--point", "1", "--since", "2026-05-04T04:00",
                       "--until", "2026-05-04T04:10")  # fmt: skip
    told_ = json.loads(out)
    assert code == 0
    assert (told_["device"], told_["port"], told_["pulled"]) == (NAME, 1, None)
    assert len(told_["curve"]) == 10
    assert told_["curve"][1] == {"time": "2026-05-04 04:00", "seconds": 60, "power_w": 300}


@pytest.mark.usefixtures("evening")
def test_as_files_that_are_not_replaced_unasked(run, tmp_path: Path) -> None:
    png, table = tmp_path / "a.png", tmp_path / "a.csv"
    words = [NAME, "--stored", "--png", str(png), "--csv", str(table)]
    assert run(*words)[0] == 0
    assert png.read_bytes().startswith(PNG)
    assert png.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert len(rows) == 60 + 60 + 2 + 1
    assert rows[0] == {
        "time": "2026-05-04 03:34", "port": "1", "power_w": "300", "session_wh": "5.0",
        "session_min": "1.0", "ended": "0", "by_ticket": "0",
        "resumed": "0",
    }  # fmt: skip
    code, _, err = run(*words)
    assert code == 1
    assert "is there already" in err
    assert run(*words, "--force")[0] == 0


def test_nothing_yet_and_nothing_then(run, site, charger) -> None:
    code, out, _ = run(NAME, "--stored")
    assert (code, out) == (0, "pile-1 has told of no energy yet\n")
    assert json.loads(run(NAME, "--stored", "--json")[1])["curve"] == []
    ring = Ring()
    ring.charge(0, 3, 300)
    told(site, charger, ring)
    code, out, _ = run(NAME, "--stored", "--until", "2025-01-01")
    assert (code, "no energy from" in out) == (0, True)


@pytest.mark.usefixtures("charger")
def test_doors_and_backward_times_are_refused(run, site) -> None:
    Board(site, "door-1")
    assert run("door-1", "--stored")[0] == 1
    assert run(NAME, "--stored", "--since", "2026-05-05", "--until", "2026-05-04")[0] == 2
    assert run(NAME, "--stored", "--point", "17")[0] == 2
    with pytest.raises(OperatorError):
        energy_report.report(site, "door-1")


@pytest.mark.usefixtures("evening")
def test_the_station_s_steps_are_those_of_all_its_ports(site, charger) -> None:
    for since_s, until_s in ((None, None), (BEGIN_S + 1800, BEGIN_S + 4000)):
        found = energy_read.minutes(site, charger, since_s, until_s)
        stream = energy_read.station_steps(site, charger, since_s, until_s)
        assert list(stream) == energy_read.steps(found) != []
