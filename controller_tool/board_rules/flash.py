"""The partition table of a board (host).

- partitions lie within the flash, one behind the other, none over another
- they begin and end at a sector; a program's at 64 KB, where the chip can map it
- what the firmware needs is there, each of its type
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
_FLASH_SIZES = tuple(1 << power for power in range(22, 26))  # 4 to 32 MB


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
