"""A tenant's whole stay at a front desk, with a door that runs its firmware (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.registry.houses import House
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services.desk import front_desk, proving
from controller_tool.services.desk.check_in import Request
from controller_tool.services.desk.front_desk import How
from controller_tool.services.people import Holder
from controller_tool.services.virtual_house import VirtualHouse
from tests.unit.house_support import add_areas, add_house, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOOR, CARD = "door-1", "0013345679"
DAY_MIN = 1440


@pytest.fixture
def house(tmp_path) -> Iterator[VirtualHouse]:
    """One door that serves one house, which is not admitted yet."""
    controllers = {DOOR: "virtual-door"}
    with VirtualHouse.found(
        tmp_path / "site", "desk", "of one stay", controllers, until_pid=os.getpid()
    ) as made:
        made.provision()
        assert all(record.ok for record in made.provisioned)
        add_areas(made.site)
        add_house(made.site, state=words.KNOWN)
        yield made


def swiped(house: VirtualHouse) -> Callable[[str], None]:
    """Whoever is asked for a card holds it to the door, once."""
    left = [CARD]

    def hold(_text: str) -> None:
        if left:
            house.swipe(DOOR, left.pop())

    return hold


def test_a_stay_is_what_the_door_says_it_is(house: VirtualHouse) -> None:
    site, now_min = house.site, now_s() // 60
    who = Holder("王伟", number("33019919900101001"))
    request = Request(who, "H00001", "101", now_min, now_min + 30 * DAY_MIN,
                      cards=(credentials.parse(CARD),))  # fmt: skip
    with pytest.raises(RuleRefused, match="not admitted"):
        front_desk.arrive(site, request, How())
    with site.registry.writing() as session:
        session.scalars(select(House)).one().state = words.ADMITTED

    seen: list[str] = []
    arrived = front_desk.arrive(
        site, request, How(report=lambda name, result: seen.append(result.what if result else name))
    )
    assert arrived.proof.words() == ("works at 1 of 1 doors",)
    assert seen[0] == DOOR
    assert "receipt" in seen[1]
    assert front_desk.tap(site, arrived, swiped(house)).ok

    left = front_desk.depart(site, CARD, How(push=False))
    assert not left.proof.deregistered, "no door was told"
    assert left.proof.words() == ("pending 0/1; pending: door-1",)
    told = proving.prove(site, [left.stay.ref])
    assert told.words() == ("deregistered",)
    [tapped] = proving.tap(site, DOOR, swiped(house)).taps
    assert (tapped.decision, tapped.reason, tapped.relay) == ("denied", "revoked", False)
