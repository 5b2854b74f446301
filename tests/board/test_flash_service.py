"""One session with the real esptool flashes a board, or refuses in two lines (host)."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from controller_tool.errors import DeviceError, LinkError, OperatorError, ToolError
from controller_tool.flashing import layout, littlefs_image
from controller_tool.flashing.session import Session
from controller_tool.services import boards, flash, images, install
from controller_tool.services.provision import Silent
from controller_tool.sim import service
from tests.board.conftest import MakeBoard
from tests.board.esptool_run import flash_of, into_loader
from tests.made_up_images import image

DOOR = boards.show("virtual-door")
FILES = {"/data/one": b"1", "/two": bytes(5000)}
CELLS = (b"\x01" * 84, b"\x02" * 84)


def contents() -> flash.Contents:
    """What is flashed beside the image."""
    return flash.Contents(FILES, CELLS)


SMALL = images.Image(image(size=0x20000), "of the small one")
WHOLE_SHARE = 1.05


@pytest.fixture
def loading(make_board: MakeBoard) -> service.Board:
    """A virtual board in its loader."""
    board = make_board()
    into_loader(board)
    return board


class Watching(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.shares: list[float] = []

    def step(self, text: str) -> None:
        """A step begins."""
        self.steps.append(text)

    def progress(self, done_bytes: int, total_bytes: int) -> None:
        """Writing has come so far."""
        self.shares.append(done_bytes / total_bytes)


def run(
    board: service.Board,
    described: boards.Board = DOOR,
    made: images.Image = SMALL,
    say: Silent | None = None,
) -> flash.Flashed:
    """Flash it."""
    return flash.flash(board.serial_port, described, made, contents, say or Silent())


def check(board: service.Board, described: boards.Board, made: images.Image) -> None:
    """The flash holds every piece, and nothing where nothing was written."""
    pieces = layout.pieces(described, made.data, FILES, CELLS)
    for piece in pieces:
        assert flash_of(board, piece.offset, len(piece.data)) == piece.data
    for offset, size in layout.blanks(described, pieces):
        assert not flash_of(board, offset, size).strip(b"\xff")


@pytest.mark.parametrize("chip", ["esp32", "esp32s3"])
def test_a_board_is_flashed_in_one_session(loading: service.Board, chip: str) -> None:
    loading.stimulate("loader_fault", chip=chip)
    loading.stimulate("reset")
    described = replace(DOOR, chip=chip)
    made = images.Image(image(chip, 0x20000), "")
    watching = Watching()
    done = run(loading, described, made, watching)
    check(loading, described, made)
    assert (done.chip, done.flash_bytes) == (layout.CHIPS[chip].name, 0x400000)
    assert done.mac == bytes.fromhex(loading.options.unique).hex(":")
    assert done.erased_bytes == 0
    assert not done.restarted  # a pseudo-terminal has no lines
    assert len(watching.steps) == 3
    assert watching.shares[-1] == 1.0


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # in pyserial
def test_a_port_with_lines_needs_no_hand(make_board: MakeBoard) -> None:
    """The lines alone: by RFC 2217 a whole flash takes half a minute."""
    board = make_board()
    with Session(board.bridge_address) as session:
        assert board.counters()["loader"] is not None
        assert session.chip == "ESP32"
        assert session.restart()
    board.wait_until_up()


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # in pyserial
def test_a_whole_flash_by_modem_lines(make_board: MakeBoard) -> None:
    board = make_board()
    assert flash.flash(board.bridge_address, DOOR, SMALL, contents, Silent()).restarted
    board.wait_until_up()
    for piece in layout.pieces(DOOR, SMALL.data, FILES, CELLS)[1:]:  # the first has NVS in it
        assert flash_of(board, piece.offset, len(piece.data)) == piece.data


def test_boards_on_a_hub_are_flashed_side_by_side(make_board: MakeBoard) -> None:
    loading = [make_board(name) for name in ("a", "b", "c")]
    for board in loading:
        into_loader(board)
    watching = [Watching() for _ in loading]
    with ThreadPoolExecutor() as pool:
        done = list(
            pool.map(lambda pair: run(pair[0], say=pair[1]), zip(loading, watching, strict=True))
        )
    assert len({one.mac for one in done}) == len(loading)
    for board, watched in zip(loading, watching, strict=True):
        check(board, DOOR, SMALL)
        assert watched.shares[-1] == 1.0
        assert len(watched.shares) == len(watching[0].shares)  # nobody heard of another's


def test_what_an_earlier_use_left_is_gone(loading: service.Board) -> None:
    for partition in ("lists", "alarm", "journal", "keys"):
        row = next(row for row in DOOR.partitions if row["label"] == partition)
        loading.stimulate("rot", offset=row["offset"] + row["size"] - 1, bit=3)
    done = run(loading)
    assert done.erased_bytes > 0
    check(loading, DOOR, SMALL)


def test_hardly_more_is_sent_than_the_compressed_image_and_file_system(
    loading: service.Board,
) -> None:
    """An image of a stock one's size and the firmware as it is; the stub counts too."""
    made = images.Image(image(), "")
    files = install.firmware_files(DOOR.folder)
    before = loading.counters()["cable"]["received"]
    flash.flash(loading.serial_port, DOOR, made, lambda: flash.Contents(files, CELLS), Silent())
    sent = loading.counters()["cable"]["received"] - before
    vfs = next(row for row in DOOR.partitions if row["label"] == "vfs")
    image_bytes = len(zlib.compress(made.data, 9))
    system_bytes = len(zlib.compress(littlefs_image.build(files, vfs["size"]), 9))
    assert 0.6 < image_bytes / len(made.data) < 0.7  # as a real one
    print(f"sent {sent}, image {image_bytes}, file system {system_bytes}")
    assert sent <= WHOLE_SHARE * (image_bytes + system_bytes), sent / (image_bytes + system_bytes)


