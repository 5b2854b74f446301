"""Tables of the bases: bucket hashes, and where each bucket begins (device).

Loaded while a base is proven and at a start, and forgotten after it. Formats: docs/adr/0012.
"""

from array import array
from binascii import crc32

from protocol.card_digest import Digest
from protocol.constants import BUCKETS, CARD_RECORD_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import Any

    from firmware.bases import Bases

_PIECE_BYTES = 512
_STARTS_BYTES = 2 * BUCKETS
_HASH_BYTES = 32


class Table(Digest):
    """The digest of a base that is being proven; its bucket hashes go into the base's table."""

    def __init__(self, bases: "Bases", slot: int, profiles: "Container[int] | None" = None) -> None:
        super().__init__(profiles)
        self.problem: "Refused | None" = None  # the first that the records had
        self.starts = array("H", bytes(_STARTS_BYTES))
        self._bases = bases
        self._slot = slot
        self._ended = 0

    def closed(self, digest: bytes) -> None:
        """A bucket has ended."""
        self._write(_HASH_BYTES * self._ended, digest)
        self._ended += 1
        if self._ended < BUCKETS:
            self.starts[self._ended] = self.count

    def finish(self) -> bytes:
        """The list digest; the table is whole on the flash then."""
        digest = self.digest()
        tail = bytes(self.starts) + self.count.to_bytes(4, "big")
        self._write(_HASH_BYTES * BUCKETS, tail + crc32(tail).to_bytes(4, "big"))
        return digest

    def _write(self, at: int, data: bytes) -> None:
        self._bases.write(self._slot, self._bases.table_at + at, data)


def read_table(bases: "Bases", slot: int) -> "tuple[int, array[int]] | None":
    """How many records a base has and where its buckets begin; None when that is damaged."""
    tail = bytearray(_STARTS_BYTES + 8)
    bases.read(slot, bases.table_at + _HASH_BYTES * BUCKETS, tail)
    if crc32(tail[:-4]) != int.from_bytes(tail[-4:], "big"):
        return None
    return int.from_bytes(tail[-8:-4], "big"), array("H", tail[:_STARTS_BYTES])


def tabling(
    bases: "Bases", slot: int, table: Table, count: int, buffer: memoryview, whole: "Any" = None
) -> "Iterator[None]":
    """Steps that read a base of so many records through `table`.

    whole: a hash that gets every byte. What is wrong with the records stands in table.problem: it
    is told only if the bytes are those that were signed.
    """
    end = count * CARD_RECORD_BYTES
    for at in range(0, end, _PIECE_BYTES):
        piece = buffer[: min(end - at, _PIECE_BYTES)]
        bases.read(slot, at, piece)
        if whole is not None:
            whole.update(piece)
        try:
            if table.problem is None:
                table.update(piece)
        except Refused as error:
            table.problem = error
        yield
