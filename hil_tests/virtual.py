"""Makes a virtual door, provisioned by the tool as a real one would be (host)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.services.virtual_house import VirtualHouse
from hil_tests.bench import VirtualBench
from hil_tests.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = "bench-door"
_PASSPHRASE = "of a folder that lives for one test run"


@contextmanager
def provisioned_door(folder: Path) -> Iterator[Controller]:
    """A site of its own and a virtual board, provisioned over its cable."""
    controllers = {_NAME: "virtual-door"}
    made = VirtualHouse.found(
        folder / "site", "bench", _PASSPHRASE, controllers, until_pid=os.getpid()
    )
    with made as house:
        house.provision()
        assert all(record.ok for record in house.provisioned), house.provisioned
        controller = Controller(house.site, _NAME, VirtualBench(house.boards[_NAME]))
        yield controller
        controller.close()
