"""A door whose journal fails: nobody is let in by it, everybody is let out (MicroPython)."""

from firmware.door import Service
from protocol.codes import (
    EVENT_DOOR_OPENED,
    EVENT_FIRE,
    EVENT_FORCED_OPEN,
    EVENT_REX,
    EVENT_UNLOCKED,
    REASON_FIRE,
    REASON_NONE,
    REASON_REX,
    TICKET_UNLOCK,
)
from tests.firmware.door_rig import Rig

HOUR_DS = 36000


def refused_ticket(*events: int) -> Rig:
    """A door whose flash refused these events while a ticket asked for an hour."""
    held = Rig()
    held.journal.refused = events
    try:
        held.door.act(TICKET_UNLOCK, 0, HOUR_DS)
    except OSError:
        return held
    raise AssertionError("the ticket did not learn of it")


def test_a_ticket_opens_when_the_flash_is_well() -> None:
    held = Rig()
    held.door.act(TICKET_UNLOCK, 0, HOUR_DS)
    assert held.lock.level == 1


def test_an_unlock_that_cannot_be_written_leaves_no_trace_in_the_door() -> None:
    held = refused_ticket(EVENT_UNLOCKED)
    held.journal.refused = ()
    held.turn()
    assert held.lock.level == 0
    assert held.door.relay_follows()


def test_rex_releases_after_an_unlock_that_could_not_be_written() -> None:
    held = refused_ticket(EVENT_UNLOCKED)
    held.turn(rex=1)
    assert held.lock.level == 1


def test_fire_releases_after_an_unlock_that_could_not_be_written() -> None:
    held = refused_ticket(EVENT_UNLOCKED)
    held.turn(fire=1)
    assert held.lock.level == 1


def test_rex_and_fire_release_while_nothing_at_all_can_be_written() -> None:
    for wire in ("rex", "fire"):
        held = Rig()
        held.journal.refused = tuple(range(256))
        held.turn(**{wire: 1})
        assert held.lock.level == 1, wire
        assert held.journal.lost >= 2


def test_a_forced_door_is_not_said_to_be_rex() -> None:
    held = Rig()
    held.turn(door=1)
    assert (EVENT_DOOR_OPENED, REASON_NONE) in held.journal.events
    assert (EVENT_FORCED_OPEN, REASON_NONE) in held.journal.events
    held.turn(door=0)
    held.turn(rex=1)
    assert (EVENT_REX, REASON_REX) in held.journal.events
    assert (EVENT_UNLOCKED, REASON_REX) in held.journal.events


def test_what_fire_unlocks_is_on_record_as_fire() -> None:
    held = Rig()
    held.turn(rex=1, fire=1)
    assert held.journal.events == [
        (EVENT_REX, REASON_FIRE),
        (EVENT_FIRE, REASON_FIRE),
        (EVENT_UNLOCKED, REASON_FIRE),
    ]


def test_a_ticket_opens_for_the_time_that_it_names_or_for_the_door_s_own() -> None:
    for duration_ds, seconds in ((20, 2), (0, 5)):
        held = Rig()
        held.door.act(TICKET_UNLOCK, 0, duration_ds)
        held.wait(seconds - 1)
        assert held.lock.level == 1
        held.wait(1)
        assert held.lock.level == 0


def test_the_light_is_on_while_any_door_is_unlocked() -> None:
    held = Rig(2)
    held.door.act(TICKET_UNLOCK, 1, 20)
    held.door.act(TICKET_UNLOCK, 0, 10)
    held.wait(1)
    assert held.light.level == 1
    held.wait(1)
    assert held.light.level == 0


def test_a_relay_that_does_not_follow_is_seen_at_any_door() -> None:
    for fail_safe in (0, 1):
        held = Rig(2, {1: fail_safe})
        assert held.door.relay_follows()
        held.locks[1].level ^= 1
        assert not held.door.relay_follows()


def test_a_door_without_a_list_or_a_journal_to_judge_by_lets_out() -> None:
    for wire in ("rex", "fire"):
        held = Rig()
        held.access = None
        held.door = Service(held)
        held.turn(**{wire: 1})
        assert held.lock.level == 1, wire


def test_a_list_of_settings_that_is_too_short_goes_on_with_its_last() -> None:
    held = Rig(4, {2: [10, 30]})
    for number in range(4):
        held.door.act(TICKET_UNLOCK, number, 0)
    held.wait(2)
    assert [lock.level for lock in held.locks] == [0, 1, 1, 1]
    held.wait(1)
    assert [lock.level for lock in held.locks] == [0, 0, 0, 0]
