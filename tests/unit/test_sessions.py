"""Charging sessions put together from journals: shown, filtered, written to files (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli, messages
from controller_tool.keys import passphrase
from controller_tool.services import (
    charge_sessions,
    export,
    journal_details,
    journal_filter,
    journal_read,
    people,
)
from controller_tool.services.charge_sessions import ENDED, LOST, RUNNING, Wish
from controller_tool.services.journal_filter import Filter
from protocol import codes as c
from protocol.constants import CHARGE_WH_SHIFT, RING_ACCESS, RING_ALARM
from protocol.names import END_NAMES, INPUT_NAMES, LINE_NAMES
from tests.unit.registry_support import PASSPHRASE, Board, Pen
from tests.unit.test_cards import CARD, issue
from tests.unit.test_journal import pull
from tests.unit.test_journal_reading import OTHER_CARD, key_of, rows_of

if TYPE_CHECKING:
    from controller_tool.services.charge_sessions import Session
    from controller_tool.services.site import Site

BEGIN_S = 200_000_000  # 2026-05-04 03:33:20 local
HOUR_S = 3600


class Pile:
    """pile-1, and what it writes down."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.board = Board(site, "pile-1", board="virtual_charger")
        self.pen: Pen = self.board.pen(RING_ACCESS)
        self.alarm: Pen = self.board.pen(RING_ALARM)

    def start(self, at_s: int, key: bytes, point: int = 0, reason: int = c.REASON_CARD, **more):
        extra = more.pop("minutes", 0) << 16 | more.pop("wh", 0)
        self.pen.write(
            c.EVENT_CHARGE_STARTED, reason, key, point=point, time_s=BEGIN_S + at_s, extra=extra,
            **more,
        )  # fmt: skip

    def end(self, at_s: int, key: bytes, code: int, minutes: int, wh: int, **more) -> None:
        self.pen.write(
            c.EVENT_CHARGE_ENDED, code, key, time_s=BEGIN_S + at_s, extra=minutes << 16 | wh, **more
        )

    def pull(self) -> None:
        for pen in (self.pen, self.alarm):
            pull(self.site, self.board, pen)


@pytest.fixture
def pile(site) -> Pile:
    issue(site, holder=people.Holder("张伟"))
    issue(site, OTHER_CARD, people.Holder("李娜"))
    made = Pile(site)
    made.board.update()
    return made


@pytest.fixture
def day(site, pile: Pile) -> Pile:
    """Port 1: 张伟, ended by full; a ticket, by remote. Port 2: 李娜, who still charges."""
    zhang, li = (key_of(site, pile.board, card) for card in (CARD, OTHER_CARD))
    pile.start(0, zhang, minutes=240, wh=800)
    pile.start(60, li, point=1)
    pile.end(HOUR_S, zhang, c.END_FULL, 60, 412)
    pile.start(2 * HOUR_S, bytes(8), reason=c.REASON_TICKET, minutes=30)
    pile.end(2 * HOUR_S + 600, bytes(8), c.END_REMOTE, 10, 55)
    pile.pull()
    return pile


