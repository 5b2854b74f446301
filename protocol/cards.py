"""Card keys and card records, docs/protocol.md section 3 (both)."""

from protocol.constants import (
    CARD_KEY_BYTES,
    CREDENTIAL_MAX_BYTES,
    FLAG_EMERGENCY,
    FLAG_MASTER,
    FLAG_REVOKED,
    TIME_END_MIN,
)
from protocol.hmac import hmac_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_FROM_AT = CARD_KEY_BYTES
_UNTIL_AT = _FROM_AT + 3
_PROFILE_AT = _UNTIL_AT + 3
_FLAGS_AT = _PROFILE_AT + 1
# a flag that this code does not know might forbid something: such a record is refused
KNOWN_FLAGS = FLAG_REVOKED | FLAG_EMERGENCY | FLAG_MASTER


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
        or flags & ~KNOWN_FLAGS
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
