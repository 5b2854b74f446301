"""The files of a site folder as a backup takes them, and where it writes meanwhile (host)."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from controller_tool import disk
from controller_tool.channel.dial import SIM_FOLDER
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import backup_content
from controller_tool.services.backup_content import BLOCK_BYTES, File
from controller_tool.services.site import REGISTRY_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.backup_seal import Writer

_SNAPSHOT = ".backup-"
_LEFT_OVER_S = 3600
_HALF_WRITTEN = ".new"  # keys.files.write_private_file


class Changed(Exception):
    """A file of the folder is not any more what it was."""


def listed(folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """Names of the files that go into a backup, and of what is left out but should be seen."""
    names: list[str] = []
    left_out: list[str] = []
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if here == folder:
            folders[:] = [f for f in folders if f != SIM_FOLDER and not f.startswith(_SNAPSHOT)]
            files = [f for f in files if not f.startswith(REGISTRY_FILE)]  # noqa: PLW2901
        for name in [*files, *(f for f in folders if (here / f).is_symlink())]:
            path = here / name
            within = path.relative_to(folder).as_posix()
            if name.endswith(_HALF_WRITTEN):
                continue
            plain = path.is_file() and not path.is_symlink() and backup_content.fits(within)
            (names if plain else left_out).append(within)
    return sorted(names), tuple(sorted(left_out))


def file_of(path: Path, name: str, writer: Writer | None = None) -> File:
    """What the file is, written to ``writer`` on the way."""
    digest, size = sha256(), 0
    for block in _blocks(path):
        digest.update(block)
        size += len(block)
        if writer is not None:
            writer.write(block)
    return File(name, size, digest.hexdigest())


def _blocks(path: Path) -> Iterator[bytes]:
    """Bytes of a file; Changed when it went, OperatorError when it cannot be read."""
    try:
        with path.open("rb") as source:
            while block := source.read(BLOCK_BYTES):
                yield block
    except FileNotFoundError:
        raise Changed from None
    except OSError:
        raise OperatorError(
            t("{path} of this site folder cannot be read", path=path.name),
            t("Check the folder and its permissions"),
        ) from None


@contextmanager
def beside(final: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file for its owner alone; in place at ``final`` when the block ends well."""
    draft = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{final.name}.", dir=final.parent)
        draft = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file, draft
        draft.replace(final)
        disk.keep(final.parent)
    except OSError as error:
        raise unwritable(final, error) from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


@contextmanager
def snapshot_folder(folder: Path) -> Iterator[Path]:
    """Where the registry's copy lies meanwhile: names of people stand in it, so not elsewhere."""
    try:
        made = Path(tempfile.mkdtemp(prefix=_SNAPSHOT, dir=folder))
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def clear_left_overs(folder: Path) -> None:
    """Copies that a killed backup left, once nobody can be at work on them any more."""
    for path in folder.glob(f"{_SNAPSHOT}*"):
        if path.is_dir() and path.stat().st_mtime < time.time() - _LEFT_OVER_S:
            shutil.rmtree(path, ignore_errors=True)


def unwritable(path: Path, error: OSError) -> OperatorError:
    return OperatorError(
        t("{path} cannot be written ({error})", path=path, error=error.strerror or error),
        disk.next_step(error),
    )