@pytest.fixture
def run(site, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)

    def run_(*words: str):
        code = cli.run(["journal", *words, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, [" ".join(line.split()) for line in said.out.splitlines()], said.err

    yield run_
    messages.set_language(None)


def of(site, **wish) -> list[Session]:
    return charge_sessions.sessions(site, Wish(**wish))


def seqs(found: list[Session]) -> list[tuple[int | None, int | None]]:
    return [(one.start_seq, one.end_seq) for one in found]


# --- pairs -------------------------------------------------------------------------------


def test_two_records_are_a_session(site, day) -> None:
    first, second, third = of(site)
    assert (first.controller, first.point, first.state) == ("pile-1", 0, ENDED)
    assert (first.card, first.holder, first.by, first.why) == ("K000001", "张伟", "card", "full")
    assert (first.began, first.ended) == ("2026-05-04T03:33:20", "2026-05-04T04:33:20")
    assert (first.minutes, first.wh, first.quota_min, first.quota_wh) == (60, 412, 240, 800)
    assert (first.ended_s or 0) - (first.began_s or 0) == HOUR_S
    assert (second.point, second.state, second.holder, second.wh) == (1, RUNNING, "李娜", None)
    assert (third.by, third.card, third.why, third.wh) == ("ticket", "", "remote", 55)
    assert seqs([first, second, third]) == [(0, 2), (1, None), (3, 4)]
    assert day


def test_a_session_that_another_follows_has_lost_its_end(site, pile) -> None:
    key = key_of(site, pile.board)
    pile.start(0, key)
    pile.start(HOUR_S, key)
    pile.end(2 * HOUR_S, key, c.END_CARD, 60, 300)
    pile.pull()
    assert [(one.state, one.end_seq) for one in of(site)] == [(LOST, None), (ENDED, 2)]


def test_a_short_outage_does_not_divide_a_session(site, pile) -> None:
    key = key_of(site, pile.board)
    pile.start(0, key, minutes=240)
    pile.start(1800, key, reason=c.REASON_RESUMED)
    pile.end(HOUR_S, key, c.END_CARD, 59, 300)
    pile.pull()
    [one] = of(site)
    assert (one.start_seq, one.end_seq, one.resumed, one.by) == (0, 2, 1, "card")
    assert (one.minutes, one.quota_min) == (59, 240)


def test_what_is_resumed_without_a_beginning_is_a_session_all_the_same(site, pile) -> None:
    pile.start(0, key_of(site, pile.board), reason=c.REASON_RESUMED)
    pile.pull()
    assert [(one.by, one.state) for one in of(site)] == [("resumed", RUNNING)]


def test_an_end_without_a_beginning_is_told_as_one(site, pile) -> None:
    pile.end(HOUR_S, key_of(site, pile.board), c.END_CARD, 30, 300)
    pile.pull()
    [one] = of(site)
    assert (one.start_seq, one.began, one.state, one.holder) == (None, "", ENDED, "张伟")
    assert of(site, since_s=BEGIN_S + 1700) == [one], "it began half an hour before its end"
    assert of(site, since_s=BEGIN_S + 1900) == []


def test_what_ran_when_the_controller_started_anew_is_lost(site, pile) -> None:
    pile.start(0, key_of(site, pile.board))
    pile.alarm.write(c.EVENT_BOOT, 1, time_s=BEGIN_S + 60)
    pile.pull()
    assert [one.state for one in of(site)] == [RUNNING]
    body = bytearray(pile.alarm.written[0])
    body[4:6] = (2).to_bytes(2, "big")  # of the second start
    pile.alarm.written[0] = bytes(body)
    other = Board(site, "pile-2", board="virtual_charger")
    other.update()
    access, alarm = other.pen(RING_ACCESS), other.pen(RING_ALARM)
    access.write(c.EVENT_CHARGE_STARTED, c.REASON_TICKET)
    alarm.written.append(bytes(body))
    pull(site, other, access)
    pull(site, other, alarm)
    assert [one.state for one in of(site, devices=("pile-2",))] == [LOST]


def test_nothing_charges_for_longer_than_a_session_can_get(site, pile) -> None:
    pile.start(0, key_of(site, pile.board))
    pile.alarm.write(c.EVENT_BOOT, 1, time_s=BEGIN_S + 12 * HOUR_S)
    pile.pull()
    assert [one.state for one in of(site)] == [LOST]


def test_ports_are_paired_by_number_and_not_by_time(site, pile) -> None:
    """A clock that is set back in between does not tear a session apart."""
    key = key_of(site, pile.board)
    pile.start(HOUR_S, key)
    pile.end(600, key, c.END_CARD, 30, 100)
    pile.pull()
    assert seqs(of(site)) == [(0, 1)]


# --- which -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ({"points": frozenset((1,))}, [1]),
        ({"who": "张伟"}, [0]),
        ({"who": "K000002"}, [1]),
        ({"why": frozenset(("remote", "card"))}, [3]),
        ({"states": frozenset((RUNNING,))}, [1]),
        ({"since_s": BEGIN_S + 60}, [1, 3]),
        ({"until_s": BEGIN_S + 60}, [0]),
        ({"since_s": BEGIN_S + 1, "until_s": BEGIN_S + HOUR_S}, [1]),
    ],
)
def test_filters_look_at_whole_sessions(site, day, wish, wanted) -> None:
    assert [one.start_seq for one in of(site, **wish)] == wanted
    assert day


def test_a_door_has_no_sessions(site, board, day) -> None:
    pen = board.pen(RING_ACCESS)
    pen.write()
    pull(site, board, pen)
    assert len(of(site)) == 3
    assert of(site, devices=("door-1",)) == []
    assert day


def test_an_auditor_sees_sessions_and_no_names(site, day, tmp_path, open_site) -> None:
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    folder = open_site(tmp_path / "auditor", "of the auditor")
    found = of(folder)
    assert [(one.wh, one.holder) for one in found] == [(412, ""), (None, ""), (55, "")]
    assert len(found[0].card) == 16
    ends = journal_read.walk(folder, Filter(reasons=frozenset(("remote",))))
    assert [len(entry.card) for entry in ends] == [16], "4 is a ticket for a start, not for an end"
    assert day


