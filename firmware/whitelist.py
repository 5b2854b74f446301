"""The list in force: its manifest, its records on the flash, and the search in them (device).

A list is a base and an overlay (docs/adr/0012). /wl/active holds the signed manifest, the overlay
and which half of the raw partition is the base (firmware/bases.py); renaming /wl/next onto it is
the only way to change lists, so that every power cut leaves one signed version whole. Formats
stand in firmware/list_files.py, which is loaded when one is read or written.

Search: first in the overlay, whose index of first 16 bits stands in memory; then in the base.
There, memory holds where each of the 256 buckets begins; keys are uniform, and within a bucket
the place of a key is off by a few records only. One window of 30 records is read around it; if
the key lies outside, the next ones, then it halves. Nothing is allocated on the way.
"""

import gc
import os
from array import array

from protocol import cards
from protocol.constants import CARD_KEY_BYTES, CARD_RECORD_BYTES, FLAG_ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from firmware.bases import Bases
    from firmware.proof import Proof
    from protocol.manifest import Manifest

ACTIVE_PATH = "/wl/active"
NEXT_PATH = "/wl/next"
_FOLDER = "/wl"

# of a manifest; the rest has served its purpose when the list is in force
_KEPT = (
    "epoch", "version", "result_digest", "count", "refresh_by_s", "profiles", "schedules",
    "policy", "utc_offsets", "holidays",
)  # fmt: skip
_WINDOW_RECORDS = 30
_GUESSES = 3
_BUCKETS = 256


class Whitelist:
    """`manifest` is None without a list; found_* hold the record of the last find().

    starts: number of the first record of each bucket of the base; index: the first 16 bits of
    each overlay record's key; prover: proves a bucket before it is read, until all are proven
    (firmware/proof.py), or drops the list.
    """

    def __init__(self, bases: "Bases") -> None:
        self.bases = bases
        self.manifest: "Manifest | None" = None
        self.version = 0
        self.digest = bytes(32)
        self.count = 0
        self.slot = 1  # the base in force; 1 without a list, so that the first goes to 0
        self.base_count = 0
        self.starts = array("H")
        self.index = array("H")
        self.overlay_at = 0  # where the overlay begins in /wl/active
        self.prover: "Proof | None" = None
        self.found_from_min = 0
        self.found_until_min = 0
        self.found_profile = 0
        self.found_flags = 0
        self.reads = 0  # windows read by the last find()
        self._overlay: "IO[bytes] | None" = None
        self._window = bytearray(_WINDOW_RECORDS * CARD_RECORD_BYTES)
        self._one = bytearray(CARD_RECORD_BYTES)
        self._at = 0  # number of the record that the window starts with
        self._size = 0  # records in the window that count
        try:
            os.mkdir(_FOLDER)
        except OSError:
            os.stat(_FOLDER)  # it was there: any other reason shows here

    def take(
        self,
        manifest: "Manifest",
        slot: int,
        base_count: int,
        starts: "array[int]",
        index: "array[int]",
        overlay_at: int,
        prover: "Proof | None" = None,
    ) -> None:
        """Put the list that /wl/active names into force. OSError leaves the one before.

        prover: for a list of which not everything that is stored has been proven since the start.
        """
        # open for as long as it is in force
        overlay = open(ACTIVE_PATH, "rb") if len(index) else None  # noqa: SIM115
        self.drop()
        self.slot = slot
        self.base_count = base_count
        self.starts = starts
        self.index = index
        self.overlay_at = overlay_at
        self._overlay = overlay
        self.prover = prover
        self.manifest = manifest
        self.version = manifest.version
        self.digest = manifest.result_digest
        self.count = manifest.count

    def settle(self) -> None:
        """What stays of a change of lists moves into the gaps that the change has left.

        It was made beside the code of the change, which is gone now; nothing in a heap moves by
        itself, and the next change needs room in one piece.
        """
        gc.collect()
        self.starts = array("H", self.starts)
        self.index = array("H", self.index)
        before = self.manifest
        if before is not None:
            after = type(before)()
            for name in _KEPT:
                setattr(after, name, getattr(before, name))
            self.manifest = after
        del before
        gc.collect()

    def drop(self) -> None:
        """Without a list."""
        if self.prover is not None:
            self.prover.close()
        self.manifest = self.prover = None
        self.version = self.count = 0
        self.digest = bytes(32)
        if self._overlay is not None:
            self._overlay.close()
        self._overlay = None

    def find(self, key: bytes) -> bool:
        """Look a key of 8 bytes up; True fills found_*. OSError: no list, or the flash fails."""
        if self.manifest is None:  # what lies in memory is of one that is out of force
            raise OSError
        self.reads = 0
        index = self.index
        key16 = key[0] << 8 | key[1]
        low = 0
        high = len(index)
        while low < high:
            middle = (low + high) // 2
            if index[middle] < key16:
                low = middle + 1
            else:
                high = middle
        while low < len(index) and index[low] == key16:
            self._read_overlay(self._overlay, low)
            if _order(self._one, 0, key) == 0:
                return self._found(self._one, 0)
            low += 1
        return self._find_in_base(key)

    def _find_in_base(self, key: bytes) -> bool:
        bucket = key[0]
        low = self.starts[bucket]
        high = self.base_count if bucket == _BUCKETS - 1 else self.starts[bucket + 1]
        guess = low + ((key[1] << 8 | key[2]) * (high - low) >> 16)
        while low < high:
            self._look_at(guess - _WINDOW_RECORDS // 2, low, high)
            if _order(self._window, 0, key) > 0:
                high = self._at
                guess = high - _WINDOW_RECORDS // 2
            elif _order(self._window, (self._size - 1) * CARD_RECORD_BYTES, key) < 0:
                low = self._at + self._size
                guess = low + _WINDOW_RECORDS // 2
            else:
                return self._search(key)
            if self.reads >= _GUESSES:
                guess = (low + high) // 2
        return False

    def _look_at(self, start: int, low: int, high: int) -> None:
        """Fill the window with records low <= … < high that begin at or before `start`."""
        start = max(low, min(start, high - _WINDOW_RECORDS))
        self.bases.read(self.slot, start * CARD_RECORD_BYTES, self._window)
        self._at = start
        self._size = min(_WINDOW_RECORDS, high - start)
        self.reads += 1

    def _read_overlay(self, file: "Any", number: int) -> None:
        file.seek(self.overlay_at + number * CARD_RECORD_BYTES)
        if file.readinto(self._one) != CARD_RECORD_BYTES:
            raise OSError("overlay cut short")
        self.reads += 1

    def _search(self, key: bytes) -> bool:
        window = self._window
        low = 0
        high = self._size
        while low < high:
            middle = (low + high) // 2
            order = _order(window, middle * CARD_RECORD_BYTES, key)
            if order == 0:
                return self._found(window, middle * CARD_RECORD_BYTES)
            if order < 0:
                low = middle + 1
            else:
                high = middle
        return False

    def _found(self, buffer: bytearray, at: int) -> bool:
        flags = cards.flags(buffer, at)
        self.found_from_min = cards.from_min(buffer, at)
        self.found_until_min = cards.until_min(buffer, at)
        self.found_profile = cards.profile(buffer, at)
        self.found_flags = flags
        return not flags & FLAG_ABSENT


def _order(buffer: bytearray, at: int, key: bytes) -> int:
    """Below, at or above 0: the record at `at` comes before the key, has it, or comes after it."""
    for i in range(CARD_KEY_BYTES):
        difference = buffer[at + i] - key[i]
        if difference:
            return difference
    return 0
