"""What cards, PINs and escorts do at a controller's doors (MicroPython)."""

from protocol.codes import (
    EVENT_DENIED,
    EVENT_DURESS,
    EVENT_GRANTED,
    EVENT_LOCK_OUT,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_UNLOCKED,
    REASON_ANTI_PASSBACK,
    REASON_CARD,
    REASON_DURESS,
    REASON_EMERGENCY_CARD,
    REASON_ESCORT_MISSING,
    REASON_INTERLOCK,
    REASON_LOCKED_OUT,
    REASON_PASSBACK_SOFT,
    REASON_PIN_MISSING,
    REASON_PIN_WRONG,
    REASON_REVOKED,
    REASON_UNKNOWN_CARD,
    TICKET_UNLOCK,
)
from protocol.constants import (
    FLAG_EMERGENCY,
    FLAG_REVOKED,
    PROFILE_DURESS,
    PROFILE_ESCORT,
    PROFILE_IGNORES_PASSBACK,
    PROFILE_NEEDS_ESCORT,
    PROFILE_NEEDS_PIN,
)
from tests.firmware.door_rig import CLEAR, Rig

NOBODY = b"nobody's"
ANN = b"ann's"
BOB = b"bob's"
INTERLOCK, PASSBACK, PASSBACK_MIN, ATTEMPTS, LOCKOUT_S, ESCORT_S, PIN_S = 8, 9, 10, 11, 12, 13, 14


def granted(reason: int = REASON_CARD) -> "tuple[int, int]":
    return EVENT_GRANTED, reason


def denied(reason: int) -> "tuple[int, int]":
    return EVENT_DENIED, reason


def test_a_card_opens_for_the_time_of_its_profile_and_is_on_record_before_the_lock_moves() -> None:
    rig = Rig()
    rig.card(ANN, rig.profile(2, unlock_ds=20))
    assert rig.swipe(ANN) == granted()
    assert rig.lock.level == 1
    at = rig.journal.events.index((EVENT_UNLOCKED, REASON_CARD))
    assert rig.journal.levels[at] == [0]
    rig.wait(1)
    assert rig.lock.level == 1
    rig.wait(1)
    assert rig.lock.level == 0


def test_at_a_start_every_lock_is_in_its_fail_state() -> None:
    assert [lock.level for lock in Rig(4).locks] == [0, 0, 0, 0]
    assert [lock.level for lock in Rig(4, {1: 1}).locks] == [1, 1, 1, 1]


def test_each_reader_opens_its_own_door() -> None:
    rig = Rig(4)
    rig.card(ANN)
    for reader in range(8):
        assert rig.swipe(ANN, reader) == granted()
        assert [lock.level for lock in rig.locks].index(1) == reader % 4
        rig.wait(6)
        assert [lock.level for lock in rig.locks] == [0, 0, 0, 0]


# --- PIN ---------------------------------------------------------------------------------


def with_pin(**more: int) -> Rig:
    rig = Rig(settings=more and {int(name[1:]): value for name, value in more.items()})
    rig.card(ANN, rig.profile(2, PROFILE_NEEDS_PIN))
    rig.card(ANN, 2, pin=b"4711")
    return rig


def test_a_card_that_needs_a_pin_waits_for_it_and_opens_with_it() -> None:
    rig = with_pin()
    assert rig.swipe(ANN) == (0, 0)
    assert (0, 3) in rig.shown
    assert rig.lock.level == 0
    assert rig.type(b"4711") == granted()
    assert rig.lock.level == 1


def test_the_same_digits_do_nothing_alone_or_after_another_card() -> None:
    rig = with_pin()
    assert rig.type(b"4711") == denied(REASON_PIN_WRONG)
    rig.card(BOB, 2)
    rig.swipe(BOB)
    assert rig.type(b"4711") == denied(REASON_PIN_WRONG)


def test_a_wrong_pin_is_journalled_under_the_card_and_never_under_what_was_typed() -> None:
    rig = with_pin()
    rig.swipe(ANN)
    key = rig.access.key
    assert rig.type(b"4712") == denied(REASON_PIN_WRONG)
    assert rig.journal.records[-1][3] == key
    rig.type(b"4713")
    assert rig.journal.records[-1][3] == bytes(8)


def test_a_card_waits_ten_seconds_and_is_denied_then() -> None:
    rig = with_pin()
    rig.swipe(ANN)
    rig.wait(9)
    assert rig.decision() == (0, 0)
    rig.wait(1)
    assert rig.decision() == denied(REASON_PIN_MISSING)
    assert rig.type(b"4711") == denied(REASON_PIN_WRONG), "the card waits no more"


