"""COSE_Sign1 in the one template of docs/protocol.md section 2 (both interpreters).

    84 4F A2 01 39 01 00 04 48 kid[8] A0 payload:bstr 59 01 80 signature[384]

The envelope is matched against these bytes, not decoded, and its payload is not looked into
before the signature has been found good.
"""

from hashlib import sha256

from protocol import rsa
from protocol.cbor import Malformed, head
from protocol.constants import ENVELOPE_MAX_BYTES, ID_BYTES, RSA_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Buffer = bytes | bytearray | memoryview

_PROTECTED = b"\xa2\x01\x39\x01\x00\x04\x48"  # {1: -257, 4: h'…8 bytes'}
_OPENING = b"\x84\x4f" + _PROTECTED
_PAYLOAD_AT = len(_OPENING) + ID_BYTES + 1
_SIGNATURE_HEAD = b"\x59\x01\x80"


class UnknownKey(ValueError):
    """The envelope names a key that does not speak for this kind of object."""


class BadSignature(ValueError):
    """The signature does not belong to these bytes."""


class Envelope:
    """Parts of an envelope that has the right shape: nothing is verified yet."""

    def __init__(self, kid: bytes, payload: "Buffer", signature: "Buffer") -> None:
        self.kid = kid
        self.protected = protected(kid)
        self.payload = payload
        self.signature = signature


def key_id(modulus: "Buffer") -> bytes:
    """kid, 8 bytes, of an RSA modulus of 384 bytes."""
    return sha256(modulus).digest()[:ID_BYTES]


def protected(kid: bytes) -> bytes:
    """The protected header, 15 bytes, that names a key."""
    return _PROTECTED + kid


def open_envelope(data: "Buffer") -> Envelope:
    """Split an envelope; raises Malformed unless it is the template to the last byte.

    `payload` and `signature` are views of `data`, which must not change as long as they are used.
    """
    at = _PAYLOAD_AT
    if len(data) > ENVELOPE_MAX_BYTES or len(data) < at + 1 + 3 + RSA_BYTES:
        raise Malformed("envelope length")
    if bytes(data[: len(_OPENING)]) != _OPENING or data[at - 1] != 0xA0:
        raise Malformed("not the template")
    end = len(data) - RSA_BYTES - 3
    # the length of everything else is fixed, so the payload's is known before its head is read
    for size in (1, 2, 3):
        length = end - at - size
        if length >= 0 and bytes(data[at : at + size]) == head(2, length):
            break
    else:
        raise Malformed("payload length")
    if bytes(data[end : end + 3]) != _SIGNATURE_HEAD:
        raise Malformed("signature length")
    kid = bytes(data[len(_OPENING) : len(_OPENING) + ID_BYTES])
    whole = memoryview(data)
    return Envelope(kid, whole[at + size : end], whole[end + 3 :])


def length_of(head: "Buffer") -> int:
    """Length of the envelope that begins with these bytes, 64 at least; Malformed if none does."""
    at = _PAYLOAD_AT
    if bytes(head[: len(_OPENING)]) != _OPENING or head[at - 1] != 0xA0:
        raise Malformed("not the template")
    first = head[at]
    if 0x40 <= first < 0x58:
        size, length = 1, first - 0x40
    elif first == 0x58:
        size, length = 2, head[at + 1]
    elif first == 0x59:
        size, length = 3, head[at + 1] << 8 | head[at + 2]
    else:
        raise Malformed("payload length")
    return at + size + length + len(_SIGNATURE_HEAD) + RSA_BYTES


def sig_structure_digest(protected: bytes, aad: bytes, payload: "Buffer") -> bytes:
    """SHA-256 of the Sig_structure (RFC 9052 section 4.4)."""
    digest = sha256(before_payload(protected, aad) + head(2, len(payload)))
    digest.update(payload)
    return digest.digest()


def before_payload(protected: bytes, aad: bytes) -> bytes:
    """What stands before the payload's own head in the Sig_structure."""
    opening = b"\x84\x6aSignature1" + head(2, len(protected)) + protected
    return opening + head(2, len(aad)) + aad


class Verifier(rsa.Verification):
    """One envelope being checked against one key; step() and `ok` as in rsa.Verification."""

    def __init__(self, envelope: Envelope, aad: bytes, modulus: bytes) -> None:
        digest = sig_structure_digest(envelope.protected, aad, envelope.payload)
        super().__init__(modulus, envelope.signature, digest)


def find_key(kid: bytes, keys: "Iterable[bytes]") -> bytes:
    """The modulus that `kid` names; raises UnknownKey."""
    for modulus in keys:
        if key_id(modulus) == kid:
            return modulus
    raise UnknownKey("no such key in this role")


def verify(data: "Buffer", aad: bytes, keys: "Iterable[bytes]") -> "Buffer":
    """Payload of an envelope signed by one of `keys` (moduli) for the purpose `aad`.

    Raises Malformed, UnknownKey or BadSignature, in this order of looking.
    """
    envelope = open_envelope(data)
    verifier = Verifier(envelope, aad, find_key(envelope.kid, keys))
    while verifier.step():
        pass
    if not verifier.ok:
        raise BadSignature("signature does not match")
    return envelope.payload


def to_be_signed(kid: bytes, payload: "Buffer", aad: bytes) -> bytes:
    """Host only. The Sig_structure that a signer hashes and signs."""
    return before_payload(protected(kid), aad) + head(2, len(payload)) + bytes(payload)


def build(kid: bytes, payload: bytes, aad: bytes, sign: "Callable[[bytes], bytes]") -> bytes:
    """Host only. Envelope of `payload`; `sign` makes the RS256 signature of the given bytes.

    Raises ValueError when the result would be longer than a controller takes.
    """
    signature = sign(to_be_signed(kid, payload, aad))
    if len(kid) != ID_BYTES or len(signature) != RSA_BYTES:
        raise ValueError("kid or signature length")
    body = _OPENING + kid + b"\xa0" + head(2, len(payload)) + payload
    envelope = body + _SIGNATURE_HEAD + signature
    if len(envelope) > ENVELOPE_MAX_BYTES:
        raise ValueError("envelope of more than %d bytes" % ENVELOPE_MAX_BYTES)
    return envelope


def tagged(envelope: bytes) -> bytes:
    """Host only. The envelope with CBOR tag 18, as exports carry it (RFC 9052 section 4.2)."""
    return b"\xd2" + envelope
