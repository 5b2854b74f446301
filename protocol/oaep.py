"""RSA-OAEP encryption with SHA-256 and MGF1-SHA-256, empty label (RFC 8017 section 7.1, both).

A controller seals K_audit with it, once, at its first boot.
"""

from hashlib import sha256

from protocol.constants import RSA_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_MAX_BYTES = RSA_BYTES - 66


def seal(modulus: bytes, message: bytes, rng: "Callable[[int], bytes]") -> bytes:
    """384 bytes that only the holder of the private key opens.

    `rng(n)` gives n random bytes (os.urandom). Raises ValueError for a message over 318 bytes or
    a modulus that is not of 384 bytes.
    """
    if len(modulus) != RSA_BYTES or len(message) > MESSAGE_MAX_BYTES:
        raise ValueError("modulus or message length")
    block = sha256(b"").digest() + bytes(MESSAGE_MAX_BYTES - len(message)) + b"\x01" + message
    seed = rng(32)
    masked = _xor(block, _mask(seed, len(block)))
    number = int.from_bytes(_xor(seed, _mask(masked, 32)) + masked, "big")
    return pow(number, 65537, int.from_bytes(modulus, "big")).to_bytes(RSA_BYTES, "big")


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 (RFC 8017 appendix B.2.1)."""
    out = b""
    counter = 0
    while len(out) < length:
        out += sha256(seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return out[:length]


def _xor(first: bytes, second: bytes) -> bytes:
    number = int.from_bytes(first, "big") ^ int.from_bytes(second, "big")
    return number.to_bytes(len(first), "big")
