"""From a bare board to a door in service with one command: flashed by the real esptool (host)."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli
from controller_tool.errors import LinkError, OperatorError
from controller_tool.flashing import littlefs_image, partition_table
from controller_tool.services import boards, commission, provision
from controller_tool.services.images import Image
from controller_tool.services.virtual_house import VirtualHouse
from tests.board.esptool_run import flash_of
from tests.e2e.conftest import PASSPHRASE
from tests.made_up_images import image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOOR = "door-1"
BOARD = "virtual-door"
REQUEST = provision.Request(DOOR, f"sim://{DOOR}", BOARD)
SMALL = Image(image(size=0x20000), "of the small one")


@pytest.fixture
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """A site of its own with one blank board."""
    folder = tmp_path_factory.mktemp("blank") / "site"
    with VirtualHouse.found(
        folder, "blank", PASSPHRASE, {DOOR: BOARD}, until_pid=os.getpid()
    ) as made:
        yield made


def test_a_bare_board_is_flashed_and_serves(blank: VirtualHouse) -> None:
    record = commission.commission(blank.site, REQUEST, SMALL, provision.Silent())
    assert record.ok, record
    assert record.flashed is not None
    assert record.flashed.chip == "ESP32"
    assert blank.site.device(DOOR).enrolled_at_s is not None
    board = blank.boards[DOOR]
    table = partition_table.parse(flash_of(board, 0x8000, 0xC00))
    vfs = next(row for row in table if row["label"] == "vfs")
    files = littlefs_image.read(flash_of(board, vfs["offset"], vfs["size"]))
    assert {"/boot.py", "/main.py", "/fw0.pack", "/cfg/config.cbor"} <= set(files)
    assert board.counters()["resets"]["crash"] == 0
    with pytest.raises(OperatorError, match="enrolled already"):
        commission.commission(blank.site, REQUEST, SMALL, provision.Silent())


def test_the_command_tells_the_record(
    blank: VirtualHouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "micropython.bin"
    path.write_bytes(SMALL.data)
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("CONTROLLER_TOOL_SITE", str(blank.site.path))
    asked = ["device", "flash", DOOR, "--port", f"sim://{DOOR}", "--board", BOARD]
    assert cli.run([*asked, "--image", str(path)]) == 1
    what, next_step = capfd.readouterr().err.splitlines()
    assert what.startswith("Nobody vouches for this image (SHA-256 ")
    assert "--trust-image" in next_step
    assert cli.run([*asked, "--image", str(path), "--trust-image", "--json"]) == 0
    told = capfd.readouterr()
    assert told.err == ""
    record = json.loads(told.out)
    assert record["flashed"]["mac"] == bytes.fromhex(blank.boards[DOOR].options.unique).hex(":")
    assert record["flashed"]["image_sha256"] == hashlib.sha256(SMALL.data).hexdigest()
    assert all(record["provisioned"]["self_test"].values())


def test_another_board_leaves_no_trace_in_the_registry(blank: VirtualHouse) -> None:
    blank.boards[DOOR].stimulate("loader_fault", chip="esp32s3")
    with pytest.raises(OperatorError, match="chip is an ESP32-S3"):
        commission.commission(blank.site, REQUEST, SMALL, provision.Silent())
    assert blank.site.devices() == []
    blank.boards[DOOR].wait_until_up()  # its button was let go


def test_a_run_that_broke_is_made_again_with_the_same_identity(blank: VirtualHouse) -> None:
    board = blank.boards[DOOR]
    board.stimulate("pull_cable", after=60_000)
    with pytest.raises(LinkError, match="was lost while flashing"):
        commission.commission(blank.site, REQUEST, SMALL, provision.Silent())
    identity = blank.site.device(DOOR).id
    board.stimulate("plug_cable")
    record = commission.commission(blank.site, REQUEST, SMALL, provision.Silent())
    assert record.ok, record
    assert record.provisioned.id == identity


def test_a_flashed_board_that_was_not_called_on_is_provisioned(
    blank: VirtualHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise LinkError("gone", "come back")

    with monkeypatch.context() as patched:
        patched.setattr(provision, "call_first", away)
        with pytest.raises(LinkError, match="gone"):
            commission.commission(blank.site, REQUEST, SMALL, provision.Silent())
    record = provision.provision(blank.site, REQUEST)
    assert record.ok, record
    assert record.files_written == 0


def test_an_image_for_more_than_the_board_has_is_not_begun(blank: VirtualHouse) -> None:
    long = Image(SMALL.data.ljust(0x1D0000, b"\0"), "")
    with pytest.raises(OperatorError, match="the board has room for"):
        commission.commission(blank.site, replace(REQUEST), long, provision.Silent())
    assert blank.site.devices() == []
    assert boards.show(BOARD).flash_bytes == 0x400000
