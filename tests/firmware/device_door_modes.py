"""Door modes by ticket, by hours and by setting; first card; what a restart keeps (MicroPython)."""

from firmware.handlers.info import state_of
from protocol.codes import (
    CLOCK_UNSET,
    DOOR_ALARM,
    DOOR_FIRE,
    DOOR_LEAF_OPEN,
    DOOR_MODE_SHIFT,
    DOOR_UNLOCKED,
    EVENT_DENIED,
    EVENT_DOOR_MODE,
    EVENT_GRANTED,
    EVENT_LOCKED,
    EVENT_MODE_CHANGED,
    EVENT_UNLOCKED,
    MODE_CLOSED,
    MODE_CONTROLLED,
    MODE_LOCKDOWN,
    MODE_OPEN,
    MODE_SCHEDULE,
    REASON_CARD,
    REASON_EMERGENCY_CARD,
    REASON_FIRST_CARD,
    REASON_FIRST_CARD_MISSING,
    REASON_LOCKDOWN,
    REASON_MODE,
    REASON_NORMALLY_CLOSED,
    TICKET_DOOR_MODE,
    TICKET_UNLOCK,
)
from protocol.constants import FLAG_EMERGENCY, PROFILE_FIRST_CARD, PROFILE_OPENS_CLOSED
from protocol.policy.door_modes import argument
from tests.firmware.door_rig import NOW_S, Cards, Numbers, Rig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANN = b"ann's"
BOB = b"bob's"
MODE, MODE_SCHEDULE_AT, FIRST_CARD, INTERLOCK = 15, 16, 17, 8
OPEN_HOURS = MODE_OPEN << 8 | 1
MINUTE = NOW_S // 60 % 1440  # of the day, UTC
EVERY_DAY = 0x7F


def ticket(rig: Rig, mode: int, minutes: int = 0, door: int = 0) -> None:
    value = argument(mode, minutes)
    assert rig.door.takes(TICKET_DOOR_MODE, door, value)
    rig.door.act(TICKET_DOOR_MODE, door, value)


def house(*windows: int) -> Cards:
    """A list whose schedule 1 has these windows."""
    held = Cards()
    held.manifest.schedules = [[1] + list(windows)]  # noqa: RUF005  not in MicroPython
    return held


def in_hours(settings: "dict[int, Any] | None" = None, doors: int = 1) -> Rig:
    """Doors whose open hours began just now and last for an hour."""
    wanted = {MODE_SCHEDULE_AT: OPEN_HOURS}
    wanted.update(settings or {})
    return Rig(doors, wanted, cards_held=house(EVERY_DAY, MINUTE, MINUTE + 60))


# --- by ticket ---------------------------------------------------------------------------


def test_a_door_without_modes_loads_none() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.swipe(ANN)
    rig.wait(2)
    assert rig.door._keeper is None


def test_normally_open_is_on_record_before_the_lock_moves_and_lasts() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN)
    assert rig.lock.level == 1
    assert rig.journal.events[:2] == [
        (EVENT_MODE_CHANGED, MODE_OPEN),
        (EVENT_UNLOCKED, REASON_MODE),
    ]
    assert rig.journal.levels == [[0], [0]]
    rig.wait(3600)
    assert rig.lock.level == 1
    ticket(rig, MODE_SCHEDULE)
    rig.turn()
    assert rig.lock.level == 0
    assert (EVENT_LOCKED, 0) in rig.journal.events


def test_a_mode_that_cannot_be_written_does_not_come() -> None:
    for refused in (EVENT_MODE_CHANGED, EVENT_UNLOCKED):
        rig = Rig()
        rig.journal.refused = (refused,)
        try:
            ticket(rig, MODE_OPEN)
        except OSError:
            rig.wait(5)
            assert rig.lock.level == 0
            continue
        raise AssertionError("the ticket did not learn of it")


def test_a_mode_for_minutes_ends_by_itself() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN, 2)
    assert rig.journal.records[0][4] == 2, "minutes are on record"
    rig.wait(119)
    assert rig.lock.level == 1
    rig.wait(2)
    assert rig.lock.level == 0
    assert rig.journal.events[-2:] == [(EVENT_DOOR_MODE, MODE_CONTROLLED), (EVENT_LOCKED, 0)]


