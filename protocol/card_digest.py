"""The digest of a list, bucket by bucket, and the judgement of its records (both).

docs/protocol.md section 3. Apart from protocol/cards.py because a controller loads it for a change
of lists only.
"""

from hashlib import sha256

from protocol import cards
from protocol.codes import ERR_BOUNDS, ERR_DATE, ERR_LENGTH, ERR_ORDER, ERR_PROFILE
from protocol.constants import BUCKETS, CARD_KEY_BYTES, CARD_RECORD_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    Buffer = bytes | bytearray | memoryview


def judge(record: "Buffer", at: int, last: bytes, profiles: "Container[int] | None") -> bytes:
    """Key of the record at `at`. Refused: ORDER (not above `last`), PROFILE, DATE, BOUNDS (flags).

    profiles: ids that a record may name (anything with `in`); None lets every id pass.
    """
    key = bytes(record[at : at + CARD_KEY_BYTES])
    if key <= last:
        raise Refused(ERR_ORDER)
    if profiles is not None and cards.profile(record, at) not in profiles:
        raise Refused(ERR_PROFILE)
    if cards.from_min(record, at) >= cards.until_min(record, at):
        raise Refused(ERR_DATE)
    if cards.flags(record, at) & ~cards.KNOWN_FLAGS:
        raise Refused(ERR_BOUNDS)
    return key


class Digest:
    """Judges records as they come, in their order, and hashes them bucket by bucket."""

    def __init__(self, profiles: "Container[int] | None" = None) -> None:
        self.count = 0
        self._profiles = profiles
        self._last = b""
        self._bucket = 0
        self._hash = sha256()
        self._outer = sha256()

    def update(self, chunk: "Buffer") -> None:
        """Take whole records. Raises Refused: LENGTH or as judge()."""
        size = len(chunk)
        if size % CARD_RECORD_BYTES:
            raise Refused(ERR_LENGTH)
        start = 0
        for at in range(0, size, CARD_RECORD_BYTES):
            self._last = judge(chunk, at, self._last, self._profiles)
            if chunk[at] != self._bucket:
                self._hash.update(chunk[start:at])
                start = at
                self._close_until(chunk[at])
            self.count += 1
        self._hash.update(chunk[start:size])

    def _close_until(self, bucket: int) -> None:
        while self._bucket < bucket:
            digest = self._hash.digest()
            self._outer.update(digest)
            self._hash = sha256()
            self._bucket += 1
            self.closed(digest)

    def closed(self, digest: bytes) -> None:
        """A bucket has ended; the next one begins with record number `count`. For subclasses."""

    def digest(self) -> bytes:
        """The list digest, 32 bytes; ends the work."""
        self._close_until(BUCKETS)
        return self._outer.digest()


def digest(records: "Buffer") -> bytes:
    """List digest of all records, sorted; raises Refused as Digest.update."""
    whole = Digest()
    whole.update(records)
    return whole.digest()
