"""Weekly windows, midnight, holidays and the change of offsets (both)."""

from protocol.calendar import from_civil, local_minute
from protocol.policy.schedule import inside

MONDAY, SUNDAY, HOLIDAY = 1, 64, 128
WORKDAYS = 0b11111
DAY_MIN = 1440


def minute(day: int, hour: int, minutes: int = 0) -> int:
    """Local minutes of a day of January 2024; the 1st was a Monday."""
    return from_civil(2024, 1, day, hour, minutes, 0) // 60


def holiday(day: int) -> int:
    return minute(day, 0) // DAY_MIN


def test_a_window_is_from_inclusive_to_exclusive() -> None:
    windows = [MONDAY, 8 * 60, 18 * 60]
    assert inside(windows, [], minute(1, 8))
    assert inside(windows, [], minute(1, 17, 59))
    assert not inside(windows, [], minute(1, 7, 59))
    assert not inside(windows, [], minute(1, 18))


def test_the_weekday_must_be_named() -> None:
    windows = [WORKDAYS, 0, DAY_MIN]
    assert [inside(windows, [], minute(day, 12)) for day in range(1, 8)] == [True] * 5 + [False] * 2


def test_a_window_across_midnight_belongs_to_the_day_it_begins_on() -> None:
    windows = [SUNDAY, 22 * 60, 6 * 60]
    assert inside(windows, [], minute(7, 23))
    assert inside(windows, [], minute(8, 5, 59))
    assert not inside(windows, [], minute(8, 6))
    assert not inside(windows, [], minute(7, 5))  # that would be Saturday's window
    assert not inside(windows, [], minute(8, 23))


def test_on_a_holiday_only_holiday_windows_count() -> None:
    windows = [WORKDAYS, 8 * 60, 18 * 60, HOLIDAY, 10 * 60, 12 * 60]
    assert not inside(windows, [holiday(2)], minute(2, 9))
    assert inside(windows, [holiday(2)], minute(2, 11))
    assert not inside(windows, [], minute(6, 11))


def test_an_empty_window_is_never_inside_and_the_whole_day_always() -> None:
    for hour in range(24):
        assert not inside([0x7F, 8 * 60, 8 * 60], [], minute(1, hour))
        assert inside([0x7F, 0, DAY_MIN], [], minute(1, hour))


def test_offsets_count_from_their_moment_on_and_the_first_from_the_beginning() -> None:
    offsets = [1000, 480, 5000, 540]
    assert local_minute(offsets, 0) == 480
    assert local_minute(offsets, 4999) == 4999 // 60 + 480
    assert local_minute(offsets, 5000) == 5000 // 60 + 540
    assert local_minute([], 600) == 10
