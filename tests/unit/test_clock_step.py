"""A clock that a power cut unset is set by the way, or told of (host)."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from controller_tool import cli
from controller_tool.client import DeviceState, DeviceTime
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.services import clock_step, devices_ops, energy_pull, ports, pull
from protocol.codes import CLOCK_SYNCED, CLOCK_UNSET, ERR_BUSY, ERR_TIME_REACH
from tests.unit.energy_support import Ring
from tests.unit.ports_support import Charger
from tests.unit.registry_support import Board

pytestmark = pytest.mark.usefixtures("at_the_desk")
NAME = "pile-1"


class Clock(Ring):
    """A charger whose clock stands at the floor until somebody sets it; refuses: with this code."""

    def __init__(self, refuses: int | None = None, ahead_s: int | None = None) -> None:
        super().__init__()
        self.refuses = refuses
        self.quality = CLOCK_UNSET if ahead_s is None else CLOCK_SYNCED
        self.at_s = 0 if ahead_s is None else now_s() + ahead_s
        self.clock_in_step = False
        self.set_by: list[str] = []

    @contextlib.contextmanager
    def dial(self, *_: object, **__: object):
        yield self

    def time(self) -> DeviceTime:
        return DeviceTime(self.at_s, 0, self.quality, 0)

    def info(self) -> dict[str, Any]:
        return {"name": NAME}

    def state(self) -> DeviceState:
        return DeviceState(0, 0, b"", 0, 1, True, self.quality, self.at_s)

    def nonce(self) -> bytes:
        return bytes(16)

    def set_time(self, time_s: int) -> None:
        if self.refuses is not None:
            raise DeviceError("refused", "", self.refuses)
        self._set(time_s, "plain")

    def set_signed_time(self, envelope: bytes) -> None:
        assert envelope
        self._set(now_s(), "signed")

    def _set(self, time_s: int, how: str) -> None:
        self.at_s, self.quality = time_s, CLOCK_SYNCED
        self.set_by.append(how)


@pytest.fixture
def pile(site) -> Board:
    return Board(site, NAME, board="virtual_charger2")


def kept(site, pile: Board, clock: Any) -> Any:
    return clock_step.keep(site, pile.device, clock)


def told(report: Any) -> tuple[str, str]:
    said = clock_step.said(report)
    assert said is not None
    return said


def test_an_unset_clock_is_set_and_told_of(site, pile) -> None:
    clock = Clock()
    report = kept(site, pile, clock)
    assert (report.how, report.quality_before, clock.set_by) == ("set", "unset", ["plain"])
    what, next_step = told(report)
    assert what == "pile-1: its clock was not set, and is now"
    assert "nothing can give it one" in next_step


def test_a_clock_that_is_off_is_set_and_one_in_step_is_not(site, pile) -> None:
    off, in_step = Clock(ahead_s=40), Clock(ahead_s=0)
    assert kept(site, pile, off).how == "set"
    assert kept(site, pile, in_step).how == "kept"
    assert (off.set_by, in_step.set_by) == (["plain"], [])
    assert clock_step.said(kept(site, pile, in_step)) is None


def test_a_signed_time_where_it_is_needed_and_may_be_given(site, pile, monkeypatch) -> None:
    clock = Clock(refuses=ERR_TIME_REACH)
    assert kept(site, pile, clock).how == "set by a signed time"

    def cannot(*_: object) -> bytes:
        raise OperatorError("This folder does not hold the ticket key", "")

    monkeypatch.setattr(type(site), "sign", cannot)
    report = kept(site, pile, Clock(refuses=ERR_TIME_REACH))
    assert report.how == clock_step.UNSIGNED
    assert "signed time" in told(report)[1]


def test_an_auditor_sets_nothing_and_says_so(site, pile, monkeypatch) -> None:
    monkeypatch.setattr(type(site), "peers", lambda _: ["auditor"])
    clock = Clock()
    what, next_step = told(kept(site, pile, clock))
    assert (clock.set_by, clock.quality) == ([], CLOCK_UNSET)
    assert what == "pile-1: its clock is not set: nothing it writes has a time"
    assert "may not set it" in next_step
    assert clock_step.said(kept(site, pile, Clock(ahead_s=0))) is None
    assert clock_step.said(kept(site, pile, Clock(ahead_s=-20))) is None, "no word about seconds"
    assert "behind" in told(kept(site, pile, Clock(ahead_s=-90)))[0]


@pytest.mark.usefixtures("pile")
def test_a_clock_that_is_kept_busy_costs_nothing_of_the_pull(site, monkeypatch) -> None:
    clock = Clock(refuses=ERR_BUSY)
    monkeypatch.setattr(energy_pull, "dial", clock.dial)
    clock.charge(0, 3, 300)
    pulled: Any = energy_pull.pull(site, NAME)
    assert (pulled.new, pulled.clock.how) == (4, clock_step.REFUSED)

    def breaks(*_: object) -> Any:
        raise LinkError("the wire broke", "again")

    monkeypatch.setattr(clock, "time", breaks)
    assert energy_pull.pull(site, NAME).clock is None


def test_both_pulls_set_it(site, pile, monkeypatch) -> None:
    for service, order in ((energy_pull, lambda: energy_pull.pull(site, NAME)),
                           (pull, lambda: pull.pull_device(site, pile.device))):  # fmt: skip
        clock = Clock()
        monkeypatch.setattr(service, "dial", clock.dial)
        monkeypatch.setattr(pull, "pull_open", lambda *_: pull.PullResult(device=NAME))
        made: Any = order()
        assert made.clock.how == "set"
        assert clock.set_by == ["plain"]


def run(site, capsys, *words: str) -> tuple[int, str, str]:
    code = cli.run([*words, "--site", str(site.path)])
    said = capsys.readouterr()
    return code, " ".join(said.out.split()), " ".join(said.err.split())


@pytest.mark.parametrize(
    ("language", "word"), [("C.UTF-8", "its clock was not set"), ("zh_CN.UTF-8", "时钟原先未校")]
)
def test_the_commands_say_it(site, pile, monkeypatch, capsys, language, word) -> None:
    monkeypatch.setenv("LC_ALL", language)
    for service in (energy_pull, pull):
        monkeypatch.setattr(service, "dial", Clock().dial)
    monkeypatch.setattr(pull, "pull_open", lambda *_: pull.PullResult(device=pile.device.name))
    for words in (("device", "energy", NAME), ("journal", "pull", NAME)):
        assert word in run(site, capsys, *words)[2], words


@pytest.mark.usefixtures("pile")
@pytest.mark.parametrize(
    ("language", "line"),
    [("C.UTF-8", "the clock is not set: nothing it writes has a time."),
     ("zh_CN.UTF-8", "时钟未校：它写下的一切都没有时间。请校时：device time pile-1")],
)  # fmt: skip
def test_ports_has_a_line_for_it(site, monkeypatch, capsys, language, line) -> None:
    monkeypatch.setenv("LC_ALL", language)
    charger = Charger()
    monkeypatch.setattr(ports, "dial", charger.dial)
    assert line not in run(site, capsys, "device", "ports", NAME)[1]
    charger.clock = CLOCK_UNSET
    assert line in run(site, capsys, "device", "ports", NAME)[1]
    assert '"clock": "unset"' in run(site, capsys, "device", "ports", NAME, "--json")[1]


@pytest.mark.usefixtures("pile")
def test_a_watch_asks_for_the_clock_until_it_is_set(site, monkeypatch) -> None:
    charger = Charger()
    charger.clock = CLOCK_UNSET
    monkeypatch.setattr(ports, "dial", charger.dial)
    seen = ports.watch(site, NAME, pause=lambda _: None)
    assert [next(seen).clock for _ in range(2)] == ["unset", "unset"]
    charger.clock = CLOCK_SYNCED
    assert [next(seen).clock for _ in range(3)] == ["synced"] * 3
    assert charger.clock_asked == 3


@pytest.mark.usefixtures("pile")
@pytest.mark.parametrize(
    ("ahead_s", "language", "words"),
    [(None, "C.UTF-8", "not set: nothing it writes has a time. Set it with: device time pile-1"),
     (0, "C.UTF-8", "synced, in step"), (-90, "C.UTF-8", "s behind"),
     (None, "zh_CN.UTF-8", "未校：它写下的一切都没有时间"), (0, "zh_CN.UTF-8", "已同步，准确")],
)  # fmt: skip
def test_info_says_how_the_clock_is(site, monkeypatch, capsys, ahead_s, language, words) -> None:
    monkeypatch.setenv("LC_ALL", language)
    monkeypatch.setattr(devices_ops, "dial", Clock(ahead_s=ahead_s).dial)
    assert words in run(site, capsys, "device", "info", NAME)[1]
