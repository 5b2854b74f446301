"""Backs up a site folder into one sealed file, while other commands work (host).

In this order:

- the folder's files are read and hashed, then the registry is copied as of one moment
- when a file changed meanwhile (a key was replaced), both are taken again: they belong together
- all is sealed into a file beside its place, read back and proven, then renamed
- of backups in a folder, the oldest beyond ``keep`` go, and only after that
- it is written into the operators' log; the backup is good even where that can take nothing more
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import func, select

from controller_tool.clock import local_text, now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.records import AuditEntry
from controller_tool.services import audit, backup_files, backup_seal
from controller_tool.services.backup_content import Contents
from controller_tool.services.backup_read import read_through
from controller_tool.services.site import KEYS_FOLDER, REGISTRY_FILE, REGISTRY_KEY_FILE

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.backup_seal import Seal
    from controller_tool.services.site import Site

ACT = "site.backup"
SUFFIX = ".ctbackup"
TRIES = 5
_DATED = re.compile(r"site-([0-9a-f]{16})-\d{8}-\d{6}(-\d+)?" + re.escape(SUFFIX))


@dataclass(frozen=True)
class Made:
    """The backup that was made. bytes: of the file; files: how many are in it.

    left_out: names in the folder that are no plain files or that not every system can make;
    removed: older backups; logged: it stands in the operators' log.
    """

    file: Path
    site: str
    made_at_s: int
    bytes: int
    files: int
    left_out: tuple[str, ...]
    removed: tuple[str, ...]
    logged: bool
    dry_run: bool = False


def make(site: Site, target: Path, keep: int | None = None, dry_run: bool = False) -> Made:
    """Write a backup to the file ``target``, or to a dated file in it when it is a folder.

    keep: how many of this site's dated backups stay in that folder. Raises OperatorError; then
    nothing was written and nothing removed.
    """
    final, made_at_s = _place(site, target, keep)
    _require_free(site, final)
    _ = site.vault  # a wrong passphrase is told before anything is read
    if dry_run:
        _, left_out = backup_files.listed(site.path)
        old = () if keep is None else _surplus(site, final, keep)
        return Made(final, site.name, made_at_s, 0, 0, left_out, old, False, True)
    backup_files.clear_left_overs(site.path)
    for tries_left in reversed(range(TRIES)):
        try:
            contents, left_out, size = _write(site, final, made_at_s)
            break
        except backup_files.Changed:
            if not tries_left:
                raise OperatorError(
                    t("Files of the site folder change all the time; no backup was made"),
                    t("Wait for the other command to end, then try again"),
                ) from None
    removed = () if keep is None else _surplus(site, final, keep)
    for name in removed:
        (final.parent / name).unlink(missing_ok=True)
    logged = _log(site, final, contents, size)
    return Made(
        final, site.name, made_at_s, size, len(contents.files), left_out, removed, logged
    )  # fmt: skip


def newest(session: Session) -> int | None:
    """When the last backup was made, as far as the operators' log tells; seconds since 2020."""
    query = select(func.max(AuditEntry.at_s)).where(AuditEntry.act == ACT)
    return session.scalar(query)


# --- where ----------------------------------------------------------------------------------


def _place(site: Site, target: Path, keep: int | None) -> tuple[Path, int]:
    """The file, and when it is made."""
    made_at_s = now_s()
    if not target.is_dir():
        if keep is not None:
            raise OperatorError(
                t("--keep needs a folder of backups, not one file"),
                t("Name a folder that is there, and the files in it are dated"),
            )
        return target.absolute(), made_at_s
    moment = local_text(made_at_s)[:19].replace("-", "").replace(":", "").replace("T", "-")
    stamp = f"site-{site.id.hex()}-{moment}"
    final = target.absolute() / (stamp + SUFFIX)
    number = 1
    while os.path.lexists(final):
        number += 1
        final = final.with_name(f"{stamp}-{number}{SUFFIX}")
    return final, made_at_s


def _require_free(site: Site, final: Path) -> None:
    """OperatorError when it would lie in the folder that it is for, or on what is no backup."""
    if site.path.resolve() in (final.resolve(), *final.resolve().parents):
        raise OperatorError(
            t("{path} lies in the site folder and would be lost with it", path=final.name),
            t("Name a place on another disk"),
        )
    if not os.path.lexists(final):
        return
    try:
        is_backup = final.is_file() and _starts_as_backup(final)
    except OSError as error:
        raise backup_files.unwritable(final, error) from error
    if not is_backup:
        raise OperatorError(
            t("{path} is there and is no backup; it is left alone", path=final.name),
            t("Name a new file"),
        )


def _starts_as_backup(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(backup_seal.MAGIC)) == backup_seal.MAGIC


def _surplus(site: Site, final: Path, keep: int) -> tuple[str, ...]:
    """Names of this site's dated backups beyond ``keep``, the newest being ``final``."""
    dated = [path.name for path in final.parent.iterdir() if path.is_file()]
    ours = {
        name
        for name in dated
        if (found := _DATED.fullmatch(name)) and found[1] == site.id.hex() and name != final.name
    }
    return tuple(sorted(sorted(ours, reverse=True)[max(keep, 1) - 1 :]))


# --- what -----------------------------------------------------------------------------------


def _write(site: Site, final: Path, made_at_s: int) -> tuple[Contents, tuple[str, ...], int]:
    with backup_files.snapshot_folder(site.path) as spare:
        names, left_out = backup_files.listed(site.path)
        before = [backup_files.file_of(site.path / name, name) for name in names]
        copy = spare / REGISTRY_FILE
        site.registry.snapshot(copy)
        if backup_files.listed(site.path)[0] != names:
            raise backup_files.Changed
        sources = {name: site.path / name for name in names} | {REGISTRY_FILE: copy}
        contents = Contents(
            site.id.hex(), site.name, site.role, site.epoch, made_at_s,
            (*before, backup_files.file_of(copy, REGISTRY_FILE)),
        )  # fmt: skip
        wrapped = (site.path / KEYS_FOLDER / REGISTRY_KEY_FILE).read_bytes()
        seal = backup_seal.new_seal(site.vault, wrapped)
        with backup_files.beside(final) as (file, draft):
            _fill(file, seal, contents, sources)
            file.flush()
            os.fsync(file.fileno())
            read_through(draft, seal)
            size = draft.stat().st_size
    return contents, left_out, size


def _fill(file: BinaryIO, seal: Seal, contents: Contents, sources: dict[str, Path]) -> None:
    """Everything, sealed; `Changed` when a file is not what the list says."""
    writer = backup_seal.Writer(file, seal)
    writer.write(contents.encode())
    for listed in contents.files:
        if backup_files.file_of(sources[listed.name], listed.name, writer) != listed:
            raise backup_files.Changed
    writer.finish()


def _log(site: Site, final: Path, contents: Contents, size: int) -> bool:
    """Whether the operators' log took it: a full disk is when a backup is needed most."""
    try:
        with site.registry.writing() as session:
            audit.append(
                session, site.operator, ACT, file=final.name, files=len(contents.files),
                bytes=size, made_at_s=contents.made_at_s,
            )  # fmt: skip
    except OperatorError:
        return False
    return True
