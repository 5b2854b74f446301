"""Prints what a journal costs: RAM of both rings, flash per record, wear (MicroPython).

Arguments: records to write, a folder for files. One line a figure: name and number.
"""

import gc
import sys

from firmware.clock import Clock
from firmware.journal import Journal
from firmware.loan import forget
from firmware.store import Nvs
from protocol import chain, keyslot
from protocol.codes import EVENT_DENIED, EVENT_GRANTED
from protocol.constants import KEY_SLOT_BYTES
from tests.firmware.flash import SECTOR_BYTES, Chip, Partition
from tests.firmware.trust_board import Numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECTORS = {"keys": 16, "alarm": 16, "journal": 233}  # as boards/*/board.toml have them
_CARD = b"cardkey8"
_BUFFERS_BYTES = 160 + 32  # those of firmware/cells.py and sectors.py, which came with their code
_BURST = 150  # records without a pause: fifty swipes of a granted card


class Config:
    epoch = 1


class Rtc:
    def datetime(self) -> "tuple[int, ...]":
        return (2026, 5, 4, 0, 3, 0, 0, 0)


class Counted(Partition):
    """Keeps count of the erases of each sector."""

    def __init__(self, chip: Chip, sectors: int) -> None:
        super().__init__(chip, sectors)
        self.worn = [0] * sectors

    def _erase(self, sector: int) -> None:
        self.worn[sector] += 1
        super()._erase(sector)


def say(name: str, value: "int | float") -> None:
    print(name, value)


class Filed(Counted):
    """Its bytes lie in a file: in this heap they would look like pointers to what is garbage."""

    def __init__(self, chip: Chip, sectors: int, path: str) -> None:
        super().__init__(chip, 0)
        self.sectors = sectors
        self.worn = [0] * sectors
        self._blank = b"\xff" * SECTOR_BYTES
        self._file = open(path, "w+b")  # noqa: SIM115, PTH123 - MicroPython has no pathlib
        for _ in range(sectors):
            self._file.write(self._blank)

    def readblocks(self, block: int, buf: "Any", offset: int = 0) -> int:
        self._file.seek(block * SECTOR_BYTES + offset)
        self._file.readinto(buf)
        return 0

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> int:
        self._file.seek(block * SECTOR_BYTES + (offset or 0))
        self._file.write(buf)
        return 0

    def _erase(self, sector: int) -> None:
        self._file.seek(sector * SECTOR_BYTES)
        self._file.write(self._blank)


def lay_slots(parts: "dict[str, Any]") -> None:
    """As a controller that was just enrolled has them."""
    for ring in range(2):
        slot = bytearray(KEY_SLOT_BYTES)
        c = chain.start(b"site----", b"device--", ring)
        keyslot.pack_into(
            slot, 0, keyslot.STATE_VALID, 0, 0, 0, 0, 0, 0, 1, c, b"t" * 16, b"a" * 16
        )
        parts["keys"].writeblocks(8 * ring, slot, 0)


def ram(folder: str) -> None:
    """Heap of a journal that has just begun, and of one that has gone round."""
    chip = Chip()
    parts = {name: Filed(chip, size, folder + "/" + name) for name, size in SECTORS.items()}
    lay_slots(parts)
    nvs = Nvs(Numbers(chip))
    clock = Clock(Rtc(), nvs)
    # the names in it stay for ever, as firmware/app.py has it
    __import__("firmware.ring_recovery")
    forget("firmware.ring_recovery")
    gc.collect()
    before = gc.mem_alloc()
    journal = Journal(parts.get, Config(), clock, nvs)
    journal.record(EVENT_GRANTED, 1, 0, _CARD, 0)
    gc.collect()
    say("ram", gc.mem_alloc() - before + _BUFFERS_BYTES)
    go_round(journal)
    gc.collect()
    say("ram_full", gc.mem_alloc() - before + _BUFFERS_BYTES)


def main(count: int, folder: str) -> None:
    ram(folder)
    chip = Chip()
    parts = {name: Counted(chip, sectors) for name, sectors in SECTORS.items()}
    lay_slots(parts)
    nvs = Nvs(Numbers(chip))
    journal = Journal(parts.get, Config(), Clock(Rtc(), nvs), nvs)
    go_round(journal)
    appended(journal, chip, parts, count)
    bursts(journal, chip)


def go_round(journal: Journal) -> None:
    """Until the ring is full: from here on every sector has to be erased."""
    while not journal.rings[0].oldest:
        journal.record(EVENT_DENIED, 16, 0, _CARD, 0)
        journal.erase_ahead()


def appended(journal: Journal, chip: Chip, parts: "dict[str, Counted]", count: int) -> None:
    """With time between records: nothing waits for an erase."""
    ring = journal.rings[0]
    erases, worst_us, waited = chip.erases, 0, 0
    worn = {name: list(parts[name].worn) for name in ("keys", "journal")}
    times: dict[int, int] = {}
    programs, programmed = chip.programs, chip.programmed_bytes
    for _ in range(count):
        before_us, before = chip.model_us, chip.erases
        journal.record(EVENT_DENIED, 16, 0, _CARD, 0)
        took_us = chip.model_us - before_us
        times[took_us] = times.get(took_us, 0) + 1
        worst_us = max(worst_us, took_us)
        waited += chip.erases - before
        journal.erase_ahead()
    say("programs", (chip.programs - programs) / count)
    say("programmed", (chip.programmed_bytes - programmed) / count)
    say("records_per_erase", count / max(1, chip.erases - erases))
    say("worst_us", worst_us)
    say("waited", waited)
    half = 0
    for took_us in sorted(times):
        half += times[took_us]
        if 2 * half >= count:
            say("median_us", took_us)
            break
    say("held", ring.seq - ring.oldest)
    say("written", count)
    for name, before_worn in worn.items():
        say("worn_" + name, max([a - b for a, b in zip(parts[name].worn, before_worn)]))  # noqa: B905


def bursts(journal: Journal, chip: Chip) -> None:
    """Fifty swipes one after another, again and again, nothing done ahead."""
    worst_us = most = 0
    for _ in range(20):
        for _ in range(_BURST):
            before_us, before = chip.model_us, chip.erases
            journal.record(EVENT_GRANTED, 1, 0, _CARD, 0)
            worst_us = max(worst_us, chip.model_us - before_us)
            most = max(most, chip.erases - before)
    say("burst_worst_us", worst_us)
    say("burst_erases", most)


main(int(sys.argv[1]), sys.argv[2])