def refused(caught: pytest.ExceptionInfo[ToolError]) -> None:
    """What happened and what to do, a line each."""
    assert caught.value.what
    assert caught.value.next_step
    assert "\n" not in str(caught.value)


def test_another_chip_is_refused_and_not_touched(loading: service.Board) -> None:
    loading.stimulate("loader_fault", chip="esp32s3")
    loading.stimulate("reset")
    with pytest.raises(
        OperatorError, match="chip is an ESP32-S3, a virtual-door has an ESP32"
    ) as e:
        run(loading)
    refused(e)
    assert loading.counters()["loader"]["erased"] == 0


@pytest.mark.parametrize("megabytes", [2, 8])
def test_another_size_of_flash_is_refused_and_not_touched(
    loading: service.Board, megabytes: int
) -> None:
    loading.stimulate("loader_fault", flash_bytes=megabytes << 20)
    loading.stimulate("reset")
    with pytest.raises(OperatorError, match=f"chip has {megabytes} MB of flash, .* has 4 MB") as e:
        run(loading)
    refused(e)
    assert loading.counters()["loader"]["erased"] == 0


def test_a_dead_bit_is_found(loading: service.Board) -> None:
    pieces = layout.pieces(DOOR, SMALL.data, FILES, CELLS)
    at = next(n for n in range(70000, 90000) if pieces[0].data[n] & 1)
    loading.stimulate("loader_fault", stuck=[pieces[0].offset + at])
    loading.stimulate("reset")
    with pytest.raises(DeviceError, match="does not hold what was written") as e:
        run(loading)
    refused(e)


def test_a_chip_that_is_silent_is_said_so(loading: service.Board) -> None:
    loading.stimulate("loader_fault", silent=True)
    loading.stimulate("reset")
    with pytest.raises(LinkError, match="No chip answers") as e:
        run(loading)
    refused(e)
    assert "boot button" in str(e.value)


def test_a_port_that_is_not_there_is_said_so() -> None:
    with pytest.raises(LinkError, match="Cannot open /dev/no-such-port") as e:
        flash.flash("/dev/no-such-port", DOOR, SMALL, contents, Silent())
    refused(e)


def test_after_a_cable_pulled_at_40_percent_the_next_run_flashes_it(
    loading: service.Board,
) -> None:
    sent = len(zlib.compress(SMALL.data, 9))
    loading.stimulate("pull_cable", after=20_000 + sent * 2 // 5)
    with pytest.raises(LinkError, match="was lost while flashing") as e:
        run(loading)
    refused(e)
    assert loading.counters()["loader"]["programmed"] > 0
    loading.stimulate("plug_cable")
    loading.stimulate("reset")
    run(loading)
    check(loading, DOOR, SMALL)


def test_an_image_that_nobody_vouches_for_wants_a_word(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(SMALL.data)
    with pytest.raises(OperatorError, match="Nobody vouches for this image") as e:
        images.read(path, DOOR)
    refused(e)
    made = images.read(path, DOOR, trust=True)
    assert made.data == SMALL.data
    source = boards.ImageSource(
        "https://vendor.example/x.bin", "1.26.1", made.sha256, confirmed=True
    )
    told = images.read(path, replace(DOOR, image=source))
    assert (told.data, told.word, told.version) == (made.data, images.VENDOR, "1.26.1")
    found_elsewhere = replace(DOOR, image=replace(source, confirmed=False))
    with pytest.raises(OperatorError, match="Nobody compared this image's digest") as e:
        images.read(path, found_elsewhere)
    refused(e)
    assert images.read(path, found_elsewhere, trust=True).word == images.PERSON
    with pytest.raises(OperatorError, match="Cannot read"):
        images.read(tmp_path / "none.bin", DOOR)
