"""Reads backups of site folders: proves one, restores one into a new folder (host).

The whole file is proven (every piece, the list of files, each file's digest) before the first
byte of it is written anywhere. The new folder is renamed into place when its passphrase opens it,
its registry is whole, and the registry knows that it was restored (services.restored).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.keys.files import FILE_MODE, FOLDER_MODE
from controller_tool.messages import t
from controller_tool.registry import database
from controller_tool.services import backup_content, backup_seal, restored, site_file, site_folder
from controller_tool.services.site import REGISTRY_FILE, Site

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.backup_content import Contents
    from controller_tool.services.backup_seal import Seal


@dataclass(frozen=True)
class Proven:
    """A backup that is whole. site: name; id: of the site, hex; made_at_s: since 2020."""

    file: Path
    site: str
    id: str
    role: str
    epoch: int
    made_at_s: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Restored:
    """The folder that was made of a backup. pending: controllers that have to be heard first."""

    backup: Proven
    folder: Path
    controllers: int
    cards_issued: int
    pending: tuple[str, ...]
    dry_run: bool = False


def verify(path: Path, passphrase: str) -> Proven:
    """Prove a backup whole; OperatorError when it is not, or the passphrase does not open it."""
    return _proven(path, read_through(path, _seal(path, passphrase)))


def restore(
    path: Path,
    folder: Path,
    passphrase: str,
    operator: str | None = None,
    *,
    registry: str = "",
    dry_run: bool = False,
) -> Restored:
    """Make ``folder`` of the backup; OperatorError, and then there is no such folder.

    registry: URL of an empty PostgreSQL database that takes the registry, empty for a file,
    whichever the folder had: its own database may be at work still.
    """
    seal = _seal(path, passphrase)
    site_folder.require_free(folder)
    if registry:
        database.require_free(registry)
    contents = read_through(path, seal)
    if dry_run:
        return Restored(_proven(path, contents), folder, 0, 0, (), True)
    with site_folder.empty(folder) as made:
        _unpack(path, seal, made, contents)
        _place_registry(made, registry)
        site = Site.open(made, passphrase, operator)
        try:
            _require_same(path, site, contents)
            seen = restored.mark(site, contents.made_at_s)
        finally:
            site.close()
    return Restored(
        _proven(path, contents), folder, seen.controllers, seen.cards_issued, seen.pending
    )  # fmt: skip


def read_through(path: Path, seal: Seal) -> Contents:
    """The list of the backup, after all of it was read and found to be what it says."""
    with path.open("rb") as file:
        file.seek(len(seal.header))
        reader = backup_seal.Reader(file, path, seal)
        contents = backup_content.read(reader, path)
        for listed in contents.files:
            for _ in backup_content.blocks(reader, path, listed):
                pass
        reader.end()
    return contents


def _seal(path: Path, passphrase: str) -> Seal:
    try:
        with path.open("rb") as file:
            return backup_seal.read_seal(file, path, passphrase)
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be read ({error})", path=path, error=error.strerror or error),
            t("Name the file that site backup wrote"),
        ) from error


def _unpack(path: Path, seal: Seal, made: Path, proven: Contents) -> None:
    """Write the files, once more as they are proven: the file may be another one by now."""
    with path.open("rb") as file:
        file.seek(len(seal.header))
        reader = backup_seal.Reader(file, path, seal)
        if backup_content.read(reader, path) != proven:
            raise backup_seal.damaged(path)
        for listed in proven.files:
            target = made / listed.name
            target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(handle, "wb") as out:
                for block in backup_content.blocks(reader, path, listed):
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
        reader.end()


def _place_registry(made: Path, url: str) -> None:
    """The registry where it is wished, and site.toml says so."""
    facts = site_file.read(made)
    if facts.registry != url:
        replace(facts, registry=url).write(made)
    if not url:
        return
    file, server = database.Registry(made / REGISTRY_FILE), database.Registry(url, new=True)
    try:
        server.take_over(file)
    finally:
        file.close()
        server.close()
    (made / REGISTRY_FILE).unlink()


def _require_same(path: Path, site: Site, contents: Contents) -> None:
    """The passphrase opens the folder itself, and it is the one that the list speaks of."""
    _ = site.vault
    if (site.id.hex(), site.role) != (contents.site, contents.role):
        raise backup_seal.damaged(path)


def _proven(path: Path, contents: Contents) -> Proven:
    return Proven(
        path, contents.name, contents.site, contents.role, contents.epoch, contents.made_at_s,
        len(contents.files), contents.total_bytes,
    )  # fmt: skip
