"""The NOR chip of a virtual board as the ROM loader changes it: same file, same manners (host).

Programming only clears bits, an erase sets those of whole sectors. While the loader runs no
firmware does, so that nobody else has the file.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECTOR_BYTES = 4096
_PAGE_BYTES = 256
# the time model of the whole project's NOR chip (boards/virtual/nor.py)
_READ_US_A_BYTE = 0.05
_PROGRAM_US_A_PAGE = 60 + _PAGE_BYTES
_ERASE_US = 45000


class OutsideFlash(Exception):
    """The chip has no such place."""


class RomFlash:
    """`size_bytes`: what the chip has; `stuck`: places whose lowest bit has died and reads 0."""

    def __init__(self, path: Path, size_bytes: int = 0, stuck: tuple[int, ...] = ()) -> None:
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), 0)
        self.size_bytes = size_bytes or len(self._bytes)
        self._stuck = stuck
        self.erased = 0  # sectors
        self.programmed = 0  # bytes
        self.busy_us = 0.0  # time that all this takes a chip; whoever waits for it takes it away

    def close(self) -> None:
        """Give the file back."""
        self._bytes.close()

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes from `offset`."""
        self._check(offset, count)
        self.busy_us += count * _READ_US_A_BYTE
        return self._bytes[offset : offset + count]

    def erase(self, offset: int, count: int) -> None:
        """Every sector that the range touches."""
        first = offset - offset % SECTOR_BYTES
        end = -(-(offset + count) // SECTOR_BYTES) * SECTOR_BYTES
        self._check(first, end - first)
        self._bytes[first:end] = b"\xff" * (end - first)
        self.erased += (end - first) // SECTOR_BYTES
        self.busy_us += (end - first) // SECTOR_BYTES * _ERASE_US

    def program(self, offset: int, data: bytes) -> None:
        """Clear bits."""
        self._check(offset, len(data))
        end = offset + len(data)
        held = int.from_bytes(self._bytes[offset:end], "little")
        both = held & int.from_bytes(data, "little")
        self._bytes[offset:end] = both.to_bytes(len(data), "little")
        for place in self._stuck:
            if offset <= place < end:
                self._bytes[place] &= 0xFE
        self.programmed += len(data)
        self.busy_us += -(-len(data) // _PAGE_BYTES) * _PROGRAM_US_A_PAGE

    def _check(self, offset: int, count: int) -> None:
        if offset < 0 or offset + count > min(self.size_bytes, len(self._bytes)):
            raise OutsideFlash
