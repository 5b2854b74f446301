"""Contacts, supervised lines, REX sensors, chatter and what readers show (MicroPython)."""

import time

from firmware.handlers.orders import _is_possible
from firmware.journal import BURST_ACCESS, FOLD_ABOVE
from firmware.readers.results import (
    SHOW_ALARM,
    SHOW_DENIED,
    SHOW_GRANTED,
    SHOW_HELD,
    SHOW_OPEN,
    SHOW_REST,
    SHOW_SHUT,
)
from firmware.reading import STEADY_MS, Input
from protocol.codes import (
    CREDENTIAL_EM4100,
    EVENT_DOOR_CLOSED,
    EVENT_DOOR_OPENED,
    EVENT_FIRE,
    EVENT_FORCED_OPEN,
    EVENT_GRANTED,
    EVENT_HELD_OPEN,
    EVENT_HELD_WARNING,
    EVENT_INPUT_FAULT,
    EVENT_REX,
    EVENT_TAMPER,
    LINE_OK,
    LINE_OPEN,
    LINE_SHORT,
    MODE_CLOSED,
    MODE_LOCKDOWN,
    MODE_OPEN,
    REASON_CARD,
    TICKET_DOOR_MODE,
    TICKET_REBOOT,
)
from protocol.policy.door_modes import argument
from tests.firmware.door_rig import Line, Rig
from tests.firmware.door_rig import Reader as Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANN = b"ann's"
REX_KIND, HELD_WARNING_S, HELD_OPEN_S, ATTEMPTS, LOCKOUT_S, RELOCK = 7, 6, 3, 11, 12, 4
SHORT_MV, REST_MV, ACTED_MV, CUT_MV = 20, 1050, 1960, 3100


def test_fire_releases_every_door_and_a_tamper_is_told_once() -> None:
    rig = Rig(4)
    rig.turn(fire=1, tamper=1)
    assert [lock.level for lock in rig.locks] == [1, 1, 1, 1]
    assert rig.told(EVENT_FIRE) == 4
    assert rig.told(EVENT_TAMPER) == 1


def no_room(*_: "Any", **__: "Any") -> int:
    raise MemoryError


def test_fire_and_rex_release_every_door_on_a_heap_without_room() -> None:
    for wires in ({"fire": 1}, {"rex": 1, "rex2": 1, "rex3": 1, "rex4": 1}):
        rig = Rig(4)
        rig.journal.record = no_room  # type: ignore[method-assign]
        rig.turn(**wires)
        assert [lock.level for lock in rig.locks] == [1, 1, 1, 1]
        assert rig.journal.lost


def test_a_card_or_key_on_a_heap_without_room_opens_nothing_and_ends_nothing() -> None:
    rig = Rig(2)
    rig.card(ANN)
    written, rig.journal.record = rig.journal.record, no_room  # type: ignore[method-assign]
    read: Any = Read(0, CREDENTIAL_EM4100, ANN)
    rig.door.swipes._take(read)
    rig.type(b"1234", reader=1)
    assert [lock.level for lock in rig.locks] == [0, 0]
    assert rig.memory_faults
    rig.journal.record = written  # type: ignore[method-assign]
    assert rig.swipe(ANN) == (EVENT_GRANTED, REASON_CARD)


def test_a_fire_is_reset_at_each_door_by_its_own_button() -> None:
    rig = Rig(2)
    rig.turn(fire=1)
    rig.turn(fire=0, rex2=1)
    rig.wait(6)
    assert [lock.level for lock in rig.locks] == [1, 0]


def test_a_supervised_fire_line_that_is_cut_or_shorted_releases_and_is_told() -> None:
    for level_mv, state in ((CUT_MV, LINE_OPEN), (SHORT_MV, LINE_SHORT)):
        rig = Rig(lines={"fire": Line()})
        rig.wait(2)
        assert rig.lock.level == 0
        rig.wires["fire"].level_mv = level_mv
        rig.turn()
        assert rig.lock.level == 1
        rig.wait(1)
        assert (EVENT_INPUT_FAULT, state) in rig.journal.events
        rig.wires["fire"].level_mv = REST_MV
        rig.wait(1)
        assert (EVENT_INPUT_FAULT, LINE_OK) in rig.journal.events


