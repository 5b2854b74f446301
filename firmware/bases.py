"""The two bases of a controller's list: halves of the raw partition `lists` (device).

A half is its records, written one after another, and in its last three sectors the table of the
records: 256 bucket hashes, then the number of the first record of each bucket. A sector is erased
when the first byte comes into it; what lies behind the last record is of no account. How far a
base has come that is on its way is told in NVS (firmware/intake.py): flash alone cannot tell its
records from those of an older list.
"""

from protocol.constants import SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TABLE_SECTORS = 3
_COUNT = 4
_ERASE = 6


class Bases:
    """Reads and writes by half and byte."""

    def __init__(self, partition: "Any") -> None:
        self._partition = partition
        self._half = partition.ioctl(_COUNT, 0) // 2  # in sectors
        self.table_at = (self._half - TABLE_SECTORS) * SECTOR_BYTES

    def read(self, half: int, at: int, buffer: "bytearray | memoryview") -> None:
        """Fill the buffer with what lies from byte `at` on."""
        sector = half * self._half + at // SECTOR_BYTES
        self._partition.readblocks(sector, buffer, at % SECTOR_BYTES)

    def write(self, half: int, at: int, data: "bytes | bytearray | memoryview") -> None:
        """Bytes that follow what was written last, or the first of a sector."""
        rest = memoryview(data)
        while rest:
            sector = half * self._half + at // SECTOR_BYTES
            offset = at % SECTOR_BYTES
            if offset == 0:
                self._partition.ioctl(_ERASE, sector)
            piece = rest[: SECTOR_BYTES - offset]
            self._partition.writeblocks(sector, piece, offset)
            rest = rest[len(piece) :]
            at += len(piece)