# --- how it is told ----------------------------------------------------------------------


def test_a_session_is_a_line(run, day) -> None:
    assert run("sessions")[1] == [
        "controller port card holder began ended min Wh end",
        "pile-1 1 K000001 张伟 2026-05-04T03:33:20 2026-05-04T04:33:20 60 412 full",
        "pile-1 2 K000002 李娜 2026-05-04T03:34:20 - - - running",
        "pile-1 1 by ticket 2026-05-04T05:33:20 2026-05-04T05:43:20 10 55 remote",
        "3 sessions, 467 Wh",
    ]
    told = json.loads("\n".join(run("sessions", "pile-1", "--on", "1", "--json")[1]))
    assert [(one["point"], one["wh"]) for one in told] == [(0, 412), (0, 55)]
    assert run("sessions", "--since", "2026-05-05")[1] == ["Nothing that is stored fits"]
    chinese = run("sessions", "--lang", "zh")[1]
    assert "进行中" in chinese[2]
    assert day


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "ndjson"])
def test_sessions_are_written_to_files(run, day, tmp_path, suffix) -> None:
    path = tmp_path / f"sessions.{suffix}"
    assert run("sessions", "--output", str(path))[1] == [f"3 sessions written to {path}"]
    rows = rows_of(path)
    assert len(rows) == 3
    point = "0" if suffix == "ndjson" else "1"
    assert (str(rows[0]["point"]), str(rows[0]["wh"])) == (point, "412")
    assert ("began_s" in rows[0]) == (suffix == "ndjson")
    code, _, err = run("sessions", "--output", str(path))
    assert (code, len(err.splitlines())) == (1, 2)
    assert run("sessions", "--output", str(path), "--force")[0] == 0
    assert run("sessions", "--output", str(tmp_path / "x.pdf"))[0] == 1
    assert day


def test_a_journal_says_what_its_numbers_mean(site, run, day) -> None:
    assert run("show", "--on", "1")[0] == 2, "show calls it --door or --point"
    lines = run("show", "--point", "1")[1]
    assert lines[0].endswith("flag details")
    assert lines[1].endswith("240 min at most, 800 Wh at most")
    assert lines[2].endswith("60 min, 412 Wh")
    assert "远程停止" in run("show", "--reason", "remote", "--lang", "zh")[1][1]
    assert day
    assert [e.details for e in journal_read.walk(site, Filter(points=frozenset((1,))))] == [""]


@pytest.mark.parametrize(
    ("event", "extra", "said"),
    [
        (c.EVENT_OVER_TEMPERATURE, 763, "76.3 °C"),
        (c.EVENT_RELAY_WELD, 1234, "123.4 W"),
        (c.EVENT_OVER_POWER, 11030, "1103.0 W"),
        (c.EVENT_STATION_LIMIT, 7800, "7800 W"),
        (c.EVENT_CHARGE_CHOOSES, 0, "reader 1"),
        (c.EVENT_SUPPLY_LOW, 10230, "10.23 V"),
        (c.EVENT_RESET_ON_SITE, 1 | 4, "smoke, emergency_stop"),
        (c.EVENT_LEAKAGE, 0, ""),
        (c.EVENT_INPUT_FAULT, 4, "thermistor"),
        (c.EVENT_INPUT_FAULT, 0, ""),
    ],
)
def test_each_number_of_a_charger_has_its_unit(event, extra, said) -> None:
    assert journal_details.details(event, 0, 3, extra) == said


def test_a_wire_that_broke_is_told_from_smoke_in_both_languages() -> None:
    assert LINE_NAMES[c.LINE_OPEN] == "cut"
    assert journal_details.details(c.EVENT_INPUT_FAULT, c.LINE_OPEN, 255, 2) == "fire_line"
    for word in INPUT_NAMES.values():
        assert messages.chinese("input", word) != word


def test_a_folded_record_says_how_often(site) -> None:
    assert site
    assert journal_details.details(c.EVENT_OVER_POWER, 0, 255, 41) == "41 times"
    assert journal_details.details(c.EVENT_OVER_TEMPERATURE, 0, 255, 41) == "41 times"
    assert journal_details.details(c.EVENT_OVER_TEMPERATURE, 0, 255, 755) == "75.5 °C"


def test_a_ticket_says_what_it_asked_for() -> None:
    start = (500 << CHARGE_WH_SHIFT) | 90
    told = journal_details.details(c.EVENT_TICKET_EXECUTED, c.TICKET_CHARGE_START, 0, start)
    assert told == "90 min at most, 500 Wh at most"
    assert journal_details.details(c.EVENT_TICKET_EXECUTED, c.TICKET_UNLOCK, 0, 50) == ""


