"""Dates that catch clocks out: 2038, 2051, leap days, New Year, summer time, lost clocks (both)."""

from protocol import calendar, cards, cbor, manifest
from protocol.calendar import local_minute
from protocol.codes import (
    CLOCK_HOLDOVER,
    CLOCK_RTC,
    CLOCK_SYNCED,
    CLOCK_UNSET,
    ERR_BOUNDS,
    ERR_DATE,
    ERR_VERSION_JUMP,
    REASON_CARD,
    REASON_CLOCK_UNSET,
    REASON_EXPIRED,
    REASON_NOT_YET_VALID,
    REASON_SCHEDULE,
    REASON_STALE,
)
from protocol.constants import (
    EPOCH_2020_UNIX_S,
    FAR_FUTURE_S,
    TIME_END_MIN,
    TIME_END_S,
    VERSION_JUMP_MAX,
)
from protocol.policy.decide import ALWAYS, FRESH, INSIDE, OUTSIDE, STALE, STALE_IN_GRACE, decide
from protocol.policy.schedule import inside
from tests.both.support import raises, refused

SITE = b"s" * 8
DEVICE = b"d" * 8
KEY = b"k" * 8
END_2038_S = (1 << 31) - EPOCH_2020_UNIX_S  # 2038-01-19T03:14:08Z, where 32 signed bits end
SMALL_INT_END = 1 << 30  # of a 32-bit MicroPython: beyond it a number costs heap

TUESDAY, WEDNESDAY, SUNDAY, HOLIDAY = 2, 4, 64, 128
DAY_MIN = 1440
NIGHT_BEGINS, NIGHT_ENDS = 22 * 60, 6 * 60


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return calendar.from_civil(year, month, day, hour, minute, second)


