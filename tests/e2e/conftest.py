"""A house of two virtual controllers, provisioned once for all whole stories (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.services.virtual_house import VirtualHouse
from tests.e2e.callers import Callers

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSPHRASE = "of a house that lives for one test run"


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Site, door and charger, in service."""
    folder = tmp_path_factory.mktemp("e2e") / "site"
    with VirtualHouse.found(folder, "e2e", PASSPHRASE, until_pid=os.getpid()) as made:
        made.provision()
        yield made
        for name, board in made.boards.items():
            counted = board.counters()
            assert not counted["memory_faults"], f"{name} ran out of heap"
            died = {how: counted["resets"][how] for how in ("watchdog", "crash", "soft")}
            assert not any(died.values()), f"{name} died: {died}"


@pytest.fixture(scope="session")
def callers(house: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    """Peers of that house."""
    return Callers(house.site, tmp_path_factory.mktemp("callers"))