def test_a_fire_line_that_is_never_at_rest_releases_whatever_it_says() -> None:
    for pair in ((2450, 2550), (CUT_MV, SHORT_MV), (ACTED_MV, CUT_MV)):
        rig = Rig(lines={"fire": Line()})
        for number in range(10):
            rig.wires["fire"].level_mv = pair[number & 1]
            rig.door.turn(10)
        assert rig.lock.level == 1, pair
        rig.wires["fire"].level_mv = REST_MV
        rig.turn(rex=1)
        rig.wait(6)
        assert rig.lock.level == 0, "it is at rest again, and was reset"


def test_a_rex_line_that_never_says_the_same_opens_nothing() -> None:
    rig = Rig(lines={"rex": Line()})
    for number in range(100):
        rig.wires["rex"].level_mv = (ACTED_MV, SHORT_MV, CUT_MV)[number % 3]
        rig.door.turn(10)
    assert rig.lock.level == 0


def test_noise_of_two_polls_on_a_supervised_line_is_not_seen() -> None:
    rig = Rig(lines={"fire": Line()})
    for level_mv in (CUT_MV, CUT_MV, REST_MV) * 20:
        rig.wires["fire"].level_mv = level_mv
        rig.door.turn(10)
    assert rig.lock.level == 0


def test_two_samples_far_apart_are_as_good_as_three_of_a_quick_loop() -> None:
    """A push keeps the loop for 50 ms at a time: smoke is not to wait for three of those."""
    rig = Rig(lines={"fire": Line()})
    line, contact = rig.door._fire, Input(rig.wires["door"], rig.wires["door"].value() == 1)
    rig.wires["fire"].level_mv = ACTED_MV
    rig.wires["door"].level = 1 - rig.wires["door"].level
    before = contact.active
    assert not line.poll()
    assert contact.poll() == before, "one sample is none"
    time.sleep_ms(STEADY_MS)
    assert line.poll()
    assert contact.poll() != before


def test_a_line_that_goes_from_fault_to_fault_says_the_one_that_is_steady() -> None:
    rig = Rig(lines={"rex": Line()})
    for level_mv in (CUT_MV, SHORT_MV, CUT_MV, SHORT_MV):
        rig.wires["rex"].level_mv = level_mv
        rig.door.turn(10)
        rig.door._lines.second()
    assert rig.told(EVENT_INPUT_FAULT) == 0
    for _ in range(2):
        rig.door.turn(10)
    rig.door._lines.second()
    assert [reason for event, reason in rig.journal.events if event == EVENT_INPUT_FAULT] == [
        LINE_SHORT
    ]


def test_a_supervised_fire_line_that_acts_is_fire_and_no_fault() -> None:
    rig = Rig(lines={"fire": Line()})
    rig.wires["fire"].level_mv = ACTED_MV
    rig.wait(2)
    assert rig.lock.level == 1
    assert rig.told(EVENT_INPUT_FAULT) == 0


def test_a_shorted_rex_line_opens_nothing_and_is_told() -> None:
    rig = Rig(lines={"rex": Line()})
    rig.wires["rex"].level_mv = SHORT_MV
    rig.wait(2)
    assert rig.lock.level == 0
    assert rig.told(EVENT_INPUT_FAULT) == 1
    rig.wires["rex"].level_mv = ACTED_MV
    rig.turn()
    assert rig.lock.level == 1


def test_a_cut_door_contact_counts_as_an_open_leaf() -> None:
    rig = Rig(lines={"door": Line()})
    rig.wires["door"].level_mv = CUT_MV
    rig.turn()
    assert rig.told(EVENT_FORCED_OPEN) == 1


def test_a_board_without_supervised_lines_loads_no_code_for_them() -> None:
    assert Rig().door._lines is None


