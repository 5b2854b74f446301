"""Any history of cards, pushes, lost wires and restored backups ends in step and honest (host)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller_tool.errors import OperatorError
from controller_tool.registry.models import STATE_ISSUED, Device
from controller_tool.services import cards, list_content, list_update, push
from controller_tool.services.site import Site
from protocol import codes as c
from tests.unit.fake_whitelist import FakeWhitelist, connect
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_deltas_push import issue, key, number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PEOPLE = 6
BATCH = 150  # more than a chunk: what ends goes before it

_PERSON = st.integers(0, PEOPLE - 1)
STEPS = st.one_of(
    st.tuples(st.just("issue"), _PERSON, st.integers(1, 60)),
    st.tuples(st.just("collect"), _PERSON),
    st.tuples(st.just("batch"), st.just(0)),
    st.tuples(st.just("push"), st.sampled_from([None, *range(12)]), st.booleans()),
    st.tuples(st.just("refuse"), st.sampled_from([c.ERR_BASE, c.ERR_CAPACITY, c.ERR_DIGEST])),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("merge"), st.just(0)),
    st.tuples(st.just("crowd"), st.integers(0, 500)),
    st.tuples(st.just("flash_back"), st.just(0)),
    st.tuples(st.just("backup"), st.just(0)),
    st.tuples(st.just("restore"), st.just(0)),
)


class House:
    """One controller, the registry in use, the first backup that was made of it."""

    def __init__(
        self, folder: Path, new_office: Callable[..., Path], patch: pytest.MonkeyPatch
    ) -> None:
        self.folder = folder
        self._new_office = new_office
        self.opened: list[Site] = []
        self.site = self._open(new_office(folder / "office"))
        self.board = Board(self.site, "door-1")
        self.door = FakeWhitelist(self.board)
        connect(patch, self.door)
        issue(self.site, *range(100, 110))
        self.batches = self.restores = 0
        self.backed_up = False
        self.knows = True  # what the registry says of the controller is not behind a restore
        self.dead: set[int] = set()  # proven dead and not issued anew since
        self.old = self.door.held

    def do(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])
        self.check()

    def issue(self, person: int, days: int) -> None:
        try:
            issue(self.site, person, days=days)
        except OperatorError:
            return  # it is out already
        self.dead.discard(person)

    def collect(self, person: int) -> None:
        try:
            cards.collect(self.site, number(person))
        except OperatorError:
            return  # it was never issued

    def batch(self, _: int) -> None:
        if self.batches < 2:
            self.batches += 1
            first = 1000 * self.batches
            try:
                issue(self.site, *range(first, first + BATCH))
            except OperatorError:
                return

    def push(self, dies_at: int | None, arrives: bool) -> push.PushResult:
        self.old = self.door.held
        self.door.dies_at, self.door.arrives = dies_at, arrives
        result: push.PushResult
        [result] = push.push(self.site, ["door-1"], accept_fork=True)
        self.door.dies_at = None
        if result.ok:
            self.knows = True
        self.remember()
        return result

    def refuse(self, code: int) -> None:
        self.door.refuse = [code]

    def restart(self, _: int) -> None:
        self.door.restart()

    def merge(self, _: int) -> None:
        self.door.merge()

    def crowd(self, overlay: int) -> None:
        self.door.held.overlay = overlay

    def flash_back(self, _: int) -> None:
        """Its list is an older one again; its floor, which stands elsewhere, is not."""
        self.door.held = self.old
        self.knows = False
        self.dead.clear()

    def backup(self, _: int) -> None:
        if not self.backed_up:
            self.backed_up = True
            self.site.registry.close()
            self._new_office(self.folder / "backup", self.site.path)

    def restore(self, _: int) -> None:
        if self.backed_up and self.restores < 3:
            self.restores += 1
            again = self.folder / f"again-{self.restores}"
            copy = self._new_office(again, self.folder / "backup")
            self.site = self._open(copy)
            self.knows = False

    # --- what must hold ---------------------------------------------------------------------

    def statuses(self) -> dict[int, cards.CardStatus]:
        found = {}
        for person in range(PEOPLE):
            try:
                found[person] = cards.card_status(self.site, number(person))
            except OperatorError:
                continue
        return found

    def remember(self) -> None:
        if self.knows:
            self.dead |= {p for p, status in self.statuses().items() if status.deregistered}

    def check(self) -> None:
        live = self.door.live()
        assert not [p for p in self.dead if key(self.board, p) in live], "dead and proven, yet live"
        if not self.knows:
            return
        for person, status in self.statuses().items():
            there = key(self.board, person) in live
            assert not (status.deregistered and there), status
            assert there or status.state != STATE_ISSUED or status.pending, status

    def end(self) -> None:
        self.door.refuse = []
        result = self.push(None, arrives=False)
        assert result.ok, result
        self.check()
        with self.site.registry.session() as session:
            row = session.get_one(Device, self.board.device.id)
            assert self.door.held.records == list_content.collect(self.site, session, row).payload
            assert row.list_version_receipted == self.door.held.version
        for status in self.statuses().values():
            assert status.deregistered or (status.state, status.pending) == (STATE_ISSUED, ())

    def close(self) -> None:
        for site in self.opened:  # the controller goes on knowing the first
            site.close()

    def _open(self, folder: Path) -> Site:
        self.opened.append(Site.open(folder, PASSPHRASE, None))
        return self.opened[-1]


def live_through(
    history: list[tuple[Any, ...]], new_office: Callable[..., Path], factory: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        house = House(factory.mktemp("house"), new_office, patch)
        try:
            for step in history:
                house.do(step)
            house.end()
        finally:
            house.close()
        shutil.rmtree(house.folder)


# new offices are of the whole test, and each history makes its own
_FINE = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@settings(max_examples=20, suppress_health_check=_FINE)
@given(history=st.lists(STEPS, min_size=3, max_size=14))
def test_any_history_ends_in_step_with_nobody_revived(
    history, new_office, tmp_path_factory
) -> None:
    live_through(history, new_office, tmp_path_factory)


_STAGED = [
    ("issue", 0, 30), ("push", None, False), ("collect", 0), ("batch", 0), ("push", 6, False),
]  # fmt: skip
_LOST = [
    ("push", 3, True), ("push", 3, True), ("flash_back", 0),
]  # fmt: skip
_FORKED = [
    ("issue", 0, 30), ("push", None, False), ("backup", 0), ("collect", 0),
    ("push", None, False), ("restore", 0), ("push", None, False),
]  # fmt: skip


@pytest.mark.both_registries
def test_the_histories_that_matter_most(new_office, tmp_path_factory) -> None:
    """Short runs may miss them: removals alone, a receipt and then its list lost, a backup."""
    live_through(_STAGED, new_office, tmp_path_factory)
    live_through(_LOST, new_office, tmp_path_factory)
    live_through(_FORKED, new_office, tmp_path_factory)


def _forgetful(*_: Any) -> list[Any]:
    return []


def _hasty(content: Any, base: Any, takes: bytes) -> Any:
    made = _honest_after(content, base, takes)
    return replace(made, owners=content.owners)


_honest_after = list_update._after


@pytest.mark.parametrize(
    ("place", "spoilt", "history"),
    [
        ("controller_tool.services.forks._end_what_was_ended", _forgetful, _FORKED),
        ("controller_tool.services.list_update._after", _hasty,
         [("issue", 0, 30), ("push", None, False), ("collect", 0), ("batch", 0),
          ("issue", 1, 30), ("push", 6, False)]),
    ],
)  # fmt: skip
def test_a_broken_rule_is_noticed(
    place, spoilt, history, new_office, tmp_path_factory, monkeypatch
) -> None:
    """Negative control: forks that end nothing, a list between that claims what it lacks."""
    monkeypatch.setattr(place, spoilt)
    with pytest.raises(AssertionError):
        live_through(history, new_office, tmp_path_factory)
