"""RSASSA-PKCS1-v1_5 verification with SHA-256 (RFC 8017 section 8.2.2) in short steps (both).

The expected encoding is built and compared, never parsed: nothing inside the padding can be
forged (BB'06). e is 65537, so the power is 16 squarings and one product; a controller yields
between them because one step takes a tenth of what it may keep its door waiting.
"""

from protocol.constants import RSA_BYTES, RSA_EXPONENT_SQUARINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

# DigestInfo of SHA-256 up to the digest, with its NULL (RFC 8017 section 9.2, note 1)
_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


class Verification:
    """One signature being checked: call step() until it returns False, then read `ok`.

    `signature` must not change as long as there are steps.
    """

    def __init__(self, modulus: "Buffer", signature: "Buffer", digest: "Buffer") -> None:
        self.ok = False
        self._left = 0
        if len(modulus) != RSA_BYTES or len(signature) != RSA_BYTES or len(digest) != 32:
            return
        self._n = int.from_bytes(modulus, "big")
        self._x = int.from_bytes(signature, "big")
        self._signature = signature  # its number again only at the end: a step needs all the room
        self._digest = bytes(digest)
        # a modulus of full length and odd, and a representative below it: else refused unseen
        if modulus[0] & 0x80 and modulus[RSA_BYTES - 1] & 1 and self._x < self._n:
            self._left = RSA_EXPONENT_SQUARINGS + 1

    def step(self) -> bool:
        """One multiplication; returns whether there is more to do."""
        if self._left > 1:
            self._x = self._x * self._x % self._n
        elif self._left == 1:
            self._x = self._x * int.from_bytes(self._signature, "big") % self._n
            self.ok = self._x.to_bytes(RSA_BYTES, "big") == _encoded(self._digest)
            self._n = self._x = 0  # whoever still holds this holds no more than that
            self._signature = b""
        else:
            return False
        self._left -= 1
        return self._left > 0


def verify(modulus: "Buffer", signature: "Buffer", digest: "Buffer") -> bool:
    """Whether `signature` (384 bytes) over `digest` (SHA-256) is good, without a pause."""
    verification = Verification(modulus, signature, digest)
    while verification.step():
        pass
    return verification.ok


def _encoded(digest: bytes) -> bytes:
    tail = _DIGEST_INFO + digest
    return b"\x00\x01" + b"\xff" * (RSA_BYTES - 3 - len(tail)) + b"\x00" + tail
