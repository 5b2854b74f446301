"""A sealed file: bytes in pieces, each proven before any of it is believed (host).

Layout, big-endian: "CTBK1" ‖ salt 16 ‖ length 2 ‖ registry.key of the folder ‖ pieces. A piece is
AES-256-GCM over 1 MiB, the last one over what is left. key = HKDF-Expand(SHA-256, key of the
folder's backups, "file" ‖ salt); nonce = number of the piece 11 ‖ 1 for the last one; associated
data = everything before the first piece. So a piece that was changed, moved, cut off or added does
not open (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.sealing import Vault, unwrap_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = b"CTBK1"
SALT_BYTES = 16
PIECE_BYTES = 1 << 20
TAG_BYTES = 16
WRAPPED_MAX_BYTES = 1024
_LENGTH_BYTES = 2


@dataclass(frozen=True)
class Seal:
    """What the pieces of one file are sealed with. header: everything before the first piece."""

    header: bytes
    key: AESGCM


def new_seal(vault: Vault, wrapped: bytes) -> Seal:
    """A seal for a new file; wrapped: the folder's registry.key, which the passphrase opens."""
    salt = os.urandom(SALT_BYTES)
    header = MAGIC + salt + len(wrapped).to_bytes(_LENGTH_BYTES, "big") + wrapped
    return Seal(header, _key(vault, salt))


def read_seal(file: BinaryIO, path: Path, passphrase: str) -> Seal:
    """The seal of a file, which then stands at its first piece; OperatorError: it does not open."""
    start = file.read(len(MAGIC) + SALT_BYTES + _LENGTH_BYTES)
    length = int.from_bytes(start[-_LENGTH_BYTES:], "big")
    wrapped = file.read(min(length, WRAPPED_MAX_BYTES))
    if not start.startswith(MAGIC):
        raise OperatorError(t("{path} is no backup of a site folder", path=path.name),
                            t("Name the file that site backup wrote"))  # fmt: skip
    if len(wrapped) != length:
        raise damaged(path)
    try:
        vault = Vault(unwrap_key(wrapped, passphrase))
    except OperatorError:
        raise OperatorError(
            t("The passphrase does not open {path}, or the file was altered", path=path.name),
            t("Give the passphrase that the site folder had when the backup was made"),
        ) from None
    return Seal(start + wrapped, _key(vault, start[len(MAGIC) : -_LENGTH_BYTES]))


class Writer:
    """Seals what is written; `finish` writes the last piece."""

    def __init__(self, file: BinaryIO, seal: Seal) -> None:
        self._file = file
        self._seal = seal
        self._waiting = bytearray()
        self._number = 0
        file.write(seal.header)

    def write(self, data: bytes) -> None:
        """More of the content."""
        self._waiting += data
        while len(self._waiting) > PIECE_BYTES:
            self._put(bytes(self._waiting[:PIECE_BYTES]), last=False)
            del self._waiting[:PIECE_BYTES]

    def finish(self) -> None:
        """There is no more."""
        self._put(bytes(self._waiting), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._number, last=last)
        self._file.write(self._seal.key.encrypt(nonce, piece, self._seal.header))
        self._number += 1


class Reader:
    """Content of a sealed file from its start; raises OperatorError where it is damaged."""

    def __init__(self, file: BinaryIO, path: Path, seal: Seal) -> None:
        self._path = path
        self._pieces = _pieces(file, path, seal)
        self._held = b""

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes."""
        parts = []
        while count:
            if not self._held:
                self._held = next(self._pieces, b"")
                if not self._held:
                    raise damaged(self._path)
            parts.append(self._held[:count])
            self._held = self._held[count:]
            count -= len(parts[-1])
        return b"".join(parts)

    def end(self) -> None:
        """OperatorError when something follows what was read."""
        if self._held or next(self._pieces, b""):
            raise damaged(self._path)


def damaged(path: Path) -> OperatorError:
    """What a person is told of a file whose pieces do not open."""
    return OperatorError(
        t("{path} is damaged or was altered; nothing of it was used", path=path.name),
        t("Take another backup"),
    )


def _pieces(file: BinaryIO, path: Path, seal: Seal) -> Iterator[bytes]:
    number, piece = 0, file.read(PIECE_BYTES + TAG_BYTES)
    while True:
        following = file.read(PIECE_BYTES + TAG_BYTES)
        nonce = _nonce(number, last=not following)
        try:
            yield seal.key.decrypt(nonce, piece, seal.header)
        except (InvalidTag, ValueError):  # ValueError: cut off
            raise damaged(path) from None
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))


def _key(vault: Vault, salt: bytes) -> AESGCM:
    info = b"file" + salt
    return AESGCM(HKDFExpand(hashes.SHA256(), 32, info).derive(vault.backup_key))
