"""From a blank board to a verified log, with the tool's own services (host)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from controller_tool.services import cards, journal_verify, pull, push
from protocol import codes
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.e2e.callers import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.client import Client
    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR, PILE = "door-1", "pile-1"
CARD = "0013345678"
STRANGER = "0099999999"
PATIENCE_S = 20.0


def within(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    """Whether a condition comes to hold."""
    end = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Door:
    """What somebody sees who stands at a controller and reads its log."""

    def __init__(self, house: VirtualHouse, client: Client, name: str) -> None:
        self.house = house
        self.name = name
        self.client = client

    def present(self, card: str) -> list[tuple[int, int]]:
        """Event and reason of what a presented card led to."""
        first = self.client.head(RING_ACCESS).next_seq
        self.house.swipe(self.name, card)
        assert within(lambda: self.client.head(RING_ACCESS).next_seq > first)
        return [(r.event, r.reason) for r in events(self.client, RING_ACCESS, first)]


@pytest.fixture(scope="module")
def issued(house: VirtualHouse) -> str:
    """A card that is listed and receipted everywhere."""
    house.issue([CARD])
    results = push.push(house.site)
    assert all(result.ok and result.count for result in results), results
    return CARD


def test_provisioned_controllers_are_whole(house: VirtualHouse) -> None:
    assert [p.device for p in house.provisioned] == [DOOR, PILE]
    for record in house.provisioned:
        assert record.ok, record
        assert record.clock == "synced"
        assert record.self_test


@pytest.mark.parametrize("via", ["wifi", "serial"])
def test_a_listed_card_opens_and_a_stranger_s_does_not(
    house: VirtualHouse, callers: Callers, issued: str, via: str
) -> None:
    with callers.call(DOOR, via=via) as client:
        door = Door(house, client, DOOR)
        assert (codes.EVENT_GRANTED, codes.REASON_CARD) in door.present(issued)
        assert door.present(STRANGER) == [(codes.EVENT_DENIED, codes.REASON_UNKNOWN_CARD)]


def test_the_same_card_starts_a_charge(house: VirtualHouse, callers: Callers, issued: str) -> None:
    with callers.call(PILE) as client:
        pile = Door(house, client, PILE)
        assert (codes.EVENT_GRANTED, codes.REASON_CARD) in pile.present(issued)


def test_a_collected_card_is_dead_when_its_receipts_are_in(
    house: VirtualHouse, callers: Callers, issued: str
) -> None:
    cards.collect(house.site, issued)
    assert not cards.card_status(house.site, issued).deregistered
    assert all(result.ok for result in push.push(house.site))
    assert cards.card_status(house.site, issued).deregistered
    with callers.call(DOOR) as client:
        first = client.head(RING_ALARM).next_seq
        assert (codes.EVENT_DENIED, codes.REASON_REVOKED) in Door(house, client, DOOR).present(
            issued
        )
        alarms = [r.event for r in events(client, RING_ALARM, first)]
    assert codes.EVENT_REVOKED_CARD_PRESENTED in alarms


@pytest.mark.usefixtures("issued")
def test_the_pulled_log_verifies(house: VirtualHouse) -> None:
    results = pull.pull(house.site)
    assert all(result.ok for result in results), results
    assert all(result.new for result in results)
    for name in (DOOR, PILE):
        assert journal_verify.verify(house.site, house.site.device(name)).ok


@pytest.mark.usefixtures("issued")
def test_a_second_pull_brings_only_what_is_new(house: VirtualHouse) -> None:
    before = pull.pull(house.site, [DOOR])[0]
    again = pull.pull(house.site, [DOOR])[0]
    assert again.ok
    assert again.conflicting == again.missing == again.overwritten == 0
    assert 0 < again.new < 10  # the records of the two sessions themselves
    assert again.already_had == before.written
    assert again.written == again.new + again.already_had
