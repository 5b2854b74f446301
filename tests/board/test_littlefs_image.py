"""A file system made on the host mounts on a board, which goes on writing into it (host)."""

import hashlib

import pytest

from controller_tool.errors import ImageError
from controller_tool.flashing import littlefs_image, partition_table
from controller_tool.services import boards, install
from controller_tool.sim import service
from tests.board.conftest import MakeBoard
from tests.board.prompt import Prompt

FILES = {
    "/cfg/config.cbor": bytes(range(256)) * 3,
    "/cfg/key.der": b"k" * 300,
    "/empty": b"",
    "/fw0.pack": b"".join(hashlib.sha256(bytes((n,))).digest() for n in range(256)) * 10,
    "/small": b"1",
}
SIZE_BYTES = 0x83000
LOOK = """
import hashlib
def look(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            piece = file.read(1024)
            if not piece:
                return digest.digest()
            digest.update(piece)
"""


def lay(board: service.Board, offset: int, data: bytes) -> None:
    """Into the chip of a board without power."""
    with board.folder.flash_path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_an_image_reads_back_and_is_the_same_each_time() -> None:
    image = littlefs_image.build(FILES, SIZE_BYTES)
    assert len(image) == SIZE_BYTES
    assert littlefs_image.read(image) == FILES
    assert (image[8:16], image[20:24]) == (b"littlefs", b"\0\0\2\0")  # 2.0, as of any MicroPython
    assert littlefs_image.build(dict(reversed(FILES.items())), SIZE_BYTES) == image


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ImageError, match="do not fit into 536576 bytes"):
        littlefs_image.build({"/a": bytes(SIZE_BYTES)}, SIZE_BYTES)
    with pytest.raises(ImageError, match="do not fit"):  # for want of room to spare
        littlefs_image.build({"/a": bytes(SIZE_BYTES - 0x10000)}, SIZE_BYTES)


def test_what_is_no_file_system_is_not_read_as_an_empty_one() -> None:
    for image in (b"\xff" * SIZE_BYTES, bytes(SIZE_BYTES)):
        with pytest.raises(ImageError, match="no file system"):
            littlefs_image.read(image)


def test_a_board_mounts_the_image_and_writes_into_it(make_board: MakeBoard) -> None:
    board = make_board()
    vfs = next(r for r in boards.show("virtual-door").partitions if r["label"] == "vfs")
    board.stimulate("cut_power")
    lay(board, vfs["offset"], littlefs_image.build(FILES, vfs["size"]))
    board.stimulate("restore_power")
    board.wait_until_up()
    with Prompt(board) as prompt:
        prompt.run(LOOK)
        for path, data in FILES.items():
            digest = prompt.value(f"look({path!r})")
            assert digest == hashlib.sha256(data).digest(), path
        assert sorted(prompt.value("__import__('os').listdir('/')")) == [
            "cfg", "empty", "fw0.pack", "small",
        ]  # fmt: skip
        prompt.run("f = open('/cfg/new', 'wb')\nf.write(bytes(9000))\nf.close()")
        prompt.run("import os\nos.remove('/fw0.pack')\nos.rename('/small', '/cfg/small')")
    board.stimulate("cut_power")
    with board.folder.flash_path.open("rb") as file:
        file.seek(vfs["offset"])
        held = littlefs_image.read(file.read(vfs["size"]))
    assert held["/cfg/new"] == bytes(9000)
    assert held["/cfg/small"] == b"1"
    assert "/fw0.pack" not in held


@pytest.mark.parametrize("name", ["virtual-door-osdp", "virtual-charger16"])
def test_the_firmware_of_the_largest_boards_fits(name: str) -> None:
    board = boards.show(name)
    vfs = next(row for row in board.partitions if row["label"] == "vfs")
    files = install.firmware_files(board.folder)
    assert littlefs_image.read(littlefs_image.build(files, vfs["size"])) == files


def test_a_board_has_the_partitions_of_the_table_in_its_flash(make_board: MakeBoard) -> None:
    board = make_board()
    rows = [dict(row) for row in boards.show("virtual-door").partitions]
    alarm = next(row for row in rows if row["label"] == "alarm")
    alarm["size"] = 0x8000
    board.stimulate("cut_power")
    lay(board, partition_table.OFFSET, partition_table.build(rows, 0x400000))
    board.stimulate("restore_power")
    board.wait_until_up()
    with Prompt(board) as prompt:
        prompt.run("import esp32")
        found = prompt.value("esp32.Partition.find(1, label='alarm')[0].info()")
        assert found == (1, 0x41, alarm["offset"], 0x8000, "alarm", False)
