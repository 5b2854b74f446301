"""A charger's energy ring on a NOR chip, and what it must know after any start (MicroPython).

`Account` is the truth: which sessions run and what each card has used up today, as the ring was
told. A step is one turn of a charger; power that goes within it leaves the account of before the
step or of after it, never a third one.
"""

import sys

from firmware import energy_pages, energy_restore
from firmware.energy_ring import EnergyRing
from protocol import energy_slot
from protocol.constants import ENERGY_PAGE_SLOTS, ENERGY_SLOT_BYTES
from protocol.energy_slot import ENERGY_BY_TICKET, ENERGY_ENDED, ENERGY_LIVE
from tests.firmware.flash import Chip, Partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Session = tuple[bytes, int, int, bool]  # key, mWh, seconds, by ticket

modules: "Any" = sys.modules
SECTORS = 6
PORTS = 16
NOBODY = b"\0" * 8
FIRST_DAY = 2500
MINUTE_S = 60


def keep_loaded(_name: str) -> None:
    """For firmware.loan.forget: here sources are compiled on the way, thousands of times."""


modules["firmware.energy_ring"].forget = modules["firmware.energy_restore"].forget = keep_loaded


def card(number: int) -> bytes:
    return b"card" + number.to_bytes(4, "big")


class Ring(EnergyRing):
    """With what is loaded for it now and then as methods."""

    def restore(self) -> None:
        energy_restore.restore(self)

    def open_entries(self) -> "list[tuple[int, bytes, int, int, bool]]":
        return energy_restore.open_entries(self)

    def read(self, seq: int, out: memoryview) -> int:
        return energy_pages.read(self, seq, out)


class Account:
    """The sessions as of the last commit, those of now, and the ledger of the day."""

    def __init__(self) -> None:
        self.running: dict[int, Session] = {}
        self.told: dict[int, Session] = {}
        self.used: dict[bytes, tuple[int, int]] = {}
        self.day = 0
        self.time_s = 0
        self.told_s = 0
        self.sees_clock = True

    def copy(self) -> "Account":
        made = Account()
        made.running, made.told = dict(self.running), dict(self.told)
        made.used = dict(self.used)
        made.day, made.time_s, made.told_s = self.day, self.time_s, self.told_s
        made.sees_clock = self.sees_clock
        return made

    def minute(self, ring: Ring) -> None:
        """A minute passes and is written, if anybody charges."""
        self.time_s += MINUTE_S
        for port, (key, mwh, seconds, ticket) in list(self.running.items()):
            self.running[port] = (key, mwh + 1700 * (port + 1) % 9000, seconds + MINUTE_S, ticket)
        if self.running:
            self._commit(ring)

    def begin(self, port: int, key: bytes, ticket: bool) -> None:
        if port not in self.running:
            self.running[port] = (NOBODY if ticket else key, 0, 0, ticket)

    def end(self, ring: Ring, port: int) -> None:
        """A session ends, if there is one, and that is written at once."""
        session = self.running.pop(port, None)
        if session is None:
            return
        key, mwh, seconds, ticket = session
        ring.spend(key, mwh, seconds)
        if key != NOBODY:
            wh, minutes = self.used.get(key, (0, 0))
            self.used[key] = wh + (mwh + 999) // 1000, minutes + max(1, (seconds + 59) // 60)
        ring.put(port, key, mwh, seconds, 0, ENERGY_ENDED | (ENERGY_BY_TICKET if ticket else 0))
        self._commit(ring)

    def midnight(self, ring: Ring, day: int) -> None:
        if day != self.day:
            self.used = {} if self.day else self.used
            self.day = day
        ring.begin_day(day)

    def _commit(self, ring: Ring) -> None:
        for port, (key, mwh, seconds, ticket) in self.running.items():
            ring.put(port, key, mwh, seconds, port, ENERGY_LIVE | (4 if ticket else 0))
        seen = self.sees_clock
        ring.commit(self.day if seen else 0, self.time_s if seen else 0, 3 if seen else 0)
        self.told = dict(self.running)
        self.told_s = self.time_s if seen else 0

    def holds(self, ring: Ring) -> bool:
        """Whether the ring knows just this."""
        found = {port: rest for port, *rest in ring.open_entries()}
        if found != {port: list(session) for port, session in self.told.items()}:
            return False
        if ring.newest_time_s != self.told_s or ring.rows != len(self.used):
            return False
        return all(ring.used(key) == told for key, told in self.used.items())


class Board:
    """The ring's partition; what lies on it goes from start to start."""

    def __init__(self, sectors: int = SECTORS) -> None:
        self.chip = Chip()
        self.partition = Partition(self.chip, sectors)

    def start(self) -> Ring:
        ring = Ring(self.partition, PORTS)
        ring.restore()
        return ring


def numbers(ring: Ring, seq: int = 0, count: int = ENERGY_PAGE_SLOTS) -> "list[int]":
    """Of the slots that a page from `seq` on shows."""
    page = memoryview(bytearray(count * ENERGY_SLOT_BYTES))
    size = ring.read(seq, page)
    found = []
    for at in range(0, size, ENERGY_SLOT_BYTES):
        assert energy_slot.is_whole(page[at : at + ENERGY_SLOT_BYTES])
        found.append(int.from_bytes(page[at : at + 4], "big"))
    return found


def twin(ring: Ring, partition: Partition) -> Ring:
    """The same ring in the same state on another partition."""
    made = Ring(partition, PORTS)
    for name, value in ring.__dict__.items():
        if name != "partition":
            setattr(made, name, bytearray(value) if isinstance(value, bytearray) else value)
    return made


class Dice:
    """Numbers that are the same in every run."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def roll(self, below: int) -> int:
        self._state = (self._state * 1103515245 + 12345) & 0x3FFFFFFF
        return (self._state >> 12) % below


def turn(dice: Dice, account: Account, ring: Ring) -> None:
    """One turn of a charger's life, whichever the dice say."""
    what = dice.roll(24)
    port, person = dice.roll(PORTS), dice.roll(40)
    if what < 11:
        account.minute(ring)
    elif what < 15:
        account.begin(port, card(person), person > 36)
    elif what < 18:
        account.end(ring, port)
    elif what < 19:
        account.sees_clock = person > 5
    elif what < 20 and account.sees_clock and person < 8:
        account.midnight(ring, max(account.day, FIRST_DAY) + 1)
    else:
        ring.erase_ahead()
