"""Signs COSE_Sign1 envelopes and trust objects with the keys of a site (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from controller_tool.keys.files import key_id, modulus_bytes
from protocol import cose, trust
from protocol.constants import AAD_TRUST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Signer:
    """One RSA-3072 private key that speaks for a role."""

    kid: bytes
    key: rsa.RSAPrivateKey

    @classmethod
    def of(cls, key: rsa.RSAPrivateKey) -> Signer:
        """Signer of ``key`` under its own key id."""
        return cls(key_id(key.public_key()), key)

    @property
    def modulus(self) -> bytes:
        """Modulus, 384 bytes."""
        return modulus_bytes(self.key.public_key())

    def sign(self, to_be_signed: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 over ``to_be_signed``: 384 bytes."""
        return self.key.sign(to_be_signed, padding.PKCS1v15(), hashes.SHA256())

    def envelope(self, aad: bytes, payload: bytes) -> bytes:
        """COSE_Sign1 of docs/protocol.md section 2 over ``payload`` with ``aad``."""
        return cose.build(self.kid, payload, aad, self.sign)


def sign_trust(fields: trust.Trust, roots: Sequence[Signer]) -> bytes:
    """The trust object as controllers take it: detached signatures of all ``roots``."""
    payload = trust.encode(fields)
    signatures = [
        (root.kid, root.sign(cose.to_be_signed(root.kid, payload, AAD_TRUST))) for root in roots
    ]
    return trust.assemble(payload, signatures)
