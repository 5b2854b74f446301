"""The model of the ROM's loader refuses what a loader refuses (host)."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller_tool.sim.rom import stubs
from controller_tool.sim.rom.flash import OutsideFlash, RomFlash
from controller_tool.sim.rom.loader import Loader
from controller_tool.sim.rom.models import MODELS
from controller_tool.sim.rom.slip import Decoder, encode

SYNC = b"\x07\x07\x12\x20" + 32 * b"\x55"
READ_REGISTER, BEGIN, DATA, END, MEMORY_END, MD5, ATTACH = 0x0A, 0x02, 0x03, 0x04, 0x06, 0x13, 0x0D
DEFLATED_BEGIN, DEFLATED_DATA, ERASE = 0x10, 0x11, 0xD0
OK = b"\0\0"


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[Loader]:
    """An ESP32's, synced at 115200."""
    path = tmp_path / "flash.bin"
    path.write_bytes(bytes(0x400000))
    made = Loader(MODELS["esp32"], RomFlash(path), bytes(6), stubs.known("esp32"))
    made.hear(encode(struct.pack("<BBHI", 0, 8, 36, 0) + SYNC), 115200)
    yield made
    made.close()


def ask(loader: Loader, code: int, data: bytes, checksum: int = 0, baud: int = 115200) -> bytes:
    """The status of the answer; empty when there is none."""
    frame = struct.pack("<BBHI", 0, code, len(data), checksum) + data
    answers = list(Decoder().feed(loader.hear(encode(frame), baud)))
    return answers[0][-4:-2] if answers else b""


def block(data: bytes) -> tuple[bytes, int]:
    """A block as it is sent, and its checksum."""
    checksum = 0xEF
    for byte in data:
        checksum ^= byte
    return struct.pack("<IIII", len(data), 0, 0, 0) + data, checksum


def test_slip_takes_frames_out_of_any_pieces() -> None:
    frames = [b"\xc0\xdb\xdc\xdd", b"plain", bytes(300)]
    stream = b"noise" + b"".join(map(encode, frames)) + b"rest"
    for size in (1, 2, 7, 4096):
        decoder = Decoder()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        found = [frame for piece in pieces for frame in decoder.feed(piece)]
        assert found == frames


def test_slip_drops_a_frame_with_an_escape_that_means_nothing() -> None:
    assert list(Decoder().feed(b"\xc0ab\xdbcd\xc0" + encode(b"whole"))) == [b"whole"]


def test_flash_that_is_not_attached_is_refused(loader: Loader) -> None:
    begin = struct.pack("<IIII", 4096, 4, 1024, 0x10000)
    assert ask(loader, BEGIN, begin) == b"\x01\x06"
    assert ask(loader, ATTACH, bytes(8)) == OK
    assert ask(loader, BEGIN, begin) == OK
    assert loader.flash.read(0xFFFF, 4098) == b"\0" + b"\xff" * 4096 + b"\0"


def test_a_block_with_another_checksum_is_refused(loader: Loader) -> None:
    ask(loader, ATTACH, bytes(8))
    ask(loader, BEGIN, struct.pack("<IIII", 4096, 4, 1024, 0x10000))
    data, checksum = block(b"sixteen bytes ok" * 64)
    assert ask(loader, DATA, data, checksum ^ 1) == b"\x01\x07"
    assert loader.flash.programmed == 0
    assert ask(loader, DATA, data[:-1], checksum) == b"\x01\x07"
    assert ask(loader, DATA, data, checksum) == OK
    assert loader.flash.read(0x10000, 16) == b"sixteen bytes ok"


def test_what_does_not_inflate_is_refused(loader: Loader) -> None:
    ask(loader, ATTACH, bytes(8))
    ask(loader, DEFLATED_BEGIN, struct.pack("<IIII", 4096, 1, 1024, 0x10000))
    data, checksum = block(b"no deflated data")
    assert ask(loader, DEFLATED_DATA, data, checksum) == b"\x01\x0b"
    ask(loader, DEFLATED_BEGIN, struct.pack("<IIII", 4096, 1, 1024, 0x10000))
    data, checksum = block(zlib.compress(b"deflated"))
    assert ask(loader, DEFLATED_DATA, data, checksum) == OK
    assert loader.flash.read(0x10000, 8) == b"deflated"


def test_programming_only_clears_bits_and_erasing_sets_them(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"\xff" * 16384)
    flash = RomFlash(path, stuck=(4097,))
    flash.program(4096, b"\xf0\xff\xf0")
    flash.program(4096, b"\x33\xff\xff")
    assert flash.read(4095, 5) == b"\xff\x30\xfe\xf0\xff"
    flash.erase(4100, 1)
    assert flash.read(0, 16384) == b"\xff" * 16384
    with pytest.raises(OutsideFlash):
        flash.program(16383, b"12")
    flash.close()


def test_flash_ends_where_the_chip_ends(loader: Loader) -> None:
    ask(loader, ATTACH, bytes(8))
    assert ask(loader, MD5, struct.pack("<IIII", 0x3FF000, 4096, 0, 0)) == OK
    assert ask(loader, MD5, struct.pack("<IIII", 0x3FF000, 4097, 0, 0)) == b"\x01\x06"
    assert loader.flash.read(0, 4096) == bytes(4096)


def test_the_rom_knows_no_command_of_the_stub(loader: Loader) -> None:
    assert ask(loader, ERASE, b"") == b"\x01\x05"
    assert loader.flash.erased == 0


def test_nothing_is_answered_before_a_sync_or_at_another_speed(loader: Loader) -> None:
    register = struct.pack("<I", 0x40001000)
    assert ask(loader, READ_REGISTER, register, baud=9600) == b""
    assert ask(loader, READ_REGISTER, register) == OK
    loader.baud = 0
    assert ask(loader, READ_REGISTER, register) == b""


def test_a_jump_into_what_is_no_stub_is_the_end(loader: Loader) -> None:
    assert ask(loader, MEMORY_END, struct.pack("<II", 0, stubs.known("esp32")[0].entry)) == b""
    assert ask(loader, READ_REGISTER, struct.pack("<I", 0x40001000)) == b""


def test_the_rom_goes_over_to_the_firmware_when_a_write_ends(loader: Loader) -> None:
    assert ask(loader, END, struct.pack("<I", 1)) == OK
    assert loader.left