def test_a_card_that_is_collected_while_it_waits_opens_nothing_with_its_pin() -> None:
    rig = with_pin()
    rig.swipe(ANN)
    rig.card(ANN, 1, FLAG_REVOKED)
    assert rig.type(b"4711") == denied(REASON_REVOKED)
    assert rig.told(EVENT_REVOKED_CARD_PRESENTED) == 1
    assert rig.lock.level == 0


def test_another_card_ends_the_wait_of_the_first() -> None:
    rig = with_pin()
    rig.card(BOB)
    rig.swipe(ANN)
    assert rig.swipe(BOB) == granted()
    assert denied(REASON_PIN_MISSING) in rig.journal.events


def test_a_card_that_waited_in_vain_is_denied_by_its_own_key() -> None:
    rig = with_pin()
    key = rig.card(ANN, 2)
    rig.card(BOB)
    for give_up in (lambda: rig.swipe(BOB), lambda: rig.wait(10)):
        rig.swipe(ANN)
        rig.access.key = bytes(8)
        give_up()
        denials = [record for record in rig.journal.records if record[0] == EVENT_DENIED]
        assert denials[-1][1:4] == (REASON_PIN_MISSING, 0, key)


def test_digits_that_are_given_up_are_no_denial() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.type(b"47", end=4)
    assert rig.swipe(ANN) == granted()
    rig.type(b"47", end=4)
    rig.wait(20)
    assert rig.told(EVENT_DENIED) == 0


def test_two_readers_are_typed_at_without_a_mixture() -> None:
    rig = with_pin()
    rig.card(b"", 1, pin=b"0815")
    rig.swipe(ANN, 0)
    for place in range(4):
        rig.type(b"", 0, b"4711"[place] - 0x30)
        rig.type(b"", 1, b"0815"[place] - 0x30)
    assert rig.type(b"", 1) == granted()
    assert rig.type(b"", 0) == granted()
    assert rig.told(EVENT_GRANTED) == 2
    rig.swipe(ANN, 1)
    assert rig.type(b"4711", 1) == granted()


def test_the_time_for_a_pin_is_the_one_that_was_set_and_begins_anew_with_each_key() -> None:
    rig = with_pin(_14=5)
    rig.swipe(ANN)
    for digit in b"4711":
        rig.wait(4)
        rig.type(b"", end=digit - 0x30)
    assert rig.type(b"") == granted()
    rig.wait(10)
    rig.swipe(ANN)
    rig.wait(5)
    assert rig.decision() == denied(REASON_PIN_MISSING)
    rig.swipe(ANN)
    rig.type(b"", end=4)
    rig.wait(5)
    assert rig.told(EVENT_DENIED) == 2


def test_a_pin_has_four_to_eight_digits_and_star_empties_it() -> None:
    rig = Rig(settings={ATTEMPTS: 0})
    for digits in (b"123", b"123456789"):
        rig.card(b"", 1, pin=digits[:8])
        assert rig.type(digits) == denied(REASON_PIN_WRONG), digits
    for digits in (b"1234", b"12345678"):
        rig.card(b"", 1, pin=digits)
        rig.type(b"99", end=CLEAR)
        assert rig.type(digits) == granted(), digits


def test_nothing_that_was_typed_stays_in_memory() -> None:
    rig = with_pin()
    for end in (b"4711", b"4712"):
        rig.swipe(ANN)
        rig.type(end)
        assert bytes(rig.door._keypads._pads[0]._buffer) == bytes(32)
    rig.type(b"47", end=4)
    rig.wait(10)
    assert bytes(rig.door._keypads._pads[0]._buffer) == bytes(32)


def test_a_pin_whose_grant_cannot_be_written_opens_nothing_and_is_typed_again() -> None:
    rig = with_pin()
    rig.journal.refused = (EVENT_GRANTED,)
    rig.swipe(ANN)
    rig.type(b"4711")
    assert (rig.lock.level, rig.journal.lost) == (0, 1)
    assert bytes(rig.door._keypads._pads[0]._buffer) == bytes(32)
    rig.journal.refused = ()
    rig.swipe(ANN)
    assert rig.type(b"4711") == granted()


def test_a_door_at_which_nobody_types_loads_no_keypad() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.swipe(ANN)
    rig.swipe(NOBODY)
    assert rig.door._keypads is None


def test_duress_opens_as_always_and_alarms() -> None:
    rig = with_pin()
    rig.card(ANN, rig.profile(3, PROFILE_DURESS), pin=b"9999")
    rig.swipe(ANN)
    shown = len(rig.shown)
    assert rig.type(b"4711") == granted()
    usual = rig.shown[shown:]
    rig.wait(10)
    rig.swipe(ANN)
    shown = len(rig.shown)
    assert rig.type(b"9999") == granted(REASON_DURESS)
    assert rig.told(EVENT_DURESS) == 1
    assert rig.shown[shown:] == usual, "nobody at the door sees a difference"