def local(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    return at(year, month, day, hour, minute) // 60


def day(year: int, month: int, number: int) -> int:
    return local(year, month, number, 0) // DAY_MIN


def verdict(
    now_min: int,
    from_min: int = 0,
    until_min: int = TIME_END_MIN,
    quality: int = CLOCK_SYNCED,
    freshness: int = FRESH,
    plan: int = ALWAYS,
) -> "tuple[bool, int]":
    """Of a plain card at its door; its dates go through a record of 16 bytes."""
    record = cards.pack(KEY, from_min, until_min, 1, 0)
    begin, end = cards.from_min(record), cards.until_min(record)
    return decide(0, begin, end, 1, plan, 0, now_min, quality, freshness, False, False)


def head(issued_at_s: int, refresh_by_s: int, version: int = 1) -> bytes:
    values: "tuple[cbor.Value, ...]" = (
        SITE, DEVICE, 1, version, 0, 0, b"", bytes(32), 0, 0, bytes(32), issued_at_s,
        refresh_by_s, [[1, 1, 0, 0, 0, 0, 0, 0, 0]], [], [0, 0], 1, bytes(32), [0, 480], [],
    )  # fmt: skip
    return cbor.encode({key + 1: value for key, value in enumerate(values)})


def take(
    issued_at_s: int, now_s: int, quality: int = CLOCK_SYNCED, version: int = 1, floor: int = 0
) -> None:
    """What a controller with that version floor does with a list of that date."""
    m = manifest.parse(head(issued_at_s, issued_at_s + 3600, version))
    manifest.check(m, SITE, DEVICE, 1, floor, now_s, quality, 0, 100)


def test_2038_passes_without_a_gap() -> None:
    assert calendar.to_civil(END_2038_S) == (2038, 1, 19, 3, 14, 8, 1)
    for second in range(END_2038_S - 2, END_2038_S + 3):
        civil = calendar.to_civil(second)
        assert calendar.from_civil(*civil[:6]) == second
        assert local_minute([0, 480], second) == second // 60 + 480
        take(second, second)
    minute = END_2038_S // 60
    for now_min in (minute - 1, minute, minute + 1):
        assert verdict(now_min, minute - 1, minute + 2) == (True, REASON_CARD)
    assert verdict(minute + 2, minute - 1, minute + 2) == (False, REASON_EXPIRED)


def test_every_number_of_time_stays_small_until_the_end_of_the_format() -> None:
    assert TIME_END_S + FAR_FUTURE_S < SMALL_INT_END
    assert TIME_END_MIN * 60 == TIME_END_S


def test_dates_past_2051_are_refused_and_never_wrapped() -> None:
    assert calendar.to_civil(TIME_END_S)[:5] == (2051, 11, 24, 20, 15)
    manifest.parse(head(TIME_END_S - 1, TIME_END_S))
    refused(ERR_BOUNDS, manifest.parse, head(TIME_END_S - 1, TIME_END_S + 1))
    refused(ERR_BOUNDS, manifest.parse, head(TIME_END_S + 1, TIME_END_S))
    for begin, end in ((0, TIME_END_MIN + 1), (TIME_END_MIN, TIME_END_MIN + 1), (-1, 5)):
        raises(ValueError, cards.pack, KEY, begin, end, 1, 0)


def test_the_last_minute_of_the_format_counts_and_no_end_has_none() -> None:
    last = TIME_END_MIN - 1
    assert verdict(last - 1, last - 1, last) == (True, REASON_CARD)
    assert verdict(last, last - 1, last) == (False, REASON_EXPIRED)
    for now_min in (0, last, TIME_END_MIN, TIME_END_MIN + 1):
        assert verdict(now_min) == (True, REASON_CARD)


def test_validity_is_kept_by_the_minute() -> None:
    begin, end = local(2028, 2, 29, 8), local(2028, 3, 1, 0)
    for now_min, wanted in (
        (begin - 1, (False, REASON_NOT_YET_VALID)),
        (begin, (True, REASON_CARD)),
        (end - 1, (True, REASON_CARD)),
        (end, (False, REASON_EXPIRED)),
    ):
        assert verdict(now_min, begin, end) == wanted
    # seconds do not count: the last second of the last minute is in, the next one is out
    assert verdict((end * 60 - 1) // 60, begin, end)[0]
    assert not verdict(end * 60 // 60, begin, end)[0]


def test_a_list_from_the_far_future_is_refused_in_every_year() -> None:
    for now_s in (at(2026, 1, 1), END_2038_S, TIME_END_S - FAR_FUTURE_S - 3601):
        take(now_s + FAR_FUTURE_S, now_s)
        refused(ERR_DATE, take, now_s + FAR_FUTURE_S + 1, now_s)


def test_only_a_synced_clock_can_call_a_date_far() -> None:
    far_s = at(2030, 1, 1)
    refused(ERR_DATE, take, far_s, 0, CLOCK_SYNCED)
    for quality in (CLOCK_UNSET, CLOCK_HOLDOVER, CLOCK_RTC):
        take(far_s, 0, quality)


def test_a_version_jumps_no_further_than_it_may() -> None:
    now_s = at(2026, 1, 1)
    take(now_s, now_s, version=VERSION_JUMP_MAX + 1, floor=1)
    refused(ERR_VERSION_JUMP, take, now_s, now_s, CLOCK_SYNCED, VERSION_JUMP_MAX + 2, 1)


def test_the_first_list_of_an_epoch_has_any_version() -> None:
    now_s = at(2026, 1, 1)
    for version in (VERSION_JUMP_MAX, VERSION_JUMP_MAX + 1, 0x3FFFFFFF):
        take(now_s, now_s, version=version)


def test_a_night_shift_crosses_new_year() -> None:
    # 31 December 2031 is a Wednesday
    windows = [WEDNESDAY, NIGHT_BEGINS, NIGHT_ENDS]
    assert not inside(windows, [], local(2031, 12, 31, 21, 59))
    assert inside(windows, [], local(2031, 12, 31, 22))
    assert inside(windows, [], local(2031, 12, 31, 23, 59))
    assert inside(windows, [], local(2032, 1, 1, 0))
    assert inside(windows, [], local(2032, 1, 1, 5, 59))
    assert not inside(windows, [], local(2032, 1, 1, 6))
    assert not inside(windows, [], local(2032, 1, 1, 22))


def test_a_night_shift_crosses_both_ends_of_a_leap_day() -> None:
    # 29 February 2028 is a Tuesday
    windows = [TUESDAY, NIGHT_BEGINS, NIGHT_ENDS]
    assert not inside(windows, [], local(2028, 2, 28, 23))
    assert not inside(windows, [], local(2028, 2, 29, 5)), "that would be Monday's night"
    assert inside(windows, [], local(2028, 2, 29, 23, 59))
    assert inside(windows, [], local(2028, 3, 1, 0))
    assert inside(windows, [], local(2028, 3, 1, 5, 59))
    assert not inside(windows, [], local(2028, 3, 1, 6))


def test_a_holiday_overrides_its_weekday_from_midnight_to_midnight() -> None:
    windows = [0x7F, 6 * 60, 22 * 60, HOLIDAY, 9 * 60, 12 * 60]
    holidays = [day(2032, 1, 1)]
    assert inside(windows, holidays, local(2031, 12, 31, 8))
    assert not inside(windows, holidays, local(2032, 1, 1, 8))
    assert inside(windows, holidays, local(2032, 1, 1, 9))
    assert not inside(windows, holidays, local(2032, 1, 1, 12))
    assert inside(windows, holidays, local(2032, 1, 2, 8))
    assert not inside(windows, holidays, local(2032, 1, 2, 5))


def test_a_night_belongs_to_the_day_it_begins_on_holiday_or_not() -> None:
    new_year = [day(2032, 1, 1)]
    weekdays = [0x7F, NIGHT_BEGINS, NIGHT_ENDS]
    assert inside(weekdays, new_year, local(2032, 1, 1, 5)), "it began on the 31st"
    assert not inside(weekdays, new_year, local(2032, 1, 1, 23))
    assert not inside(weekdays, new_year, local(2032, 1, 2, 5))
    holiday_night = [HOLIDAY, NIGHT_BEGINS, NIGHT_ENDS]
    assert not inside(holiday_night, new_year, local(2032, 1, 1, 5))
    assert inside(holiday_night, new_year, local(2032, 1, 2, 5))


def test_the_clock_goes_forward_inside_a_window() -> None:
    # a Sunday in March: 02:00 local becomes 03:00 at 01:00 UTC
    change_s = at(2030, 3, 31, 1)
    offsets = [0, 60, change_s, 120]
    window = [SUNDAY, 60, 4 * 60]
    assert local_minute(offsets, change_s - 1) == local(2030, 3, 31, 1, 59)
    assert local_minute(offsets, change_s) == local(2030, 3, 31, 3)
    for second in (change_s - 3600, change_s - 1, change_s, change_s + 3599):
        assert inside(window, [], local_minute(offsets, second)), second
    assert not inside(window, [], local_minute(offsets, change_s + 3600))
    lost_hour = [SUNDAY, 2 * 60, 3 * 60]
    for second in range(change_s - 7200, change_s + 7200, 60):
        assert not inside(lost_hour, [], local_minute(offsets, second))


def test_the_clock_goes_back_inside_a_window() -> None:
    # a Sunday in October: 03:00 local becomes 02:00 at 01:00 UTC, so one hour counts twice
    change_s = at(2030, 10, 27, 1)
    offsets = [0, 120, change_s, 60]
    twice = [SUNDAY, 2 * 60, 3 * 60]
    minutes = range(change_s - 7200, change_s + 7200, 60)
    counted = [s for s in minutes if inside(twice, [], local_minute(offsets, s))]
    assert counted == list(range(change_s - 3600, change_s + 3600, 60))


def test_every_clock_that_runs_is_judged_alike() -> None:
    for quality in (CLOCK_SYNCED, CLOCK_RTC, CLOCK_HOLDOVER):
        assert verdict(150, 100, 200, quality) == (True, REASON_CARD)
        assert verdict(99, 100, 200, quality) == (False, REASON_NOT_YET_VALID)
        assert verdict(200, 100, 200, quality) == (False, REASON_EXPIRED)
        assert verdict(150, 100, 200, quality, FRESH, OUTSIDE) == (False, REASON_SCHEDULE)
        assert verdict(150, 100, 200, quality, STALE) == (False, REASON_STALE)


def test_a_lost_clock_makes_nothing_longer() -> None:
    unset = CLOCK_UNSET
    # now_min is the floor's then: a card that was over when the list was signed stays over
    assert verdict(200, 100, 200, unset, STALE_IN_GRACE) == (False, REASON_EXPIRED)
    assert verdict(150, 100, 200, unset, STALE_IN_GRACE) == (True, REASON_CARD)
    assert verdict(150, 100, 200, unset, STALE) == (False, REASON_CLOCK_UNSET)
    for plan in (INSIDE, OUTSIDE):
        assert verdict(150, 100, 200, unset, STALE_IN_GRACE, plan) == (False, REASON_CLOCK_UNSET)


def test_negative_control_what_wraps_is_seen() -> None:
    wrapped = (END_2038_S + EPOCH_2020_UNIX_S) - (1 << 32) - EPOCH_2020_UNIX_S  # as in 1901
    assert wrapped < 0
    assert verdict(wrapped // 60, 0) == (False, REASON_NOT_YET_VALID)
    assert (TIME_END_MIN + 1) & 0xFFFFFF == 0, "24 bits would begin anew"
    raises(AssertionError, refused, ERR_DATE, take, at(2026, 1, 1), at(2026, 1, 1))
