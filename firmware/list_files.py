"""How a list lies on the flash: trailer, tables, records of base and overlay in order (device).

Loaded for a change of lists, a merge or a proof, and forgotten after it. Formats:
docs/adr/0012-lists-as-base-and-overlay.md.
"""

import os
import struct
from array import array
from binascii import crc32
from hashlib import sha256

from firmware.whitelist import ACTIVE_PATH, NEXT_PATH
from protocol.card_digest import Digest
from protocol.constants import BUCKETS, CARD_KEY_BYTES, CARD_RECORD_BYTES, FLAG_ABSENT
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import IO, Any

    from firmware.bases import Bases
    from firmware.intake import Intake
    from firmware.whitelist import Whitelist
    from protocol.manifest import Manifest

TRAILER_BYTES = 15
PIECE_BYTES = 512

_TRAILER = ">2sBHHI"  # magic, base, envelope bytes, overlay records, base records; then a CRC
_MAGIC = b"W1"
_STARTS_BYTES = 2 * BUCKETS
_HASH_BYTES = 32
_STORED_A_STEP = 16


# --- the trailer of /wl/active ------------------------------------------------------------------


def write_tail(
    file: "IO[bytes]", slot: int, envelope_bytes: int, base_count: int, index: "array[int]"
) -> None:
    """Index and trailer, the end of a file whose envelope and overlay are written."""
    tail = bytes(index) + struct.pack(
        _TRAILER, _MAGIC, slot, envelope_bytes, len(index), base_count
    )
    file.write(tail)
    file.write(crc32(tail).to_bytes(4, "big"))


def read_tail(file: "IO[bytes]") -> "tuple[int, int, int, array[int]] | None":
    """(base, envelope bytes, base records, index) of an open /wl/active; None when damaged."""
    size = file.seek(0, 2)
    if size < TRAILER_BYTES:
        return None
    file.seek(size - TRAILER_BYTES)
    trailer = file.read(TRAILER_BYTES)
    magic, slot, envelope_bytes, count, base_count = struct.unpack(_TRAILER, trailer[:-4])
    index_at = envelope_bytes + count * CARD_RECORD_BYTES
    if magic != _MAGIC or slot > 1 or index_at + 2 * count + TRAILER_BYTES != size:
        return None
    file.seek(index_at)
    packed = file.read(2 * count)
    if crc32(trailer[:-4], crc32(packed)) != int.from_bytes(trailer[-4:], "big"):
        return None
    return slot, envelope_bytes, base_count, array("H", packed)


# --- tables ---------------------------------------------------------------------------------------


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
    for at in range(0, end, PIECE_BYTES):
        piece = buffer[: min(end - at, PIECE_BYTES)]
        bases.read(slot, at, piece)
        if whole is not None:
            whole.update(piece)
        try:
            if table.problem is None:
                table.update(piece)
        except Refused as error:
            table.problem = error
        yield


# --- records in order -----------------------------------------------------------------------------


