"""What it costs to import a board's firmware from a LittleFS: files, or a pack (MicroPython).

    micropython measure_imports.py FOLDER

FOLDER/disk is what lies on the file system, FOLDER/names the modules to import, in order. With a
/fw0.pack among the files it is mounted and imported from. Prints figures, a name and a number.
"""

import os
import sys

from tests.firmware.flash import Chip, Partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# MicroPython's own
vfs: "Any" = __import__("vfs")
listing: "Any" = os.__dict__["ilistdir"]
_SECTORS = 512  # of a stock 4 MB image: our own layout has no room for so many files
_DIRECTORY = 0x4000
_BUILT_IN = ("asyncio", "binascii", "collections", "hashlib", "io", "socket", "struct", "tls")


class Anything:
    """Has every name: what is asked for at an import is used later, on a board alone."""

    def __getattr__(self, name: str) -> object:
        return object()


def copy(source: str, target: str) -> None:
    """A folder of this machine to the file system."""
    for entry in list(listing(source)):
        path, there = source + "/" + entry[0], target + "/" + entry[0]
        if entry[1] == _DIRECTORY:
            os.mkdir(there)  # noqa: PTH102 - MicroPython has no pathlib
            copy(path, there)
            continue
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
        with open(there, "wb") as file:  # noqa: PTH123
            file.write(data)


def measure(folder: str) -> None:
    for name in ("esp32", "machine", "board"):
        sys.modules[name] = Anything()  # type: ignore[assignment]
    sys.path.insert(0, folder)
    packfs: Any = __import__("packfs")
    for name in _BUILT_IN:
        __import__(name)
    with open(folder + "/names") as file:  # noqa: PTH123
        names = file.read().split()
    chip = Chip()
    disk = Partition(chip, _SECTORS)
    vfs.VfsLfs2.mkfs(disk)
    vfs.mount(disk, "/lfs")
    copy(folder + "/disk", "/lfs")
    vfs.umount("/lfs")
    vfs.mount(disk, "/lfs")
    # nothing of this machine's firmware may be found any more
    sys.path[:] = ["/lfs", ".frozen"]
    for name in list(sys.modules):
        if name.split(".")[0] in ("firmware", "protocol"):
            del sys.modules[name]
    if "fw0.pack" in os.listdir("/lfs"):  # noqa: PTH208
        vfs.mount(packfs.PackFs("/lfs/fw0.pack"), "/fw")
        sys.path.insert(0, "/fw")
    chip.reads = chip.model_us = 0
    for name in names:
        __import__(name, None, None, ("*",))
    print("reads", chip.reads)
    print("flash_us", chip.model_us)
    print("modules", len(names))


measure(sys.argv[1])
