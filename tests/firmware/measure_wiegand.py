"""Prints how many Wiegand frames are read or refused beside flash work (MicroPython).

Arguments: frames, bit spacing in us, situation. One line: read, refused, wrong. The driver is the
firmware's; pins, interrupts and counters are those of boards/virtual/lines.py. What the rest of the
firmware does meanwhile, with the flash model of docs and tests (program 60 us + 1 us a byte, erase
45 ms), as chores.py, merge.py, intake.py and journal.py have it:

- at rest: a record behind each frame; once a second, and not within 100 ms of an edge, a sweep of
  the heap and an erase for the journal; once in eight seconds a sweep that nobody chose
- merge: also a kilobyte every 250 ms, not within 100 ms of an edge; every fourth erases before it
- push: also a kilobyte 90 ms after the last, as fast as a cable of 115200 baud brings it while it
  has credit; every fourth erases before it, whoever is at the door
"""

import random
import sys

from firmware.readers.results import CARD
from tests.firmware.wiegand_rig import TURN_MS, Rig, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_QUIET_MS = 100
_SWEEP_US = 5_000  # 0.43 ms on a host that takes 8.6 ms for the RSA that a chip does in 95 ms
_ERASE_US = 45_000
_PROGRAM_US = 60 + 512
_RECORD_US = 60 + 96
_DECIPHER_US = 1000  # of a kilobyte, in one piece that nothing interrupts
_READ_US = 40
_SETTLE_US = 90_000

Work = "tuple[tuple[int, bool], ...]"  # us, and whether the flash is at work
_SWEEP = ((_SWEEP_US, False),)
_KILOBYTE = ((_READ_US, True), (_PROGRAM_US, True), (_READ_US, True), (_PROGRAM_US, True))


class Chore:
    """Something that is done again and again; polite: not within 100 ms of an edge."""

    def __init__(self, period_us: int, polite: bool, work: "Callable[[int], Work]") -> None:
        self._period_us = period_us
        self._polite = polite
        self._work = work
        self._due_us = random.randrange(period_us)
        self._times = 0

    def turn(self, rig: Rig) -> None:
        if rig.now_us < self._due_us:
            return
        if self._polite and rig.now_us // 1000 - rig.driver.edge_ticks < _QUIET_MS:
            return
        self._times += 1
        for took_us, dark in self._work(self._times):
            spend(rig, took_us, dark)
        self._due_us = rig.now_us + self._period_us


def spend(rig: Rig, took_us: int, dark: bool) -> None:
    """The interpreter does something in one piece."""
    rig.lines.leisure(rig.now_us)
    rig.now_us += took_us
    rig.lines.busy(rig.now_us, dark)


_ERASE = ((_ERASE_US, True),)
_DECIPHER = ((_DECIPHER_US, False),)


def every_fourth(times: int) -> "Work":
    return _ERASE + _KILOBYTE if times % 4 == 0 else _KILOBYTE


def chores(situation: str) -> "list[Chore]":
    found = [
        Chore(1_000_000, True, lambda times: _SWEEP if times % 40 else _ERASE),
        Chore(8_000_000, False, lambda _: _SWEEP),
    ]
    if situation == "merge":
        found.append(Chore(250_000, True, every_fourth))
    if situation == "push":
        found.append(Chore(90_000, False, lambda times: _DECIPHER + every_fourth(times)))
    return found


def until(rig: Rig, end_us: int, work: "list[Chore]") -> "list[int]":
    """Numbers of the cards that the driver gives until then."""
    found = []
    while rig.now_us < end_us:
        rig.now_us += TURN_MS * 1000
        rig.lines.leisure(rig.now_us)
        if rig.driver.poll(rig.now_us // 1000) == CARD:
            number = 0
            for byte in rig.driver.credential:
                number = number << 8 | byte
            found.append(number)
        for chore in work:
            chore.turn(rig)
    return found


def main(count: int, pitch_us: int, situation: str) -> None:
    random.seed(count + pitch_us)
    rig = Rig()
    work = chores(situation)
    read = refused = wrong = 0
    for _ in range(count):
        wanted = random.randrange(1 << 24)
        # laid on the wires beforehand: whatever begins before its first edge goes on into it
        start_us = rig.now_us + random.randrange(150_000, 700_000)
        bits = frame(26, wanted)
        for at, bit in enumerate(bits):
            rig.lines.add(start_us + at * pitch_us, 17 if bit else 16)
        found = until(rig, start_us + len(bits) * pitch_us + _SETTLE_US, work)
        spend(rig, _RECORD_US, True)
        wrong += any(number != wanted for number in found)
        read += found == [wanted]
        refused += not found
    print(read, refused, wrong)


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
