"""Each charger board with its firmware: relays that an expander kept, room for requests (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.services.virtual_house import VirtualHouse
from tests.board.prompt import Prompt
from tests.board.test_charger_boards import begin, put_board_files

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = {
    "two": "virtual-charger2",
    "ten": "virtual-charger10",
    "twelve": "virtual-charger12",
    "sixteen": "virtual-charger16",
}
ROOM_BYTES = 8192  # of the heap, when nothing happens: a TLS session and what it asks for


@pytest.fixture(scope="module")
def stations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Charging stations that were provisioned while an expander still held two relays closed."""
    folder = tmp_path_factory.mktemp("stations") / "site"
    with VirtualHouse.found(
        folder, "stations", "of a house that lives for one test run", BOARDS, until_pid=os.getpid()
    ) as made:
        for name, kind in BOARDS.items():
            with Prompt(made.boards[name]) as prompt:
                put_board_files(prompt, kind.replace("-", "_"))
                begin(prompt)
                prompt.run("r[0].value(1)\nr[len(r) - 1].value(1)")
        made.provision()
        yield made


@pytest.mark.parametrize("name", BOARDS)
def test_the_firmware_starts_with_every_relay_open(stations: VirtualHouse, name: str) -> None:
    counted = stations.boards[name].counters()
    assert set(counted["outputs"].values()) == {False}
    assert counted["resets"]["hard"], "it was never started anew: it was no test"


@pytest.mark.parametrize("name", BOARDS)
def test_it_has_room_and_loses_nothing(stations: VirtualHouse, name: str) -> None:
    board = stations.boards[name]
    assert board.heap()["free"] >= ROOM_BYTES
    counted = board.counters()
    assert not counted["memory_faults"]
    died = {how: counted["resets"][how] for how in ("watchdog", "crash", "soft")}
    assert not any(died.values()), died
