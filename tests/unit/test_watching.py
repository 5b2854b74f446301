"""`push --watch`: changes at once, quiet controllers seldom, lost ones ever more so (host)."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import pytest

from controller_tool import cli
from controller_tool.keys import passphrase
from controller_tool.services import card_grants, cards, watching
from controller_tool.services.push import PushResult
from tests.unit.fake_whitelist import FakeWhitelist, connect
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_deltas_push import issue, number


class Desk:
    """Time that a test moves, and what was reported when. `plan`: acts by second."""

    def __init__(self, site: Any, door: FakeWhitelist) -> None:
        self.site = site
        self.door = door
        self.now = 0
        self.plan: dict[int, Any] = {}
        self.told: list[tuple[int, list[str]]] = []

    def watch(self, seconds: int) -> None:
        watching.watch(
            self.site, None, self._report, pause=self._pause, clock=lambda: float(self.now),
            rounds=seconds,
        )  # fmt: skip

    def _report(self, results: list[Any]) -> None:
        self.told.append((self.now, [result.device for result in results]))

    def _pause(self, seconds: float) -> None:
        self.now += int(seconds)
        if self.now in self.plan:
            self.plan[self.now]()


@pytest.fixture
def desk(site, board, monkeypatch) -> Desk:
    door = FakeWhitelist(board)
    connect(monkeypatch, door)
    issue(site, *range(10))
    return Desk(site, door)


def test_a_quiet_controller_is_asked_once_a_minute(desk) -> None:
    desk.watch(130)
    assert [second for second, _ in desk.told] == [0, 60, 120]


def test_a_card_that_ends_is_told_to_the_controllers_at_once(site, desk) -> None:
    desk.plan[7] = lambda: cards.collect(site, number(3))
    desk.watch(10)
    assert [second for second, _ in desk.told] == [0, 7]
    assert cards.card_status(site, number(3)).deregistered


def test_one_that_is_out_of_reach_is_tried_ever_more_seldom_and_holds_up_no_other(
    site, desk
) -> None:
    Board(site, "door-2")
    desk.watch(1000)
    tries = [second for second, names in desk.told if "door-2" in names]
    pauses = [b - a for a, b in pairwise(tries)]
    assert pauses[0] <= 2
    assert all(pause <= 301 for pause in pauses)
    assert pauses[-1] >= 240
    assert sum("door-1" in names for _, names in desk.told) == 17


def test_whoever_comes_back_completes_what_is_pending(site, desk, monkeypatch) -> None:
    doors = [FakeWhitelist(Board(site, name)) for name in ("door-2", "door-3")]
    card_grants.grant_all(site, "door-2")
    known = desk.door
    connect(monkeypatch, known, *doors)
    desk.watch(1)
    connect(monkeypatch, known)
    cards.collect(site, number(0))
    desk.watch(20)
    assert cards.card_status(site, number(0)).pending == ("door-2",)
    connect(monkeypatch, known, *doors)
    desk.watch(60)
    assert cards.card_status(site, number(0)).deregistered


def test_a_quiet_minute_is_not_shown(site, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    quiet = PushResult("door-1", ok=True, what="already up to date", version=1)
    sent = dataclasses.replace(quiet, what="receipt for version 2", kind="delta")

    def rounds(_site: Any, _names: Any, report: Any, _way: Any) -> None:
        for result in (quiet, quiet, sent, quiet):
            report([result])

    monkeypatch.setattr(watching, "watch", rounds)
    assert cli.run(["push", "--watch", "--site", str(site.path)]) == 0
    shown = capsys.readouterr().out
    assert (shown.count("already up to date"), shown.count("receipt for version 2")) == (1, 1)


def test_the_command_goes_on_until_it_is_stopped(site, desk, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    desk.plan[2] = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    watch = watching.watch

    def two_steps(site: Any, names: Any, report: Any, way: Any) -> None:
        watch(site, names, report, way, pause=desk._pause)

    monkeypatch.setattr(watching, "watch", two_steps)
    assert cli.run(["push", "--watch", "--site", str(site.path)]) == 1
    assert "receipt for version 1" in capsys.readouterr().out
    assert cli.run(["push", "--watch", "--force", "--site", str(site.path)]) == 2
