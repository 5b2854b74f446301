"""Card keys, card records and the digest of a list, docs/protocol.md section 3 (both)."""

from hashlib import sha256

from protocol.codes import ERR_BOUNDS, ERR_DATE, ERR_LENGTH, ERR_ORDER, ERR_PROFILE
from protocol.constants import (
    BUCKETS,
    CARD_KEY_BYTES,
    CARD_RECORD_BYTES,
    CREDENTIAL_MAX_BYTES,
    FLAG_EMERGENCY,
    FLAG_MASTER,
    FLAG_REVOKED,
    TIME_END_MIN,
)
from protocol.hmac import hmac_sha256
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    Buffer = bytes | bytearray | memoryview

_FROM_AT = CARD_KEY_BYTES
_UNTIL_AT = _FROM_AT + 3
_PROFILE_AT = _UNTIL_AT + 3
_FLAGS_AT = _PROFILE_AT + 1
# a flag that this code does not know might forbid something: such a record is refused
_KNOWN_FLAGS = FLAG_REVOKED | FLAG_EMERGENCY | FLAG_MASTER
_EMPTY_BUCKET = sha256(b"").digest()


def card_key(device_card_key: bytes, kind: int, credential: "Buffer") -> bytes:
    """The 8 bytes by which one controller knows a credential of type `kind` (CREDENTIAL_*)."""
    if not 0 < len(credential) <= CREDENTIAL_MAX_BYTES:
        raise ValueError("credential length")
    head = bytes((kind, len(credential)))
    return hmac_sha256(device_card_key, head, credential)[:CARD_KEY_BYTES]


def pack(key: bytes, from_min: int, until_min: int, profile: int, flags: int) -> bytes:
    """Host only. Record of 16 bytes; raises ValueError for what no controller would take."""
    if (
        len(key) != CARD_KEY_BYTES
        or not 0 <= from_min < until_min <= TIME_END_MIN
        or not 0 <= profile <= 0xFF
        or flags & ~_KNOWN_FLAGS
    ):
        raise ValueError("card record")
    dates = from_min.to_bytes(3, "big") + until_min.to_bytes(3, "big")
    return key + dates + bytes((profile, flags))


def from_min(buf: "Buffer", at: int = 0) -> int:
    """First minute of the record that starts at `at`."""
    return buf[at + 8] << 16 | buf[at + 9] << 8 | buf[at + 10]


def until_min(buf: "Buffer", at: int = 0) -> int:
    """First minute in which it no longer counts; TIME_END_MIN: no end."""
    return buf[at + 11] << 16 | buf[at + 12] << 8 | buf[at + 13]


def profile(buf: "Buffer", at: int = 0) -> int:
    """Id of its profile in the manifest."""
    return buf[at + _PROFILE_AT]


def flags(buf: "Buffer", at: int = 0) -> int:
    """FLAG_*."""
    return buf[at + _FLAGS_AT]


class Digest:
    """Judges records as they come, in their order, and hashes them bucket by bucket.

    profiles: ids that a record may name (anything with `in`); None lets every id pass.
    """

    def __init__(self, profiles: "Container[int] | None" = None) -> None:
        self.count = 0
        self._profiles = profiles
        self._last = b""
        self._bucket = 0
        self._hash = sha256()
        self._outer = sha256()

    def update(self, chunk: "Buffer") -> None:
        """Take whole records. Raises Refused: LENGTH, ORDER, PROFILE, DATE or BOUNDS (flags)."""
        size = len(chunk)
        if size % CARD_RECORD_BYTES:
            raise Refused(ERR_LENGTH)
        start = 0
        for at in range(0, size, CARD_RECORD_BYTES):
            self._judge(chunk, at)
            if chunk[at] != self._bucket:
                self._hash.update(chunk[start:at])
                start = at
                self._close_until(chunk[at])
        self._hash.update(chunk[start:size])
        self.count += size // CARD_RECORD_BYTES

    def _judge(self, chunk: "Buffer", at: int) -> None:
        key = bytes(chunk[at : at + CARD_KEY_BYTES])
        if key <= self._last:
            raise Refused(ERR_ORDER)
        self._last = key
        if self._profiles is not None and chunk[at + _PROFILE_AT] not in self._profiles:
            raise Refused(ERR_PROFILE)
        if from_min(chunk, at) >= until_min(chunk, at):
            raise Refused(ERR_DATE)
        if chunk[at + _FLAGS_AT] & ~_KNOWN_FLAGS:
            raise Refused(ERR_BOUNDS)

    def _close_until(self, bucket: int) -> None:
        self._outer.update(self._hash.digest())
        for _ in range(self._bucket + 1, bucket):
            self._outer.update(_EMPTY_BUCKET)
        self._hash = sha256()
        self._bucket = bucket

    def digest(self) -> bytes:
        """The list digest, 32 bytes; ends the work."""
        self._close_until(BUCKETS)
        return self._outer.digest()


def digest(records: "Buffer") -> bytes:
    """List digest of all records, sorted; raises Refused as Digest.update."""
    whole = Digest()
    whole.update(records)
    return whole.digest()
