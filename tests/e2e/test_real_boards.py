"""Boards that somebody makes, as packed and provisioned: their code on model wires (host).

What a virtual chip cannot show is whether a pin is where its maker says. What it shows is that
board.py, board.toml and the firmware fit: cards, contacts, relays, and what fails towards people.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import LinkError
from controller_tool.services import ports, push
from controller_tool.services.virtual_house import VirtualHouse
from tests.e2e.callers import Callers
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.sim.service import Board

CARDS = {
    "esp32-devkitc": "wiegand26:0a0b0c",
    "esp32-devkitc-rdm6300": "em4100:0a00112233",
    "olimex-esp32-evb": "em4100:0a00112233",
    "kincony-kc868-a8": "em4100:0a00112233",
}
DOORS = [name for name in CARDS if name != "kincony-kc868-a8"]
STATION = "kincony-kc868-a8"
ABSENT, STUCK = 1, 2
_NOTICED_S = 1
_READ_S = 0.5  # a button that is pressed while the card is read chooses nothing
_TURN_MS = 2500
ROOM_BYTES = 8192  # of the heap, when nothing happens: a TLS session and what it asks for


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """All that a virtual ESP32 can be, in service, with one card for each kind of reader."""
    folder = tmp_path_factory.mktemp("real") / "site"
    with VirtualHouse.found(
        folder, "real", "of a house that lives for one test run",
        {name: name for name in CARDS}, until_pid=os.getpid(),
    ) as made:  # fmt: skip
        made.provision()
        made.issue(sorted(set(CARDS.values())))
        results = push.push(made.site)
        assert all(result.ok for result in results), results
        yield made
        for name, board in made.boards.items():
            counted = board.counters()
            assert not counted["memory_faults"], name
            assert not any(counted["resets"][how] for how in ("watchdog", "crash", "soft")), name


def outputs(board: Board) -> dict[str, bool]:
    found: dict[str, bool] = board.counters()["outputs"]
    return found


@pytest.mark.parametrize("name", CARDS)
def test_it_has_room(house: VirtualHouse, name: str) -> None:
    assert house.boards[name].heap()["free"] >= ROOM_BYTES


@pytest.mark.parametrize("door", DOORS)
def test_a_card_opens_and_the_exit_button_too(house: VirtualHouse, door: str) -> None:
    board = house.boards[door]
    locked = outputs(board)["lock"]
    house.swipe(door, CARDS[door])
    assert within(lambda: outputs(board)["lock"] != locked)
    assert within(lambda: outputs(board)["lock"] == locked)
    board.stimulate("press_rex")
    assert within(lambda: outputs(board)["lock"] != locked)
    assert within(lambda: outputs(board)["lock"] == locked)


@pytest.mark.parametrize("door", DOORS)
def test_smoke_releases_the_door(house: VirtualHouse, door: str) -> None:
    board = house.boards[door]
    locked = outputs(board)["lock"]
    board.stimulate("raise_smoke")
    assert within(lambda: outputs(board)["lock"] != locked)


def charge(house: VirtualHouse, port: int) -> Board:
    """A card, a button, and the port closes."""
    board = house.boards[STATION]
    board.stimulate("draw_watts", port=port, watts=200)
    house.swipe(STATION, CARDS[STATION])
    time.sleep(_READ_S)
    board.stimulate("press_button", port=port)
    assert within(lambda: outputs(board)[f"port{port}"]), outputs(board)
    assert outputs(board)["contactor"]
    return board


@pytest.fixture(scope="module")
def callers(house: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers(house.site, tmp_path_factory.mktemp("callers"))


def calm(board: Board, callers: Callers) -> None:
    """Everything is at rest again, and somebody turns the key until nothing is latched."""
    board.stimulate("i2c_fault", fault=0)
    board.stimulate("clear_smoke")

    def let_go() -> bool:
        time.sleep(_NOTICED_S)
        board.stimulate("turn_key", ms=_TURN_MS)
        time.sleep(_NOTICED_S + _TURN_MS / 1000)
        try:
            with callers.call(STATION) as client:
                return ports.ask(client, STATION).latches == 0
        except LinkError:
            return False

    assert within(let_go, 60), "latched for good"
    assert not any(outputs(board).values())


def test_smoke_on_an_expanders_input_opens_port_and_contactor(
    house: VirtualHouse, callers: Callers
) -> None:
    board = charge(house, 2)
    board.stimulate("raise_smoke")
    assert within(lambda: not any(outputs(board).values()))
    calm(board, callers)


@pytest.mark.parametrize("fault", [ABSENT, STUCK])
def test_a_bus_that_fails_opens_the_contactor(
    house: VirtualHouse, callers: Callers, fault: int
) -> None:
    board = house.boards[STATION]

    def charges() -> bool:
        house.swipe(STATION, CARDS[STATION])
        time.sleep(_READ_S)
        board.stimulate("press_button", port=4)
        return within(lambda: outputs(board)["port4"], 3)

    board.stimulate("draw_watts", port=4, watts=200)
    assert within(charges), outputs(board)
    board.stimulate("i2c_fault", fault=fault)
    assert within(lambda: not outputs(board)["contactor"]), "what its relays do nobody can say"
    calm(board, callers)
