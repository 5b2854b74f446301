"""A street with a door for each kind of reader: swiped, granted, and what goes wrong (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.credentials import parse
from controller_tool.services import push
from controller_tool.services.virtual_house import VirtualHouse
from controller_tool.sim.swipe import swipe
from protocol import codes
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.e2e.callers import Callers, events
from tests.e2e.conftest import PASSPHRASE
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Iterator

DOORS = {
    "wiegand": "virtual-door-wiegand",
    "pn532": "virtual-door-pn532",
    "rc522": "virtual-door-rc522",
}
CARDS = {
    "wiegand": "wiegand37:010a0b0c0d",
    "pn532": "iso14443b:0123456789abcdef",
    "rc522": "iso14443a:10111213141516171819",
}
STRANGERS = {
    "wiegand": "wiegand26:0a0b0c",
    "pn532": "iso14443a:04a2b3c4",
    "rc522": "iso14443a:04112233445566",
}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Three doors in service, with one card for each."""
    folder = tmp_path_factory.mktemp("readers") / "site"
    with VirtualHouse.found(folder, "street", PASSPHRASE, DOORS, until_pid=os.getpid()) as made:
        made.provision()
        made.issue(list(CARDS.values()))
        results = push.push(made.site)
        assert all(result.ok for result in results), results
        yield made


@pytest.fixture(scope="module")
def log(street: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    """Who reads the journals of that street."""
    return Callers(street.site, tmp_path_factory.mktemp("street"))


@pytest.mark.parametrize("door", DOORS)
def test_a_listed_card_opens(street: VirtualHouse, door: str) -> None:
    moved = swipe(street.boards[door], parse(CARDS[door]))
    assert (moved.relay, moved.on) == ("lock", True)


@pytest.mark.parametrize("door", DOORS)
def test_a_stranger_s_card_is_denied(street: VirtualHouse, log: Callers, door: str) -> None:
    with log.call(door) as client:
        first = client.head(RING_ACCESS).next_seq
        swipe(street.boards[door], parse(STRANGERS[door]))
        assert within(
            lambda: (
                (codes.EVENT_DENIED, codes.REASON_UNKNOWN_CARD)
                in [(r.event, r.reason) for r in events(client, RING_ACCESS, first)]
            )
        )


@pytest.mark.parametrize("door", ["pn532", "rc522"])
def test_two_cards_at_once_are_doubtful(street: VirtualHouse, log: Callers, door: str) -> None:
    board = street.boards[door]
    with log.call(door) as client:
        first = client.head(RING_ACCESS).next_seq
        board.stimulate("hold_cards", cards=[[2, "04a2b3c4"], [2, "04112233445566"]])
        assert within(
            lambda: (
                codes.EVENT_READER_DOUBTFUL in [r.event for r in events(client, RING_ACCESS, first)]
            )
        )
        board.stimulate("hold_cards", cards=[])


@pytest.mark.parametrize(("door", "well"), [("pn532", "awake"), ("rc522", "well")])
def test_a_reader_that_falls_silent_is_on_record_and_so_is_its_return(
    street: VirtualHouse, log: Callers, door: str, well: str
) -> None:
    board = street.boards[door]
    with log.call(door) as client:
        first = client.head(RING_ALARM).next_seq
        for fault, event in (("silent", codes.EVENT_READER_LOST), (well, codes.EVENT_READER_BACK)):
            board.stimulate("fail_reader", fault=fault)

            def told(event: int = event) -> bool:
                return event in [r.event for r in events(client, RING_ALARM, first)]

            assert within(told)


def test_an_rc522_whose_transmitter_went_off_is_set_up_again(
    street: VirtualHouse, log: Callers
) -> None:
    with log.call("rc522") as client:
        first = client.head(RING_ALARM).next_seq
        street.boards["rc522"].stimulate("fail_reader", fault="crypto")
        assert within(
            lambda: (
                codes.EVENT_READER_RESTARTED in [r.event for r in events(client, RING_ALARM, first)]
            )
        )
        street.boards["rc522"].stimulate("fail_reader", fault="well")
