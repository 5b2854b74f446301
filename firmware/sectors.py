"""The raw NOR sectors of one journal ring: headers, places, blankness (device).

It knows where things lie and nothing of chains: firmware/ring.py decides what is written. Layout:
docs/protocol.md section 5.
"""

from array import array

from protocol import sector_header
from protocol.constants import RECORD_BYTES, SECTOR_BYTES, SECTOR_HEADER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COUNT = 4
_ERASE = 6
_PIECE_BYTES = 64
_BLANK_PIECE = b"\xff" * _PIECE_BYTES
NONE = -1

BLANK = b"\xff" * RECORD_BYTES
HOLE = b"\x00" * RECORD_BYTES


class Sectors:
    """A partition as `count` sectors of one header and 84 places."""

    def __init__(self, partition: "Any") -> None:
        self._partition = partition
        self.count: int = partition.ioctl(_COUNT, 0)
        self._piece = bytearray(_PIECE_BYTES)
        # first sequence number of each sector, NONE where there is no header
        self._first = array("i", [NONE] * self.count)
        for sector in range(self.count):
            header = self.header(sector)
            if header is not None:
                self._first[sector] = header.first_seq

    def header(self, sector: int) -> "sector_header.SectorHeader | None":
        """The header as it stands, tags unchecked; None when there is none."""
        self._partition.readblocks(sector, self._piece, 0)
        return sector_header.unpack(self._piece)

    def write_header(self, sector: int, header: bytes, first_seq: int) -> None:
        self._first[sector] = first_seq  # before: an error may come after the bytes
        self._partition.writeblocks(sector, header, 0)

    def read(self, sector: int, place: int, buffer: "bytearray | memoryview") -> None:
        """48 bytes of one place."""
        self._partition.readblocks(sector, buffer, SECTOR_HEADER_BYTES + place * RECORD_BYTES)

    def write(self, sector: int, place: int, data: "bytes | bytearray") -> None:
        self._partition.writeblocks(sector, data, SECTOR_HEADER_BYTES + place * RECORD_BYTES)

    def is_blank(self, sector: int) -> bool:
        """Whether every byte is erased: a cut erase leaves a sector that only begins so."""
        for at in range(0, SECTOR_BYTES, _PIECE_BYTES):
            self._partition.readblocks(sector, self._piece, at)
            if self._piece != _BLANK_PIECE:
                return False
        return True

    def erase(self, sector: int) -> None:
        self._first[sector] = NONE
        self._partition.ioctl(_ERASE, sector)

    def oldest(self, default: int) -> int:
        """The lowest first sequence number of any sector."""
        best = default
        for first in self._first:
            if first != NONE and first < best:
                best = first
        return best

    def first_seq(self, sector: int) -> int:
        """First sequence number of a sector, NONE without a header."""
        return self._first[sector]
