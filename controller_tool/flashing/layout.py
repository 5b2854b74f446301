"""What goes where in a controller's flash: image, partition table, file system, key cells (host).

- a vendor's image begins at the bootloader and reaches to the end of its program; its own partition
  table is exchanged for the board's, and what lies between that and the program is left blank
- of the file system those blocks are written that hold something
- all else behind the program is to be blank: partitions of which nothing is written, and the rest
  of the file system's
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import ImageError, OperatorError
from controller_tool.flashing import littlefs_image, partition_table
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.services.boards import Board

SECTOR_BYTES = partition_table.SECTOR_BYTES
_APP_OFFSET = 0x10000
_MAGIC = 0xE9
_CHIP_ID_AT = 12  # u16 in the header that follows the first eight bytes
_ALARM_CELLS = 8  # sectors of key cells: the access ring's, then the alarm ring's
_FILE_SYSTEM, _CELLS = "vfs", "keys"


@dataclass(frozen=True)
class Chip:
    """What must be known of a chip: its name, where it starts, what its images say."""

    name: str
    bootloader_offset: int
    image_id: int


CHIPS = {"esp32": Chip("ESP32", 0x1000, 0), "esp32s3": Chip("ESP32-S3", 0, 9)}


@dataclass(frozen=True)
class Piece:
    """Bytes and the place in flash where they begin."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + len(self.data)


def chip_of(board: Board) -> Chip:
    """The board's; ImageError where its board.toml names none that can be flashed."""
    if board.chip not in CHIPS or not board.flash_bytes:
        raise ImageError(
            t("{board} tells no chip and flash size that can be flashed", board=board.name),
            t("Mend its board.toml"),
        )
    return CHIPS[board.chip]


def image_bytes_max(board: Board) -> int:
    """The longest image that fits: from the bootloader to the end of the program's partition."""
    start = chip_of(board).bootloader_offset
    return _APP_OFFSET - start + _program_room(board)


def _program_room(board: Board) -> int:
    return next(int(row["size"]) for row in board.partitions if row["offset"] == _APP_OFFSET)


def check_image(board: Board, image: bytes) -> None:
    """Refuses what is no image for the board's chip, or too long for it."""
    chip = chip_of(board)
    app = _APP_OFFSET - chip.bootloader_offset
    if any(image[at : at + 1] != bytes((_MAGIC,)) for at in (0, app)):
        raise OperatorError(
            t("This file is no MicroPython image that begins at {offset}",
              offset=hex(chip.bootloader_offset)),
            t("Take the .bin of MicroPython's download page for {chip}", chip=chip.name),
        )  # fmt: skip
    ids = {
        int.from_bytes(image[at + _CHIP_ID_AT : at + _CHIP_ID_AT + 2], "little") for at in (0, app)
    }
    if ids != {chip.image_id}:
        raise OperatorError(
            t("This image is for another chip than {chip}", chip=chip.name),
            t("Take the .bin of MicroPython's download page for {chip}", chip=chip.name),
        )
    room = _program_room(board)
    if len(image) - app > room:
        raise OperatorError(
            t("The image's program has {size} bytes, the board has room for {room}",
              size=len(image) - app, room=room),
            t("Take an older image, or one with less in it"),
        )  # fmt: skip


def program(board: Board, image: bytes) -> Piece:
    """The image's program: what of it no later use changes."""
    return Piece(_APP_OFFSET, image[_APP_OFFSET - chip_of(board).bootloader_offset :])


def pieces(
    board: Board, image: bytes, files: dict[str, bytes], cells: tuple[bytes, ...] = ()
) -> list[Piece]:
    """Everything that is written, in order of place. cells: first key cells of the two rings."""
    check_image(board, image)
    start = chip_of(board).bootloader_offset
    table = partition_table.build(board.partitions, board.flash_bytes)
    before = image[: partition_table.OFFSET - start]
    blank = table.ljust(_APP_OFFSET - partition_table.OFFSET, b"\xff")
    system = _partition(board, _FILE_SYSTEM)
    found = [
        Piece(start, before + blank + image[_APP_OFFSET - start :]),
        *_filled(system[0], littlefs_image.build(files, system[1])),
    ]
    first = _partition(board, _CELLS)[0]
    found += [
        # whole sectors: esptool sends what does not shrink uncompressed, filled up to 16 KB
        Piece(first + number * _ALARM_CELLS * SECTOR_BYTES, cell.ljust(SECTOR_BYTES, b"\xff"))
        for number, cell in enumerate(cells)
    ]
    return sorted(found, key=lambda piece: piece.offset)


def blanks(board: Board, written: list[Piece]) -> list[tuple[int, int]]:
    """(offset, bytes) of what is to be blank: the partitions behind the program, sector-wise.

    Neighbours are one stretch; what is written there is left out, with the sectors it touches.
    """
    taken = {
        sector
        for piece in written
        for sector in range(piece.offset // SECTOR_BYTES, -(-piece.end // SECTOR_BYTES))
    }
    found: list[list[int]] = []
    for row in sorted(board.partitions, key=lambda row: int(row["offset"])):
        if row["offset"] <= _APP_OFFSET:
            continue
        first, count = row["offset"] // SECTOR_BYTES, row["size"] // SECTOR_BYTES
        for sector in range(first, first + count):
            if sector in taken:
                continue
            if found and found[-1][1] == sector:
                found[-1][1] = sector + 1
            else:
                found.append([sector, sector + 1])
    return [(first * SECTOR_BYTES, (end - first) * SECTOR_BYTES) for first, end in found]


def _filled(offset: int, data: bytes) -> list[Piece]:
    """The sectors of `data` that are not blank, neighbours in one piece."""
    found: list[Piece] = []
    for at in range(0, len(data), SECTOR_BYTES):
        sector = data[at : at + SECTOR_BYTES]
        if not sector.strip(b"\xff"):
            continue
        if found and found[-1].end == offset + at:
            found[-1] = Piece(found[-1].offset, found[-1].data + sector)
        else:
            found.append(Piece(offset + at, sector))
    return found


def _partition(board: Board, label: str) -> tuple[int, int]:
    """Offset and size; ImageError where the board has none of that name."""
    for row in board.partitions:
        if row["label"] == label:
            return int(row["offset"]), int(row["size"])
    raise ImageError(
        t("{board} has no partition {label}", board=board.name, label=label),
        t("Mend its board.toml"),
    )
