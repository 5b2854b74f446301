"""Reads bundles that anybody may have made: a folder or a zip file, bounded everywhere (host).

Nothing is unpacked and no link followed. What is too large, too many, doubled, encrypted, of an
impossible name or no plain file is refused in one line. So is a zip that is more than its files:
with bytes before, between or behind them another program would find other files in it than this.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from controller_tool import disk
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services.bundle_layout import (
    FILE_MAX_BYTES,
    FILES_MAX,
    NAME,
    RATIO_MAX,
    TOTAL_MAX_BYTES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

_END_OF_ZIP = b"PK\x05\x06"
_END_BYTES, _COMMENT_MAX = 22, 0xFFFF
_ZIP64 = b"PK\x06\x07"  # says where another end is, whose numbers count instead
_ZIP64_BYTES = 20
_ENTRY = b"PK\x01\x02"
_ENTRY_LENGTHS = struct.Struct("<28xHHH12x")  # of name, extra field and comment behind it
_DIRECTORY_MAX_BYTES = FILES_MAX * 256
_SMALL_BYTES = 1 << 16  # however well it was packed
_ENCRYPTED = 0x1
_LOCAL = struct.Struct("<4s14xI4xHH")  # mark; packed size, lengths of name and extra field
_LOCAL_FILE = b"PK\x03\x04"
_SIZES_BEHIND = 0x8  # the sizes follow the data, in so many bytes
_BEHIND_BYTES = (12, 16)
_DEPTH_MAX = 3


class Refused(OperatorError):
    """The bundle is not one, or not one that is safe to read."""

    def __init__(self, why: str) -> None:
        super().__init__(
            t("This is no sound bundle: {why}", why=why), t("Ask its maker for it again")
        )


class Source:
    """A bundle to read from; use it as a context. sizes: bytes by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip: zipfile.ZipFile | None = None
        self._infos: dict[str, zipfile.ZipInfo] = {}
        try:
            if path.is_dir():
                self.sizes = _checked(_folder(path, path))
            else:
                self._zip, self._infos = _open_zip(path)
                sizes = {name: info.file_size for name, info in self._infos.items()}
                self.sizes = _checked(iter(sizes.items()))
        except OSError as error:
            raise OperatorError(
                t("{path} cannot be read ({error})", path=path, error=error.strerror or error),
                disk.next_step(error),
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._zip is not None:
            self._zip.close()

    def read(self, name: str, most: int = FILE_MAX_BYTES) -> bytes:
        """One of its files; Refused when it is longer than ``most`` or not what it says."""
        if self.sizes[name] > most:
            raise Refused(t("{name} is too large", name=name))
        try:
            data = self._unzip(name) if self._zip else _read_plain(self._path / name, most)
        except (
            OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError,
            ValueError,
        ):  # fmt: skip
            raise Refused(t("{name} cannot be read", name=name)) from None
        if len(data) != self.sizes[name]:
            raise Refused(t("{name} is not as long as it says", name=name))
        return data

    def _unzip(self, name: str) -> bytes:
        info = self._infos[name]
        assert self._zip is not None  # noqa: S101 - its caller saw to it
        with self._zip.open(info) as file:
            return file.read(info.file_size + 1)


def _folder(top: Path, folder: Path, depth: int = 1) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            name = path.relative_to(top).as_posix()
            if entry.is_dir(follow_symlinks=False) and depth < _DEPTH_MAX:
                yield from _folder(top, path, depth + 1)
            elif entry.is_file(follow_symlinks=False):
                yield name, entry.stat(follow_symlinks=False).st_size
            else:
                raise Refused(t("{name} is no plain file", name=ascii(name)[1:-1]))


def _read_plain(path: Path, most: int) -> bytes:
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("no plain file")
        return file.read(most + 1)


def _open_zip(path: Path) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    _check_directory(path)
    try:
        opened = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, MemoryError):
        raise Refused(t("it is neither a folder nor a zip file")) from None
    found: dict[str, zipfile.ZipInfo] = {}
    try:
        for info in opened.infolist():
            if info.filename.endswith("/"):
                _check_name(info.filename[:-1])
                continue
            _check_info(info, found)
            found[info.filename] = info
        _check_seams(path, opened)
    except Refused:
        opened.close()
        raise
    return opened, found


