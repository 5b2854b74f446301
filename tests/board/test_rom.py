"""The real esptool flashes a virtual board, and is told every fault that a chip can have (host)."""

from pathlib import Path

import pytest

from controller_tool.sim import service
from tests.board.conftest import MakeBoard
from tests.board.esptool_run import IMAGE_AT, IMAGE_BYTES, esptool, flash_of, image, into_loader

CHIPS = ("esp32", "esp32s3")
WRITE = ("write-flash", hex(IMAGE_AT))


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    """A file to flash."""
    path = tmp_path / "image.bin"
    path.write_bytes(image())
    return path


@pytest.fixture
def loading(make_board: MakeBoard) -> service.Board:
    """A virtual board in its loader."""
    board = make_board()
    into_loader(board)
    return board


@pytest.mark.parametrize("chip", CHIPS)
def test_esptool_finds_out_what_the_chip_is(loading: service.Board, chip: str) -> None:
    loading.stimulate("loader_fault", chip=chip)
    loading.stimulate("reset")
    done = esptool(loading, "flash-id")
    mac = bytes.fromhex(loading.options.unique).hex(":")
    assert done.returncode == 0, done.stdout
    assert f"Connected to {'ESP32-S3' if chip == 'esp32s3' else 'ESP32'} on" in done.stdout
    assert mac in done.stdout
    assert "Stub flasher running" in done.stdout
    assert "Detected flash size: 4MB" in done.stdout


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("options", [(), ("--no-stub",)], ids=["stub", "rom"])
@pytest.mark.parametrize("packed", ["--compress", "--no-compress"])
def test_esptool_writes_and_proves_an_image(
    loading: service.Board, image_path: Path, chip: str, options: tuple[str, ...], packed: str
) -> None:
    loading.stimulate("loader_fault", chip=chip)
    loading.stimulate("reset")
    done = esptool(loading, *options, "-b", "921600", *WRITE, str(image_path), packed)
    assert done.returncode == 0, done.stdout
    assert "Hash of data verified" in done.stdout
    assert flash_of(loading, IMAGE_AT, IMAGE_BYTES) == image()
    around = flash_of(loading, IMAGE_AT - 4096, 4096) + flash_of(loading, 0x5A000, 4096)
    assert around == b"\xff" * 8192
    assert ("Stub flasher running" in done.stdout) is not bool(options)
    assert loading.counters()["loader"]["erased"] == -(-IMAGE_BYTES // 4096)


@pytest.mark.parametrize("options", [(), ("--no-stub",)], ids=["stub", "rom"])
def test_what_was_there_before_is_erased_first(
    loading: service.Board, image_path: Path, options: tuple[str, ...]
) -> None:
    for seed in (2, 1):
        image_path.write_bytes(image(seed))
        loading.stimulate("reset")
        assert esptool(loading, *options, *WRITE, str(image_path)).returncode == 0
    assert flash_of(loading, IMAGE_AT, IMAGE_BYTES) == image(1)


@pytest.mark.parametrize("options", [(), ("--no-stub",)], ids=["stub", "rom"])
def test_esptool_reads_the_flash_back(
    loading: service.Board, tmp_path: Path, options: tuple[str, ...]
) -> None:
    loading.stimulate("rot", offset=70000, bit=0)
    read = tmp_path / "read.bin"
    done = esptool(loading, *options, "read-flash", "0x11000", "9000", str(read))
    assert done.returncode == 0, done.stdout
    assert read.read_bytes() == flash_of(loading, 0x11000, 9000) != b"\xff" * 9000


def test_esptool_erases_the_whole_chip(loading: service.Board, image_path: Path) -> None:
    done = esptool(loading, *WRITE, str(image_path), after="no-reset-stub")
    assert done.returncode == 0
    done = esptool(loading, "erase-flash")
    assert "Stub flasher is already running" in done.stdout
    assert done.returncode == 0
    assert not loading.folder.flash_path.read_bytes().strip(b"\xff")


def test_modem_lines_take_the_board_into_its_loader_and_out_again(make_board: MakeBoard) -> None:
    board = make_board()
    before = board.counters()["resets"]
    done = esptool(board, "read-mac", port=board.bridge_address)
    assert done.returncode == 0, done.stdout
    assert "Connecting..." in done.stdout
    assert "Hard resetting via RTS pin" in done.stdout
    board.wait_until_up()
    assert board.counters()["loader"] is None
    assert board.counters()["resets"] == before  # neither a crash nor a watchdog


def test_without_the_button_a_reset_starts_the_firmware(make_board: MakeBoard) -> None:
    board = make_board()
    board.stimulate("reset")
    done = esptool(board, "--connect-attempts", "1", "read-mac")
    assert done.returncode != 0
    assert "Failed to connect" in done.stdout + done.stderr


def test_the_firmware_starts_again_when_the_button_is_let_go(loading: service.Board) -> None:
    assert not loading.counters()["pid"]
    loading.stimulate("hold_boot", on=False)
    loading.stimulate("reset")
    loading.wait_until_up()


def test_another_chip_is_refused(loading: service.Board) -> None:
    loading.stimulate("loader_fault", chip="esp32s3")
    loading.stimulate("reset")
    done = esptool(loading, "--chip", "esp32", "flash-id")
    assert done.returncode != 0
    assert "This chip is ESP32-S3, not ESP32" in done.stdout + done.stderr


def test_a_smaller_flash_is_seen_and_what_does_not_fit_refused(
    loading: service.Board, image_path: Path
) -> None:
    loading.stimulate("loader_fault", flash_bytes=0x200000)
    loading.stimulate("reset")
    assert "Detected flash size: 2MB" in esptool(loading, "flash-id").stdout
    done = esptool(loading, "write-flash", "0x1F0000", str(image_path))
    assert done.returncode != 0
    assert "will not fit in 2097152 bytes" in done.stdout + done.stderr


def test_a_silent_chip_is_no_chip(loading: service.Board) -> None:
    loading.stimulate("loader_fault", silent=True)
    loading.stimulate("reset")
    done = esptool(loading, "--connect-attempts", "1", "flash-id")
    assert done.returncode != 0
    assert "No serial data received" in done.stdout + done.stderr


def test_a_dead_bit_fails_the_verification(loading: service.Board, image_path: Path) -> None:
    at = next(n for n in range(5000, 9000) if image()[n] & 1)
    loading.stimulate("loader_fault", stuck=[IMAGE_AT + at])
    loading.stimulate("reset")
    done = esptool(loading, *WRITE, str(image_path))
    assert done.returncode != 0
    assert "MD5 of file does not match" in done.stdout + done.stderr


def test_with_lost_bytes_nothing_is_called_written_that_is_not(
    loading: service.Board, image_path: Path
) -> None:
    loading.stimulate("line_noise", drop=40000)
    done = esptool(loading, *WRITE, str(image_path))
    assert loading.counters()["cable"]["lost"] > 0
    is_written = flash_of(loading, IMAGE_AT, IMAGE_BYTES) == image()
    assert "Hash of data verified" not in done.stdout or is_written
    assert (done.returncode == 0) <= is_written


def test_a_stub_that_arrives_broken_does_not_run(loading: service.Board) -> None:
    loading.stimulate("line_noise", corrupt=3000)
    loading.stimulate("reset")
    done = esptool(loading, "flash-id")
    assert loading.counters()["cable"]["corrupted"] > 0
    assert done.returncode != 0 or loading.counters()["loader"]["stub"]


def test_a_cable_pulled_half_way_can_be_put_in_again(
    loading: service.Board, image_path: Path
) -> None:
    loading.stimulate("pull_cable", after=50_000)
    done = esptool(loading, *WRITE, str(image_path), attempts=1)
    assert done.returncode != 0
    written = flash_of(loading, IMAGE_AT, IMAGE_BYTES)
    assert written[:20_000] == image()[:20_000]
    assert written != image()
    loading.stimulate("plug_cable")
    loading.stimulate("reset")
    done = esptool(loading, *WRITE, str(image_path))
    assert done.returncode == 0, done.stdout
    assert flash_of(loading, IMAGE_AT, IMAGE_BYTES) == image()


def test_at_another_speed_nothing_is_understood_until_a_reset(loading: service.Board) -> None:
    assert esptool(loading, "-b", "460800", "flash-id", after="no-reset-stub").returncode == 0
    assert loading.counters()["loader"]["baud"] == 460800
    done = esptool(loading, "--connect-attempts", "1", "flash-id")
    assert done.returncode != 0
    loading.stimulate("reset")
    assert esptool(loading, "flash-id").returncode == 0
