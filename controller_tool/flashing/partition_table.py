"""The partition table of an ESP32, as its bootloader reads it at 0x8000 (host).

Rows are those of board.toml: label, type, subtype, offset, size. Format: ESP-IDF's documentation,
"Partition Tables", and its gen_esp32part.py; rows of 32 bytes, then one with the MD5 of those.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any

from controller_tool.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

OFFSET = 0x8000
TABLE_BYTES = 0xC00
SECTOR_BYTES = 4096
FIRST_OFFSET = OFFSET + SECTOR_BYTES  # what stands below is the bootloader's and the table's
_ROW = struct.Struct("<HBBII16sI")
_MAGIC, _MD5_MAGIC = 0x50AA, 0xEBEB
_MD5_ROW = b"\xeb\xeb" + b"\xff" * 14
_LABEL_BYTES = 15  # and the zero that ends it
_APP, _APP_ALIGN_BYTES = 0, 0x10000
_ROWS = TABLE_BYTES // _ROW.size - 2  # the sum's, and an empty one


def build(rows: Iterable[dict[str, Any]], flash_bytes: int) -> bytes:
    """The table of these rows on a chip of that size; ImageError when they are none."""
    ordered = sorted(rows, key=lambda row: int(row["offset"]))
    wrong = problems(ordered, flash_bytes)
    if wrong:
        raise ImageError(f"the partition table is wrong: {wrong[0]}", "mend the board's board.toml")
    return encode(ordered)


def encode(rows: Iterable[dict[str, Any]]) -> bytes:
    """Rows as they stand in flash, whatever they say."""
    table = b"".join(
        _ROW.pack(
            _MAGIC, row["type"], row["subtype"], row["offset"], row["size"],
            row["label"].encode(), 0,
        )
        for row in rows
    )  # fmt: skip
    table += _MD5_ROW + _md5(table)
    return table.ljust(TABLE_BYTES, b"\xff")


def parse(table: bytes) -> list[dict[str, Any]]:
    """The rows of a table whose sum is right; ImageError for anything else, a blank one too."""
    rows: list[dict[str, Any]] = []
    for at in range(0, len(table) - _ROW.size + 1, _ROW.size):
        row = table[at : at + _ROW.size]
        magic, kind, subtype, offset, size, label, _ = _ROW.unpack(row)
        if magic == _MD5_MAGIC and row == _MD5_ROW + _md5(table[:at]):
            return rows
        if magic != _MAGIC:
            break
        name = label.rstrip(b"\0").decode("ascii", "replace")
        rows.append(
            {"label": name, "type": kind, "subtype": subtype, "offset": offset, "size": size}
        )
    raise ImageError("there is no partition table whose sum is right", "flash the board anew")


def problems(rows: list[dict[str, Any]], flash_bytes: int) -> list[str]:
    """What is wrong with rows in the order of their offsets."""
    found = []
    if len(rows) > _ROWS:
        found.append(f"{len(rows)} rows, {_ROWS} fit")
    end = FIRST_OFFSET
    for row in rows:
        label, offset = str(row["label"]), int(row["offset"])
        align = _APP_ALIGN_BYTES if row["type"] == _APP else SECTOR_BYTES
        if not label.isascii() or not 0 < len(label) <= _LABEL_BYTES:
            found.append(f"{label} is no label of 1 to {_LABEL_BYTES} letters")
        if offset % align or int(row["size"]) % SECTOR_BYTES or int(row["size"]) <= 0:
            found.append(f"{label} does not fill whole sectors, or begins in the midst of one")
        if offset < end:
            found.append(f"{label} begins before what stands there ends")
        end = max(end, offset + int(row["size"]))
        if end > flash_bytes:
            found.append(f"{label} ends beyond the flash")
    labels = [row["label"] for row in rows]
    found += [f"two partitions are called {name}" for name in set(labels) if labels.count(name) > 1]
    return found


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
