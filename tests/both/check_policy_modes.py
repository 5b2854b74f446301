"""Which mode counts, wrong attempts, passback, interlock, PIN, supervised lines (both)."""

from protocol.codes import (
    CREDENTIAL_CARD_PIN,
    CREDENTIAL_PIN,
    LINE_ACTIVE,
    LINE_OK,
    LINE_OPEN,
    LINE_SHORT,
    MODE_CLOSED,
    MODE_CONTROLLED,
    MODE_LOCKDOWN,
    MODE_OPEN,
    MODE_SCHEDULE,
)
from protocol.policy import line, passback, pin
from protocol.policy.attempts import WINDOW_S, Attempts
from protocol.policy.door import Door
from protocol.policy.door_modes import Modes, argument
from protocol.policy.interlock import blocked
from protocol.policy.passback import SIDE_IN, SIDE_OUT, Passback


def test_command_then_hours_then_setting() -> None:
    modes = Modes(MODE_CLOSED, MODE_OPEN)
    assert [modes.now(False), modes.now(True)] == [MODE_CLOSED, MODE_OPEN]
    modes.command(argument(MODE_LOCKDOWN, 0))
    assert [modes.now(False), modes.now(True)] == [MODE_LOCKDOWN, MODE_LOCKDOWN]
    modes.command(argument(MODE_SCHEDULE, 0))
    assert modes.now(True) == MODE_OPEN


def test_a_command_for_minutes_counts_them_down() -> None:
    modes = Modes()
    modes.command(argument(MODE_OPEN, 3))
    for _ in range(2):
        modes.minute()
    assert modes.now(False) == MODE_OPEN
    modes.minute()
    assert modes.now(False) == MODE_CONTROLLED


def test_a_command_without_minutes_does_not_end() -> None:
    modes = Modes()
    modes.command(argument(MODE_OPEN, 0))
    for _ in range(10000):
        modes.minute()
    assert modes.now(False) == MODE_OPEN


def test_what_is_stored_is_never_more_than_what_is_left() -> None:
    for minutes in list(range(1, 60)) + [8191]:  # noqa: RUF005  not in MicroPython
        modes = Modes()
        modes.command(argument(MODE_OPEN, minutes))
        after = Modes(stored=modes.stored())
        lasted = 0
        while after.now(False) == MODE_OPEN:
            after.minute()
            lasted += 1
            assert lasted <= minutes
        assert lasted >= max(1, minutes - 10)
    assert Modes().stored() == 0


def test_a_mode_that_is_none_is_not_taken() -> None:
    modes = Modes()
    assert not modes.command(argument(5, 0))
    assert modes.now(False) == MODE_CONTROLLED


def test_hours_that_close_wait_for_no_first_card() -> None:
    assert Modes(MODE_CONTROLLED, MODE_CLOSED, 1).now(True) == MODE_CLOSED


def test_a_first_card_counts_until_the_hours_end() -> None:
    modes = Modes(MODE_CONTROLLED, MODE_OPEN, 1)
    assert (modes.now(True), modes.waits) == (MODE_CONTROLLED, 1)
    modes.first_card()
    assert (modes.now(True), modes.waits) == (MODE_OPEN, 0)
    modes.now(False)
    assert (modes.now(True), modes.waits) == (MODE_CONTROLLED, 1)


def test_a_first_card_does_not_outlast_its_hours_because_a_command_hid_their_end() -> None:
    modes = Modes(MODE_CONTROLLED, MODE_OPEN, 1)
    modes.first_card()
    assert modes.now(True) == MODE_OPEN
    modes.command(argument(MODE_LOCKDOWN, 0))
    modes.now(False)
    modes.now(True)
    modes.command(argument(MODE_SCHEDULE, 0))
    assert (modes.now(True), modes.waits) == (MODE_CONTROLLED, 1)


def test_what_is_stored_changes_every_ten_minutes_at_most() -> None:
    modes = Modes()
    modes.command(argument(MODE_OPEN, 60))
    stored = set()
    for _ in range(60):
        stored.add(modes.stored())
        modes.minute()
    assert len(stored) == 6
    assert modes.stored() == 0


def test_attempts_alarm_at_the_limit_and_not_during_the_lock_out() -> None:
    attempts = Attempts(3, 60)
    assert [attempts.wrong(10) for _ in range(3)] == [False, False, True]
    assert attempts.locked(69)
    assert not any(attempts.wrong(20) for _ in range(20))
    assert not attempts.locked(70)
    assert [attempts.wrong(70) for _ in range(3)] == [False, False, True]


def test_attempts_are_forgotten_with_their_window_or_switched_off() -> None:
    attempts = Attempts(2, 60)
    attempts.wrong(0)
    assert not attempts.wrong(WINDOW_S)
    assert not any(Attempts(0, 60).wrong(0) for _ in range(100))
    alarm_alone = Attempts(1, 0)
    assert alarm_alone.wrong(5)
    assert not alarm_alone.locked(5)


def key(number: int) -> bytes:
    return number.to_bytes(4, "big") + (number * 7919).to_bytes(4, "big")


