"""HMAC-SHA-256 (RFC 2104), which MicroPython lacks, and a comparison in constant time (both)."""

from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

# One 512-bit XOR makes a pad three times faster than a loop over bytes does.
_INNER = int.from_bytes(b"\x36" * 64, "big")
_OUTER = int.from_bytes(b"\x5c" * 64, "big")


def hmac_sha256(key: "Buffer", *parts: "Buffer") -> bytes:
    """MAC, 32 bytes, of the parts joined; a key over 64 bytes is hashed first."""
    block = bytes(key) if len(key) <= 64 else sha256(key).digest()
    number = int.from_bytes(block + bytes(64 - len(block)), "big")
    inner = sha256((number ^ _INNER).to_bytes(64, "big"))
    for part in parts:
        inner.update(part)
    outer = sha256((number ^ _OUTER).to_bytes(64, "big"))
    outer.update(inner.digest())
    return outer.digest()


def equal(first: "Buffer", second: "Buffer") -> bool:
    """Whether both hold the same bytes; the time tells only whether their lengths agree."""
    if len(first) != len(second):
        return False
    difference = 0
    for i in range(len(first)):
        difference |= first[i] ^ second[i]
    return difference == 0