def test_a_contact_that_chatters_is_counted_and_leaves_room_in_the_journal() -> None:
    rig = Rig()
    for _ in range(500):
        rig.turn(door=1)
        rig.turn(door=0)
    edges = [rig.told(event) for event in (EVENT_DOOR_OPENED, EVENT_DOOR_CLOSED)]
    assert edges == [BURST_ACCESS, BURST_ACCESS], "of 500 each"
    assert rig.told(EVENT_FORCED_OPEN) == FOLD_ABOVE
    rig.journal.tell(3600)
    told = [record for record in rig.journal.records if record[0] == EVENT_DOOR_OPENED][-1]
    assert told[4] == 500 - BURST_ACCESS


def test_a_contact_that_bounces_for_less_than_twenty_milliseconds_is_not_seen() -> None:
    rig = Rig()
    for _ in range(50):
        for level in (1, 1, 0, 0):
            rig.wires["door"].level = level
            rig.door.turn(10)
    assert rig.journal.events == []


def test_a_chattering_rex_still_opens() -> None:
    rig = Rig()
    for _ in range(100):
        rig.turn(rex=1)
        rig.turn(rex=0)
    rig.wait(10)
    assert rig.lock.level == 0
    rig.turn(rex=1)
    assert rig.lock.level == 1
    assert rig.told(EVENT_REX) == 101, "each of them on record, as long as there are not 300"


def test_a_rex_sensor_shunts_the_alarm_and_unlocks_nothing() -> None:
    rig = Rig(settings={REX_KIND: 1})
    rig.turn(rex=1)
    assert rig.lock.level == 0
    rig.turn(door=1)
    rig.turn(rex=0, door=0)
    rig.turn(door=1)
    assert rig.told(EVENT_FORCED_OPEN) == 0, "who was seen a moment ago opens by the handle"
    rig.turn(door=0)
    rig.wait(6)
    rig.turn(door=1)
    assert rig.told(EVENT_FORCED_OPEN) == 1


def test_held_open_warns_before_it_alarms() -> None:
    rig = Rig(settings={HELD_WARNING_S: 5, HELD_OPEN_S: 10})
    rig.turn(rex=1)
    rig.turn(rex=0, door=1)
    rig.wait(5 + 5)
    assert [rig.told(EVENT_HELD_WARNING), rig.told(EVENT_HELD_OPEN)] == [1, 0]
    rig.wait(5)
    assert [rig.told(EVENT_HELD_WARNING), rig.told(EVENT_HELD_OPEN)] == [1, 1]


def test_each_door_has_its_own_relock_times_and_kind_of_rex() -> None:
    rig = Rig(2, {RELOCK: [0, 1]})
    rig.turn(rex=1, rex2=1)
    rig.turn(rex=0, rex2=0, door=1, door2=1)
    rig.wait(1)
    assert [lock.level for lock in rig.locks] == [1, 0]
    rig = Rig(2, {REX_KIND: [0, 1]})
    rig.turn(rex=1, rex2=1)
    assert [lock.level for lock in rig.locks] == [1, 0]
    rig = Rig(2, {HELD_WARNING_S: [0, 3], HELD_OPEN_S: [5, 9]})
    rig.turn(door=1, door2=1)
    rig.wait(6)
    held = (EVENT_HELD_WARNING, EVENT_HELD_OPEN)
    told = [(record[0], record[2]) for record in rig.journal.records if record[0] in held]
    assert told == [(EVENT_HELD_WARNING, 1), (EVENT_HELD_OPEN, 0)]


# --- what readers show -------------------------------------------------------------------------


def last(rig: Rig, reader: int = 0) -> int:
    return ([SHOW_REST] + [pattern for number, pattern in rig.shown if number == reader])[-1]


def test_readers_show_what_was_decided_and_then_how_the_door_is() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.swipe(ANN)
    assert last(rig) == last(rig, 1) == SHOW_GRANTED, "on both sides"
    rig.wait(6)
    assert last(rig) == SHOW_REST
    rig.swipe(b"nobody's")
    assert (last(rig), last(rig, 1)) == (SHOW_DENIED, SHOW_REST)
    rig.wait(2)
    assert last(rig) == SHOW_REST


