"""The house that the benchmarks of the wire share: an ESP32's time is charged for all of it (host).

Charged are flash operations, the TLS handshake, the cable's pace of 115 200 baud and 2 ms of USB.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool.services.virtual_house import VirtualHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSPHRASE = "of a house that lives for one benchmark"


@contextmanager
def charged_house(controllers: dict[str, str] | None = None) -> Iterator[VirtualHouse]:
    """Site and provisioned boards in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        made = VirtualHouse.found(
            Path(folder) / "site", "bench", _PASSPHRASE, controllers,
            charge=True, until_pid=os.getpid(),
        )  # fmt: skip
        with made:
            made.provision()
            yield made


def numbers(count: int, first: int = 1) -> list[str]:
    """So many card numbers."""
    return [f"{first + n:010d}" for n in range(count)]


def row(
    name: str, value: float, unit: str, at_most: float | None = None, at_least: float | None = None
) -> dict[str, Any]:
    """One figure and whether it keeps within its limits."""
    kept = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
    return {
        "name": name, "value": round(value, 3), "unit": unit,
        "at_most": at_most, "at_least": at_least, "ok": kept,
    }  # fmt: skip