def test_a_mode_that_ends_locks_even_when_nothing_can_be_written() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN, 1)
    rig.journal.refused = tuple(range(256))
    rig.wait(62)
    assert rig.lock.level == 0


def test_lockdown_leaves_the_way_in_to_emergency_cards_and_the_way_out_to_all() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.card(BOB, flags=FLAG_EMERGENCY)
    rig.swipe(ANN)
    ticket(rig, MODE_LOCKDOWN)
    rig.turn()
    assert rig.lock.level == 0, "a running unlock ends"
    assert rig.swipe(ANN) == (EVENT_DENIED, REASON_LOCKDOWN)
    assert rig.swipe(BOB) == (EVENT_GRANTED, REASON_EMERGENCY_CARD)
    rig.wait(6)
    rig.turn(rex=1)
    assert rig.lock.level == 1


def test_normally_closed_lets_marked_profiles_in_alone() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.card(BOB, rig.profile(2, PROFILE_OPENS_CLOSED))
    ticket(rig, MODE_CLOSED)
    assert rig.swipe(ANN) == (EVENT_DENIED, REASON_NORMALLY_CLOSED)
    assert rig.swipe(BOB) == (EVENT_GRANTED, REASON_CARD)


def test_fire_releases_in_every_mode_and_outlasts_it() -> None:
    for mode in (MODE_CONTROLLED, MODE_OPEN, MODE_CLOSED, MODE_LOCKDOWN):
        rig = Rig()
        ticket(rig, mode)
        rig.turn(fire=1)
        rig.turn(fire=0)
        ticket(rig, MODE_LOCKDOWN)
        rig.wait(60)
        assert rig.lock.level == 1, mode


def test_a_mode_that_is_none_and_a_door_that_is_none_are_not_taken() -> None:
    rig = Rig(2)
    assert not rig.door.takes(TICKET_DOOR_MODE, 0, argument(5, 0))
    assert not rig.door.takes(TICKET_DOOR_MODE, 2, argument(MODE_OPEN, 0))
    assert not rig.door.takes(TICKET_UNLOCK, 2, 0)


def test_each_door_has_its_own_mode() -> None:
    rig = Rig(4)
    ticket(rig, MODE_OPEN, door=2)
    assert [lock.level for lock in rig.locks] == [0, 0, 1, 0]


def test_an_interlock_opens_no_second_door_by_mode() -> None:
    rig = Rig(2, {INTERLOCK: 1})
    ticket(rig, MODE_OPEN, door=0)
    assert not rig.door.takes(TICKET_DOOR_MODE, 1, argument(MODE_OPEN, 0))
    rig = in_hours({INTERLOCK: 1}, doors=2)
    rig.wait(5)
    assert sum(lock.level for lock in rig.locks) == 1


# --- a restart -----------------------------------------------------------------------------


def test_a_command_survives_a_restart_and_says_so_in_the_journal() -> None:
    rig = Rig()
    ticket(rig, MODE_LOCKDOWN)
    after = rig.again()
    after.card(ANN)
    after.wait(1)
    assert after.swipe(ANN) == (EVENT_DENIED, REASON_LOCKDOWN)
    assert (EVENT_DOOR_MODE, MODE_LOCKDOWN) in after.journal.events


def test_each_door_finds_its_own_command_after_a_restart() -> None:
    rig = Rig(2)
    ticket(rig, MODE_OPEN, door=1)
    after = rig.again()
    after.wait(1)
    assert [lock.level for lock in after.locks] == [0, 1]


def test_a_restart_is_in_the_fail_state_until_the_record_is_written() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN)
    after = rig.again()
    assert after.lock.level == 0
    after.journal.refused = (EVENT_UNLOCKED,)
    after.wait(3)
    assert after.lock.level == 0
    after.journal.refused = ()
    after.wait(1)
    assert after.lock.level == 1


def test_no_number_of_restarts_makes_a_command_longer() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN, 60)
    for _ in range(8):  # cut short before each ten minutes that would be booked
        rig.wait(8 * 60)
        rig = rig.again()
    rig.wait(2)
    assert rig.lock.level == 0


def test_power_that_never_lasts_a_minute_makes_no_command_longer_either() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN, 30)
    for _ in range(40):
        rig.wait(50)
        rig = rig.again()
    rig.wait(2)
    assert rig.lock.level == 0
    ticket(rig, MODE_LOCKDOWN)
    for _ in range(5):
        rig = rig.again()
        rig.wait(2)
        assert rig.door._doors[0].mode == MODE_LOCKDOWN, "until further notice is no time"


