"""The partition table of a board (host).

- partitions lie within the flash, one behind the other, none over another
- they begin and end at a sector; a program's at 64 KB, where the chip can map it
- what the firmware needs is there, each of its type
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
_FLASH_SIZES = tuple(1 << power for power in range(22, 26))  # 4 to 32 MB


def problems(description: dict[str, Any]) -> list[str]:
    """What is wrong with a board's table."""
    return list(_all(description["partitions"], int(description["flash_bytes"])))


def _all(rows: list[dict[str, Any]], flash_bytes: int) -> Iterator[str]:
    if flash_bytes not in _FLASH_SIZES:
        yield f"a flash of {flash_bytes} bytes is none of 4, 8, 16 and 32 MB"
    by_label = {row["label"]: row for row in rows}
    for label, kind in NEEDED.items():
        row = by_label.get(label)
        if row is None:
            yield f"the partition {label} is missing"
        elif (row["type"], row["subtype"]) != kind:
            yield f"the partition {label} is of another type than {kind[0]}, {kind[1]:#x}"
    end, before = _TABLE_END, "the partition table"
    for row in sorted(rows, key=lambda row: int(row["offset"])):
        align = _APP_ALIGN if row["type"] == _APP else SECTOR_BYTES
        if row["offset"] % align or row["size"] % SECTOR_BYTES:
            yield f"{row['label']} does not begin and end at a sector ({align:#x})"
        if row["offset"] < end:
            yield f"{row['label']} begins before {before} ends"
        if row["type"] == _APP and row["size"] < _APP_BYTES:
            yield f"{row['label']} is too small for a stock image"
        end, before = row["offset"] + row["size"], row["label"]
    if end > flash_bytes:
        yield f"the table ends {end - flash_bytes} bytes behind the flash"
