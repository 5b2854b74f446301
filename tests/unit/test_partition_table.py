"""The partition table is ESP-IDF's, byte for byte, and a wrong one is never made (host)."""

import hashlib
import struct

import pytest

from controller_tool.errors import ImageError
from controller_tool.flashing import partition_table
from controller_tool.services import boards

FLASH_BYTES = 0x400000


def row(
    label: str, offset: int, size: int, kind: int = 1, subtype: int = 0x40
) -> dict[str, object]:
    """As board.toml has it."""
    return {"label": label, "type": kind, "subtype": subtype, "offset": offset, "size": size}


def test_a_table_is_that_of_esp_idf() -> None:
    """The table of gen_esp32part_tests.py (LONGER_BINARY_TABLE), with the MD5 that stands there."""
    table = partition_table.encode(
        [
            row("factory", 0x10000, 0x100000, kind=0, subtype=0),
            row("data", 0x110000, 0x200, subtype=0x20),
            row("second", 0x150000, 0x1000, kind=0x10, subtype=0),
        ]
    )
    assert len(table) == 0xC00
    assert table[:32] == bytes.fromhex("aa50 0000 00000100 00001000") + b"factory".ljust(20, b"\0")
    assert table[32:64] == bytes.fromhex("aa50 0120 00001100 00020000") + b"data".ljust(20, b"\0")
    assert table[64:96] == bytes.fromhex("aa50 1000 00001500 00100000") + b"second".ljust(20, b"\0")
    assert table[96:112] == b"\xeb\xeb" + b"\xff" * 14
    assert table[112:128].hex() == "f9bd061b45686f86571a2cd52a1da65b"
    assert not table[128:].strip(b"\xff")


@pytest.mark.parametrize("board", boards.list_boards(), ids=lambda board: board.name)
def test_the_table_of_every_board_reads_back(board: boards.Board) -> None:
    table = partition_table.build(board.partitions, board.flash_bytes)
    assert partition_table.parse(table) == list(board.partitions)
    rows = 32 * len(board.partitions)
    sum_row = struct.unpack("<16s16s", table[rows : rows + 32])
    assert sum_row[1] == hashlib.md5(table[:rows], usedforsecurity=False).digest()
    nvs, phy, factory = board.partitions[:3]  # what a stock image wants where it is
    assert (nvs["label"], nvs["offset"], phy["offset"]) == ("nvs", 0x9000, 0xF000)
    assert factory["offset"] == 0x10000
    # the stock image of an ESP32 fills 0x198710 bytes (facts.md); larger flashes leave it more
    assert factory["size"] >= 0x1C0000
    assert "vfs" in board.labels


@pytest.mark.parametrize("place", [0, 4, 31, 100, 127])
def test_one_changed_bit_is_no_table(place: int) -> None:
    table = bytearray(partition_table.build(boards.show("virtual-door").partitions, FLASH_BYTES))
    table[place] ^= 1
    with pytest.raises(ImageError, match="no partition table"):
        partition_table.parse(bytes(table))


def test_blank_flash_is_no_table() -> None:
    with pytest.raises(ImageError):
        partition_table.parse(b"\xff" * 0xC00)
    with pytest.raises(ImageError):
        partition_table.parse(bytes(0xC00))


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([row("a", 0x9000, 0x2000), row("b", 0xA000, 0x1000)], "b begins before"),
        ([row("a", 0x8000, 0x1000)], "a begins before"),
        ([row("a", 0x9001, 0x1000)], "whole sectors"),
        ([row("a", 0x9000, 0x1001)], "whole sectors"),
        ([row("a", 0x9000, 0)], "whole sectors"),
        ([row("a", 0x11000, 0x10000, kind=0)], "whole sectors"),
        ([row("a", 0x3FF000, 0x2000)], "beyond the flash"),
        ([row("a", 0x9000, 0x1000), row("a", 0xA000, 0x1000)], "two partitions are called a"),
        ([row("sixteen-letters-", 0x9000, 0x1000)], "no label"),
        ([row("", 0x9000, 0x1000)], "no label"),
        ([row(f"p{n}", 0x9000 + n * 4096, 4096) for n in range(95)], "95 rows"),
    ],
)
def test_a_wrong_table_is_not_made(rows: list[dict[str, object]], wrong: str) -> None:
    with pytest.raises(ImageError, match=wrong):
        partition_table.build(rows, FLASH_BYTES)
