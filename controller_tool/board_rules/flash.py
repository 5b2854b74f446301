"""The partition table of a board (host).

- partitions lie within the flash, one behind the other, none over another
- they begin and end at a sector; a program's at 64 KB, where the chip can map it
- what the firmware needs is there, each of its type, and as large as the firmware counts
- `proposed` is the table that a new board begins with. A flash of 8 MB or more has lists of 50 000
  cards and rings as long as a key cell can count; more than that nothing in the firmware can use,
  so that 16 and 32 MB have the table of 8
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.messages import t
from protocol.constants import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLE_END = 0x9000  # boot loader and the table itself lie below
_APP, _APP_ALIGN = 0, 0x10000
_APP_BYTES = 0x1A0000  # a stock image of 1.26 takes 0x198710
# type and subtype of each label
NEEDED = {
    "nvs": (1, 0x02), "factory": (0, 0x00), "vfs": (1, 0x81), "lists": (1, 0x43),
    "keys": (1, 0x40), "alarm": (1, 0x41), "journal": (1, 0x42),
}  # fmt: skip
_KEYS_BYTES = 0x10000  # eight sectors of cells a ring
_RING_SECTORS_MAX = 256  # a key cell names its sector in one byte
_VFS_BYTES = 0x80000  # two slots of 150 KB, identity, and 64 KB that stay free
_TABLE_SECTORS = 3  # of each half of the lists: firmware/bases.py
_CARD_BYTES = 16
CARDS_MAX = 50000
_SMALL = (
    ("nvs", 0x9000, 0x6000), ("phy_init", 0xF000, 0x1000), ("factory", 0x10000, 0x1C0000),
    ("vfs", 0x1D0000, 0x83000), ("lists", 0x253000, 0xA4000), ("keys", 0x2F7000, 0x10000),
    ("alarm", 0x307000, 0x10000), ("journal", 0x317000, 0xE9000),
)  # fmt: skip
_LARGE = (
    ("nvs", 0x9000, 0x6000), ("phy_init", 0xF000, 0x1000), ("factory", 0x10000, 0x1F0000),
    ("vfs", 0x200000, 0x100000), ("lists", 0x300000, 0x18E000), ("keys", 0x48E000, 0x10000),
    ("alarm", 0x49E000, 0x40000), ("journal", 0x4DE000, 0x100000),
)  # fmt: skip
_ENERGY_BYTES = 0x10000
_PHY, _ENERGY = (1, 0x01), (1, 0x44)
_LARGE_FROM = 0x800000
_FLASH_SIZES = tuple(1 << power for power in range(22, 26))  # 4 to 32 MB


def proposed(kind: str, flash_bytes: int) -> list[dict[str, Any]]:
    """The rows of a new door's or charger's partition table."""
    places = list(_LARGE if flash_bytes >= _LARGE_FROM else _SMALL)
    if kind == "charger":  # its account of energy comes last, and where need be out of the journal
        label, offset, size = places[-1]
        size = min(size, flash_bytes - offset - _ENERGY_BYTES)
        places[-1:] = [(label, offset, size), ("energy", offset + size, _ENERGY_BYTES)]
    kinds = {**NEEDED, "phy_init": _PHY, "energy": _ENERGY}
    return [
        {"label": label, "type": kinds[label][0], "subtype": kinds[label][1],
         "offset": offset, "size": size}
        for label, offset, size in places
    ]  # fmt: skip


def cards_that_fit(rows: list[dict[str, Any]]) -> int:
    """How many cards the lists' partition holds twice, at most as many as a list may have."""
    size = next((int(row["size"]) for row in rows if row["label"] == "lists"), 0)
    sectors = size // SECTOR_BYTES // 2 - _TABLE_SECTORS
    return max(0, min(CARDS_MAX, sectors * SECTOR_BYTES // _CARD_BYTES))


def problems(description: dict[str, Any]) -> list[str]:
    """What is wrong with a board's table."""
    return list(_all(description["partitions"], int(description["flash_bytes"])))


def _all(rows: list[dict[str, Any]], flash_bytes: int) -> Iterator[str]:
    if flash_bytes not in _FLASH_SIZES:
        yield t("a flash of {bytes} bytes is none of 4, 8, 16 and 32 MB", bytes=flash_bytes)
    by_label = {row["label"]: row for row in rows}
    for label, kind in NEEDED.items():
        row = by_label.get(label)
        if row is None:
            yield t("the partition {label} is missing", label=label)
        elif (row["type"], row["subtype"]) != kind:
            yield t(
                "the partition {label} is of another type than {type}, {subtype:#x}",
                label=label, type=kind[0], subtype=kind[1],
            )  # fmt: skip
    yield from _sizes(by_label)
    end, before = _TABLE_END, t("the partition table")
    for row in sorted(rows, key=lambda row: int(row["offset"])):
        align = _APP_ALIGN if row["type"] == _APP else SECTOR_BYTES
        if row["offset"] % align or row["size"] % SECTOR_BYTES:
            yield t(
                "{label} does not begin and end at a sector ({align:#x})",
                label=row["label"], align=align,
            )  # fmt: skip
        if row["offset"] < end:
            yield t("{label} begins before {before} ends", label=row["label"], before=before)
        if row["type"] == _APP and row["size"] < _APP_BYTES:
            yield t("{label} is too small for a stock image", label=row["label"])
        end, before = row["offset"] + row["size"], row["label"]
    if end > flash_bytes:
        yield t("the table ends {bytes} bytes behind the flash", bytes=end - flash_bytes)


def _sizes(by_label: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What the firmware counts on, of those that are there."""
    for label, least, most in (
        ("keys", _KEYS_BYTES, _KEYS_BYTES),
        ("vfs", _VFS_BYTES, None),
        ("alarm", 2 * SECTOR_BYTES, _RING_SECTORS_MAX * SECTOR_BYTES),
        ("journal", 2 * SECTOR_BYTES, _RING_SECTORS_MAX * SECTOR_BYTES),
    ):
        size = int(by_label.get(label, {"size": least})["size"])
        if size < least:
            yield t("{label} has {bytes} bytes, the firmware needs {least}",
                    label=label, bytes=size, least=least)  # fmt: skip
        elif most is not None and size > most:
            yield t("{label} has {bytes} bytes, the firmware counts no further than {most}",
                    label=label, bytes=size, most=most)  # fmt: skip
