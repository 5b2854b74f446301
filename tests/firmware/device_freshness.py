"""The device's clock and the grace of a list around 2038, 2051 and a lost RTC (MicroPython)."""

from firmware.access import Access
from firmware.clock import HOLDOVER_AFTER_S, Clock
from protocol import calendar
from protocol.codes import (
    CLOCK_HOLDOVER,
    CLOCK_RTC,
    CLOCK_SYNCED,
    CLOCK_UNSET,
    ERR_BOUNDS,
    ERR_TIME_REACH,
    STALE_DENY,
    STALE_GRACE,
)
from protocol.constants import EPOCH_2020_UNIX_S, TIME_END_S, UNSIGNED_TIME_REACH_S
from protocol.policy.decide import FRESH, STALE, STALE_IN_GRACE
from tests.both.support import raises, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

END_2038_S = (1 << 31) - EPOCH_2020_UNIX_S  # 2038-01-19T03:14:08Z
ISSUED_S = calendar.from_civil(2026, 1, 1, 0, 0, 0)
GRACE_MIN = 30


class Numbers:
    """NVS as firmware.store has it."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}

    def get(self, name: str) -> int:
        return self.held.get(name, 0)

    def put(self, name: str, value: int) -> None:
        self.held[name] = value


class Rtc:
    """machine.RTC; `fields` is what it was set to."""

    fields: "tuple[int, ...]" = (2000, 1, 1, 0, 0, 0, 0, 0)

    def datetime(self, *value: "Any") -> "tuple[int, ...]":
        if value:
            self.fields = value[0]
        return self.fields


class HeldList:
    """A list with a date and a policy, as far as freshness asks."""

    def __init__(self, refresh_by_s: int, stale_policy: int = STALE_GRACE) -> None:
        self.manifest = self
        self.refresh_by_s = refresh_by_s
        self.policy = (stale_policy, GRACE_MIN)


def clock_at(time_s: int) -> Clock:
    clock = Clock(Rtc(), Numbers())
    clock.set_signed(time_s)
    return clock


def access_to(held: HeldList, clock: Clock) -> Access:
    world: Any = held
    return Access(world, clock, b"k" * 32, Numbers())


def let_pass(clock: Clock, seconds: int) -> None:
    """As so many seconds of ticks_ms would."""
    clock.ms += seconds * 1000
    clock.tick()


def test_the_clock_counts_through_2038_and_so_does_its_rtc() -> None:
    rtc = Rtc()
    clock = Clock(rtc, Numbers())
    clock.set_signed(END_2038_S - 1)
    assert rtc.fields[:3] == (2038, 1, 19)
    let_pass(clock, 2)
    assert clock.time_s == END_2038_S + 1
    assert clock.judged_min() == (END_2038_S + 1) // 60
    clock.set_signed(END_2038_S + 1)
    again = Clock(rtc, Numbers())
    assert (again.time_s, again.quality) == (END_2038_S + 1, CLOCK_RTC)


def test_no_time_past_2051_is_taken_from_whom_ever() -> None:
    clock = clock_at(TIME_END_S - 100)
    refused(ERR_BOUNDS, clock.set_signed, TIME_END_S)
    refused(ERR_BOUNDS, clock.set_unsigned, TIME_END_S)
    assert clock.time_s == TIME_END_S - 100
    rtc = Rtc()
    rtc.fields = (2051, 11, 24, 0, 20, 15, 0, 0)
    assert Clock(rtc, Numbers()).quality == CLOCK_UNSET


def test_a_clock_that_runs_out_of_the_format_finds_every_list_stale() -> None:
    clock = clock_at(TIME_END_S - 2)
    access = access_to(HeldList(TIME_END_S - 1, STALE_DENY), clock)
    assert access.freshness() == FRESH
    let_pass(clock, 5)
    assert clock.time_s == TIME_END_S + 3, "it goes on and does not begin anew"
    assert access.freshness() == STALE


def test_a_list_is_fresh_until_the_last_second_before_its_date() -> None:
    clock = clock_at(END_2038_S - 2)
    access = access_to(HeldList(END_2038_S), clock)
    assert access.freshness() == FRESH
    let_pass(clock, 1)
    assert access.freshness() == FRESH
    let_pass(clock, 1)
    assert access.freshness() == STALE_IN_GRACE


def test_grace_is_spent_by_powered_minutes_alone() -> None:
    clock = clock_at(ISSUED_S)
    access = access_to(HeldList(ISSUED_S), clock)
    let_pass(clock, 100 * 3600)  # a leap of the clock is no powered minute
    for _ in range(GRACE_MIN):
        assert access.freshness() == STALE_IN_GRACE
        access.minute()
    assert access.freshness() == STALE


def test_a_lost_clock_is_stale_at_once_and_judges_by_the_floor() -> None:
    clock = Clock(Rtc(), Numbers())
    clock.raise_floor(ISSUED_S)
    assert clock.quality == CLOCK_UNSET
    assert clock.judged_min() == ISSUED_S // 60
    assert access_to(HeldList(TIME_END_S), clock).freshness() == STALE_IN_GRACE
    assert access_to(HeldList(TIME_END_S, STALE_DENY), clock).freshness() == STALE


def test_a_clock_that_nobody_compares_for_a_day_holds_over_and_is_still_judged_by() -> None:
    clock = clock_at(ISSUED_S)
    let_pass(clock, HOLDOVER_AFTER_S)
    assert clock.quality == CLOCK_SYNCED
    let_pass(clock, 1)
    assert clock.quality == CLOCK_HOLDOVER
    assert clock.judged_min() == (ISSUED_S + HOLDOVER_AFTER_S + 1) // 60
    assert access_to(HeldList(TIME_END_S), clock).freshness() == FRESH


def test_an_unsigned_time_reaches_a_day_beyond_the_floor_in_every_year() -> None:
    for floor_s in (ISSUED_S, END_2038_S - 3600, TIME_END_S - 2 * UNSIGNED_TIME_REACH_S):
        clock = clock_at(floor_s)
        clock.set_unsigned(floor_s + UNSIGNED_TIME_REACH_S)
        refused(ERR_TIME_REACH, clock.set_unsigned, floor_s + UNSIGNED_TIME_REACH_S + 1)
        refused(ERR_TIME_REACH, clock.set_unsigned, floor_s - 1)


def test_a_clock_is_not_set_back_step_by_step_without_a_signed_date() -> None:
    clock = clock_at(ISSUED_S)
    let_pass(clock, 40000)
    for back_s in (200, 100):
        clock.set_unsigned(clock.time_s - back_s)
    refused(ERR_TIME_REACH, clock.set_unsigned, clock.time_s - 1)
    clock.set_unsigned(clock.time_s + 50)
    refused(ERR_TIME_REACH, clock.set_unsigned, clock.time_s - 51)
    clock.set_unsigned(clock.time_s - 50)
    assert clock.raise_floor(ISSUED_S + 1)
    clock.set_unsigned(clock.time_s - 300)


def test_negative_control_a_fresh_list_is_not_called_stale() -> None:
    access = access_to(HeldList(END_2038_S), clock_at(END_2038_S - 1))
    assert access.freshness() != STALE
    raises(AssertionError, refused, ERR_BOUNDS, clock_at(ISSUED_S).set_signed, TIME_END_S - 1)
