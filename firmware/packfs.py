"""A read-only file system over one pack file, so that imports cost one directory (device).

Layout of a pack (controller_tool/pack.py builds it):
b"CPK1" | length of the directory, 4 digits | directory | bodies | SHA-256 of all before.
The directory is text, "\\nNAME OFFSET LENGTH" for each file; offsets count from the pack's start.
It stays one bytes object and is searched, because a dictionary of forty names costs 3 KB.
Installed as a plain file of its own: it must be there before any pack is.
"""

import gc
import io
import os

_MAGIC = b"CPK1"
_DIGEST_BYTES = 32
_HEADER_BYTES = 8
_DIRECTORY = 0x4000
_BUFFER_SIZE = 11  # stream request of MicroPython's C code: how much an import reads at once
_PIECE_BYTES = 128
_ENOENT = 2
_EROFS = 30

API = 1  # of what stands beside the pack, as a pack knows it: counts up when that changes
mounted = -1  # number of the slot that runs; firmware/slots.py mounts it
state = ""  # "t": it is on trial; "r": it runs because the other one failed


class Body(io.IOBase):
    """The bytes of one file in the pack."""

    def __init__(self, file: "io.BufferedReader", start: int, length: int) -> None:
        self._file = file
        self._at = start
        self._end = start + length

    def readinto(self, buf: "bytearray | memoryview") -> int:
        file = self._file
        file.seek(self._at)
        count: int = file.readinto(memoryview(buf)[: self._end - self._at])
        self._at += count
        return count

    def ioctl(self, request: int, argument: int) -> int:
        return _PIECE_BYTES if request == _BUFFER_SIZE else 0


class PackFs:
    """What vfs.mount() wants of a file system, reading only."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - open for as long as it is mounted
        header = self._file.read(_HEADER_BYTES)
        if header[:4] != _MAGIC:
            raise OSError(_ENOENT)
        self._directory = self._file.read(int(header[4:]))

    def mount(self, readonly: bool, mkfs: bool) -> None:
        """Called by vfs.mount()."""

    def umount(self) -> None:
        """Called by vfs.umount()."""
        self._file.close()

    def stat(self, path: str) -> "tuple[int, ...]":
        """Mode and size; OSError(ENOENT) when there is no such file or folder."""
        name = path.strip("/").encode()
        place = self._find(name)
        if place:
            return (0x8000, 0, 0, 0, 0, 0, place[1], 0, 0, 0)
        if name and self._directory.find(b"\n" + name + b"/") < 0:
            raise OSError(_ENOENT)
        return (_DIRECTORY, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    def open(self, path: str, mode: str) -> "Body":
        """One file, read as it is imported: the heap may have no hole that takes it whole."""
        if "w" in mode or "a" in mode or "+" in mode:
            raise OSError(_EROFS)
        place = self._find(path.strip("/").encode())
        if not place:
            raise OSError(_ENOENT)
        gc.collect()  # what is loaded to stay comes to lie side by side
        return Body(self._file, place[0], place[1])

    def _find(self, name: bytes) -> "tuple[int, int] | None":
        at = self._directory.find(b"\n" + name + b" ")
        if at < 0:
            return None
        end = self._directory.find(b"\n", at + 1)
        _, offset, length = self._directory[at + 1 : end].split(b" ")
        return int(offset), int(length)


def modules() -> "list[str]":
    """Names of the modules in the pack that runs; none when none is mounted."""
    if mounted < 0:
        return []
    with open("/fw{}.pack".format(mounted), "rb") as file:
        directory = file.read(int(file.read(_HEADER_BYTES)[4:])).decode()
    return [line.split(".")[0].replace("/", ".") for line in directory.split("\n")[1:-1]]


def identity() -> bytes:
    """SHA-256 of the pack that runs, 32 bytes; empty when none is mounted."""
    if mounted < 0:
        return b""
    with open("/fw{}.pack".format(mounted), "rb") as file:
        file.seek(-_DIGEST_BYTES, 2)
        return file.read()


def provisioned() -> bool:
    """Whether this board has been given an identity; without one it stays at the REPL.

    A flash that cannot be read proves nothing: only a file that is not there opens the prompt.
    """
    try:
        os.stat("/cfg/config.cbor")
    except OSError as error:
        return error.errno != _ENOENT
    return True
