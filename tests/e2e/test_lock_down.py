"""No prompt after provisioning, whatever comes over the cable and whatever file is damaged (host).

A flood is what a person with a terminal program and a lot of patience can send: every control
byte of MicroPython's prompt, Ctrl-C most of all, while the controller starts again and again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from controller_tool.flashing import littlefs_image
from controller_tool.services.virtual_house import VirtualHouse
from controller_tool.sim.folder import describe
from tests.e2e.callers import Callers
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.sim.service import Board

DOOR = "door-1"
PASSPHRASE = "of a house that is locked down"
CTRL_C = b"\x03"
MIXED = b"\x03\x01\x03\x05A\x01\x03\x02\x04\r\nimport os\r\n\x04"
RESETS, RESETS_FULL = 8, 100
_PAUSE_S = 0.002
_SHOWN_S = 6

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """One door, in service."""
    folder = tmp_path_factory.mktemp("locked") / "site"
    with VirtualHouse.found(
        folder, "locked", PASSPHRASE, {DOOR: "virtual-door"}, until_pid=os.getpid()
    ) as made:
        made.provision()
        yield made


@pytest.fixture
def board(house: VirtualHouse) -> Board:
    return house.boards[DOOR]


@contextlib.contextmanager
def flooded(board: Board, data: bytes) -> Iterator[None]:
    """Bytes without end on the cable meanwhile."""
    port = os.open(board.serial_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    done = threading.Event()

    def press() -> None:
        while not done.wait(_PAUSE_S):
            with contextlib.suppress(BlockingIOError):
                os.write(port, data)
            with contextlib.suppress(BlockingIOError):
                os.read(port, 65536)

    finger = threading.Thread(target=press)
    finger.start()
    try:
        yield
    finally:
        done.set()
        finger.join()
        os.close(port)


def prompts(board: Board, resets: int) -> int:
    """How many of so many resets ended at the prompt rather than in a controller at work."""
    found = 0
    for _ in range(resets):
        board.stimulate("reset")
        shown = within(lambda: board.counters()["serves"] or board.counters()["at_prompt"], 60)
        assert shown, board.counters()
        found += board.counters()["at_prompt"]
    return found


@pytest.mark.timeout(1800)  # a hundred starts of two seconds, twice that on a busy machine
@pytest.mark.parametrize("data", [CTRL_C, MIXED], ids=["ctrl-c", "all control bytes"])
def test_no_flood_over_resets_gets_a_prompt(board: Board, data: bytes, full: bool) -> None:
    with flooded(board, data):
        assert prompts(board, RESETS_FULL if full else RESETS) == 0
    assert not board.counters()["outputs"]["lock"]


def test_after_a_flood_it_serves_as_before(
    house: VirtualHouse, board: Board, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with flooded(board, MIXED):
        board.stimulate("reset")
        assert within(lambda: board.counters()["serves"])
    callers = Callers(house.site, tmp_path_factory.mktemp("callers"))
    with callers.call(DOOR, via="serial") as client:
        assert client.info()["name"] == DOOR


# --- lost and damaged files ------------------------------------------------------------------


@contextlib.contextmanager
def damaged(board: Board, change: Callable[[Files], object]) -> Iterator[None]:
    """The door's files are changed while it has no power, and given back afterwards."""
    whole = board.folder.flash_path.read_bytes()
    row = next(row for row in describe("virtual_door")["partitions"] if row["label"] == "vfs")
    at, end = row["offset"], row["offset"] + row["size"]
    files = littlefs_image.read(whole[at:end])
    change(files)
    board.stimulate("cut_power")
    board.folder.flash_path.write_bytes(
        whole[:at] + littlefs_image.build(files, row["size"]) + whole[end:]
    )
    board.stimulate("restore_power")
    try:
        yield
    finally:
        board.stimulate("cut_power")
        board.folder.flash_path.write_bytes(whole)
        board.stimulate("restore_power")


def without(*paths: str) -> Callable[[Files], object]:
    return lambda files: [files.pop(path) for path in paths]


def with_noise(*paths: str) -> Callable[[Files], object]:
    """Every byte of these is another one."""
    return lambda files: files.update(
        {path: bytes(byte ^ 0xA5 for byte in files[path]) for path in paths}
    )


def cut_short(path: str, size: int) -> Callable[[Files], object]:
    return lambda files: files.update({path: files[path][:size]})


DAMAGES = {
    "boot.py lost": without("/boot.py"),
    "main.py lost": without("/main.py"),
    "main.py cut short": cut_short("/main.py", 700),
    "main.py noise": with_noise("/main.py"),
    "packfs lost": without("/packfs.mpy"),
    "packfs noise": with_noise("/packfs.mpy"),
    "board lost": without("/board.mpy"),
    "board noise": with_noise("/board.mpy"),
    "no firmware": without("/fw0.pack"),
    "firmware noise": with_noise("/fw0.pack"),
    "settings noise": with_noise("/cfg/config.cbor"),
    "settings empty": cut_short("/cfg/config.cbor", 0),
    "trust lost": without("/cfg/trust.cbor"),
    "key lost": without("/cfg/key.der"),
    "all but the settings": lambda files: [
        files.pop(path)
        for path in list(files)
        if path.startswith("/cfg") and path != "/cfg/config.cbor"
    ],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_controller_stays_locked_in_its_fail_state(board: Board, damage: str) -> None:
    with damaged(board, DAMAGES[damage]), flooded(board, CTRL_C):
        before = sum(board.counters()["resets"].values())

        def has_shown_what_it_does() -> bool:
            counted = board.counters()
            return bool(
                counted["serves"]
                or counted["at_prompt"]
                or sum(counted["resets"].values()) > before + 2
            )

        within(has_shown_what_it_does, _SHOWN_S)  # else it serves the way out, and no wire
        counted = board.counters()
        assert counted["pid"]
        assert not counted["at_prompt"], damage
        assert not counted["outputs"]["lock"], damage


def test_what_no_controller_can_prevent_is_seen_here(board: Board) -> None:
    """A stock image goes to its prompt by itself when boot.py cannot be compiled: ADR-0026.

    And so the tests above would see a prompt if there was one.
    """
    with damaged(board, cut_short("/boot.py", 400)):
        assert within(lambda: board.counters()["at_prompt"])
