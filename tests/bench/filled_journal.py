"""Fills a stopped virtual controller's journal with its own firmware, on its own flash (host)."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any

from controller_tool import resources
from controller_tool.services import boards
from controller_tool.sim import service as sim
from protocol.codes import CLOCK_SYNCED, EVENT_DENIED, EVENT_GRANTED
from protocol.constants import SECTOR_BYTES

if TYPE_CHECKING:
    from controller_tool.services.virtual_house import VirtualHouse

_COUNT, _ERASE = 4, 6
_START_S = 30.0


class Partition:
    """A range of a flash image in memory, with what the firmware uses of esp32.Partition."""

    def __init__(self, flash: bytearray, offset: int, size: int) -> None:
        self._flash = flash
        self._offset = offset
        self._size = size

    def readblocks(self, block: int, buf: Any, offset: int = 0) -> int:
        at = self._offset + block * SECTOR_BYTES + offset
        buf[:] = self._flash[at : at + len(buf)]
        return 0

    def writeblocks(self, block: int, buf: Any, offset: int = 0) -> int:
        at = self._offset + block * SECTOR_BYTES + offset
        held = int.from_bytes(self._flash[at : at + len(buf)], "big")
        value = held & int.from_bytes(buf, "big")
        self._flash[at : at + len(buf)] = value.to_bytes(len(buf), "big")
        return 0

    def ioctl(self, request: int, argument: int) -> int:
        if request == _ERASE:
            at = self._offset + argument * SECTOR_BYTES
            self._flash[at : at + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
        return self._size // SECTOR_BYTES if request == _COUNT else 0


def fill(house: VirtualHouse, name: str, count: int, first_s: int, keys: list[bytes]) -> None:
    """Write so many swipes into the access ring while the board is off, then start it again.

    keys: of the cards, one after another; a second apart, the first at ``first_s``.
    """
    root = str(resources.boards_dir().parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    from firmware.cells import Cells  # noqa: PLC0415 - lies beside the tool, not in it
    from firmware.ring import Ring  # noqa: PLC0415

    sim.stop(house.sim_root, name)
    board = house.boards[name]
    path = board.folder.flash_path
    flash = bytearray(path.read_bytes())
    rows = {row["label"]: row for row in boards.show(house.controllers[name]).partitions}
    parts = {
        label: Partition(flash, rows[label]["offset"], rows[label]["size"])
        for label in ("keys", "journal")
    }
    ring = Ring(0, parts["journal"], Cells(parts["keys"], 0))
    for number in range(count):
        key = keys[number % len(keys)]
        event, reason = (EVENT_GRANTED, 1) if number % 4 else (EVENT_DENIED, 16)
        ring.record(event, reason, (first_s + number, 0, CLOCK_SYNCED), 0, key, 1, 0)
    path.write_bytes(flash)
    sim.start(house.sim_root, name)
    board.until(lambda: _listens(board.tcp_address), _START_S)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.removeprefix("tcp://"), int(port)), 1).close()
    except OSError:
        return False
    return True
