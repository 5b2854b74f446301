"""A whole board with sixteen ports that charge: smoke to the last relay while it is busy (host).

The firmware of virtual-charger16 in its heap, all meters read, and an ESP32's time charged for
flash, handshakes and wires; a list is pushed, the journal pulled, or somebody connects meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import dial
from controller_tool.services import devices_ops, ports, push
from protocol.codes import PORT_CHARGING, PORT_IDLE, TICKET_CHARGE_START
from protocol.constants import RING_ACCESS
from tests.bench.charged_house import charged_house, numbers, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.client import Client
    from controller_tool.services.virtual_house import VirtualHouse

NAME = "pile"
CARDS = 10_000
PORTS = 16
TRIALS = 2
_WATTS = 300
_OPEN_MAX_MS, _HANDSHAKE_MAX_MS = 150, 1000
_PATIENCE_S = 90
_KEY_S = 3.5


class BusyStation:
    """Sixteen sessions by ticket, and smoke while something else goes on."""

    def __init__(self, house: VirtualHouse) -> None:
        self._house = house
        self._board = house.boards[NAME]
        self._device = house.site.device(NAME)
        self._goes_on = threading.Event()

    def _ask(self) -> ports.Station:
        with dial(self._house.site, self._device) as client:
            return ports.ask(client, NAME)

    def charge(self) -> None:
        """All ports, with their loads; returns when every one charges."""
        site = self._house.site
        with dial(site, self._device) as client:
            for port in range(PORTS):
                devices_ops.send_ticket(site, self._device, client, TICKET_CHARGE_START, port, 0)
            for port in range(PORTS):
                self._board.stimulate("plug_in", port=port + 1, watts=_WATTS)
            self._until(
                lambda: all(p.state == PORT_CHARGING for p in ports.ask(client, NAME).ports)
            )

    def smoke_during(self, work: Callable[[], object], after_s: float) -> float:
        """Milliseconds from the smoke contact to the last relay, by the board's clock.

        after_s: how long after the work says that it goes on.
        """
        self._goes_on.clear()
        thread = threading.Thread(target=work)
        thread.start()
        self._goes_on.wait(_PATIENCE_S)
        time.sleep(after_s)
        if not thread.is_alive():
            raise RuntimeError("it was over before there was smoke: it was no test")
        smoke_us = int(self._board.stimulate("raise_smoke"))
        self._until(lambda: not any(self._board.counters()["outputs"].values()))
        log = [e for e in self._board.counters()["relay_log"] if not e["on"]]
        opened_us = max(int(entry["at_us"]) for entry in log[-PORTS - 1 :])
        thread.join()
        return (opened_us - smoke_us) / 1000

    def reset(self) -> None:
        """The smoke is gone, somebody turns the key, and every port is idle again."""
        self._board.stimulate("clear_smoke")
        for port in range(PORTS):
            self._board.stimulate("unplug", port=port + 1)
        time.sleep(1)
        self._board.stimulate("turn_key", ms=int(_KEY_S * 1000))
        time.sleep(_KEY_S)
        with dial(self._house.site, self._device) as client:
            self._until(lambda: _is_idle(ports.ask(client, NAME)))

    def push(self) -> None:
        """The whole list once more; its answer does not matter here."""

        def moved(_: str, done: int, total: int) -> None:
            if 0 < done < total:
                self._goes_on.set()

        push.push(self._house.site, [NAME], moved, force=True)

    def pull(self) -> None:
        """Pages of the journal, as a pull asks for them, until every relay is open."""
        with dial(self._house.site, self._device) as client:
            while any(self._board.counters()["outputs"].values()):
                self._pages(client)
                self._goes_on.set()

    def _pages(self, client: Client) -> None:
        head = client.head(RING_ACCESS)
        for _ in client.records(RING_ACCESS, [(head.oldest_seq, head.next_seq)]):
            pass

    def knock(self) -> None:
        """Somebody connects, asks and leaves."""
        self._goes_on.set()
        self._ask()

    def _until(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not done():
            if time.monotonic() > end:
                raise RuntimeError("the station does not do what it was told")
            time.sleep(0.2)


def _is_idle(station: ports.Station) -> bool:
    return not station.latches and all(port.state == PORT_IDLE for port in station.ports)


def rows() -> list[dict[str, Any]]:
    """The worst of some trials each."""
    chance = random.Random(16)
    worst = {"push": 0.0, "pull": 0.0, "handshake": 0.0}
    with charged_house({NAME: "virtual-charger16"}) as house:
        house.issue(numbers(CARDS))
        station = BusyStation(house)
        works = {"push": station.push, "pull": station.pull, "handshake": station.knock}
        for _ in range(TRIALS):
            for name, work in works.items():
                station.charge()
                after_s = chance.uniform(0, 1.2 if name == "handshake" else 0.8)
                worst[name] = max(worst[name], station.smoke_during(work, after_s))
                station.reset()
        counted = house.boards[NAME].counters()
        heap = house.boards[NAME].heap()
    return [
        row("whole board, sixteen ports: smoke to the last relay in a push", worst["push"], "ms",
            at_most=_OPEN_MAX_MS),
        row("the same in a pull", worst["pull"], "ms", at_most=_OPEN_MAX_MS),
        row("the same in a handshake", worst["handshake"], "ms", at_most=_HANDSHAKE_MAX_MS),
        row("requests that found no room", counted["memory_faults"], "", at_most=0),
        row("heap left in the end", heap["free"], "B"),
    ]  # fmt: skip
