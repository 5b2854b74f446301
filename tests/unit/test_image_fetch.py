"""`board fetch` from a real server over TLS that is cut off, slow, wrong or hostile (host)."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli
from controller_tool.errors import ImageError, LinkError, OperatorError, ToolError
from controller_tool.flashing import download
from controller_tool.services import boards, images
from tests.made_up_images import image
from tests.unit.file_server import FileServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = image(size=0x20000)
DIGEST = hashlib.sha256(DATA).hexdigest()
HALF = len(DATA) // 2
MOST = 0x200000
BOARD = boards.show("virtual-door")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with serving(DATA, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSE_S", 0.01)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "image.bin"


def get(server: FileServer, target: Path, **more: object) -> download.Got:
    wanted = download.Wanted(server.address, DIGEST, MOST)
    return download.fetch(wanted, target, context=server.context, **more)  # type: ignore[arg-type]


def nothing_named(target: Path) -> bool:
    return not target.exists()


def test_a_file_is_there_whole_and_nothing_beside_it(server: FileServer, target: Path) -> None:
    assert get(server, target) == download.Got(len(DATA), 0)
    assert target.read_bytes() == DATA
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_transfer_that_breaks_half_way_goes_on_in_the_same_run(
    server: FileServer, target: Path
) -> None:
    server.cuts = [HALF]
    get(server, target)
    assert server.asked == ["", f"bytes={HALF}-"]
    assert target.read_bytes() == DATA


def test_a_run_that_gave_up_is_gone_on_with_by_the_next(server: FileServer, target: Path) -> None:
    server.cuts = [HALF, 10, 0, 0]
    with pytest.raises(LinkError, match=f"was cut off at {HALF + 10} bytes") as caught:
        get(server, target)
    assert "goes on where it stopped" in caught.value.next_step
    assert nothing_named(target)
    got = get(server, target)
    assert got.resumed_at == HALF + 10
    assert server.asked[-1] == f"bytes={HALF + 10}-"
    assert target.read_bytes() == DATA


def test_a_server_that_knows_no_ranges_begins_anew(server: FileServer, target: Path) -> None:
    server.cuts, server.ranges = [HALF], False
    get(server, target)
    assert target.read_bytes() == DATA


def test_another_file_gets_no_name_and_leaves_nothing(server: FileServer, target: Path) -> None:
    server.data = DATA[:-1] + b"?"
    with pytest.raises(ImageError, match="is not the file that is wanted"):
        get(server, target)
    assert list(target.parent.iterdir()) == []
    assert len(server.asked) == 1


def test_a_part_of_another_file_is_thrown_away_and_all_fetched_anew(
    server: FileServer, target: Path
) -> None:
    target.parent.mkdir()
    target.with_name(target.name + ".part").write_bytes(bytes(HALF))
    get(server, target)
    assert server.asked == [f"bytes={HALF}-", ""]
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("more", [0, 1])
def test_a_part_as_long_as_the_file_or_longer_is_no_end(
    server: FileServer, target: Path, more: int
) -> None:
    target.parent.mkdir()
    target.with_name(target.name + ".part").write_bytes(bytes(len(DATA) + more))
    get(server, target)
    assert target.read_bytes() == DATA


def test_a_run_that_ended_before_the_name_asks_for_nothing(
    server: FileServer, target: Path
) -> None:
    target.parent.mkdir()
    target.with_name(target.name + ".part").write_bytes(DATA)
    get(server, target)
    assert server.asked == []
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("length", [True, False])
def test_too_much_is_not_taken(server: FileServer, target: Path, length: bool) -> None:
    server.data, server.length = bytes(MOST + 1), length
    with pytest.raises(ImageError, match=f"sends more than {MOST} bytes"):
        get(server, target)
    assert nothing_named(target)
    assert sum(path.stat().st_size for path in target.parent.iterdir()) <= MOST


def test_an_end_that_comes_early_without_a_length_is_no_file(
    server: FileServer, target: Path
) -> None:
    server.length, server.cuts = False, [HALF]
    with pytest.raises(ImageError, match="SHA-256 differs"):
        get(server, target)
    assert nothing_named(target)


def test_a_redirect_to_an_open_line_is_refused(server: FileServer, target: Path) -> None:
    server.redirect = server.address.replace("https", "http")
    with pytest.raises(OperatorError, match="is no https address"):
        get(server, target)
    assert len(server.asked) == 1
    for address in ("http://vendor.example/x.bin", "file:///etc/passwd", "ftp://vendor.example/x"):
        with pytest.raises(OperatorError, match="is no https address"):
            download.fetch(download.Wanted(address, DIGEST, MOST), target)


def test_a_redirect_to_https_is_followed(server: FileServer, target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with serving(b"", folder) as first:
        first.redirect = server.address
        first.context.load_verify_locations(tmp_path / "server.pem")
        get(first, target)
    assert target.read_bytes() == DATA


def test_a_redirect_in_a_circle_ends_in_a_line(server: FileServer, target: Path) -> None:
    server.redirect = server.address
    with pytest.raises(LinkError):
        get(server, target)


def test_a_server_that_says_nothing_is_not_waited_for(server: FileServer, target: Path) -> None:
    server.silent_s = 2.0  # whoever waits that long gets the image
    with pytest.raises(LinkError, match="cannot be reached"):
        get(server, target, silence_s=0.1)


@pytest.mark.parametrize("code", [403, 404, 500, 503])
def test_what_the_server_answers_is_said(server: FileServer, target: Path, code: int) -> None:
    server.status = code
    with pytest.raises(LinkError, match=f"answers {code}"):
        get(server, target)


def test_another_part_than_was_asked_for_is_not_taken(server: FileServer, target: Path) -> None:
    server.cuts, server.wrong_range = [HALF], True
    with pytest.raises(LinkError, match="sent another part"):
        get(server, target)
    assert nothing_named(target)


def test_a_server_that_nobody_vouches_for_is_not_listened_to(
    server: FileServer, target: Path
) -> None:
    with pytest.raises(LinkError, match="cannot be reached"):
        download.fetch(download.Wanted(server.address, DIGEST, MOST), target)
    assert server.asked == []


def test_two_at_once_do_not_spoil_each_other(server: FileServer, target: Path) -> None:
    server.silent_s = 0.1
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: get(server, target), range(4)))
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert target.read_bytes() == DATA


def test_the_part_of_a_run_that_was_killed_is_taken_up(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    left = target.with_name(f"{target.name}.4711-1.part")
    left.write_bytes(DATA[:HALF])
    assert get(server, target.with_name("x")).resumed_at == 0
    fresh = get(server, target)
    assert fresh.resumed_at == 0, "somebody may still be writing it"
    target.unlink()
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    assert get(server, target).resumed_at == HALF
    assert not left.exists()


def test_a_person_who_stops_it_loses_nothing(server: FileServer, target: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done >= HALF:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, target, progress=stop)
    assert nothing_named(target)
    assert get(server, target).resumed_at >= HALF


# the command, with a board whose image stands on that server


@pytest.fixture
def own_image(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """virtual-door's image is the server's, and the cache a folder of the test."""
    source = boards.ImageSource(server.address, "1.26.1", DIGEST)
    monkeypatch.setattr(boards, "show", lambda _name: replace(BOARD, image=source))
    monkeypatch.setattr(images, "cache_dir", lambda: tmp_path / "images")
    real = download.fetch

    def fetch(
        wanted: download.Wanted, path: Path, progress: download.Progress | None, _: object
    ) -> download.Got:
        return real(wanted, path, progress, server.context)  # for what the system trusts

    monkeypatch.setattr(download, "fetch", fetch)
    return server


def test_the_command_says_that_nobody_compared_the_digest(
    own_image: FileServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["board", "fetch", "virtual-door"]) == 0
    said = capsys.readouterr().out
    assert "no: board.toml has it from elsewhere" in said
    assert own_image.address in said
    assert cli.run(["board", "fetch", "virtual-door", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["fetched"], again["confirmed"]) == (False, False)
    assert len(own_image.asked) == 1


def test_device_flash_takes_what_was_fetched_and_says_what_to_do_before(
    own_image: FileServer,
) -> None:
    board = boards.show("virtual-door")
    with pytest.raises(OperatorError, match="is not on this computer yet") as caught:
        images.choose(None, board)
    assert "board fetch virtual-door" in caught.value.next_step
    images.fetch(board)
    chosen = images.choose(None, board)
    assert (chosen.data, chosen.word) == (DATA, images.UNCONFIRMED)
    assert len(own_image.asked) == 1


@pytest.mark.usefixtures("own_image")
def test_a_file_in_the_cache_that_rotted_is_none() -> None:
    board = boards.show("virtual-door")
    path = images.fetch(board).path
    path.write_bytes(DATA[:-1] + b"?")
    with pytest.raises(OperatorError, match="is not on this computer yet"):
        images.of_board(board)
    assert not path.exists()
    assert images.fetch(board).fetched


def test_a_mirror_needs_no_trust(own_image: FileServer, tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    board = boards.show("virtual-door")
    with serving(DATA[:-1] + b"?", folder) as mirror:
        own_image.context.load_verify_locations(folder / "server.pem")
        with pytest.raises(ImageError, match="SHA-256 differs"):
            images.fetch(board, mirror.address)
        mirror.data = DATA
        assert images.fetch(board, mirror.address).address == mirror.address


def test_an_image_for_another_chip_is_told_even_if_its_digest_is_right(
    own_image: FileServer,
) -> None:
    board = replace(boards.show("virtual-door"), chip="esp32s3")
    with pytest.raises(OperatorError):
        images.fetch(board)
    assert own_image.asked


def test_a_board_without_an_image_is_said_so() -> None:
    none = replace(BOARD, image=None)
    for ask in (images.fetch, images.of_board):
        with pytest.raises(OperatorError, match="names no image"):
            ask(none)


@pytest.mark.parametrize("folder", ["virtual_door", "esp32_devkitc", "waveshare_s3_relay6"])
def test_our_boards_name_an_image_and_no_digest_is_called_confirmed_that_nobody_compared(
    folder: str,
) -> None:
    source = boards.show(folder).image
    assert source is not None
    assert source.address.startswith("https://")
    assert source.version in source.address
    assert len(bytes.fromhex(source.sha256)) == 32
    assert not source.confirmed


def test_negative_control_the_server_is_reached_at_all(server: FileServer, target: Path) -> None:
    with pytest.raises(ToolError):
        get(replace(server, port=1), target)
    done = threading.Event()
    get(server, target, progress=lambda *_: done.set())
    assert done.is_set()
