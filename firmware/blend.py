"""The records of a list in order, its base and its overlay together, and their digest (device).

Loaded for a delta, a merge, a proof or a comparison, and forgotten after it.
"""

from hashlib import sha256

from firmware.whitelist import ACTIVE_PATH
from protocol.constants import BUCKETS, CARD_KEY_BYTES, CARD_RECORD_BYTES, FLAG_ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from typing import Any

    from firmware.bases import Bases
    from firmware.whitelist import Whitelist

PIECE_BYTES = 512

_HASH_BYTES = 32
_STORED_A_STEP = 16


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
