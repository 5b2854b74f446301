"""Strangers without any key, while a station of sixteen ports takes a list and tickets (host).

They connect and wait. Its heap has no room for three of them beside a guest's requests.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from controller_tool.channel.dial import dial
from controller_tool.services import devices_ops, push
from controller_tool.services.virtual_house import VirtualHouse
from protocol import codes
from protocol.constants import RING_ALARM
from tests.e2e.callers import Callers, events

if TYPE_CHECKING:
    from collections.abc import Iterator

PILE = "pile"
CARDS = 2000
STRANGERS = 3
_HOLD_S, _REST_S = 0.3, 12.0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """One station, with a list of some length to take."""
    folder = tmp_path_factory.mktemp("sixteen") / "site"
    with VirtualHouse.found(
        folder, "sixteen", "of a house that lives for one test run",
        {PILE: "virtual-charger16"}, until_pid=os.getpid(),
    ) as made:  # fmt: skip
        made.provision()
        made.issue([f"{number:010d}" for number in range(1, CARDS + 1)])
        assert push.push(made.site, [PILE], force=True)[0].ok, "it would be no test"
        yield made


@contextmanager
def strangers(place: str, port: int) -> Iterator[list[int]]:
    """They come again as long as this lasts; how often they did."""
    stop = threading.Event()
    came = [0]

    def strange() -> None:
        while not stop.is_set():
            try:
                with socket.create_connection((place, port), 1) as wire:
                    came[0] += 1
                    wire.settimeout(2)
                    wire.recv(64)
                    time.sleep(_HOLD_S)
            except OSError:
                time.sleep(0.01)

    threads = [threading.Thread(target=strange) for _ in range(STRANGERS)]
    for thread in threads:
        thread.start()
    try:
        yield came
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_strangers_keep_no_list_and_no_ticket_from_a_station_of_sixteen(
    house: VirtualHouse, tmp_path_factory: pytest.TempPathFactory
) -> None:
    board, device = house.boards[PILE], house.site.device(PILE)
    callers = Callers(house.site, tmp_path_factory.mktemp("callers"))
    address = callers.address(PILE)
    before = board.counters()["resets"]["hard"]
    with strangers(address.place, address.port) as came:
        assert push.push(house.site, [PILE], force=True)[0].ok
        with dial(house.site, device) as client:
            for port in range(4):
                for action in (codes.TICKET_CHARGE_START, codes.TICKET_CHARGE_STOP):
                    devices_ops.send_ticket(house.site, device, client, action, port, 0)
        assert came[0] > STRANGERS
    assert board.counters()["resets"]["hard"] == before
    time.sleep(_REST_S)  # a restart that is due comes when it is at rest
    assert board.counters()["resets"]["hard"] == before
    with callers.call(PILE) as client:
        assert not [r for r in events(client, RING_ALARM) if r.event == codes.EVENT_FIRMWARE_FAULT]
