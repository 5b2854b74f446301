"""Fifty residents at one reader while the desk pulls and pushes: each is on record (host)."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from controller_tool.services import journal_read, journal_verify, pull, push
from controller_tool.services.journal_filter import Filter
from controller_tool.services.virtual_house import VirtualHouse
from protocol.constants import RING_ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller_tool.services.journal_read import Entry

DOOR = "door-1"
CARDS = [f"{number:010d}" for number in range(1, 51)]
PASSPHRASE = "of a house that comes home all at once"


def seq(entry: Entry) -> int:
    """Its place in the ring."""
    return entry.seq


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.full)], ids=["", "charged"])
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[VirtualHouse]:
    """One door with fifty cards on its list; charged: its flash and TLS take an ESP32's time."""
    with VirtualHouse.found(
        tmp_path / "site", "bursts", PASSPHRASE, {DOOR: "virtual-door"},
        charge=request.param, until_pid=os.getpid(),
    ) as made:  # fmt: skip
        made.provision()
        made.issue(CARDS)
        [result] = push.push(made.site)
        assert result.ok, result
        yield made


def test_fifty_swipes_during_a_pull_and_a_push_are_all_there_in_order(house: VirtualHouse) -> None:
    site = house.site
    device = site.device(DOOR)

    def swipe_all() -> None:
        for number in CARDS:
            house.swipe(DOOR, number)

    swiping = threading.Thread(target=swipe_all)
    swiping.start()
    [pulled] = pull.pull(site, [DOOR])
    [pushed] = push.push(site, [DOOR], force=True)
    swiping.join()
    assert pulled.ok, pulled
    assert pushed.ok, pushed

    def all_are_in() -> bool:
        pull.pull(site, [DOOR])
        return len(granted()) == len(CARDS)

    def granted() -> list[str]:
        entries = journal_read.walk(site, Filter(ring=RING_ACCESS))
        return [entry.card for entry in sorted(entries, key=seq) if entry.event == "granted"]

    house.boards[DOOR].until(all_are_in, 20)
    assert granted() == [f"K{number:06d}" for number in range(1, len(CARDS) + 1)]
    assert journal_verify.verify(site, device).ok