def test_a_start_with_a_command_needs_no_flash() -> None:
    rig = Rig()
    ticket(rig, MODE_LOCKDOWN, 30)
    rig.nvs.fails = True
    after = rig.again()
    after.wait(2)
    assert after.door._doors[0].mode == MODE_LOCKDOWN


def test_a_command_that_ended_does_not_come_back() -> None:
    rig = Rig()
    ticket(rig, MODE_OPEN, 1)
    rig.wait(61)
    after = rig.again()
    after.wait(2)
    assert after.lock.level == 0


def test_nvs_that_fails_is_told_to_the_caller_and_stops_no_door() -> None:
    rig = Rig()
    rig.nvs.fails = True
    try:
        ticket(rig, MODE_LOCKDOWN)
    except OSError:
        rig.wait(120)
        rig.turn(rex=1)
        assert rig.lock.level == 1
        return
    raise AssertionError("the ticket did not learn of it")


# --- hours -----------------------------------------------------------------------------------


def test_hours_open_the_door_and_close_it_again() -> None:
    rig = in_hours()
    rig.wait(1)
    assert rig.lock.level == 1
    assert rig.journal.events[:2] == [(EVENT_DOOR_MODE, MODE_OPEN), (EVENT_UNLOCKED, REASON_MODE)]
    rig.wait(3600)
    assert rig.lock.level == 0


def test_hours_that_cannot_be_written_open_nothing_and_are_tried_again() -> None:
    for refused in (EVENT_DOOR_MODE, EVENT_UNLOCKED):
        rig = in_hours()
        rig.journal.refused = (refused,)
        rig.wait(3)
        assert rig.lock.level == 0
        rig.journal.refused = ()
        rig.wait(1)
        assert rig.lock.level == 1


def test_hours_may_close_a_door_too() -> None:
    held = house(EVERY_DAY, MINUTE, MINUTE + 60)
    rig = Rig(1, {MODE_SCHEDULE_AT: MODE_CLOSED << 8 | 1}, cards_held=held)
    rig.card(ANN)
    rig.wait(1)
    assert rig.lock.level == 0
    assert rig.swipe(ANN) == (EVENT_DENIED, REASON_NORMALLY_CLOSED)


def test_a_lock_that_is_unlocked_already_is_not_said_to_be_unlocked_again() -> None:
    for rig in (Rig(), in_hours()):
        rig.card(ANN)
        rig.swipe(ANN)
        if rig.door._has_modes:
            rig.wait(1)
        else:
            ticket(rig, MODE_OPEN)
        assert rig.door._doors[0].mode == MODE_OPEN
        assert rig.told(EVENT_UNLOCKED) == 1


def test_a_command_counts_before_hours_and_hours_before_the_setting() -> None:
    rig = in_hours({MODE: MODE_CLOSED})
    rig.wait(1)
    assert rig.lock.level == 1
    ticket(rig, MODE_LOCKDOWN, 5)
    rig.turn()
    assert rig.lock.level == 0
    rig.wait(301)
    assert rig.lock.level == 1
    rig.wait(3600)
    rig.card(ANN)
    assert rig.swipe(ANN) == (EVENT_DENIED, REASON_NORMALLY_CLOSED)


def test_a_clock_that_jumps_moves_the_hours_with_it() -> None:
    rig = in_hours()
    rig.wait(1)
    rig.clock.time_s += 3600
    rig.wait(2)
    assert rig.lock.level == 0
    rig.clock.time_s -= 3600
    rig.wait(1)
    assert rig.lock.level == 1


def test_windows_that_overlap_are_one_longer_window() -> None:
    held = house(EVERY_DAY, MINUTE, MINUTE + 2, EVERY_DAY, MINUTE + 1, MINUTE + 4)
    rig = Rig(1, {MODE_SCHEDULE_AT: OPEN_HOURS}, cards_held=held)
    rig.wait(1)
    rig.wait(3 * 60)
    assert rig.told(EVENT_UNLOCKED) == 1
    assert rig.told(EVENT_LOCKED) == 0
    rig.wait(60)
    assert rig.told(EVENT_LOCKED) == 1


