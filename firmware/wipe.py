"""Everything that makes a board this controller leaves its flash (device).

Loaded when a ticket retires it (firmware/retire.py), and by boot.py as long as MARK_PATH is there.
Power may be cut anywhere:

- before MARK_PATH is there, nothing has changed; from then on no start serves anything, opens the
  prompt or does anything but this, from the beginning
- keys, lists, journals and NVS are erased raw, sector by sector; folders are removed, and then
  every free block of the file system is erased by filling it. What is left are files of the
  firmware, which are no secret, and MARK_PATH
- only then goes the file system itself. LittleFS starts from its blocks 0 and 1, of which one is
  enough; the stock image formats when block 0 is blank and the other is none, and offers its
  prompt when block 0 is not blank. So block 1 is made to be enough, block 0 is erased, then block
  1, then the rest: a cut leaves a controller that goes on with this, or a blank board
"""

import os

import board

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

vfs: "Any" = __import__("vfs")  # MicroPython's own

MARK_PATH = "/retired"  # boot.py and packfs.py name it too
# bits of what was erased: protocol/wipe_receipt.py
_RAW = ("keys", "lists", "journal", "alarm", "nvs", "energy")
_FILES = 64
_FILL_PATH = "/fill"
_KEPT = ("py", "mpy", "pack", "sel")
_COUNT = 4
_BLOCK_BYTES_OF = 5
_ERASE = 6
_DIRECTORY = 0x4000
_SECTOR_BYTES = 4096
_PIECE_BYTES = 512
_SECRET_BYTES = 32
_ENODEV = 19


def mark() -> None:
    """From here on there is no way back; OSError when the flash refuses."""
    with open(MARK_PATH, "wb") as file:
        file.write(b"1")


def steps(erased: "list[int]", secrets: "tuple[bytes, ...]" = ()) -> "Iterator[None]":
    """One step for each sector or file; the bits of what was erased are added to erased[0].

    secrets: of these none may be left in the file system, or its bit is missing.
    """
    for number in range(len(_RAW)):
        try:
            partition = board.partition(_RAW[number])
        except OSError:  # this board has none
            continue
        clean = [True]
        yield from _clear(partition, 0, clean)
        if clean[0]:
            erased[0] |= 1 << number
    for entry in list(os.ilistdir("/")):
        name = entry[0]
        if entry[1] == _DIRECTORY:
            if name != "fw":  # where the pack is mounted
                yield from _remove("/" + name)
        elif name.split(".")[-1] not in _KEPT and "/" + name != MARK_PATH:
            os.remove("/" + name)
            yield
    yield from _fill()
    found = [False]
    yield from _look_for(secrets, found)
    if not found[0]:
        erased[0] |= _FILES


def _clear(partition: "Any", first: int, clean: "list[bool]") -> "Iterator[None]":
    """Erase what holds something; clean[0] is False when a sector stays as it was."""
    buffer = bytearray(_PIECE_BYTES)
    for sector in range(first, partition.ioctl(_COUNT, 0)):
        if not _is_blank(partition, sector, buffer):
            try:
                partition.ioctl(_ERASE, sector)
            except OSError:
                clean[0] = False
            if not _is_blank(partition, sector, buffer):
                clean[0] = False
        yield


def _is_blank(partition: "Any", sector: int, buffer: bytearray) -> bool:
    blank = b"\xff" * _PIECE_BYTES
    for at in range(0, _SECTOR_BYTES, _PIECE_BYTES):
        partition.readblocks(sector, buffer, at)
        if buffer != blank:
            return False
    return True


def _remove(folder: str) -> "Iterator[None]":
    for entry in list(os.ilistdir(folder)):
        path = folder + "/" + entry[0]
        if entry[1] == _DIRECTORY:
            yield from _remove(path)
        else:
            os.remove(path)
            yield
    os.rmdir(folder)


def _fill() -> "Iterator[None]":
    """A file that takes every free block, each erased for it, and goes again."""
    piece = b"\xff" * _PIECE_BYTES
    try:
        with open(_FILL_PATH, "wb") as file:
            while True:
                file.write(piece)
                yield
    except OSError:  # full
        os.remove(_FILL_PATH)


def _look_for(secrets: "tuple[bytes, ...]", found: "list[bool]") -> "Iterator[None]":
    partition: Any = board.partition("vfs")
    buffer = bytearray(_PIECE_BYTES + _SECRET_BYTES)
    for sector in range(partition.ioctl(_COUNT, 0) if secrets else 0):
        for at in range(0, _SECTOR_BYTES, _PIECE_BYTES):
            size = min(len(buffer), _SECTOR_BYTES - at)
            piece = memoryview(buffer)[:size]
            partition.readblocks(sector, piece, at)
            text = bytes(piece)
            for secret in secrets:
                if secret in text:
                    found[0] = True
        yield


def finish() -> None:
    """At a start: all of it, then the file system; ends in a reset to a blank board."""
    for _ in steps([0]):
        pass
    unmake(board.partition("vfs"))
    board.reset()


def unmake(partition: "Any") -> None:
    """The file system, which holds no secret any more; its files are of no use afterwards."""
    if not _is_enough(partition, 1):
        block = bytearray(_SECTOR_BYTES)
        partition.readblocks(0, block, 0)
        partition.ioctl(_ERASE, 1)
        partition.writeblocks(1, block, 0)
    partition.writeblocks(0, bytes(_PIECE_BYTES), 0)  # however its erase is torn, it is none
    for sector in (0, 1):
        partition.ioctl(_ERASE, sector)
    for _ in _clear(partition, 2, [True]):
        pass


class _Alone:
    """The file system as if of its blocks 0 and 1 only one was readable; for reading."""

    def __init__(self, partition: "Any", kept: int) -> None:
        self._partition = partition
        self._hidden = 1 - kept

    def readblocks(self, block: int, buf: "Any", offset: int = 0) -> int:
        self._partition.readblocks(block, buf, offset)
        if block == self._hidden:
            for i in range(len(buf)):
                buf[i] = 0xFF
        return 0

    def writeblocks(self, block: int, buf: "Any", offset: int = 0) -> int:
        return -_ENODEV

    def ioctl(self, request: int, argument: int) -> int:
        if request in (_COUNT, _BLOCK_BYTES_OF):
            answer: int = self._partition.ioctl(request, argument)
            return answer
        return 0


def _is_enough(partition: "Any", kept: int) -> bool:
    """Whether a start would find MARK_PATH with this one of the two blocks alone."""
    try:
        disk = vfs.VfsLfs2(_Alone(partition, kept))
        disk.stat(MARK_PATH)
    except OSError:
        return False
    return True
