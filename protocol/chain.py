"""Chain, keys and tags of the journal (Schneier-Kelsey), docs/protocol.md section 5 (both).

K is 16 bytes and one of two: K_tool or K_audit. For each record, with the keys before it: mask,
link, tag with each, then evolve each; who steals the keys later cannot remake what is written.
"""

from hashlib import sha256

from protocol.constants import CARD_KEY_BYTES, CHAIN_KEY_BYTES, TAG_BYTES
from protocol.hmac import hmac_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_HEAD_MAC_BYTES = 16


def start(site: bytes, device: bytes, ring: int) -> bytes:
    """c before the first record of a ring, 32 bytes."""
    return sha256(b"journal" + site + device + bytes((ring,))).digest()


def link(c: bytes, body: "Buffer") -> bytes:
    """c after a record with this body of 32 bytes."""
    digest = sha256(c)
    digest.update(body)
    return digest.digest()


def evolve(k: bytes) -> bytes:
    """K for the next record."""
    return sha256(b"\x01" + k).digest()[:CHAIN_KEY_BYTES]


def tag_key(k: bytes) -> bytes:
    """T, 32 bytes, with which the record is tagged; may be disclosed, K may not."""
    return sha256(b"\x02" + k).digest()


def tag(t: bytes, c: bytes) -> bytes:
    """Tag, 8 bytes, of c after the record under T."""
    return hmac_sha256(t, c)[:TAG_BYTES]


def mask(k_tool: bytes) -> bytes:
    """What the card key of the record is masked with, 8 bytes."""
    return sha256(b"\x03" + k_tool).digest()[:CARD_KEY_BYTES]


def masked(key: bytes, k_tool: bytes) -> bytes:
    """A card key, 8 bytes, masked for the record whose key is `k_tool`; twice gives it back."""
    number = int.from_bytes(key, "big") ^ int.from_bytes(mask(k_tool), "big")
    return number.to_bytes(CARD_KEY_BYTES, "big")


def head_mac(k: bytes, nonce: bytes, ring: int, n: int, c: bytes, oldest: int) -> bytes:
    """MAC, 16 bytes, of a head under K at its next sequence number n."""
    place = bytes((ring,)) + n.to_bytes(4, "big")
    message = b"head" + nonce + place + c + oldest.to_bytes(4, "big")
    return hmac_sha256(tag_key(k), message)[:_HEAD_MAC_BYTES]


def sector_tag(k: bytes, header48: "Buffer") -> bytes:
    """Tag, 8 bytes, of the first 48 bytes of a sector header under K before its first record."""
    return hmac_sha256(tag_key(k), b"sector", header48)[:TAG_BYTES]