def test_passback_remembers_sides_and_forgets_the_oldest_of_64() -> None:
    held = Passback()
    for number in range(65):
        held.note(key(number), SIDE_IN, 5)
    assert not held.violates(key(0), SIDE_IN, 6), "forgotten"
    assert held.violates(key(1), SIDE_IN, 6)
    assert not held.violates(key(1), SIDE_OUT, 6)
    for number in range(1, 65):
        assert held.violates(key(number), SIDE_IN, 6)
        held.note(key(number), SIDE_OUT, 6)
        assert not held.violates(key(number), SIDE_IN, 6), "one place for each card"


def test_passback_forgets_who_was_let_in_longest_ago() -> None:
    held = Passback()
    for number in range(64):
        held.note(key(number), SIDE_IN, number)
    held.note(key(0), SIDE_IN, 64)
    held.note(key(100), SIDE_IN, 65)
    assert held.violates(key(0), SIDE_IN, 66), "it has just come in"
    assert not held.violates(key(1), SIDE_IN, 66)


def test_passback_tells_cards_apart_by_any_of_sixty_bits() -> None:
    for bit in range(64):
        other = bytearray(8)
        other[bit // 8] = 0x80 >> bit % 8
        held = Passback()
        held.note(bytes(8), SIDE_IN, 5)
        seen = held.violates(bytes(other), SIDE_IN, 5)
        assert seen == (bit in (0, 1, 32, 33)), bit


def test_passback_at_the_first_minute_and_forgiveness() -> None:
    held = Passback(10)
    held.note(key(3), SIDE_IN, 0)
    assert held.violates(key(3), SIDE_IN, 9)
    assert not held.violates(key(3), SIDE_IN, 10)
    assert not held.violates(bytes(8), SIDE_IN, 0), "an empty place is nobody's"


def test_a_passback_that_never_forgives() -> None:
    held = Passback(0)
    held.note(key(3), SIDE_IN, 0)
    assert held.violates(key(3), SIDE_IN, 5_000_000)


def test_an_interlock_looks_at_locks_and_leaves_of_the_others() -> None:
    doors = [Door(), Door(), Door()]
    assert not blocked(doors, 0)
    doors[1].unlock()
    assert blocked(doors, 0)
    assert not blocked(doors, 1)
    doors[1].tick(60000)
    doors[1].inputs(False, True, False, False)
    assert blocked(doors, 2)


def typed(pad: pin.Pad, digits: str) -> int:
    for digit in digits:
        pad.press(int(digit), 10)
    return pad.press(pin.KEY_ENTER, 10)


def test_a_pin_alone_and_after_a_card_are_credentials_of_their_own() -> None:
    pad = pin.Pad()
    assert typed(pad, "0123") == pin.READY
    assert (pad.kind, bytes(pad.credential())) == (CREDENTIAL_PIN, b"0123")
    pad.forget()
    assert pad.hold(2, b"abcd", b"k" * 8, 10)
    assert typed(pad, "98765432") == pin.READY
    assert pad.kind == CREDENTIAL_CARD_PIN
    assert bytes(pad.credential()) == bytes((2, 4)) + b"abcd98765432"


def test_digits_that_came_before_a_card_are_not_those_behind_it() -> None:
    pad = pin.Pad()
    for key in (4, 7):
        pad.press(key, 10)
    assert pad.hold(2, b"abcd", b"k" * 8, 10)
    assert typed(pad, "9876") == pin.READY
    assert bytes(pad.credential()) == bytes((2, 4)) + b"abcd9876"


def test_pins_that_are_too_short_or_too_long_are_wrong() -> None:
    for digits, result in (("123", pin.WRONG), ("123456789", pin.WRONG), ("", pin.WAITS)):
        assert typed(pin.Pad(), digits) == result


def test_too_many_digits_never_run_over_the_buffer() -> None:
    pad = pin.Pad()
    assert pad.hold(2, bytes(22), b"k" * 8, 10)
    assert typed(pad, "1" * 500) == pin.WRONG
    assert not pad.hold(2, bytes(23), b"k" * 8, 10)


def test_a_pad_forgets_after_its_time() -> None:
    pad = pin.Pad()
    pad.press(1, 3)
    assert [pad.second() for _ in range(3)] == [False, False, False]
    assert bytes(pad._buffer) == bytes(32)
    pad.hold(2, b"abcd", b"k" * 8, 3)
    assert [pad.second() for _ in range(3)] == [False, False, True]


def test_a_line_has_four_bands_with_hysteresis_between_them() -> None:
    for level_mv, state in (
        (0, LINE_SHORT),
        (1050, LINE_OK),
        (1960, LINE_ACTIVE),
        (3100, LINE_OPEN),
    ):
        for before in (LINE_OK, LINE_ACTIVE, LINE_SHORT, LINE_OPEN):
            assert line.state(level_mv, before) == state
    for edge_mv, below, above in ((400, LINE_SHORT, LINE_OK), (1500, LINE_OK, LINE_ACTIVE),
                                  (2500, LINE_ACTIVE, LINE_OPEN)):  # fmt: skip
        for level_mv in (edge_mv - 99, edge_mv + 99):
            assert line.state(level_mv, below) == below
            assert line.state(level_mv, above) == above
        assert line.state(edge_mv + 100, below) == above
        assert line.state(edge_mv - 101, above) == below
    assert passback.ENTRIES == 64
