"""Four busy doors, 20 000 cards, a pull that runs: how long a lock takes (MicroPython).

    micropython busy_doors.py

Prints one line a figure: name and number. Time is what the flash costs on the model of
tests/firmware/flash.py; cpu is this machine's own time for the same, in microseconds. In every
round a page of a pull is read first, as if it had just begun when the cards came, then all four
doors get a card in the same turn: the last lock waits for the three before it.
"""

import hashlib
import time

from firmware import journal as _early  # noqa: F401  nested imports cost stack
from firmware import ring_pages
from firmware.access import Access
from protocol import cards
from protocol.codes import CREDENTIAL_EM4100
from protocol.constants import JOURNAL_PAGE_RECORDS, RECORD_BYTES
from tests.firmware import door_rig
from tests.firmware.list_rig import ISSUED_S, Rig, record

CARDS = 20_000
ROUNDS = 500
DOORS = 4
FIRES = 50
DEBOUNCE_US = 30_000  # three polls, 10 ms apart, before a contact counts
CARD_KEY = door_rig.CARD_KEY


class Lock:
    """A relay that notes the chip's time when it moves."""

    def __init__(self, chip: "object") -> None:
        self.chip = chip
        self.level = 0
        self.moved_us = 0
        self.moved_ticks = 0

    def value(self, level: "int | None" = None) -> int:
        if level is not None and level != self.level:
            self.level = level
            self.moved_us = self.chip.model_us
            self.moved_ticks = time.ticks_us()
        return self.level


def credential(number: int) -> bytes:
    return hashlib.sha256(b"credential %d" % number).digest()[:5]


def share(values: "list[int]", per_mille: int) -> int:
    return sorted(values)[len(values) * per_mille // 1000]


class House:
    """Doors on the list and the journal of a whole controller."""

    def __init__(self) -> None:
        self.lists = lists = Rig(CARDS)
        keys = sorted(
            cards.card_key(CARD_KEY, CREDENTIAL_EM4100, credential(n)) for n in range(CARDS)
        )
        lists.full(1, b"".join([record(key) for key in keys]))
        lists.clock.set_unsigned(ISSUED_S + 3600)
        lists.whitelist.manifest.profiles = [(1, 0b1111, 0, 5, 0, 0, 0, 0, 0)]
        self.doors = door_rig.Rig(DOORS, {8: 0, 9: 1, 11: 5})
        self.doors.journal = lists.journal
        self.doors.clock = lists.clock
        self.doors.whitelist = lists.whitelist
        self.doors.access = Access(lists.whitelist, lists.clock, CARD_KEY, self.doors.nvs)
        self.doors.door._c = self.doors
        self.doors.access.rules = self.doors.door._rules
        self.doors.keeps_shown = False
        self.locks = [Lock(lists.chip) for _ in range(DOORS)]
        for point, lock in zip(self.doors.door.points, self.locks):  # noqa: B905
            point.relay = lock
        self.page = memoryview(bytearray(JOURNAL_PAGE_RECORDS * RECORD_BYTES))
        self.pulled = 0

    def pull(self) -> None:
        """One page of a pull of the access ring."""
        ring = self.lists.journal.rings[0]
        if not ring_pages.read(ring, self.pulled, self.page):
            self.pulled = ring.oldest
        else:
            self.pulled += JOURNAL_PAGE_RECORDS

    def rest(self) -> None:
        """All locks lock again, and what is needed next is erased."""
        for _ in range(8):
            self.doors.door.turn(100)
        while self.lists.journal.erase_ahead():
            pass
        self.lists.journal._counts.clear()
        self.lists.journal._spent.clear()


def main() -> None:
    house = House()
    chip = house.lists.chip
    waits, cpu, pulls = [], [], []
    for number in range(ROUNDS):
        began_us, ticks = chip.model_us, time.ticks_us()
        house.pull()
        pulls.append(chip.model_us - began_us)
        for door in range(DOORS):
            data = credential((number * DOORS + door) * 7919 % CARDS)
            house.doors.door._card(door_rig.Reader(door, CREDENTIAL_EM4100, data))
        for lock in house.locks:
            assert lock.level == 1
            waits.append(lock.moved_us - began_us)
        cpu.append(time.ticks_diff(house.locks[-1].moved_ticks, ticks))
        house.rest()
    fires = []
    for _ in range(FIRES):
        began_us = chip.model_us
        house.doors.wires["fire"].level = 1
        for _ in range(3):
            house.doors.door.turn(10)
        fires += [lock.moved_us - began_us + DEBOUNCE_US for lock in house.locks]
        assert [lock.level for lock in house.locks] == [1] * DOORS
        house.doors.wires["fire"].level = 0
        for name in ("rex", "rex2", "rex3", "rex4"):
            house.doors.wires[name].level = 1
        for _ in range(70):
            house.doors.door.turn(100)
        for name in ("rex", "rex2", "rex3", "rex4"):
            house.doors.wires[name].level = 0
        for _ in range(10):
            house.doors.door.turn(100)
        assert [lock.level for lock in house.locks] == [0] * DOORS
        house.rest()
    print("median_us", share(waits, 500))
    print("p99_us", share(waits, 990))
    print("worst_us", max(waits))
    print("pull_page_us", max(pulls))
    print("cpu_round_us", share(cpu, 500))
    print("fire_worst_us", max(fires))


main()
