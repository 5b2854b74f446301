"""A NOR flash in memory that loses power at a given operation (MicroPython).

It has what the firmware uses of esp32.Partition, and the manners of a real chip: programming only
clears bits, only an erase of 4 KB sets them, a cut operation is left half done: its first quarters,
or SCATTERED bits of it everywhere.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECTOR_BYTES = 4096
_READ_US = 20
_PROGRAM_US = 60
_ERASE_US = 45_000
_BYTES_A_US = 20
SCATTERED = -1
_ERASED = memoryview(b"\xff" * SECTOR_BYTES)


class PowerCut(Exception):
    """The supply is gone; nothing after this line happened."""


class Chip:
    """Counts what all its partitions do; cut_at 0: never. dies: nothing works after a cut."""

    def __init__(self, dies: bool = False) -> None:
        self.dies = dies
        self.operations = 0
        self.cut_at = 0
        self.reads = 0
        self.erases = 0
        self.model_us = 0
        self.has_power = True
        self.cut_quarters = 2  # how much of the operation in which power goes is still done
        self.programs = 0
        self.programmed_bytes = 0
        self._state = 1

    def scattered(self) -> int:
        """A byte of arbitrary bits, the same in every run."""
        self._state = (self._state * 1103515245 + 12345) & 0x3FFFFFFF
        return self._state >> 16 & 0xFF

    def begins(self) -> bool:
        """Count a change; True when power goes in its middle."""
        if self.dies and not self.has_power:
            raise PowerCut
        self.operations += 1
        self.has_power = self.operations != self.cut_at
        return not self.has_power


class Partition:
    """A range of the chip; `data` is what lies on it."""

    def __init__(self, chip: Chip, sectors: int) -> None:
        self.chip = chip
        self.sectors = sectors
        self.data = bytearray(b"\xff" * (sectors * SECTOR_BYTES))

    def copy(self, chip: Chip, data: bytes) -> "Partition":
        """The same range of a chip that holds what this one held."""
        made = Partition(chip, 0)
        made.sectors = self.sectors
        made.data = bytearray(data)
        return made

    def readblocks(self, block: int, buf: "Any", offset: int = 0) -> int:
        at = block * SECTOR_BYTES + offset
        buf[:] = self.data[at : at + len(buf)]
        self.chip.reads += 1
        self.chip.model_us += _READ_US + len(buf) // _BYTES_A_US
        return 0

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> int:
        """Without an offset: erases first, as the real one does."""
        if offset is None:
            for sector in range(len(buf) // SECTOR_BYTES):
                self._erase(block + sector)
            offset = 0
        cut = self.chip.begins()
        at = block * SECTOR_BYTES + offset
        if cut and self.chip.cut_quarters == SCATTERED:
            for i in range(len(buf)):
                self.data[at + i] &= buf[i] | self.chip.scattered()
            raise PowerCut
        done = len(buf) * self.chip.cut_quarters // 4 if cut else len(buf)
        for i in range(done):
            self.data[at + i] &= buf[i]
        if cut:
            raise PowerCut
        self.chip.programs += 1
        self.chip.programmed_bytes += len(buf)
        self.chip.model_us += _PROGRAM_US + len(buf)
        return 0

    def ioctl(self, request: int, argument: int) -> int:
        if request == 4:
            return self.sectors
        if request == 5:
            return SECTOR_BYTES
        if request == 6:
            self._erase(argument)
        return 0

    def _erase(self, sector: int) -> None:
        cut = self.chip.begins()
        at = sector * SECTOR_BYTES
        if cut and self.chip.cut_quarters == SCATTERED:
            for i in range(at, at + SECTOR_BYTES):
                self.data[i] |= self.chip.scattered()
            raise PowerCut
        size = SECTOR_BYTES * self.chip.cut_quarters // 4 if cut else SECTOR_BYTES
        self.data[at : at + size] = _ERASED[:size]
        if cut:
            raise PowerCut
        self.chip.erases += 1
        self.chip.model_us += _ERASE_US
