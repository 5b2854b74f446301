"""The list in force: its manifest, its records in a file, and the search in them (device).

/wl/active names the list in force: one byte, 0 or 1, that says which of /wl/b0 and /wl/b1 holds
the records, then the signed manifest. Renaming /wl/next onto it is the only way to change lists
(firmware/intake.py), so that every power cut leaves one signed version whole.

Search: LittleFS walks a chain of blocks for every seek and reads 128 bytes at a time, so that the
right place must be hit at once. In memory stand the first 16 bits of 128 records, evenly spaced;
keys are uniform, and between two of these the place of a key is off by a few records only. One
window of 40 records is read around it; if the key lies outside, the next ones, then it halves.
"""

import os
from array import array
from hashlib import sha256

from protocol import cards
from protocol.codes import ERR_DIGEST, ERR_FLASH, ERR_LENGTH
from protocol.constants import CARD_KEY_BYTES, CARD_RECORD_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from protocol.manifest import Manifest

FOLDER = "/wl"
ACTIVE_PATH = "/wl/active"
NEXT_PATH = "/wl/next"
BASE_PATHS = ("/wl/b0", "/wl/b1")

_CHECK_BYTES = 1024
_WINDOW_RECORDS = 40
_WINDOW_BYTES = _WINDOW_RECORDS * CARD_RECORD_BYTES
_SAMPLES = 128
_GUESSES = 3


class Whitelist:
    """`manifest` is None without a list; found_* hold the record of the last find()."""

    _prepared: "tuple[IO[bytes], int, array[int]]"

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
        self._samples = array("H")  # first 16 bits of every _spacing-th record's key
        self._spacing = 1
        self._at = 0  # number of the record that the window starts with
        self._size = 0  # records in the window
        try:
            os.mkdir(FOLDER)
        except OSError:
            os.stat(FOLDER)  # it was there: any other reason shows here

    @staticmethod
    def proving(
        manifest: "Manifest", slot: int, scratch: memoryview, records: "cards.Digest | None" = None
    ) -> "Iterator[None]":
        """Steps that prove a base to be what the manifest signs; raises Refused.

        records: judges the records too, once before they come into force for the first time.
        """
        left = manifest.payload_bytes
        whole = sha256()
        problem = 0
        with open(BASE_PATHS[slot], "rb") as file:
            while left:
                size = file.readinto(scratch[: min(left, _CHECK_BYTES)])
                if not size:
                    raise Refused(ERR_FLASH)
                whole.update(scratch[:size])
                try:
                    if records is not None and not problem:
                        records.update(scratch[:size])
                except Refused as error:  # told only if the bytes are those that were signed
                    problem = error.code
                left -= size
                yield
            if file.readinto(scratch[:1]):
                raise Refused(ERR_LENGTH)
        if whole.digest() != manifest.payload_sha256:
            raise Refused(ERR_DIGEST)
        if problem:
            raise Refused(problem)
        if records is not None and records.digest() != manifest.result_digest:
            raise Refused(ERR_DIGEST)

    def preparing(self, slot: int, count: int) -> "Iterator[None]":
        """Steps that precede take(): read the samples of a base that is whole on the flash."""
        file = open(BASE_PATHS[slot], "rb")  # noqa: SIM115 - open for as long as it is in force
        spacing = count // _SAMPLES + 1
        samples = array("H")
        for number in range(0, count, spacing):
            file.seek(number * CARD_RECORD_BYTES)
            first = file.read(2)
            samples.append(first[0] << 8 | first[1])
            yield
        self._prepared = (file, spacing, samples)

    def take(self, manifest: "Manifest", slot: int) -> None:
        """Put the list that was prepared into force."""
        self.slot = slot
        before = self._file
        self._file, self._spacing, self._samples = self._prepared
        self.manifest = manifest
        self.version = manifest.version
        self.digest = manifest.result_digest
        self.count = manifest.count
        if before is not None:
            before.close()

    def find(self, key: bytes) -> bool:
        """Look a key of 8 bytes up; True fills found_*. OSError when the flash fails."""
        self.reads = 0
        low, high, guess = self._guess(key[0] << 8 | key[1])
        while low < high:
            self._read(guess - _WINDOW_RECORDS // 2, high, low)
            side = self._compare(key)
            if side == 0:
                return self._search(key)
            if side < 0:
                high = self._at
                guess = high - _WINDOW_RECORDS // 2
            else:
                low = self._at + self._size
                guess = low + _WINDOW_RECORDS // 2
            if self.reads >= _GUESSES:
                guess = (low + high) // 2
        return False

    def _guess(self, key16: int) -> "tuple[int, int, int]":
        """(first record, record behind the last, likeliest record) of keys that begin so."""
        samples = self._samples
        low, high = 0, len(samples)
        while low < high:
            middle = (low + high) // 2
            if samples[middle] < key16:
                low = middle + 1
            else:
                high = middle
        before = max(0, low - 1)
        while low < len(samples) and samples[low] == key16:
            low += 1  # several may begin alike: the key may be among any of these
        start = before * self._spacing
        end = min(low * self._spacing + 1, self.count)
        first = samples[before] if samples else 0
        last = samples[low] if low < len(samples) else 0x10000
        guess = start + (key16 - first) * (end - start) // max(1, last - first)
        return start, end, guess

    def _read(self, start: int, high: int, low: int) -> None:
        """Fill the window with records low <= … < high that begin at or before `start`."""
        start = max(low, min(start, high - _WINDOW_RECORDS))
        size = min(_WINDOW_RECORDS, high - start)
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
        last = (self._size - 1) * CARD_RECORD_BYTES
        if key < bytes(self._window[:CARD_KEY_BYTES]):
            return -1
        return 1 if key > bytes(self._window[last : last + CARD_KEY_BYTES]) else 0

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