def _check_seams(path: Path, opened: zipfile.ZipFile) -> None:
    """From the first byte to the last one file follows the other, then the list, then its end."""
    with path.open("rb") as file:
        at = 0
        for info in sorted(opened.infolist(), key=lambda info: info.header_offset):
            file.seek(info.header_offset)
            head = file.read(_LOCAL.size)
            if info.header_offset != at or len(head) < _LOCAL.size:
                raise Refused(_more())
            mark, packed, name, extra = _LOCAL.unpack(head)
            at += _LOCAL.size + name + extra + info.compress_size
            if info.flag_bits & _SIZES_BEHIND:
                at += _behind(file, at)
            elif packed != info.compress_size:
                raise Refused(_more())
            if mark != _LOCAL_FILE:
                raise Refused(_more())
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        end = file.read()
        length = int.from_bytes(end[12:16], "little")
        if not end.startswith(_END_OF_ZIP) or at + length + _END_BYTES != size:
            raise Refused(_more())


def _behind(file: IO[bytes], at: int) -> int:
    """How many bytes the sizes behind a file's data take: with a mark of their own or without."""
    file.seek(at)
    short, marked = _BEHIND_BYTES
    return marked if file.read(4) == b"PK\x07\x08" else short


def _more() -> str:
    return t("there is more in it than its files")


def _check_info(info: zipfile.ZipInfo, found: dict[str, zipfile.ZipInfo]) -> None:
    _check_name(info.filename)
    name = info.filename
    if name in found:
        raise Refused(t("{name} is in it twice", name=name))
    plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not plain or info.flag_bits & _ENCRYPTED:
        raise Refused(t("{name} is no plain file", name=name))
    if info.file_size > max(_SMALL_BYTES, info.compress_size * RATIO_MAX):
        raise Refused(t("{name} is too large", name=name))


def _check_directory(path: Path) -> None:
    """Bound the list of files before the library reads it whole.

    The library believes the length of the list, and not how many files its end says there are. So
    they are counted here. ZIP64, whose end is another one, is refused: no bundle is that large.
    """
    with path.open("rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Refused(t("it is neither a folder nor a zip file"))
        size = file.seek(0, os.SEEK_END)
        begin = max(0, size - _END_BYTES - _COMMENT_MAX - _ZIP64_BYTES)
        file.seek(begin)
        tail = file.read()
        at = tail.rfind(_END_OF_ZIP)
        if at < 0 or len(tail) - at < _END_BYTES:
            raise Refused(t("it is neither a folder nor a zip file"))
        if tail[max(0, at - _ZIP64_BYTES) : at].startswith(_ZIP64):
            raise Refused(t("it is too large"))
        length = int.from_bytes(tail[at + 12 : at + 16], "little")
        if length > min(_DIRECTORY_MAX_BYTES, begin + at):
            raise Refused(t("there are too many files in it"))
        file.seek(begin + at - length)
        if _entries(file.read(length)) > FILES_MAX:
            raise Refused(t("there are too many files in it"))


def _entries(directory: bytes) -> int:
    """How many files the list names, counted as far as one too many."""
    count = at = 0
    while directory.startswith(_ENTRY, at) and len(directory) - at >= _ENTRY_LENGTHS.size:
        count += 1
        if count > FILES_MAX:
            break
        at += _ENTRY_LENGTHS.size + sum(_ENTRY_LENGTHS.unpack_from(directory, at))
    return count


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Refused(t("{name} is no name of a file in a bundle", name=ascii(name)[1:-1][:80]))


def _checked(files: Iterator[tuple[str, int]]) -> dict[str, int]:
    """Sizes by name, all within bounds."""
    sizes: dict[str, int] = {}
    for name, size in files:
        _check_name(name)
        sizes[name] = size
        if len(sizes) > FILES_MAX:
            raise Refused(t("there are too many files in it"))
        if size > FILE_MAX_BYTES:
            raise Refused(t("{name} is too large", name=name))
    if sum(sizes.values()) > TOTAL_MAX_BYTES:
        raise Refused(t("it is too large"))
    return sizes
