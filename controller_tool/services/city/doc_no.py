"""ID numbers encrypted for the platform and for nobody else (host).

`1.KID.KEY.DATA`: KID the first 8 bytes of the SHA-256 of the recipient's public key (DER,
SubjectPublicKeyInfo) in hex; KEY an AES-256 key wrapped by RSA-OAEP (SHA-256, MGF1-SHA-256, no
label); DATA nonce 12 ‖ AES-256-GCM of the number with tag. KEY and DATA in base64url without
padding; the additional data is `hzaccess/1 doc_no PERSON-ID`, so that a number that is moved to
another person does not open.
"""

from __future__ import annotations

import base64
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Setting
from controller_tool.rules import duty
from controller_tool.services import audit
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site

SETTING = "hzaccess_recipient"
BITS_MIN, BITS_MAX = 2048, 8192
_FILE_MAX_BYTES = 1 << 16
_VERSION = "1"
_NONCE_BYTES = 12
_KID_BYTES = 8


class Recipient:
    """Who alone can read what is sealed here. kid: 16 hex digits."""

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key
        der = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.kid = sha256(der).digest()[:_KID_BYTES].hex()

    def seal(self, person_id: str, number: str) -> str:
        """The number for the recipient; empty for none."""
        if not number:
            return ""
        secret, nonce = AESGCM.generate_key(256), os.urandom(_NONCE_BYTES)
        data = nonce + AESGCM(secret).encrypt(nonce, number.encode(), aad(person_id))
        return ".".join((_VERSION, self.kid, _text(self._key.encrypt(secret, oaep())), _text(data)))


def aad(person_id: str) -> bytes:
    """What binds a number to its person."""
    return f"hzaccess/1 doc_no {person_id}".encode()


def oaep() -> padding.OAEP:
    """How the key is wrapped."""
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def read(site: Site) -> Recipient | None:
    """The site's recipient; None where none was set."""
    with site.registry.session() as session:
        row = session.get(Setting, SETTING)
    return None if row is None else parse(row.value.encode())


def choose(site: Site, path: Path | None, dry_run: bool = False) -> Recipient | None:
    """From now on ID numbers go to whoever holds the private key; None: to nobody.

    path: PEM of an RSA public key. Raises OperatorError.
    """
    operators.require(site, duty.EXPORT)
    recipient = pem = None
    if path is not None:
        pem = _read_file(path)
        recipient = parse(pem)
    if dry_run:
        return recipient
    with site.registry.writing() as session:
        row = session.get(Setting, SETTING)
        if row is not None:
            session.delete(row)
            session.flush()
        if pem is not None:
            session.add(Setting(name=SETTING, value=pem.decode("ascii")))
        kid = recipient.kid if recipient else ""
        audit.append(session, site.operator, "export.recipient", kid=kid)
    return recipient


def parse(pem: bytes) -> Recipient:
    """A recipient of a PEM public key; OperatorError for anything else."""
    try:
        key = serialization.load_pem_public_key(pem)
        pem.decode("ascii")
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or not BITS_MIN <= key.key_size <= BITS_MAX:
        raise OperatorError(
            t("That is no RSA public key of {least} to {most} bits", least=BITS_MIN, most=BITS_MAX),
            t("Ask the platform for its public key as a PEM file"),
        )
    return Recipient(key)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MAX_BYTES)
    except OSError:
        raise OperatorError(
            t("{path} cannot be read", path=path.name), t("Check the name of the file")
        ) from None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
