"""The raw NOR sectors of one journal ring: headers, places, blankness (device).

It knows where things lie and nothing of chains: firmware/ring.py decides what is written. Nothing
of it grows with the ring: where a number lies is asked of the headers. Layout: docs/protocol.md
section 5.
"""

from protocol import sector_header
from protocol.constants import RECORD_BYTES, SECTOR_BYTES, SECTOR_HEADER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COUNT = 4
_ERASE = 6
_PIECE_BYTES = 64
_BLANK_PIECE = b"\xff" * _PIECE_BYTES
_piece = bytearray(_PIECE_BYTES)  # one for all: nobody else runs while it is in use
NONE = -1
_WITNESSES = 4  # places of a sector that are asked for its first number
_number_view = memoryview(_piece)[:4]

BLANK = b"\xff" * RECORD_BYTES
HOLE = b"\x00" * RECORD_BYTES


class Sectors:
    """A partition as `count` sectors of one header and 84 places."""

    def __init__(self, partition: "Any") -> None:
        self._partition = partition
        self.count: int = partition.ioctl(_COUNT, 0)

    def read_header(self, sector: int, buffer: "bytearray | memoryview") -> None:
        """The first 64 bytes of a sector."""
        self._partition.readblocks(sector, buffer, 0)

    def header(self, sector: int) -> "sector_header.SectorHeader | None":
        """The header as it stands, tags unchecked; None when there is none."""
        self.read_header(sector, _piece)
        return sector_header.unpack(_piece)

    def write_header(self, sector: int, header: bytes) -> None:
        self._partition.writeblocks(sector, header, 0)

    def read(self, sector: int, place: int, buffer: "bytearray | memoryview") -> None:
        """Whole places of 48 bytes, as many as the buffer holds, all of one sector."""
        self._partition.readblocks(sector, buffer, SECTOR_HEADER_BYTES + place * RECORD_BYTES)

    def write(self, sector: int, place: int, data: "bytes | bytearray") -> None:
        self._partition.writeblocks(sector, data, SECTOR_HEADER_BYTES + place * RECORD_BYTES)

    def is_blank(self, sector: int) -> bool:
        """Whether every byte is erased: a cut erase leaves a sector that only begins so."""
        for at in range(0, SECTOR_BYTES, _PIECE_BYTES):
            self._partition.readblocks(sector, _piece, at)
            if _piece != _BLANK_PIECE:
                return False
        return True

    def erase(self, sector: int) -> None:
        self._partition.ioctl(_ERASE, sector)

    def after(self, sector: int, steps: int = 1) -> int:
        """The sector that is filled so many steps later."""
        return (sector + steps) % self.count

    def first_seq(self, sector: int) -> int:
        """First sequence number of a sector, NONE when nothing tells it.

        Flash rots: the header is believed when one of the first records bears it out, else what two
        of them agree on. A hole takes no number, so a record's lies at most its place ahead.
        """
        header = self.header(sector)
        claimed = NONE if header is None else int(header.first_seq)
        guess = NONE
        for place in range(_WITNESSES):
            self.read(sector, place, _number_view)
            number = int.from_bytes(_number_view, "big") - place
            if number == guess or (claimed != NONE and claimed - place <= number <= claimed):
                return number if number == guess else claimed
            guess = number
        return claimed

    def oldest(self, sector: int, seq: int) -> int:
        """The first sector from `sector` on round the ring that begins by `seq`; NONE for none."""
        for steps in range(self.count):
            found = self.after(sector, steps)
            if NONE < self.first_seq(found) <= seq:
                return found
        return NONE
