"""Sixteen ports without contacts: a card and a port's number typed at the reader's keys (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import LinkError
from controller_tool.sim import swipe
from protocol import codes as c
from protocol.constants import RING_ACCESS
from tests.e2e.callers import Callers, events
from tests.e2e.stations import station_of
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller_tool.services.virtual_house import VirtualHouse

NAME = "pile-16"
MINE, THEIRS = "0013345678", "0013345679"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Provisioned, with two cards on its list."""
    folder = tmp_path_factory.mktemp("station") / "site"
    with station_of(folder, NAME, "virtual-charger16", [MINE, THEIRS]) as made:
        yield made


def test_a_card_and_a_typed_port_begin_a_session_there(
    station: VirtualHouse, tmp_path: Path
) -> None:
    board = station.boards[NAME]
    callers = Callers(station.site, tmp_path)

    def closed() -> set[str]:
        return {name for name, on in board.counters()["outputs"].items() if on} - {"contactor"}

    def told() -> list[tuple[int, int, int]]:
        try:
            with callers.call(NAME) as client:
                return [(r.event, r.reason, r.point) for r in events(client, RING_ACCESS, first)]
        except LinkError:  # a busy station of sixteen may hang up: whoever asks, asks again
            return []

    with callers.call(NAME) as client:
        first = client.head(RING_ACCESS).next_seq
    assert swipe.swipe(board, swipe.held(board, MINE)).relay is None, "nothing said which"
    board.stimulate("plug_in", port=3, watts=200)
    board.stimulate("plug_in", port=12, watts=300)
    assert swipe.swipe(board, swipe.held(board, f"{MINE}+3")).relay == "port3"
    assert closed() == {"port3"}
    assert swipe.swipe(board, swipe.held(board, f"{THEIRS}+12")).relay == "port12"
    assert closed() == {"port3", "port12"}
    assert within(lambda: min(board.stimulate("true_power")[at] for at in (2, 11)) > 100)
    station.swipe(NAME, MINE)
    assert within(lambda: closed() == {"port12"})
    wanted = [
        (c.EVENT_GRANTED, c.REASON_CARD, 255),
        (c.EVENT_CHARGE_CHOOSES, 0, 255),
        (c.EVENT_GRANTED, c.REASON_CARD, 255),
        (c.EVENT_CHARGE_STARTED, c.REASON_CARD, 2),
        (c.EVENT_GRANTED, c.REASON_CARD, 255),
        (c.EVENT_CHARGE_STARTED, c.REASON_CARD, 11),
        (c.EVENT_CHARGE_ENDED, c.END_CARD, 2),
    ]
    assert within(lambda: sorted(told()) == sorted(wanted)), told()
