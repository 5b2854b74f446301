"""Writes a bundle as a folder or zip file: whole or not at all, for its owner alone (host)."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from controller_tool import disk
from controller_tool.errors import OperatorError
from controller_tool.keys.files import FILE_MODE, FOLDER_MODE
from controller_tool.messages import t
from controller_tool.services.bundle_layout import MANIFEST, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip
_UNIX = 3


class Sink(Protocol):
    """Where files go, one after the other. files: (SHA-256 as hex, size) by name."""

    files: dict[str, tuple[str, int]]

    def put(self, name: str, data: bytes) -> None:
        """Write one file."""


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.files: dict[str, tuple[str, int]] = {}

    def put(self, name: str, data: bytes) -> None:
        path = self._path / name
        for parent in reversed(path.relative_to(self._path).parents):
            (self._path / parent).mkdir(mode=FOLDER_MODE, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        self.files[name] = (sha256(data).hexdigest(), len(data))


class _Zip:
    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self.files: dict[str, tuple[str, int]] = {}

    def put(self, name: str, data: bytes) -> None:
        info = zipfile.ZipInfo(name, _ZIP_DATE)
        info.create_system = _UNIX
        info.external_attr = FILE_MODE << 16
        self._file.writestr(info, data)
        self.files[name] = (sha256(data).hexdigest(), len(data))


@contextmanager
def output(path: Path, force: bool) -> Iterator[Sink]:
    """A sink whose files are in place at ``path`` when the block ends well.

    Raises OperatorError when something is there (force: when it is no bundle), or on a full disk.
    """
    final = path.absolute()
    _require_free(final, force)
    made = None
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
        if final.suffix.lower() == ".zip":
            draft = made / "bundle"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as packed:
                yield _Zip(packed)
        else:
            draft = made / "bundle"
            draft.mkdir(mode=FOLDER_MODE)
            yield _Folder(draft)
        _require_free(final, force)
        if force and os.path.lexists(final):
            final.rename(made / "replaced")
        draft.rename(final)
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be made ({error})", path=path, error=error.strerror or error),
            disk.next_step(error),
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _require_free(final: Path, force: bool) -> None:
    if not os.path.lexists(final):
        return
    if not force:
        raise OperatorError(
            t("{path} is there already", path=final.name),
            t("Name a new file, or add --force"),
        )
    if final.is_symlink() or final.is_file():
        bundle = final.suffix.lower() == ".zip"
    else:
        bundle = all((final / name).is_file() for name in (MANIFEST, SIGNATURE))
    if not bundle:
        raise OperatorError(
            t("{path} is no bundle and is left alone", path=final.name), t("Name a new place")
        )
