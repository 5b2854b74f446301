"""Lists on a real LittleFS over a NOR chip, for the firmware's search (MicroPython)."""

import hashlib

from firmware.whitelist import BASE_PATHS, FOLDER, Whitelist
from protocol.constants import TIME_END_MIN
from protocol.manifest import Manifest
from tests.firmware.flash import Chip, Partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

vfs: "Any" = __import__("vfs")  # MicroPython's own

_FLASH_SECTORS = 12  # beside the list
POINT = 0
ISSUED_S = 200_000_000


def keys(count: int) -> "list[bytes]":
    """So many uniform card keys, sorted, the same each time."""
    return sorted(hashlib.sha256(b"%d" % n).digest()[:8] for n in range(count))


def record(key: bytes) -> bytes:
    """A card without end on profile 1; its first minute tells records apart."""
    return key + b"\0" + key[:2] + TIME_END_MIN.to_bytes(3, "big") + b"\x01\x00"


def held_list(card_keys: "list[bytes]") -> "tuple[Whitelist, Chip]":
    """A whitelist in force with these cards, and the chip that it lies on."""
    chip = Chip()
    flash = Partition(chip, _FLASH_SECTORS + len(card_keys) * 16 // 4000)
    vfs.VfsLfs2.mkfs(flash)
    try:
        vfs.umount(FOLDER)
    except OSError:  # nothing was mounted before the first one
        chip.operations = 0
    vfs.mount(flash, FOLDER)
    with open(BASE_PATHS[0], "wb") as file:  # noqa: PTH123 - MicroPython has no pathlib
        file.write(b"".join([record(key) for key in card_keys]))
    manifest = Manifest()
    manifest.version = 1
    manifest.count = len(card_keys)
    manifest.result_digest = bytes(32)
    manifest.profiles = [(1, 1 << POINT, 0, 50, 0, 0, 0)]
    manifest.schedules = []
    manifest.utc_offsets = []
    manifest.holidays = []
    manifest.policy = (0, 0)
    manifest.refresh_by_s = ISSUED_S + 86400
    whitelist = Whitelist()
    for _ in whitelist.preparing(0, len(card_keys)):
        pass
    whitelist.take(manifest, 0)
    return whitelist, chip
