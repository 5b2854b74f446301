"""A charging station that lives for one test module, and was well all that time (host)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.services import push
from controller_tool.services.virtual_house import VirtualHouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextmanager
def station_of(folder: Path, name: str, board: str, cards: Sequence[str]) -> Iterator[VirtualHouse]:
    """Provisioned, with these cards on its list; it found room for everything and never died."""
    with VirtualHouse.found(
        folder, "station", "of a house that lives for one test run",
        {name: board}, until_pid=os.getpid(),
    ) as made:  # fmt: skip
        made.provision()
        made.issue(cards)
        assert push.push(made.site, [name])[0].ok
        yield made
        counted = made.boards[name].counters()
        assert not counted["memory_faults"]
        died = {how: counted["resets"][how] for how in ("watchdog", "crash", "soft")}
        assert not any(died.values()), died