def test_duress_alarms_even_where_it_opens_nothing_unless_it_was_taken_back() -> None:
    for flags, reason, alarms in ((0, REASON_LOCKED_OUT, 1), (FLAG_REVOKED, REASON_REVOKED, 0)):
        rig = Rig(settings={ATTEMPTS: 2})
        rig.card(b"", rig.profile(2, PROFILE_DURESS), flags, pin=b"9999")
        for _ in range(2):
            rig.swipe(NOBODY)
        assert rig.type(b"9999") == denied(reason)
        assert rig.told(EVENT_DURESS) == alarms


# --- wrong attempts ----------------------------------------------------------------------


def test_five_wrong_attempts_alarm_once_and_lock_out_for_a_while() -> None:
    rig = Rig()
    rig.card(ANN)
    rig.card(BOB, flags=FLAG_EMERGENCY)
    for _ in range(4):
        rig.swipe(NOBODY)
    assert rig.told(EVENT_LOCK_OUT) == 0
    assert rig.swipe(ANN) == granted(), "a good card among them opens"
    rig.swipe(NOBODY)
    assert rig.told(EVENT_LOCK_OUT) == 1
    assert rig.swipe(ANN) == denied(REASON_LOCKED_OUT)
    assert rig.swipe(BOB) == granted(REASON_EMERGENCY_CARD)
    rig.wait(59)
    for _ in range(9):
        assert rig.swipe(NOBODY) == denied(REASON_UNKNOWN_CARD)
    assert rig.swipe(ANN) == denied(REASON_LOCKED_OUT)
    rig.wait(1)
    assert rig.swipe(ANN) == granted(), "trying on did not prolong it"
    assert rig.told(EVENT_LOCK_OUT) == 1


def test_rex_opens_during_a_lock_out() -> None:
    rig = Rig()
    for _ in range(5):
        rig.swipe(NOBODY)
    rig.turn(rex=1)
    assert rig.lock.level == 1


def test_wrong_attempts_that_lie_apart_do_not_add_up() -> None:
    rig = Rig(settings={ATTEMPTS: 2})
    rig.swipe(NOBODY)
    rig.wait(300)
    rig.swipe(NOBODY)
    assert rig.told(EVENT_LOCK_OUT) == 0
    rig.swipe(NOBODY)
    assert rig.told(EVENT_LOCK_OUT) == 1


def test_a_collected_card_is_a_wrong_attempt_and_one_without_its_pin_is_none() -> None:
    rig = with_pin(_11=2)
    for _ in range(3):
        rig.swipe(ANN)
        rig.wait(10)
        assert rig.decision() == denied(REASON_PIN_MISSING)
    assert rig.told(EVENT_LOCK_OUT) == 0
    rig.card(BOB, flags=FLAG_REVOKED)
    for _ in range(2):
        assert rig.swipe(BOB) == denied(REASON_REVOKED)
    assert rig.told(EVENT_LOCK_OUT) == 1


def test_wrong_pins_count_and_each_door_counts_its_own() -> None:
    rig = Rig(2)
    rig.card(ANN)
    for _ in range(5):
        rig.type(b"0000", reader=1)
    assert rig.told(EVENT_LOCK_OUT) == 1
    assert rig.swipe(ANN, 1) == denied(REASON_LOCKED_OUT)
    assert rig.swipe(ANN, 0) == granted()


# --- escort, passback, interlock ------------------------------------------------------------


def test_a_guest_comes_in_after_an_escort_alone_and_for_some_seconds_alone() -> None:
    rig = Rig(2)
    rig.card(ANN, rig.profile(2, PROFILE_ESCORT))
    rig.card(BOB, rig.profile(3, PROFILE_NEEDS_ESCORT))
    assert rig.swipe(BOB) == denied(REASON_ESCORT_MISSING)
    assert rig.swipe(ANN) == granted()
    assert rig.swipe(BOB, 1) == denied(REASON_ESCORT_MISSING), "at another door"
    rig.wait(14)
    assert rig.swipe(BOB) == granted()
    rig.wait(1)
    assert rig.swipe(BOB) == denied(REASON_ESCORT_MISSING)


def test_an_escort_counts_at_the_door_at_which_it_came_in() -> None:
    rig = Rig(2)
    rig.card(ANN, rig.profile(2, PROFILE_ESCORT))
    rig.card(BOB, rig.profile(3, PROFILE_NEEDS_ESCORT))
    assert rig.swipe(ANN, 1) == granted()
    assert rig.swipe(BOB, 0) == denied(REASON_ESCORT_MISSING)
    assert rig.swipe(BOB, 1) == granted()


