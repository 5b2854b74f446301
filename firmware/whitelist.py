"""The list in force: its manifest, its records in a file, and the search in them (device).

/wl/active names the list in force: one byte, 0 or 1, that says which of /wl/b0 and /wl/b1 holds
the records, then the signed manifest. Renaming /wl/next onto it is the only way to change lists
(firmware/intake.py), so that every power cut leaves one signed version whole.

Search: card keys are uniform, so that the place of a key among `count` is near key * count. One
window of 64 records is read there; when the key lies outside, the window's own edge says how far
away. Two reads are usual; the count of reads is bounded, then it halves what is left.
"""

import os

from protocol import cards
from protocol.constants import CARD_KEY_BYTES, CARD_RECORD_BYTES, LOOKUP_WINDOW_RECORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from protocol.manifest import Manifest

FOLDER = "/wl"
ACTIVE_PATH = "/wl/active"
NEXT_PATH = "/wl/next"
BASE_PATHS = ("/wl/b0", "/wl/b1")

_WINDOW_BYTES = LOOKUP_WINDOW_RECORDS * CARD_RECORD_BYTES
_KEY_BITS = 15  # of a key that are used to guess: products stay small ints
_GUESSES = 4


class Whitelist:
    """`manifest` is None without a list; found_* hold the record of the last find()."""

    def __init__(self) -> None:
        self.manifest: "Manifest | None" = None
        self.version = 0
        self.digest = bytes(32)
        self.count = 0
        self.slot = 1  # the base in force; 1 without a list, so that the first goes to 0
        self.found_from_min = 0
        self.found_until_min = 0
        self.found_profile = 0
        self.found_flags = 0
        self.reads = 0  # windows read by the last find()
        self._file: "IO[bytes] | None" = None
        self._window_array = bytearray(_WINDOW_BYTES)
        self._window = memoryview(self._window_array)
        self._at = 0  # number of the record that the window starts with
        self._size = 0  # records in the window
        try:
            os.mkdir(FOLDER)
        except OSError:
            os.stat(FOLDER)  # it was there: any other reason shows here

    def take(self, manifest: "Manifest", slot: int) -> None:
        """Put an accepted list into force; its base must be whole on the flash."""
        file = open(BASE_PATHS[slot], "rb")  # noqa: SIM115 - open for as long as it is in force
        if self._file is not None:
            self._file.close()
        self._file = file
        self.slot = slot
        self.manifest = manifest
        self.version = manifest.version
        self.digest = manifest.result_digest
        self.count = manifest.count

    def find(self, key: bytes) -> bool:
        """Look a key of 8 bytes up; True fills found_*. OSError when the flash fails."""
        self.reads = 0
        low, high = 0, self.count
        guess = self._guess(key, high)
        while low < high:
            self._read(max(low, min(guess - LOOKUP_WINDOW_RECORDS // 2, high)), high, low)
            side = self._compare(key)
            if side == 0:
                return self._search(key)
            if side < 0:
                high = self._at
                edge = self._at
            else:
                low = self._at + self._size
                edge = low - 1
            if self.reads < _GUESSES:
                guess = (
                    edge + self._guess(key, self.count) - self._guess(self._key(edge), self.count)
                )
            else:
                guess = (low + high) // 2
        return False

    def _guess(self, key: "bytes | memoryview", count: int) -> int:
        return ((key[0] << 8 | key[1]) >> 1) * count >> _KEY_BITS

    def _key(self, number: int) -> memoryview:
        at = (number - self._at) * CARD_RECORD_BYTES
        return self._window[at : at + CARD_KEY_BYTES]

    def _read(self, start: int, high: int, low: int) -> None:
        """Fill the window with records low <= … < high that begin at or before `start`."""
        start = max(low, min(start, high - LOOKUP_WINDOW_RECORDS))
        size = min(LOOKUP_WINDOW_RECORDS, high - start)
        file = self._file
        if file is None:
            raise OSError("no list")
        file.seek(start * CARD_RECORD_BYTES)
        wanted = size * CARD_RECORD_BYTES
        if file.readinto(self._window[:wanted]) != wanted:
            raise OSError("list cut short")
        self._at = start
        self._size = size
        self.reads += 1

    def _compare(self, key: bytes) -> int:
        """-1, 0, 1: the key lies before, within or behind the window."""
        if key < bytes(self._key(self._at)):
            return -1
        return 1 if key > bytes(self._key(self._at + self._size - 1)) else 0

    def _search(self, key: bytes) -> bool:
        low, high = 0, self._size
        while low < high:
            middle = (low + high) // 2
            at = middle * CARD_RECORD_BYTES
            here = self._window_array[at : at + CARD_KEY_BYTES]
            if here == key:
                self.found_from_min = cards.from_min(self._window_array, at)
                self.found_until_min = cards.until_min(self._window_array, at)
                self.found_profile = cards.profile(self._window_array, at)
                self.found_flags = cards.flags(self._window_array, at)
                return True
            if bytes(here) < key:
                low = middle + 1
            else:
                high = middle
        return False
