"""Makes a virtual door, provisioned by the tool as a real one would be (host)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.services import provision, site_init
from controller_tool.sim import service as sim
from hil_tests.bench import VirtualBench
from hil_tests.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = "bench-door"
_BOARD = "virtual_door"
_PASSPHRASE = "of a folder that lives for one test run"


@contextmanager
def provisioned_door(folder: Path) -> Iterator[Controller]:
    """A site of its own, a virtual board, provisioned over its cable."""
    site = site_init.init(folder / "site", site_init.Wish("bench"), _PASSPHRASE)
    boards = site.path / "sim"
    board = sim.start(boards, _NAME, _BOARD)
    try:
        request = provision.Request(_NAME, f"sim://{_NAME}", _BOARD)
        provision.provision(site, request)
        controller = Controller(site, _NAME, VirtualBench(board))
        yield controller
        controller.close()
    finally:
        sim.stop(boards, _NAME)
        site.close()