def test_hard_passback_wants_a_card_to_leave_before_it_comes_in_again() -> None:
    rig = Rig(settings={PASSBACK: 2})
    rig.card(ANN)
    assert rig.swipe(ANN, 0) == granted()
    assert rig.swipe(ANN, 0) == denied(REASON_ANTI_PASSBACK)
    assert rig.swipe(ANN, 1) == granted()
    assert rig.swipe(ANN, 1) == denied(REASON_ANTI_PASSBACK)
    assert rig.swipe(ANN, 0) == granted()


def test_soft_passback_flags_and_lets_in() -> None:
    rig = Rig(settings={PASSBACK: 1})
    rig.card(ANN)
    rig.swipe(ANN)
    assert rig.swipe(ANN) == granted(REASON_PASSBACK_SOFT)


def test_passback_forgives_after_its_minutes_and_those_who_are_above_it() -> None:
    rig = Rig(settings={PASSBACK: 2, PASSBACK_MIN: 2})
    rig.card(ANN)
    rig.card(BOB, rig.profile(2, PROFILE_IGNORES_PASSBACK))
    rig.swipe(ANN)
    rig.wait(119)
    assert rig.swipe(ANN) == denied(REASON_ANTI_PASSBACK)
    rig.wait(1)
    assert rig.swipe(ANN) == granted()
    assert [rig.swipe(BOB) for _ in range(2)] == [granted(), granted()]


def test_a_restart_forgives_rather_than_lock_in() -> None:
    rig = Rig(settings={PASSBACK: 2})
    rig.card(ANN)
    rig.swipe(ANN)
    assert rig.again({PASSBACK: 2}).swipe(ANN) == granted()


def test_a_card_is_the_same_with_and_without_its_pin() -> None:
    rig = Rig(settings={PASSBACK: 2})
    rig.card(ANN)
    rig.swipe(ANN)
    rig.card(ANN, rig.profile(2, PROFILE_NEEDS_PIN | PROFILE_IGNORES_PASSBACK))
    rig.card(ANN, 1, pin=b"4711")
    rig.swipe(ANN)
    assert rig.type(b"4711") == denied(REASON_ANTI_PASSBACK)


def test_who_came_in_with_a_pin_has_to_leave_too() -> None:
    rig = with_pin(_9=2)
    rig.swipe(ANN)
    assert rig.type(b"4711") == granted()
    assert rig.swipe(ANN) == denied(REASON_ANTI_PASSBACK)


def test_readers_of_the_second_round_lead_out() -> None:
    rig = Rig(2, {PASSBACK: 2})
    rig.card(ANN)
    assert rig.swipe(ANN, 0) == granted()
    assert rig.swipe(ANN, 1) == denied(REASON_ANTI_PASSBACK), "in again by the other door"
    assert rig.swipe(ANN, 3) == granted()
    assert rig.swipe(ANN, 1) == granted()


def test_an_interlock_opens_one_door_at_a_time() -> None:
    rig = Rig(2, {INTERLOCK: 1})
    rig.card(ANN)
    rig.card(BOB, flags=FLAG_EMERGENCY)
    assert rig.swipe(ANN, 0) == granted()
    assert rig.swipe(ANN, 1) == denied(REASON_INTERLOCK)
    assert not rig.door.takes(TICKET_UNLOCK, 1, 0)
    rig.turn(door=1)
    rig.wait(5)
    assert rig.swipe(ANN, 1) == denied(REASON_INTERLOCK), "the first leaf is open"
    assert rig.swipe(BOB, 1) == granted(REASON_EMERGENCY_CARD)
    rig.turn(door=0)
    rig.wait(6)
    assert rig.swipe(ANN, 1) == granted()


def test_rex_and_fire_win_over_an_interlock() -> None:
    rig = Rig(2, {INTERLOCK: 1})
    rig.card(ANN)
    rig.swipe(ANN, 0)
    rig.turn(rex2=1)
    assert [lock.level for lock in rig.locks] == [1, 1]
    rig = Rig(4, {INTERLOCK: 1})
    rig.turn(fire=1)
    assert [lock.level for lock in rig.locks] == [1, 1, 1, 1]


def test_a_grant_that_cannot_be_written_opens_nothing_and_is_not_remembered() -> None:
    rig = Rig(settings={PASSBACK: 2})
    rig.card(ANN)
    rig.journal.refused = (EVENT_GRANTED,)
    rig.swipe(ANN)
    assert rig.lock.level == 0
    rig.journal.refused = ()
    assert rig.swipe(ANN) == granted()
