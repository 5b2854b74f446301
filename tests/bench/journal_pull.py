"""A full journal pulled: over a cable of 921 600 baud, and over loopback TCP (host)."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from controller_tool.channel.dial import Way
from controller_tool.services import pull
from controller_tool.services.virtual_house import VirtualHouse
from protocol.constants import RECORD_BYTES
from tests.bench.charged_house import row
from tests.bench.filled_journal import fill

NAME = "journal_pull"
BAUD = 921_600
_DOOR = "door-1"
_PASSPHRASE = "of a house that lives for one benchmark"
_BITS_A_BYTE = 10
_FIRST_S = 200_000_000
_RECORDS = 19_000
_SHARE_MIN = 0.85
_RECORDS_A_S_MIN = 20_000


class Fetching:
    """When the first and the last records of the larger ring had been stored."""

    def __init__(self) -> None:
        self._stored: list[tuple[float, int]] = []

    def __call__(self, _: str, done: int, total: int) -> None:
        if total >= _RECORDS // 2:
            self._stored.append((time.monotonic(), done))

    @property
    def records_a_s(self) -> float:
        (began_s, first), (ended_s, last) = self._stored[0], self._stored[-1]
        return (last - first) / (ended_s - began_s)


def run() -> list[dict[str, Any]]:
    """One row a wire: what comes through, stored in the registry and indexed."""
    by_cable = _pulled("serial", baud=BAUD)
    by_network = _pulled("wifi")
    share = by_cable * RECORD_BYTES * _BITS_A_BYTE / BAUD
    return [
        row(f"serial, {BAUD} baud: records", by_cable, "1/s"),
        row("serial: records / what the line carries", share, "", at_least=_SHARE_MIN),
        row("loopback TCP: records", by_network, "1/s", at_least=_RECORDS_A_S_MIN),
    ]


def _pulled(via: str, **options: Any) -> float:
    """Records a second of one pull over this wire."""
    with tempfile.TemporaryDirectory() as folder:
        house = VirtualHouse.found(
            Path(folder) / "site", "bench", _PASSPHRASE, {_DOOR: "virtual-door"},
            until_pid=os.getpid(), **options,
        )  # fmt: skip
        with house:
            house.provision()
            fill(house, _DOOR, _RECORDS, _FIRST_S, [b"cardkey%d" % n for n in range(10)])
            fetching = Fetching()
            [result] = pull.pull(house.site, [_DOOR], fetching, Way(via))
            if not result.ok or result.missing or result.new < _RECORDS:
                raise RuntimeError(f"pull over {via}: {result}")
            return fetching.records_a_s