def test_without_a_clock_a_fresh_list_or_that_schedule_no_hours_count() -> None:
    rig = in_hours()
    rig.clock.quality = CLOCK_UNSET
    rig.wait(2)
    assert rig.lock.level == 0
    rig = in_hours()
    rig.whitelist.manifest.refresh_by_s = NOW_S - 1
    rig.wait(2)
    assert rig.lock.level == 0
    rig = Rig(1, {MODE_SCHEDULE_AT: MODE_OPEN << 8 | 7}, cards_held=house(EVERY_DAY, 0, 1440))
    rig.wait(2)
    assert rig.lock.level == 0


def test_per_door_settings_are_a_list() -> None:
    rig = in_hours({MODE_SCHEDULE_AT: [0, OPEN_HOURS]}, doors=2)
    rig.wait(1)
    assert [lock.level for lock in rig.locks] == [0, 1]


def test_each_door_has_its_own_mode_and_first_card_by_setting() -> None:
    rig = Rig(2, {MODE: [MODE_CONTROLLED, MODE_CLOSED]})
    rig.card(ANN)
    rig.wait(1)
    assert rig.swipe(ANN, 0) == (EVENT_GRANTED, REASON_CARD)
    assert rig.swipe(ANN, 1) == (EVENT_DENIED, REASON_NORMALLY_CLOSED)
    rig = in_hours({FIRST_CARD: [0, 1]}, doors=2)
    rig.wait(1)
    assert [lock.level for lock in rig.locks] == [1, 0]


# --- first card ------------------------------------------------------------------------------


def test_hours_wait_for_a_first_card() -> None:
    rig = in_hours({FIRST_CARD: 1})
    rig.card(ANN)
    rig.card(BOB, rig.profile(2, PROFILE_FIRST_CARD))
    rig.wait(60)
    assert rig.lock.level == 0
    assert rig.swipe(ANN) == (EVENT_GRANTED, REASON_CARD)
    rig.wait(60)
    assert rig.lock.level == 0
    assert rig.swipe(BOB) == (EVENT_GRANTED, REASON_FIRST_CARD)
    rig.wait(60)
    assert rig.lock.level == 1


def test_others_may_have_to_wait_for_a_first_card_too() -> None:
    rig = in_hours({FIRST_CARD: 2})
    rig.card(ANN)
    rig.card(BOB, rig.profile(2, PROFILE_FIRST_CARD))
    rig.wait(1)
    assert rig.swipe(ANN) == (EVENT_DENIED, REASON_FIRST_CARD_MISSING)
    rig.swipe(BOB)
    rig.wait(1)
    assert rig.swipe(ANN) == (EVENT_GRANTED, REASON_CARD)


def test_a_first_card_counts_for_the_hours_that_it_came_in_alone() -> None:
    rig = in_hours({FIRST_CARD: 1})
    rig.card(BOB, rig.profile(2, PROFILE_FIRST_CARD))
    rig.clock.time_s -= 86400 - 3700
    rig.wait(1)
    rig.swipe(BOB)
    rig.wait(5)
    rig.clock.time_s = NOW_S + 5
    rig.wait(5)
    assert rig.lock.level == 0, "a card before the hours does not begin them"


def test_a_list_that_rolls_back_hours_ends_them() -> None:
    nvs = Numbers()
    rig = Rig(1, {MODE_SCHEDULE_AT: OPEN_HOURS}, nvs, house(EVERY_DAY, 0, 1440))
    rig.wait(1)
    assert rig.lock.level == 1
    rig.whitelist.manifest.schedules = []
    rig.wait(2)
    assert rig.lock.level == 0


def test_the_info_says_how_a_door_is() -> None:
    rig = Rig()
    door = rig.door.points[0].door
    assert state_of(door) == 0
    rig.wires["fire"].level = 1
    rig.wires["door"].level = 1
    rig.turn()
    rig.wires["fire"].level = 0
    rig.wait(1)
    assert state_of(door) == DOOR_UNLOCKED | DOOR_LEAF_OPEN | DOOR_FIRE
    rig.door.act(TICKET_DOOR_MODE, 0, argument(MODE_LOCKDOWN, 0))
    assert state_of(door) >> DOOR_MODE_SHIFT == MODE_LOCKDOWN
    other = Rig()
    other.wires["door"].level = 1
    other.turn()
    assert state_of(other.door.points[0].door) == DOOR_LEAF_OPEN | DOOR_ALARM, "forced"
