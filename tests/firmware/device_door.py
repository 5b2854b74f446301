"""A door whose journal fails: nobody is let in by it, everybody is let out (MicroPython)."""

from firmware.door import Service
from firmware.journal import Journal
from firmware.pace import Pace
from protocol.codes import (
    EVENT_DOOR_OPENED,
    EVENT_FORCED_OPEN,
    EVENT_REX,
    EVENT_UNLOCKED,
    REASON_NONE,
    REASON_REX,
    TICKET_UNLOCK,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOUR_DS = 36000


class Pin:
    """One wire."""

    def __init__(self) -> None:
        self.level = 0

    def value(self, level: "int | None" = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class Written(Journal):
    """The journal as it is, over a flash that refuses the events in `refused`."""

    def __init__(self) -> None:
        self.refused: tuple[int, ...] = ()
        self.events: list[tuple[int, int]] = []
        self.lost = 0
        self._counts, self._folded, self._spent = {}, {}, {}
        self._presented = []

    def record(self, event: int, reason: int = 0, *_: "Any", **__: "Any") -> int:
        if event in self.refused:
            raise OSError(5)
        self.events.append((event, reason))
        return 0


class Lock:
    """A door on such a journal, and what is wired to it."""

    unlock_ds, held_open_s, relock_on_open, fail_safe = 50, 30, False, False

    def __init__(self) -> None:
        self.wires = {name: Pin() for name in ("rex", "door", "fire", "tamper")}
        self.lock = Pin()
        self.config = self.board = self
        self.journal = Written()
        self.pace = Pace()
        self.door = Service(self)

    def readers(self) -> "list[Any]":
        return []

    def relays(self) -> "list[Pin]":
        return [self.lock]

    def indicator(self) -> Pin:
        return Pin()

    def inputs(self) -> "dict[str, Pin]":
        return self.wires

    def turn(self, **levels: int) -> None:
        for name, level in levels.items():
            self.wires[name].level = level
        for _ in range(5):
            self.door.turn(10)


def refused_ticket(*events: int) -> Lock:
    """A door whose flash refused these events while a ticket asked for an hour."""
    held = Lock()
    held.journal.refused = events
    try:
        held.door.act(TICKET_UNLOCK, 0, HOUR_DS)
    except OSError:
        return held
    raise AssertionError("the ticket did not learn of it")


def test_a_ticket_opens_when_the_flash_is_well() -> None:
    held = Lock()
    held.door.act(TICKET_UNLOCK, 0, HOUR_DS)
    assert held.lock.level == 1


def test_an_unlock_that_cannot_be_written_leaves_no_trace_in_the_door() -> None:
    held = refused_ticket(EVENT_UNLOCKED)
    held.journal.refused = ()
    held.turn()
    assert held.lock.level == 0
    assert held.door.relay_follows()


def test_rex_releases_after_an_unlock_that_could_not_be_written() -> None:
    held = refused_ticket(EVENT_UNLOCKED)
    held.turn(rex=1)
    assert held.lock.level == 1


def test_fire_releases_after_an_unlock_that_could_not_be_written() -> None:
    held = refused_ticket(EVENT_UNLOCKED)
    held.turn(fire=1)
    assert held.lock.level == 1


def test_rex_and_fire_release_while_nothing_at_all_can_be_written() -> None:
    for wire in ("rex", "fire"):
        held = Lock()
        held.journal.refused = tuple(range(256))
        held.turn(**{wire: 1})
        assert held.lock.level == 1, wire
        assert held.journal.lost >= 2


def test_a_forced_door_is_not_said_to_be_rex() -> None:
    held = Lock()
    held.turn(door=1)
    assert (EVENT_DOOR_OPENED, REASON_NONE) in held.journal.events
    assert (EVENT_FORCED_OPEN, REASON_NONE) in held.journal.events
    held.turn(door=0)
    held.turn(rex=1)
    assert (EVENT_REX, REASON_REX) in held.journal.events
    assert (EVENT_UNLOCKED, REASON_REX) in held.journal.events
