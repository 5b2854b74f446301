"""A controller's heap after many lists: each finds room, and nothing is left behind (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.services import pull, push
from controller_tool.services.boards import display_name
from controller_tool.services.virtual_house import VirtualHouse
from tests.e2e.callers import Callers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOOR = "door-1"
CARDS = 2000
PASSPHRASE = "of a house that takes lists all day"
# beside the room that firmware/reserve.py holds; an OSDP line takes what is between them
HEAP_MIN_BYTES = {"virtual-door": 16 * 1024, "virtual-door-osdp": 10 * 1024}


@pytest.fixture(params=list(HEAP_MIN_BYTES))
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[VirtualHouse]:
    """One door that has a long list to take."""
    with VirtualHouse.found(
        tmp_path / "site", "memory", PASSPHRASE, {DOOR: request.param}, until_pid=os.getpid()
    ) as made:
        made.provision()
        made.issue([f"{number:010d}" for number in range(1, CARDS + 1)])
        yield made


@pytest.mark.parametrize(
    "pushes", [pytest.param(12, id="short"), pytest.param(60, id="long", marks=pytest.mark.full)]
)
def test_one_list_after_the_other_by_both_wires_finds_room(
    house: VirtualHouse, tmp_path: Path, pushes: int
) -> None:
    folder = tmp_path / "callers"
    folder.mkdir()
    callers = Callers(house.site, folder)
    device = house.site.device(DOOR)
    board = display_name(device.board)
    for number in range(pushes):
        with callers.call(DOOR, via=("serial", "wifi")[number % 2]) as client:
            pushed = push.push_open(house.site, device, client, force=True)
            info = client.info()
        assert pushed.ok, pushed
        assert pushed.count == CARDS
        assert (info["fault"], info["boot"]) == ("", 1), f"push {number}: {info}"
        assert info["heap_free"] > HEAP_MIN_BYTES[board]
        if board == "virtual-door":  # nobody plays the other's readers here
            house.swipe(DOOR, f"{number + 1:010d}")
        if number % 3 == 2:
            with callers.call(DOOR, via=("wifi", "serial")[number % 2]) as client:
                pulled = pull.pull_open(house.site, device, client)
            assert pulled.ok, pulled
