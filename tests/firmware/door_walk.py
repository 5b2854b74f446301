"""Anything that can happen at four doors, in any order, and what must hold all the while.

For MicroPython alone: tests/firmware/device_door_walk.py walks a little, tests/bench/door.py with
tests/firmware/soak_door.py a million decisions.
"""

import gc
import random

from firmware.door import Service
from protocol.codes import (
    EVENT_DENIED,
    EVENT_GRANTED,
    EVENT_LOCKED,
    EVENT_UNLOCKED,
    MODE_LOCKDOWN,
    MODE_OPEN,
    TICKET_DOOR_MODE,
    TICKET_UNLOCK,
)
from protocol.constants import (
    FLAG_EMERGENCY,
    FLAG_REVOKED,
    PROFILE_DURESS,
    PROFILE_ESCORT,
    PROFILE_FIRST_CARD,
    PROFILE_IGNORES_PASSBACK,
    PROFILE_NEEDS_ESCORT,
    PROFILE_NEEDS_PIN,
    PROFILE_OPENS_CLOSED,
)
from protocol.policy.door_modes import argument
from tests.firmware.door_rig import ENTER, Cards, Reader, Rig, Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DOORS = 4
# interlock off and on, passback off, soft and hard: everything that a door may be set to
SETTINGS: "tuple[dict[int, Any], ...]" = (
    {},
    {8: 1, 9: 2, 10: 30, 16: 0x101, 17: 1},
    {1: 1, 4: [0, 1, 2, 0], 7: [0, 1, 0, 1], 9: 1, 15: [0, 2, 0, 1], 17: 2},
)
_PROFILES = (
    0, PROFILE_NEEDS_PIN, PROFILE_DURESS, PROFILE_ESCORT, PROFILE_NEEDS_ESCORT, PROFILE_FIRST_CARD,
    PROFILE_IGNORES_PASSBACK, PROFILE_OPENS_CLOSED,
)  # fmt: skip
_EVERY_DAY = 0x7F


