"""Kills a process at every point of an operation, and says whether the registry bears it (host).

A point is before each SQL statement, before and after each commit, and before each file is made,
renamed or removed. `killed_everywhere` runs a scenario once for each of its points in a process of
its own that dies there by SIGKILL, looks at what it left, and pushes: that has to complete. With
``most`` it dies at so many of them only.

A new operation is one line in a test: ``Scenario("check-in", act, floor)``. What must hold besides
is a function in INVARIANTS.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event, select
from sqlalchemy.engine.default import DefaultDialect

from controller_tool.registry.houses import House
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Grant, Person
from controller_tool.registry.records import (
    LIST_RECEIPTED,
    AuditEntry,
    DeviceConfig,
    ListVersion,
    Receipt,
    SentCard,
)
from controller_tool.registry.stays import Lease, PairAct
from controller_tool.services import audit, cards, push, standing
from protocol import cards as layout
from protocol import deltas
from protocol.constants import FLAG_REVOKED
from tests.unit.fake_whitelist import FakeWhitelist, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from tests.unit.conftest import Images
    from tests.unit.registry_support import Board

_DONE, _FAILED = 0, 3
_FILE_ACTS = ("os.rename", "os.remove", "os.mkdir")
_REMEMBERED = ("held", "floor", "issued_s", "kinds", "clock_is_off_s", "_coming", "_payload")


@dataclass(frozen=True)
class Scenario:
    """An operation. floor: it has at least so many points, else the net has a hole.

    prepare: what happens before, unharmed. whole: it is one transaction, so the registry is as
    before it or as after it and nothing between.
    """

    name: str
    act: Callable[[Stage], object]
    floor: int
    prepare: Callable[[Stage], object] = lambda _: None
    whole: bool = True


class Door(FakeWhitelist):
    """A controller that remembers, whatever becomes of the process that talks to it."""

    def __init__(self, board: Board, memory: Path, points: Points) -> None:
        super().__init__(board)
        self._memory, self._points = memory, points

    def answer(self, operation: int, *arguments: Any) -> Any:
        said = super().answer(operation, *arguments)
        with self._points.spared():
            self._memory.write_bytes(self.state())
        return said

    def state(self) -> bytes:
        return pickle.dumps({name: getattr(self, name) for name in _REMEMBERED})

    def come_back(self) -> None:
        """As it is now, after whatever was done to it in another process."""
        self.be(self._memory.read_bytes())

    def be(self, state: bytes) -> None:
        self._memory.write_bytes(state)
        for name, value in pickle.loads(state).items():  # noqa: S301 - written above
            setattr(self, name, value)


@dataclass
class Points:
    """Counts the points of this process, and ends it at one of them (None: at none)."""

    at: int | None = None
    passed: list[str] = field(default_factory=list)
    spares: int = 0

    def arm(self) -> None:
        """From now on, for good: only in a process that ends soon."""
        event.listen(Engine, "before_cursor_execute", lambda *_: self.pass_("statement"))
        commit = DefaultDialect.do_commit

        def do_commit(dialect: Any, connection: Any) -> None:
            self.pass_("before commit")
            commit(dialect, connection)
            self.pass_("after commit")

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
        sys.addaudithook(self._hear)

    def pass_(self, kind: str) -> None:
        if self.spares:
            return
        self.passed.append(kind)
        if len(self.passed) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def spared(self) -> Iterator[None]:
        """What is done within is done by somebody else."""
        self.spares += 1
        try:
            yield
        finally:
            self.spares -= 1

    def _hear(self, act: str, arguments: tuple[Any, ...]) -> None:
        if act in _FILE_ACTS:
            self.pass_(act)
        elif act == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT:
            self.pass_("file")


class Stage:
    """A site with a door, as a scenario finds them; `again` puts everything back."""

    def __init__(
        self, site: Site, board: Board, images: Images, folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self.folder = folder
        self.points = Points()
        self.site, self.board, self.images = site, board, images
        self.door = Door(self.board, folder / "door", self.points)
        connect(patch, self.door)
        self._card_key = self.site.secret(self.board.device, "card_key")
        self._kept = folder / "kept"
        self._state = b""

    def keep(self) -> None:
        self.images.take(self.site, self._kept)
        self._state = self.door.state()
        self.door.be(self._state)

    def again(self) -> None:
        self.images.put_back(self.site, self._kept)
        self.door.be(self._state)

    def key(self, card: Card) -> bytes:
        credential = cards.credential_of(self.site, card)
        return layout.card_key(self._card_key, credential.type, credential.data)


@dataclass(frozen=True)
class Killed:
    """What a scenario bore. kinds: its points; tried: at how many of them it was killed."""

    kinds: Counter[str]
    tried: int


def killed_everywhere(scenario: Scenario, stage: Stage, most: int | None = None) -> Killed:
    """Kill it at all points, or at some. AssertionError, with the point, where it is not borne."""
    scenario.prepare(stage)
    before = facts(stage)
    stage.keep()
    points = _run_in_child(scenario, stage, None)
    total = len(points)
    after = facts(stage)
    assert total >= scenario.floor, f"{scenario.name}: {total} points only"
    _look(scenario, stage, before, after, "not killed at all")
    chosen = range(1, total + 1) if most is None else sample(points, most)
    for at in chosen:
        stage.again()
        _run_in_child(scenario, stage, at)
        _look(scenario, stage, before, after, f"killed at point {at} of {total}")
    return Killed(Counter(points), len(chosen))


def sample(points: list[str], most: int) -> list[int]:
    """Numbers of ``most`` points, from 1: a third on each side of commits, the rest evenly."""
    numbers = list(enumerate(points, 1))
    chosen: list[int] = []
    for side in ("before commit", "after commit"):
        chosen += _evenly([at for at, kind in numbers if kind == side], most // 3)
    others = [at for at, kind in numbers if not kind.endswith("commit")]
    return sorted(chosen + _evenly(others, most - len(chosen)))


def _evenly(some: list[int], most: int) -> list[int]:
    """So many of them, the last one among them."""
    if len(some) <= most:
        return some
    return [some[(turn + 1) * len(some) // most - 1] for turn in range(most)]


def _run_in_child(scenario: Scenario, stage: Stage, at: int | None) -> list[str]:
    """Kinds of the points that it has, in order. at: it dies there, and must."""
    stage.site.registry.close()  # no connection goes over a fork
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that have ended
        child = os.fork()
    if child == 0:
        _play(scenario, stage, at)
    _, status = os.waitpid(child, 0)
    if at is None:
        assert os.waitstatus_to_exitcode(status) == _DONE, f"{scenario.name} fails by itself"
        passed: list[str] = pickle.loads((stage.folder / "points").read_bytes())  # noqa: S301
    else:
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"not killed at {at}"
        passed = []
    stage.door.come_back()
    return passed


def _play(scenario: Scenario, stage: Stage, at: int | None) -> None:
    """In the child: never returns."""
    code = _FAILED
    try:
        stage.points.at = at
        stage.points.arm()
        scenario.act(stage)
        with stage.points.spared():
            (stage.folder / "points").write_bytes(pickle.dumps(stage.points.passed))
        code = _DONE
    except BaseException:  # noqa: BLE001 - told, and the process ends
        traceback.print_exc()
    finally:
        os._exit(code)


def _look(scenario: Scenario, stage: Stage, before: Facts, after: Facts, when: str) -> None:
    try:
        if scenario.whole:
            assert facts(stage) in (before, after), "half done"
        _look_and_push(stage)
    except AssertionError as error:
        raise AssertionError(f"{scenario.name}, {when}: {error}") from error


def _look_and_push(stage: Stage) -> None:
    check(stage)
    stage.door.restart()  # a wire that broke
    [result] = push.push(stage.site, ["door-1"], accept_fork=False)
    assert result.ok, f"the next push: {result.what}"
    check(stage)
    with stage.site.registry.session() as session:
        issued = session.scalars(select(Card).where(Card.state == STATE_ISSUED))
        assert stage.door.live() == {stage.key(card) for card in issued}
    [result] = push.push(stage.site, ["door-1"])
    assert (result.ok, result.kind) == (True, ""), "the push after it has something left to do"


# --- what must hold -------------------------------------------------------------------------

Facts = dict[str, Any]


def facts(stage: Stage) -> Facts:
    """What the registry says, without times and random ids."""
    with stage.site.registry.session() as session:
        all_cards = session.scalars(select(Card).order_by(Card.ref))
        return {
            "cards": [(c.ref, c.state, c.flags, c.profile_id, c.from_min, c.until_min,
                       len(_grants(session, c))) for c in all_cards],
            "people": sorted((p.name, p.room) for p in session.scalars(select(Person))),
            "stays": sorted((s.ref, s.until_min, s.end_reason, s.host_lease_id is None)
                            for s in session.scalars(select(Lease))),
            "houses": [(h.ref, h.state, h.class4) for h in session.scalars(select(House))],
            "pairs": list(session.scalars(select(PairAct.state).order_by(PairAct.id))),
            "acts": list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.id))),
            "configs": list(session.scalars(select(DeviceConfig.version))),
        }  # fmt: skip


def check(stage: Stage) -> None:
    """All invariants; AssertionError says which does not hold."""
    with stage.site.registry.session() as session:
        for invariant in INVARIANTS:
            invariant(stage, session)


def _file_is_whole(_: Stage, session: Session) -> None:
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return  # a server answers for its own files
    assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None, "foreign keys"


def _log_is_whole(_: Stage, session: Session) -> None:
    assert audit.first_broken(session) is None, "operators' log"
    assert not audit.unknown_head(session), "operators' log is behind a signed list"


def _no_card_is_issued_twice(_: Stage, session: Session) -> None:
    live = session.scalars(select(Card.credential_index).where(Card.state == STATE_ISSUED))
    assert max(Counter(live).values(), default=0) <= 1, "a card is issued twice"


def _issued_cards_are_granted(_: Stage, session: Session) -> None:
    for card in session.scalars(select(Card).where(Card.state == STATE_ISSUED)):
        assert _grants(session, card), f"{card.ref} is granted nowhere"


def _cards_and_stays_end_together(_: Stage, session: Session) -> None:
    joined = select(Card, Lease).join(Lease, Lease.id == Card.lease_id)
    for card, lease in session.execute(joined.where(Card.state == STATE_ISSUED)):
        assert lease.ended_at_s is None, f"{card.ref} outlives {lease.ref}"
        assert card.until_min == lease.until_min, f"{card.ref} does not end with {lease.ref}"


def _list_numbers_rise(_: Stage, session: Session) -> None:
    for device in session.scalars(select(Device)):
        query = select(ListVersion).where(ListVersion.device_id == device.id)
        signed = list(session.scalars(query.order_by(ListVersion.version)))
        times = [row.signed_at_s for row in signed]
        assert times == sorted(times), "a later list has a lower number"
        newest = signed[-1].version if signed else 0
        assert device.list_version_receipted <= device.list_version_sent <= newest, "numbers"
        if device.list_version_receipted:
            proven = session.get_one(ListVersion, (device.id, device.list_version_receipted))
            assert proven.state == LIST_RECEIPTED, "proven, and not noted"
            receipts = select(Receipt.version).where(Receipt.device_id == device.id)
            assert proven.version in list(session.scalars(receipts)), "proven without a receipt"


def _sent_is_what_was_signed(stage: Stage, session: Session) -> None:
    """*m*: whoever was ever shown a card counts until it is proven dead there."""
    newest = standing.newest(session, session.get_one(Device, stage.board.device.id))
    rows = list(session.scalars(select(SentCard)))
    if newest is None:
        assert not rows, "sent before anything was signed"
        return
    records = deltas.by_key(newest.payload)
    shown = {key for key, rec in records.items() if not layout.flags(rec) & FLAG_REVOKED}
    alive = [row for row in rows if row.dead_from_version is None]
    assert shown == {stage.key(session.get_one(Card, row.card_id)) for row in alive}, "m"
    for row in rows:
        assert row.first_version <= newest.version, "sent in a list that is not signed"
        assert row.dead_from_version is None or row.dead_from_version > row.first_version, "dead"


def _the_door_holds_what_was_signed_here(stage: Stage, session: Session) -> None:
    held = stage.door.held
    if held.version:
        row = session.get_one(Device, stage.board.device.id)
        assert standing.known(session, row, 1, held.version, held.digest), "a fork of its own"


def _grants(session: Session, card: Card) -> list[str]:
    return list(session.scalars(select(Grant.device_id).where(Grant.card_id == card.id)))


INVARIANTS: list[Callable[[Stage, Session], None]] = [
    _file_is_whole,
    _log_is_whole,
    _no_card_is_issued_twice,
    _issued_cards_are_granted,
    _cards_and_stays_end_together,
    _list_numbers_rise,
    _sent_is_what_was_signed,
    _the_door_holds_what_was_signed_here,
]
