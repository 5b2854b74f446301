"""Charging by ticket on a virtual charger, with the tool's own services (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import DeviceError
from controller_tool.services import charge_sessions, charging, devices_ops, pull
from controller_tool.services.charge_sessions import ENDED, Wish
from protocol.codes import (
    END_REMOTE,
    ERR_ARGUMENT,
    ERR_MALFORMED,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    REASON_TICKET,
    TICKET_CHARGE_START,
    TICKET_CHARGE_STOP,
    TICKET_UNLOCK,
)
from protocol.constants import CHARGE_WH_MAX, CHARGE_WH_SHIFT, RING_ACCESS
from tests.e2e.callers import events
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR, PILE = "door-1", "pile-1"


def test_a_session_begins_and_ends_by_ticket(house: VirtualHouse, callers: Callers) -> None:
    with callers.call(PILE) as client:
        first = client.head(RING_ACCESS).next_seq
    charging.start(house.site, PILE, 1, minutes=30)
    with callers.call(PILE) as client:
        assert within(lambda: began(client, first)), "it closes when no current flows"
    with pytest.raises(DeviceError) as caught:
        charging.start(house.site, PILE, 1)
    assert caught.value.code == ERR_ARGUMENT
    assert PILE in caught.value.what
    charging.stop(house.site, PILE, 1)
    with callers.call(PILE) as client:
        assert within(lambda: len(events(client, RING_ACCESS, first)) > 1)
        seen = [(r.event, r.reason, r.point) for r in events(client, RING_ACCESS, first)]
    assert seen == [
        (EVENT_CHARGE_STARTED, REASON_TICKET, 0),
        (EVENT_CHARGE_ENDED, END_REMOTE, 0),
    ]
    [result] = pull.pull(house.site, [PILE])
    assert result.ok, result
    [one] = charge_sessions.sessions(house.site, Wish((PILE,), why=frozenset(("remote",))))
    assert (one.state, one.by, one.card, one.minutes) == (ENDED, "ticket", "", 0)


def began(client: Client, first: int) -> bool:
    """Whether a session is on record since that number."""
    return any(r.event == EVENT_CHARGE_STARTED for r in events(client, RING_ACCESS, first))


def test_a_ticket_holds_all_the_energy_that_a_profile_can(
    house: VirtualHouse, callers: Callers
) -> None:
    most = CHARGE_WH_MAX << CHARGE_WH_SHIFT | (1 << CHARGE_WH_SHIFT) - 1
    pile, door = (house.site.device(name) for name in (PILE, DOOR))
    with callers.call(PILE) as client:
        for action, argument in ((TICKET_CHARGE_START, most + 1), (TICKET_CHARGE_STOP, 0x10000)):
            with pytest.raises(DeviceError) as caught:
                devices_ops.send_ticket(house.site, pile, client, action, 0, argument)
            assert caught.value.code == ERR_MALFORMED, action
        devices_ops.send_ticket(house.site, pile, client, TICKET_CHARGE_START, 0, most)
        devices_ops.send_ticket(house.site, pile, client, TICKET_CHARGE_STOP, 0, 0)
    with callers.call(DOOR) as client:
        with pytest.raises(DeviceError) as caught:
            devices_ops.send_ticket(house.site, door, client, TICKET_UNLOCK, 0, 0x10000)
        assert caught.value.code == ERR_MALFORMED, "an unlock would go on for hours"
