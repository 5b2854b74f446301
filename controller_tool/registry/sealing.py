"""Encryption of single columns: AES-256-GCM bound to table, row and column (host).

A sealed value that is copied to another row or column does not open. The registry key is random,
kept in one file under the passphrase of the site folder (scrypt, AES-256-GCM).
"""

import hmac
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from controller_tool.errors import OperatorError
from controller_tool.messages import t

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 16
EMPTY_BYTES = NONCE_BYTES + 16  # of nothing, sealed
_MAGIC = b"CTRK1"
_SCRYPT_COST = 2**15
_FILE_LABEL = b"registry key"


class Vault:
    """Seals and opens columns, and makes keyed indexes for columns that must be searched.

    key_password: what the private keys of the folder are sealed with. Their PKCS#8 files stretch a
    passphrase far too little; this is as hard to guess as the registry key behind its scrypt.
    backup_key: 32 bytes, from which each backup of the folder gets a key of its own.
    """

    def __init__(self, key: bytes) -> None:
        self._seal = AESGCM(_derive(key, b"columns"))
        self._index_key = _derive(key, b"index")
        self.key_password = _derive(key, b"key files").hex()
        self.backup_key = _derive(key, b"backups")

    def seal(self, table: str, row_id: str, column: str, value: bytes) -> bytes:
        """Nonce 12 ‖ ciphertext ‖ tag 16, bound to its place."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, value, _place(table, row_id, column))

    def open(self, table: str, row_id: str, column: str, sealed: bytes) -> bytes:
        """The value; OperatorError when it was changed, moved or sealed under another key."""
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._seal.decrypt(nonce, body, _place(table, row_id, column))
        except (InvalidTag, ValueError):  # ValueError: cut off
            raise OperatorError(
                t(
                    "Registry: {table}.{column} of row {row} was altered",
                    table=table,
                    column=column,
                    row=row_id,
                ),
                t("Restore the site folder from a backup"),
            ) from None

    def index(self, column: str, value: bytes) -> bytes:
        """Keyed hash, 16 bytes, that finds equal values of a column without showing them."""
        return hmac.digest(self._index_key, column.encode() + b"\0" + value, sha256)[:16]


def new_key() -> bytes:
    """A random registry key."""
    return os.urandom(KEY_BYTES)


def wrap_key(key: bytes, passphrase: str) -> bytes:
    """File content that gives ``key`` back to who knows the passphrase."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = AESGCM(_stretch(passphrase, salt)).encrypt(nonce, key, _FILE_LABEL)
    return _MAGIC + salt + nonce + sealed


def unwrap_key(content: bytes, passphrase: str) -> bytes:
    """Inverse of wrap_key; OperatorError when the passphrase is wrong."""
    body = content[len(_MAGIC) :]
    salt, nonce = body[:SALT_BYTES], body[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
    sealed = body[SALT_BYTES + NONCE_BYTES :]
    try:
        # a foreign file has another magic: then the label is not the one it was sealed with
        label = _FILE_LABEL if content.startswith(_MAGIC) else b""
        return AESGCM(_stretch(passphrase, salt)).decrypt(nonce, sealed, label)
    except (InvalidTag, ValueError):
        raise OperatorError(
            t("The passphrase does not open this site folder"),
            t("Give the passphrase of this site folder in CONTROLLER_TOOL_PASSPHRASE"),
        ) from None


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=_SCRYPT_COST, r=8, p=1).derive(passphrase.encode())


def _derive(key: bytes, label: bytes) -> bytes:
    return HKDFExpand(algorithm=hashes.SHA256(), length=KEY_BYTES, info=label).derive(key)


def _place(table: str, row_id: str, column: str) -> bytes:
    return b"\0".join(part.encode() for part in (table, row_id, column))
