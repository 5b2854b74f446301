"""A virtual controller and a virtual jig with wires between them (host).

Both are real MicroPython processes: the controller with the firmware, provisioned by the tool as a
real one would be; the jig a blank ESP32-DevKitC on which the jig's program was installed through
its prompt. boards/virtual/wires.py carries what the one drives to the other.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.services import device_config, site_init
from controller_tool.services.virtual_house import SIM_FOLDER, VirtualHouse
from controller_tool.sim import service as sim
from hil_tests import wiring as wires
from hil_tests.bench import Bench
from hil_tests.controller import Controller
from hil_tests.jig import client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JIG_BOARD = "esp32-devkitc"
_NAME = "bench"
_JIG = "jig"
PASSPHRASE = "of a folder that lives for one test run"
UNLOCK_TIME = 2  # of the settings, in tenths of a second
_SECOND = 10  # a suite need not wait five
_IN_FORCE_S = 1.0


@contextmanager
def made(folder: Path, wiring: wires.Wiring, laid: Path = wires.WIRING) -> Iterator[Controller]:
    """A site of its own, both boards, everything at rest. laid: how the wires truly lie."""
    board = wiring.board
    site = site_init.init(folder / "site", site_init.Wish(name=_NAME, operator=_NAME), PASSPHRASE)
    house = VirtualHouse(site, {_NAME: board})
    root = site.path / SIM_FOLDER
    for name, kind in ((_JIG, JIG_BOARD), (_NAME, board)):
        sim.lay_out(root, name, kind)
    ours, theirs = wires.twin_rows(wires.read(wiring.board, laid), root / _JIG, root / _NAME)
    options = {"until_pid": os.getpid()}
    with house:
        house.boards[_NAME] = sim.start(root, _NAME, board, wires=theirs, **options)
        house.boards[_JIG] = jig = sim.start(root, _JIG, JIG_BOARD, wires=ours, **options)
        client.install(jig.serial_port)
        with client.Jig(jig.serial_port) as line:
            bench = Bench(line, wiring)  # loops closed, before the firmware looks at them
            house.provision()
            assert all(record.ok for record in house.provisioned), house.provisioned
            if wiring.kind == "door":
                device_config.change(site, _NAME, {UNLOCK_TIME: _SECOND})
                time.sleep(_IN_FORCE_S)  # it comes into force when nobody is in session
            controller = Controller(site, _NAME, bench, house.boards[_NAME], jig=jig)
            yield controller
            controller.close()