def test_readers_show_the_state_of_their_door() -> None:
    rig = Rig(2)
    rig.turn(door=1)
    assert (last(rig), last(rig, 1)) == (SHOW_ALARM, SHOW_REST)
    rig.turn(door=0)
    assert last(rig) == SHOW_REST
    rig.door.act(TICKET_DOOR_MODE, 0, argument(MODE_LOCKDOWN, 0))
    assert last(rig) == SHOW_SHUT
    rig.door.act(TICKET_DOOR_MODE, 0, argument(MODE_OPEN, 0))
    assert last(rig) == SHOW_OPEN
    held = Rig(settings={HELD_WARNING_S: 5})
    held.turn(rex=1)
    held.turn(rex=0, door=1)
    held.wait(11)
    assert last(held) == SHOW_HELD


def test_readers_show_an_alarm_of_a_door_held_open_and_an_open_door_in_a_fire() -> None:
    rig = Rig(settings={HELD_OPEN_S: 5, HELD_WARNING_S: 0})
    rig.turn(rex=1)
    rig.turn(rex=0, door=1)
    rig.wait(5 + 5)
    assert last(rig) == SHOW_ALARM
    rig.turn(fire=1)
    assert last(rig) == SHOW_OPEN


def test_readers_show_that_no_card_opens_for_as_long_as_that_is_so() -> None:
    rig = Rig(settings={ATTEMPTS: 1, LOCKOUT_S: 30})
    rig.swipe(b"nobody's")
    rig.wait(2)
    assert last(rig) == SHOW_SHUT
    rig.wait(27)
    assert last(rig) == SHOW_SHUT
    rig.wait(2)
    assert last(rig) == SHOW_REST
    rig.door.act(TICKET_DOOR_MODE, 0, argument(MODE_CLOSED, 0))
    assert last(rig) == SHOW_SHUT


def test_a_reader_is_told_when_what_it_shows_changes_and_not_before() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.swipe(ANN)
    rig.swipe(ANN)
    rig.wait(6)
    assert [pattern for number, pattern in rig.shown if number == 0] == [SHOW_GRANTED, SHOW_REST]


# --- a configuration that comes into force builds the doors anew -------------------------------


def test_doors_are_shut_when_all_are_locked_and_no_leaf_is_open() -> None:
    rig = Rig(2)
    assert rig.door.is_shut()
    rig.turn(door2=1)
    assert not rig.door.is_shut()
    rig.turn(door2=0, rex=1)
    assert not rig.door.is_shut(), "somebody leaves"
    rig.turn(rex=0)
    rig.wait(6)
    assert rig.door.is_shut()


def test_a_latched_fire_keeps_a_configuration_waiting_and_a_mode_does_not() -> None:
    rig = Rig()
    rig.door.act(TICKET_DOOR_MODE, 0, argument(MODE_OPEN, 0))
    assert rig.door.is_shut()
    rig.turn(fire=1)
    rig.turn(fire=0)
    assert not rig.door.is_shut()


def test_no_ticket_restarts_a_controller_whose_fire_is_latched() -> None:
    rig = Rig()
    rig.kind = rig.door
    assert _is_possible(rig, TICKET_REBOOT, 0, 0)
    rig.turn(fire=1)
    rig.turn(fire=0)
    assert not _is_possible(rig, TICKET_REBOOT, 0, 0), "it is reset on site alone"
    rig.turn(rex=1)
    rig.wait(6)
    assert _is_possible(rig, TICKET_REBOOT, 0, 0)


def test_cards_wait_until_it_is_known_in_which_mode_a_door_is() -> None:
    rig = Rig()
    rig.door.act(TICKET_DOOR_MODE, 0, argument(MODE_LOCKDOWN, 0))
    again = rig.again()
    polled = []
    again.door.swipes.poll = lambda: polled.append(again.door.points[0].door.mode)
    again.wait(2)
    assert polled, "afterwards they are taken"
    assert set(polled) == {MODE_LOCKDOWN}