class Counted(Written):
    """Keeps no record: how often the lock was said to be unlocked, and by which door last."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self.unlocked = [False] * DOORS
        self.decisions = 0
        self.said = 0

    def record(self, event: int, reason: int = 0, point: int = 255, *_: "Any", **__: "Any") -> int:
        if event in (EVENT_UNLOCKED, EVENT_LOCKED):
            if event == EVENT_UNLOCKED:
                assert reason, "unlocked without a reason"
                locked_level = self._rig.door._locked_level
                assert self._rig.locks[point].level == locked_level, "before its record"
            self.unlocked[point] = event == EVENT_UNLOCKED
        elif event in (EVENT_GRANTED, EVENT_DENIED):
            self.decisions += 1
        self.said += 1
        return 0


class Walk:
    """step() does something; check() holds afterwards."""

    def __init__(self, number: int, seed: int) -> None:
        random.seed(seed)
        held = Cards()
        minute = 1173
        held.manifest.schedules = [[1, _EVERY_DAY, minute, minute + 3, _EVERY_DAY, 0, 300]]
        self._settings = SETTINGS[number]
        self.rig = Rig(DOORS, self._settings, cards_held=held)
        self.rig.keeps_shown = False
        self.rig.journal = self.journal = Counted(self.rig)
        self.cards = [b"card%d" % n for n in range(40)]
        for place, flags in enumerate(_PROFILES):
            self.rig.profile(2 + place, flags, unlock_ds=random.getrandbits(6))
        for n, card in enumerate(self.cards):
            special = {37: FLAG_EMERGENCY, 38: FLAG_REVOKED}.get(n, 0)
            self.rig.card(card, 2 + n % len(_PROFILES), special)
            if n % len(_PROFILES) == 1:
                self.rig.card(card, 2, pin=b"1234")
        self.readers = [Reader(n, 1, b"") for n in range(2 * DOORS)]
        self.fire_s = 0

    def step(self) -> None:  # noqa: C901  one thing, one branch
        """One thing that may happen, then some time."""
        rig = self.rig
        dice = random.getrandbits(8)
        reader = self.readers[random.getrandbits(3)]
        if dice < 110:
            self._swipe(reader)
        elif dice < 140:
            for key in (1, 2, 3, 4 + random.getrandbits(1), ENTER):
                rig.door.on_key(reader, key)
        elif dice < 200:
            self._move_a_wire()
        elif dice < 206:
            self._ticket(TICKET_DOOR_MODE, argument(random.getrandbits(2), random.getrandbits(3)))
        elif dice < 212:
            self._ticket(TICKET_DOOR_MODE, argument(4, 0))
        elif dice < 220:
            self._ticket(TICKET_UNLOCK, random.getrandbits(6))
        elif dice < 224:
            rig.clock.time_s += random.getrandbits(13) - 4096
        for _ in range(1 + random.getrandbits(3)):
            rig.door.turn(10 << random.getrandbits(2))
        if not random.getrandbits(3):
            rig.clock.uptime_s += 1
            rig.clock.time_s += 1
            rig.door._second()
        self.journal.forget()

    def _swipe(self, reader: Reader) -> None:
        number = random.getrandbits(6)
        reader.type = 1
        reader.credential = self.cards[number] if number < len(self.cards) else b"nobody's"
        self.rig.door._card(reader)

    def _move_a_wire(self) -> None:
        names = ("rex", "door", "rex2", "door2", "rex3", "door3", "rex4", "door4", "tamper")
        dice = random.getrandbits(7)
        name = "fire" if dice > 124 else names[dice % len(names)]
        self.rig.wires[name].level ^= 1

    def _ticket(self, action: int, value: int) -> None:
        door = random.getrandbits(2)
        if self.rig.door.takes(action, door, value):
            self.rig.door.act(action, door, value)

    def check(self) -> None:
        """What must hold at every moment."""
        rig = self.rig
        service = rig.door
        for n in range(DOORS):
            door = service._doors[n]
            released = rig.locks[n].level != service._locked_level
            assert released == door.unlocked, "the relay does not follow"
            assert released == self.journal.unlocked[n], "unlocked without a record"
            if door.fire or door.mode == MODE_OPEN:
                assert released, "fire and normally open release"
            if service._fire.active:
                assert door.fire, "fire wins"
            if door.mode == MODE_LOCKDOWN and released and not door.fire:
                assert door._left_ms, "an unlock that does not end"
        if service._c.config.interlock:
            open_modes = sum(1 for door in service._doors if door.mode == MODE_OPEN)
            assert open_modes <= 1, "an interlock with two doors normally open"

    def restart(self) -> None:
        """Power goes and comes back: the wires are as they were, the relays anyhow."""
        wires = self.rig.wires
        self.rig = rig = self.rig.again(self._settings)
        rig.keeps_shown = False
        rig.journal = self.journal = Counted(rig)
        for name in wires:
            rig.wires[name].level = wires[name].level
        for lock in rig.locks:
            lock.level = 1 - rig.door._locked_level
        rig.door = Service(rig)
        for lock in rig.locks:
            assert lock.level == rig.door._locked_level, "a start releases nothing"

    def settle(self) -> None:
        """All wires at rest and a long time: only a mode or a fire keeps a lock released."""
        rig = self.rig
        for wire in rig.wires.values():
            wire.level = 0
        for _ in range(400):
            rig.door.turn(1000)
        for door in rig.door._doors:
            assert door.unlocked == (door.fire or door.mode == MODE_OPEN)


def walked(number: int, seed: int, steps: int, checked: bool = True) -> Walk:
    """A walk of so many steps."""
    walk = Walk(number, seed)
    for _ in range(steps):
        walk.step()
        if checked:
            walk.check()
    return walk


def soaked(walk: Walk, decisions: int) -> int:
    """Go on until so many decisions are made; returns how many bytes of heap that cost."""
    gc.collect()
    before = gc.mem_alloc()
    end = walk.journal.decisions + decisions
    while walk.journal.decisions < end:
        walk.step()
        walk.check()
    gc.collect()
    return gc.mem_alloc() - before
