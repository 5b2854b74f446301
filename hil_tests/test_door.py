"""What people do at a door, and what its lock and its journal say of it (host)."""

import pytest

from hil_tests.controller import Controller, Event
from protocol.codes import (
    EVENT_DENIED,
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

UNKNOWN_CARD = bytes.fromhex("0badc0ffee")


@pytest.mark.destructive
def test_listed_card_releases_the_lock_for_a_while(controller: Controller) -> None:
    card = controller.issue_card()
    controller.new_events()
    controller.bench.swipe_card(card)
    assert controller.lock_becomes(released=True)
    events = controller.events_until(EVENT_LOCKED)
    assert Event(EVENT_GRANTED, REASON_CARD) in events
    assert EVENT_UNLOCKED in [event.event for event in events]
    assert controller.lock_becomes(released=False)


def test_unknown_card_leaves_the_lock_alone(controller: Controller) -> None:
    controller.new_events()
    controller.bench.swipe_card(UNKNOWN_CARD)
    events = controller.events_until(EVENT_DENIED)
    assert Event(EVENT_DENIED, REASON_UNKNOWN_CARD) in events
    assert EVENT_UNLOCKED not in [event.event for event in events]
    assert not controller.bench.lock_released()


@pytest.mark.destructive
def test_collected_card_is_denied_and_told_apart(controller: Controller) -> None:
    card = controller.issue_card()
    controller.collect_card(card)
    controller.new_events()
    controller.new_events(RING_ALARM)
    controller.bench.swipe_card(card)
    assert Event(EVENT_DENIED, REASON_REVOKED) in controller.events_until(EVENT_DENIED)
    assert controller.events_until(EVENT_REVOKED_CARD_PRESENTED, RING_ALARM)
    assert not controller.bench.lock_released()


def test_exit_button_releases_the_lock(controller: Controller) -> None:
    controller.new_events()
    controller.bench.press_rex(200)
    assert controller.lock_becomes(released=True)
    assert EVENT_REX in [event.event for event in controller.events_until(EVENT_LOCKED)]
    assert controller.lock_becomes(released=False)
