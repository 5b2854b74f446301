"""What goes where in the flash, and images that do not go there (host)."""

from dataclasses import replace

import pytest

from controller_tool.errors import ImageError, OperatorError
from controller_tool.flashing import layout, littlefs_image, partition_table
from controller_tool.services import boards
from tests.made_up_images import image

DOOR = boards.show("virtual-door")
CHARGER = boards.show("virtual-charger16")
FILES = {"/boot.py": b"pass\n", "/cfg/config.cbor": b"\xa0"}
CELLS = (b"a" * 84, b"b" * 80)
VENDOR = image(size=0x20000)


def partition(board: boards.Board, label: str) -> dict[str, int]:
    """Its row."""
    return next(row for row in board.partitions if row["label"] == label)


def test_our_table_takes_the_place_of_the_vendors() -> None:
    whole = layout.pieces(DOOR, VENDOR, FILES)[0]
    assert whole.offset == 0x1000
    table = whole.data[0x7000:0x7C00]
    assert partition_table.parse(table) == list(DOOR.partitions)
    assert whole.data[:0x7000] == VENDOR[:0x7000]
    assert not whole.data[0x7C00:0xF000].strip(b"\xff")  # NVS and PHY are blank
    assert whole.data[0xF000:] == VENDOR[0xF000:]


def test_an_s3_begins_at_0() -> None:
    board = replace(DOOR, chip="esp32s3")
    whole = layout.pieces(board, image("esp32s3", 0x20000), FILES)[0]
    assert whole.offset == 0
    assert partition_table.parse(whole.data[0x8000:0x8C00]) == list(board.partitions)


def test_file_system_and_key_cells_stand_in_their_partitions() -> None:
    pieces = layout.pieces(DOOR, VENDOR, FILES | {"/large": bytes(50_000)}, CELLS)
    found = {piece.offset: piece.data for piece in pieces}
    vfs, keys = partition(DOOR, "vfs"), partition(DOOR, "keys")
    system = bytearray(b"\xff" * vfs["size"])
    for offset, data in found.items():
        if vfs["offset"] <= offset < vfs["offset"] + vfs["size"]:
            at = offset - vfs["offset"]
            system[at : at + len(data)] = data
    assert littlefs_image.read(bytes(system)) == FILES | {"/large": bytes(50_000)}
    assert sum(map(len, found.values())) - len(pieces[0].data) < 80_000  # blank blocks are not
    assert found[keys["offset"]] == CELLS[0].ljust(4096, b"\xff")
    assert found[keys["offset"] + 8 * 4096] == CELLS[1].ljust(4096, b"\xff")


@pytest.mark.parametrize("board", [DOOR, CHARGER], ids=lambda board: board.name)
def test_all_else_behind_the_program_is_to_be_blank(board: boards.Board) -> None:
    pieces = layout.pieces(board, VENDOR, FILES, CELLS)
    blanks = layout.blanks(board, pieces)
    covered = set()
    for offset, size in blanks:
        covered |= set(range(offset // 4096, (offset + size) // 4096))
    for piece in pieces:
        written = set(range(piece.offset // 4096, -(-piece.end // 4096)))
        assert not covered & written
        covered |= written
    behind = set(range(partition(board, "vfs")["offset"] // 4096, board.flash_bytes // 4096))
    assert behind <= covered
    assert len(blanks) < 8  # neighbours are one


@pytest.mark.parametrize(
    ("board", "data", "wrong"),
    [
        (DOOR, b"", "no MicroPython image that begins at 0x1000"),
        (DOOR, b"\xe9" + bytes(200000), "no MicroPython image"),
        (DOOR, image("esp32s3", 0x20000), "no MicroPython image"),  # it begins elsewhere
        (replace(DOOR, chip="esp32s3"), VENDOR, "no MicroPython image that begins at 0x0"),
        (DOOR, VENDOR[:12] + b"\x09" + VENDOR[13:], "another chip than ESP32"),
        (DOOR, VENDOR.ljust(0x1D0000, b"\0"), "bytes, the board has room for 1835008"),
    ],
)
def test_what_is_no_image_for_the_board_is_refused(
    board: boards.Board, data: bytes, wrong: str
) -> None:
    with pytest.raises(OperatorError, match=wrong) as caught:
        layout.pieces(board, data, FILES)
    assert caught.value.next_step


def test_a_board_without_a_chip_or_a_file_system_is_not_flashed() -> None:
    with pytest.raises(ImageError, match="no chip and flash size"):
        layout.pieces(replace(DOOR, chip="esp8266"), VENDOR, FILES)
    rows = tuple(row for row in DOOR.partitions if row["label"] != "vfs")
    with pytest.raises(ImageError, match="no partition vfs"):
        layout.pieces(replace(DOOR, partitions=rows), VENDOR, FILES)
