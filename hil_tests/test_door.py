"""What people do at a door, and what its lock and its journal say of it (host)."""

from __future__ import annotations

import pytest

from hil_tests.controller import Controller, Event
from protocol.codes import (
    DOOR_FIRE,
    EVENT_DENIED,
    EVENT_FIRE,
    EVENT_FIRE_CLEARED,
    EVENT_FORCED_OPEN,
    EVENT_GRANTED,
    EVENT_LOCKED,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    EVENT_UNLOCKED,
    REASON_CARD,
    REASON_REVOKED,
    REASON_UNKNOWN_CARD,
)
from protocol.constants import RING_ALARM
from protocol.policy.door import FIRE_RESET_HOLD_MS


@pytest.mark.destructive
def test_listed_card_releases_the_lock_for_a_while(door: Controller) -> None:
    card = door.issue_card()
    door.new_events()
    mark = door.bench.mark()
    door.bench.swipe(card)
    assert door.bench.moved(mark, powered=True) is not None
    events = door.events_until(EVENT_LOCKED)
    assert Event(EVENT_GRANTED, REASON_CARD) in events
    assert EVENT_UNLOCKED in [event.event for event in events]
    assert door.locked()


def test_unknown_card_leaves_the_lock_alone(door: Controller) -> None:
    door.new_events()
    door.bench.watch()
    door.bench.swipe(door.bench.new_credential())
    events = door.events_until(EVENT_DENIED)
    assert Event(EVENT_DENIED, REASON_UNKNOWN_CARD) in events
    assert EVENT_UNLOCKED not in [event.event for event in events]
    assert door.bench.glitches() == 0


@pytest.mark.destructive
def test_collected_card_is_denied_and_told_apart(door: Controller) -> None:
    card = door.issue_card()
    door.collect_card(card)
    door.new_events()
    door.new_events(RING_ALARM)
    door.bench.watch()
    door.bench.swipe(card)
    assert Event(EVENT_DENIED, REASON_REVOKED) in door.events_until(EVENT_DENIED)
    assert door.events_until(EVENT_REVOKED_CARD_PRESENTED, RING_ALARM)
    assert door.bench.glitches() == 0


def test_exit_button_releases_the_lock(door: Controller) -> None:
    door.new_events()
    mark = door.bench.mark()
    door.bench.press("rex", 400)
    assert door.bench.moved(mark, powered=True) is not None
    assert EVENT_REX in [event.event for event in door.events_until(EVENT_LOCKED)]
    assert door.locked()


def test_leaf_that_opens_while_the_lock_holds_is_forced(door: Controller) -> None:
    door.new_events(RING_ALARM)
    door.bench.press("door", 500)
    assert door.events_until(EVENT_FORCED_OPEN, RING_ALARM)


@pytest.mark.destructive
def test_fire_releases_the_lock_until_somebody_holds_the_exit_button(
    door: Controller, measure
) -> None:
    door.new_events(RING_ALARM)
    mark = door.bench.mark()
    began_us = door.bench.drive("fire", on=True)
    released_us = door.bench.moved(mark, powered=True)
    assert released_us is not None
    assert door.events_until(EVENT_FIRE, RING_ALARM)
    measure("fire input → lock", door.bench.passed_ms(began_us, released_us), limit=500)
    door.bench.drive("fire", on=False)
    assert door.within(lambda: door.client.info()["doors"][0] & DOOR_FIRE != 0)
    assert door.bench.powers()
    door.bench.press("rex", FIRE_RESET_HOLD_MS + 1000)
    assert door.events_until(EVENT_FIRE_CLEARED, RING_ALARM)
    assert door.locked()
