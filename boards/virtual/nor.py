"""The NOR flash chip of a virtual board: a mapped file with a real chip's manners (virtual board).

- Programming only clears bits; only an erase of a 4 KB sector sets them.
- Every operation is counted and its time on a W25Q-class chip is added up: read 20 us + 0.05 us
  a byte, program 60 us + 1 us a byte, erase 45 ms. With `charge` that time is really spent.
- Power can go at the n-th erase or program, before it or half way through it (torn).
- A torn program leaves a prefix and one byte with only some of its bits cleared; a torn erase
  leaves half a sector erased and one byte undecided.
"""

import struct

import page as layout

SECTOR_BYTES = 4096
_READ_US = 20
_PROGRAM_US = 60
_ERASE_US = 45000
_SLEEP_WORTH_US = 1000
_EIO = 5


class Nor:
    """A chip of `size_bytes`; offsets are absolute. Raises OSError when read-only or outside."""

    def __init__(self, flash: bytearray, page, leave, sleep_us, charge: bool) -> None:
        self.size_bytes = len(flash)
        self._flash = memoryview(flash)
        self._page = page
        self._leave = leave
        self._sleep_us = sleep_us
        self._charge = charge
        self._owed_us = 0
        self._blank = memoryview(b"\xff" * SECTOR_BYTES)
        (
            self.reads, self.programs, self.erases, self.bytes_read, self.bytes_programmed,
            self.model_s, self.model_us, self.operations,
        ) = struct.unpack_from("<8I", page.bytes, layout.FLASH_COUNTERS)  # fmt: skip

    def read(self, offset: int, buf) -> None:
        count = self._check(offset, len(buf))
        buf[:] = self._flash[offset : offset + count]
        self.reads += 1
        self.bytes_read += count
        self._spend(_READ_US + count // 20)

    def program(self, offset: int, buf) -> None:
        count = self._check(offset, len(buf))
        if self._begin():
            self._clear(offset, memoryview(buf)[: count // 2])
            middle = offset + count // 2
            self._flash[middle] &= buf[count // 2] | 0xF0
            self._leave(layout.EXIT_POWER_CUT)
        self._clear(offset, buf)
        self.programs += 1
        self.bytes_programmed += count
        self._spend(_PROGRAM_US + count)

    def erase(self, offset: int) -> None:
        """Set every bit of the sector that begins at `offset`."""
        self._check(offset, SECTOR_BYTES)
        if offset % SECTOR_BYTES:
            raise OSError(_EIO)
        if self._begin():
            middle = offset + SECTOR_BYTES // 2
            self._flash[offset:middle] = self._blank[: SECTOR_BYTES // 2]
            self._flash[middle] |= 0x0F
            self._leave(layout.EXIT_POWER_CUT)
        self._flash[offset : offset + SECTOR_BYTES] = self._blank
        self.erases += 1
        self._spend(_ERASE_US)

    def _check(self, offset: int, count: int) -> int:
        if offset < 0 or offset + count > self.size_bytes:
            raise OSError(_EIO)
        return count

    def _begin(self) -> bool:
        """Count a change of the chip; True when power goes in the middle of it."""
        memory = self._page.bytes
        if memory[layout.FLASH_READ_ONLY]:
            raise OSError(_EIO)
        self.operations += 1
        if self._page.word(layout.FLASH_CUT_AT) != self.operations:
            return False
        self._tell()
        if memory[layout.FLASH_TORN]:
            return True
        self._leave(layout.EXIT_POWER_CUT)
        return False

    def _clear(self, offset: int, buf) -> None:
        """Program: what is erased takes the bytes as they are, the rest loses bits."""
        count = len(buf)
        flash = self._flash
        if count <= SECTOR_BYTES and flash[offset : offset + count] == self._blank[:count]:
            flash[offset : offset + count] = buf
            return
        for index in range(count):
            flash[offset + index] &= buf[index]

    def _spend(self, time_us: int) -> None:
        self.model_us += time_us
        while self.model_us >= 1000000:
            self.model_us -= 1000000
            self.model_s += 1
        self._tell()
        if self._charge:
            self._owed_us += time_us
            if self._owed_us >= _SLEEP_WORTH_US:
                self._sleep_us(self._owed_us)
                self._owed_us = 0

    def _tell(self) -> None:
        struct.pack_into(
            "<8I", self._page.bytes, layout.FLASH_COUNTERS,
            self.reads, self.programs, self.erases, self.bytes_read, self.bytes_programmed,
            self.model_s, self.model_us, self.operations,
        )  # fmt: skip