class Blend:
    """The records of a list, base and overlay together, in the order of their keys.

    path: of the file with the overlay.
    """

    def __init__(
        self,
        bases: "Bases",
        slot: int,
        base_count: int,
        starts: "array[int]",
        index: "array[int]",
        overlay_at: int,
        buffer: memoryview,
        path: str = ACTIVE_PATH,
    ) -> None:
        self._bases = bases
        self._slot = slot
        # the search moves in the one that is open already; until close()
        self._overlay = open(path, "rb") if len(index) else None  # noqa: SIM115
        self._starts = starts
        self._base_count = base_count
        self._index = index
        self._overlay_at = overlay_at
        self._buffer = buffer
        self._next = bytearray(CARD_RECORD_BYTES)  # the overlay record that comes next
        self._number = 0  # its number
        self.seek(0)

    def close(self) -> None:
        """Let the file go."""
        if self._overlay is not None:
            self._overlay.close()

    def seek(self, bucket: int) -> None:
        """The overlay's records of earlier buckets are passed over."""
        number = 0
        while number < len(self._index) and self._index[number] >> 8 < bucket:
            number += 1
        self._number = number - 1
        self._advance()

    def touches(self, bucket: int) -> bool:
        """Whether the overlay changes this bucket; asked in their order."""
        return self._number < len(self._index) and self._index[self._number] >> 8 == bucket

    def touches_any(self, bucket: int) -> bool:
        """The same in any order."""
        return any(key16 >> 8 == bucket for key16 in self._index)

    def _advance(self) -> None:
        self._number += 1
        if self._overlay is not None and self._number < len(self._index):
            self._overlay.seek(self._overlay_at + self._number * CARD_RECORD_BYTES)
            if self._overlay.readinto(self._next) != CARD_RECORD_BYTES:
                raise OSError("overlay cut short")

    def stored_hash(self, bucket: int) -> bytearray:
        """Of the base alone, from its table."""
        found = bytearray(_HASH_BYTES)
        self._bases.read(self._slot, self._bases.table_at + _HASH_BYTES * bucket, found)
        return found

    def size(self, bucket: int) -> int:
        """Records of the base alone."""
        return self._end(bucket) - self._starts[bucket]

    def _end(self, bucket: int) -> int:
        return self._base_count if bucket == BUCKETS - 1 else self._starts[bucket + 1]

    def pieces(self, bucket: int) -> "Iterator[Any]":
        """Records of one bucket in whole pieces, each good until the next is asked for."""
        at, end = self._starts[bucket], self._end(bucket)
        while at < end:
            size = min(PIECE_BYTES // CARD_RECORD_BYTES, end - at)
            view = self._buffer[: size * CARD_RECORD_BYTES]
            self._bases.read(self._slot, at * CARD_RECORD_BYTES, view)
            yield from self._woven(bucket, view, size)
            at += size
        while self.touches(bucket):
            if not self._next[-1] & FLAG_ABSENT:
                yield self._next
            self._advance()

    def _woven(self, bucket: int, view: memoryview, size: int) -> "Iterator[Any]":
        """Records of the base, and those of the overlay that come before the last of them."""
        begin = 0
        while self.touches(bucket):
            place = _place(view, begin, size, self._next)
            if place == size:
                break
            at = place * CARD_RECORD_BYTES
            if place > begin:
                yield view[begin * CARD_RECORD_BYTES : at]
            if view[at : at + CARD_KEY_BYTES] == memoryview(self._next)[:CARD_KEY_BYTES]:
                place += 1
            if not self._next[-1] & FLAG_ABSENT:
                yield self._next
            begin = place
            self._advance()
        if begin < size:
            yield view[begin * CARD_RECORD_BYTES :]


def _place(view: memoryview, low: int, high: int, record: bytearray) -> int:
    """Number of the first record in the piece whose key is not below that of `record`."""
    key = bytes(memoryview(record)[:CARD_KEY_BYTES])
    while low < high:
        middle = (low + high) // 2
        at = middle * CARD_RECORD_BYTES
        if bytes(view[at : at + CARD_KEY_BYTES]) < key:
            low = middle + 1
        else:
            high = middle
    return low


def blend_of(whitelist: "Whitelist", buffer: memoryview) -> Blend:
    """The list in force."""
    return Blend(
        whitelist.bases, whitelist.slot, whitelist.base_count, whitelist.starts,
        whitelist.index, whitelist.overlay_at, buffer,
    )  # fmt: skip


def digesting(blend: Blend, result: "list[Any]", touched_only: bool) -> "Iterator[None]":
    """Steps that compute digest and count of a list; `result` gets both at the end.

    touched_only: what the overlay leaves alone is taken from the base's table.
    """
    outer = sha256()
    total = 0
    for bucket in range(BUCKETS):
        if touched_only and not blend.touches(bucket):
            outer.update(blend.stored_hash(bucket))
            total += blend.size(bucket)
            if bucket % _STORED_A_STEP:
                continue
        else:
            inner = sha256()
            for piece in blend.pieces(bucket):
                inner.update(piece)
                total += len(piece) // CARD_RECORD_BYTES
            outer.update(inner.digest())
        yield
    result.append(outer.digest())
    result.append(total)


# --- into force -----------------------------------------------------------------------------------


def activate(
    intake: "Intake", coming: "Manifest", scratch: memoryview, place: "tuple[Any, ...]"
) -> None:
    """The rename and what follows it. place: where whitelist.take() finds it."""
    try:
        os.rename(NEXT_PATH, ACTIVE_PATH)
        intake.whitelist.take(coming, *place)
        intake.entered(coming, True)
    except OSError:  # which list the flash names now is for the flash to say
        intake.restore(scratch)
        raise
