"""A controller's file system as one image, made on this computer (host).

The parameters are those with which MicroPython mounts a partition of an ESP32 (VfsLfs2): blocks of
4096, reads and programs of 32, a cache of four of these, and version 2.0 on the disk.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import littlefs

from controller_tool.errors import ImageError

BLOCK_BYTES = 4096
_UNIT_BYTES = 32
_CACHE_BYTES = 4 * _UNIT_BYTES
_DISK_VERSION = 0x00020000
_KEPT_FREE_BYTES = 64 * 1024  # for lists that are coming and files that are replaced


def build(files: dict[str, bytes], size_bytes: int) -> bytes:
    """The image of a partition that holds these files, by path, and nothing else.

    Raises ImageError when they do not fit with some room to spare.
    """
    context = littlefs.UserContext(size_bytes)
    disk = _disk(context, size_bytes, _DISK_VERSION)
    disk.format()
    disk.mount()
    try:
        for path in sorted(files):
            disk.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
            with disk.open(path, "wb") as file:
                file.write(files[path])
    except littlefs.LittleFSError as error:
        raise _too_large(size_bytes) from error
    if (disk.block_count - disk.used_block_count) * BLOCK_BYTES < _KEPT_FREE_BYTES:
        raise _too_large(size_bytes)
    disk.unmount()
    return bytes(context.buffer)


def read(image: bytes) -> dict[str, bytes]:
    """The files of an image, by path; ImageError when it is none."""
    context = littlefs.UserContext(len(image))
    context.buffer[:] = image
    disk = _disk(context, len(image), 0)  # any: MicroPython's first write makes it 2.1
    found = {}
    try:
        disk.mount()
        for folder, _, names in disk.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                with disk.open(path, "rb") as file:
                    found[path] = file.read()
    except littlefs.LittleFSError as error:
        raise ImageError(
            "this is no file system of a controller", "flash the board anew"
        ) from error
    return found


def _disk(context: littlefs.UserContext, size_bytes: int, version: int) -> littlefs.LittleFS:
    """Not mounted: by itself the library formats what it cannot mount."""
    return littlefs.LittleFS(
        context,
        mount=False,
        block_size=BLOCK_BYTES,
        block_count=size_bytes // BLOCK_BYTES,
        read_size=_UNIT_BYTES,
        prog_size=_UNIT_BYTES,
        cache_size=_CACHE_BYTES,
        lookahead_size=_UNIT_BYTES,
        disk_version=version,
    )


def _too_large(size_bytes: int) -> ImageError:
    return ImageError(
        f"the files do not fit into {size_bytes} bytes", "give the partition vfs more room"
    )