def test_every_end_has_its_chinese_word() -> None:
    messages.set_language("zh")
    try:
        words = [messages.name_of("end", name) for name in END_NAMES.values()]
    finally:
        messages.set_language(None)
    assert all(not word.isascii() for word in words)


# --- what a number must not be taken for ------------------------------------------------------


def test_the_code_of_an_end_is_no_reason_of_a_denial(site, pile) -> None:
    """16 is leakage for an end and an unknown card for a denial."""
    pile.start(0, b"stranger")
    pile.end(60, b"stranger", c.END_LEAKAGE, 1, 1)
    pile.pull()
    assert list(journal_read.walk(site, Filter(who=journal_filter.UNKNOWN))) == []
    assert [e.card for e in journal_read.walk(site, Filter())] == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("event", "reason", "word"),
    [
        (c.EVENT_FIRE, c.END_SMOKE, "smoke"),
        (c.EVENT_FIRE, c.REASON_FIRE, "fire"),
        (c.EVENT_LEAKAGE, c.END_LEAKAGE, "leakage"),
        (c.EVENT_EMERGENCY_STOP, c.END_EMERGENCY_STOP, "emergency_stop"),
        (c.EVENT_CONTACTOR_TRIPPED, c.END_PORT_FAULT, "port_fault"),
        (c.EVENT_OVER_TEMPERATURE, c.END_TEMPERATURE, "temperature"),
        (c.EVENT_CHARGE_STARTED, c.REASON_RESUMED, "resumed"),
        (c.EVENT_DENIED, c.REASON_QUOTA_DAY, "quota_day"),
    ],
)
def test_what_opened_ports_is_a_word(event, reason, word) -> None:
    assert journal_filter.reason_name(event, reason) == word


def test_whose_session_was_shed_or_cut_is_told(site, pile) -> None:
    pile.alarm.write(c.EVENT_OVER_POWER, 0, key_of(site, pile.board), extra=11000)
    pile.alarm.write(c.EVENT_STATION_LIMIT, 0, key_of(site, pile.board, OTHER_CARD), extra=3100)
    pile.alarm.write(c.EVENT_STATION_LIMIT, 0, extra=3100)
    pile.pull()
    told = [(e.event, e.holder, e.details) for e in journal_read.walk(site, Filter())]
    assert told == [
        ("over_power", "张伟", "1100.0 W"), ("station_limit", "李娜", "3100 W"),
        ("station_limit", "", "3100 W"),
    ]  # fmt: skip


def test_several_troubles_of_a_meter_are_all_named(site, pile, run) -> None:
    pile.alarm.write(c.EVENT_METER_LOST, 5, point=2)
    pile.alarm.write(c.EVENT_METER_LOST, 2, point=2)
    pile.pull()
    assert [e.reason for e in journal_read.walk(site, Filter())] == ["silent+stuck", "bad_checksum"]
    assert len(list(journal_read.walk(site, Filter(reasons=frozenset(("stuck",)))))) == 1
    assert "silent, stuck" in run("show", "--reason", "silent")[1][1]
    assert "无应答, 读数不变" in run("show", "--lang", "zh")[1][1]


@pytest.mark.parametrize(
    ("start", "end"),
    [(c.CLOCK_SYNCED, c.CLOCK_UNSET), (c.CLOCK_UNSET, c.CLOCK_SYNCED), (c.CLOCK_UNSET,) * 2],
)
def test_each_end_has_its_own_clock(site, pile, run, start, end) -> None:
    key = key_of(site, pile.board, CARD)
    pile.start(0, key, quality=start)
    pile.end(3600, key, c.END_FULL, 60, 412, quality=end)
    pile.pull()
    [one] = of(site)
    assert one.clock == journal_read.UNSET
    unset = [one.began_clock == "unset", one.ended_clock == "unset"]
    assert unset == [quality == c.CLOCK_UNSET for quality in (start, end)]
    row = " ".join(run("sessions")[1])
    assert ("not before 2026-05-04T03:33:20" in row) == unset[0]
    assert ("not before 2026-05-04T04:33:20" in row) == unset[1]
    assert "2026-05-04T03:33:20" in row


def test_the_hint_about_undated_sessions_promises_nothing(site, pile, run) -> None:
    key = key_of(site, pile.board, CARD)
    pile.start(0, key, quality=c.CLOCK_UNSET)
    pile.end(3600, key, c.END_FULL, 60, 412)
    pile.pull()
    assert "Nothing can date these any more" in run("sessions", "--ocpp", "1.6")[2]
    assert "已无法补上时间" in run("sessions", "--ocpp", "1.6", "--lang", "zh")[2]
