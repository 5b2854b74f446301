"""Ethernet beside Wi-Fi, as the firmware's one network (host)."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest

from controller_tool import resources


class Wire:
    """An interface whose cable or air somebody holds."""

    def __init__(self, *_where: Any, **more: Any) -> None:
        self.up = False
        self.asked: list[tuple[str, ...]] = []
        self.more = more
        self.is_active = False
        Wire.made.append(self)

    made: list[Any]

    def active(self, on: bool) -> None:
        self.is_active = on

    def isconnected(self) -> bool:
        return self.up

    def connect(self, ssid: str, key: str) -> None:
        self.asked.append((ssid, key))

    def disconnect(self) -> None:
        self.asked.append(())


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Wire, Wire]:
    """What the board gives, its wire and its radio."""
    Wire.made = []
    network: Any = ModuleType("network")
    network.LAN = network.WLAN = Wire
    network.STA_IF = network.PHY_LAN8720 = 0
    machine: Any = ModuleType("machine")
    machine.Pin = int
    monkeypatch.setitem(sys.modules, "network", network)
    monkeypatch.setitem(sys.modules, "machine", machine)
    path = resources.boards_dir() / "esp32" / "networks.py"
    spec = importlib.util.spec_from_file_location("networks_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.ethernet(0, 1, 5)
    wired, radio = Wire.made
    return found, wired, radio


def test_either_is_a_network(both: tuple[Any, Wire, Wire]) -> None:
    found, wired, radio = both
    for wired.up, radio.up in ((False, False), (True, False), (False, True), (True, True)):
        assert found.isconnected() == (wired.up or radio.up)


def test_what_is_joined_and_left_is_the_radio(both: tuple[Any, Wire, Wire]) -> None:
    found, wired, radio = both
    found.connect("house", "secret")
    found.disconnect()
    assert radio.asked == [("house", "secret"), ()]
    assert wired.asked == []


def test_the_radio_is_on_though_the_cable_is_in(both: tuple[Any, Wire, Wire]) -> None:
    _, wired, radio = both
    assert wired.is_active
    assert radio.is_active, "random numbers need it"
    assert (wired.more["phy_addr"], wired.more["ref_clk"], wired.more["ref_clk_mode"]) == (5, 0, 1)
