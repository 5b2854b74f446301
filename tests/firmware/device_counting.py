"""What must not wear away: grace over power cycles, ticks, the ring in a flood (MicroPython)."""

import asyncio

import firmware.pace
import firmware.reading
from firmware.access import Access
from firmware.admission import Admission
from firmware.clock import Clock
from firmware.handlers import orders, seldom
from firmware.journal import (
    BURST,
    BURST_ACCESS,
    FOLD_ABOVE,
    HOURLY_ACCESS,
    HOURLY_ALARM,
    HOURLY_GUEST,
    Journal,
)
from firmware.pace import Pace
from firmware.readers import rdm6300
from firmware.reading import Reader
from protocol.codes import (
    CLOCK_RTC,
    CLOCK_UNSET,
    ERR_BUSY,
    ERR_TIME_REACH,
    EVENT_CLOCK_SET,
    EVENT_DENIED,
    EVENT_DOOR_OPENED,
    EVENT_GRANTED,
    EVENT_REFUSED_ATTEMPTS,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    EVENT_SELF_TEST,
    EVENT_SESSION_CLOSED,
    EVENT_SESSION_OPENED,
    EVENT_TAMPER,
    OP_ENROLL,
    OP_PUT_CHECKPOINT,
    OP_SELF_TEST,
    OP_SET_SIGNED_TIME,
    REASON_REVOKED,
    REASON_UNKNOWN_CARD,
    ROLE_AUDITOR,
    STALE_GRACE,
)
from protocol.policy.decide import STALE
from tests.both.support import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GRACE_MIN = 120
ALARM_RING_RECORDS = 14 * 84  # what is certain to be held, of 16 sectors
ACCESS_RING_RECORDS = 231 * 84
DAY_MS = 86400000
ISSUED_S = 200_000_000


class Numbers:
    """NVS as firmware.store has it."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}

    def get(self, name: str) -> int:
        return self.held.get(name, 0)

    def put(self, name: str, value: int) -> None:
        self.held[name] = value


class StaleList:
    """A list past its date, on a controller whose clock is lost."""

    refresh_by_s = 0
    policy = (STALE_GRACE, GRACE_MIN)
    quality = time_s = 0

    def __init__(self) -> None:
        self.manifest = self


def test_power_cycles_do_not_lengthen_the_grace() -> None:
    nvs = Numbers()
    world: Any = StaleList()
    powered_min = starts = 0
    while True:
        access = Access(world, world, b"k" * 32, nvs)
        for _ in range(9):
            access.minute()
            if access.freshness() == STALE:
                assert powered_min <= GRACE_MIN
                assert starts > 1
                return
            powered_min += 1
        starts += 1
        assert starts < GRACE_MIN, "the grace never ends"


class Ticks:
    """`time` of an ESP32 at any moment: ticks wrap after 2**30 ms."""

    now = 0

    def ticks_ms(self) -> int:
        return self.now % (1 << 30)

    def ticks_diff(self, a: int, b: int) -> int:
        return (a - b + (1 << 29)) % (1 << 30) - (1 << 29)

    def ticks_add(self, a: int, b: int) -> int:
        return (a + b) % (1 << 30)


def test_a_month_without_a_card_is_quiet() -> None:
    before = firmware.pace.time
    firmware.pace.time = ticks = Ticks()
    try:
        pace = Pace()
        for hour in range(1, 30 * 24):
            ticks.now = hour * DAY_MS // 24
            assert pace.quiet_for(100), hour
        pace.edge_ticks = ticks.ticks_ms()
        assert not pace.quiet_for(100)
    finally:
        firmware.pace.time = before


class Uart:
    """A reader's wire: bytes that came."""

    data = b""

    def any(self) -> int:
        return len(self.data)

    def readinto(self, buf: bytearray) -> int:
        count = len(self.data)
        buf[:count] = self.data
        self.data = b""
        return count


def test_the_same_card_is_read_again_however_long_it_was_away() -> None:
    before = firmware.reading.time
    firmware.reading.time = ticks = Ticks()
    frame = b"\x02" + b"01020ABCFF" + b"4A" + b"\x03"
    try:
        uart = Uart()
        reader = Reader(0, rdm6300.drivers(uart, {})[0])
        for away_days in (1, 7, 9, 12):
            uart.data = frame
            assert reader.poll(ticks.ticks_ms()), away_days
            uart.data = frame
            assert not reader.poll(ticks.ticks_ms()), "it was held there"
            for _ in range(24 * away_days):
                ticks.now += DAY_MS // 24
                reader.poll(ticks.ticks_ms())
        uart.data = frame
        assert reader.poll(ticks.ticks_ms())
    finally:
        firmware.reading.time = before


class Book(Journal):
    """The journal's folding, over a list in place of flash."""

    def __init__(self) -> None:
        self.lost = 0
        self._counts, self._folded, self._beyond, self._spent = {}, {}, {}, {}
        self._hour_s = 0
        self._asked, self._asked_s = {}, 0
        self._presented = []
        self._window_s = 60
        self._began_s = 0
        self.written: list[tuple[int, int, int]] = []

    def record(self, event: int, reason: int = 0, *_: "Any", extra: int = 0, **__: "Any") -> int:
        self.written.append((event, reason, extra))
        return 0


def count(book: Book, event: int) -> int:
    return len([1 for written in book.written if written[0] == event])


def test_a_collected_card_in_turn_with_a_stranger_s_cannot_fill_the_alarm_ring() -> None:
    book = Book()
    for second in range(3600):
        for reason in (REASON_REVOKED, REASON_UNKNOWN_CARD):
            book.note(EVENT_DENIED, reason, 0, b"12345678")
        book.note(EVENT_REVOKED_CARD_PRESENTED, REASON_REVOKED, 0, b"12345678")
        book.note(EVENT_TAMPER)
        book.tell(second)
    book.tell(3600)
    assert count(book, EVENT_REVOKED_CARD_PRESENTED) <= 10
    assert count(book, EVENT_TAMPER) <= 100
    assert count(book, EVENT_DENIED) <= 200
    told = sum([extra for event, _, extra in book.written if event == EVENT_TAMPER])
    assert told > 1000, "what was not written one by one is counted"


def slow_flood(days: int, event: int, reason: int = 0, every_s: int = 6) -> Book:
    """One record of a kind each six seconds: ten a minute, which no window folds."""
    book = Book()
    for second in range(0, days * 86400, every_s):
        book.note(event, reason)
        book.tell(second)
    return book


def test_a_slow_flood_of_alarms_takes_weeks_to_fill_the_alarm_ring() -> None:
    """However slow: more often than the hourly budget, and it is folded."""
    for every_s in (6, 59, 181, 600):
        week = slow_flood(7, EVENT_TAMPER, every_s=every_s)
        told = [extra for _, _, extra in week.written if extra]
        alone = len(week.written) - len(told)
        assert len(told) <= 7 * 24 + 20, every_s
        assert alone <= BURST + 7 * 24 * HOURLY_ALARM
        assert len(week.written) <= ALARM_RING_RECORDS // 2
        assert alone + sum(told) >= 7 * 86400 // every_s - 3600 // every_s - 1


def test_a_fault_that_comes_back_each_second_is_counted_too() -> None:
    book = Book()
    for second in range(86400):
        book.lost += 1
        book.tell(second)
    assert len(book.written) <= BURST + 24 * HOURLY_ALARM
    assert sum([extra for _, _, extra in book.written]) + book.lost == 86400


class Refusing(Book):
    """Its flash refuses now and then."""

    refuses = False

    def record(self, event: int, reason: int = 0, *_: "Any", extra: int = 0, **__: "Any") -> int:
        if self.refuses:
            raise OSError(5)
        return super().record(event, reason, extra=extra)


def test_what_a_dead_flash_lost_is_told_as_soon_as_it_lives_again() -> None:
    book = Refusing()
    book.refuses = True
    for second in range(7200):
        book.lost += 1
        try:  # noqa: SIM105 - not in MicroPython
            book.tell(second)
        except OSError:
            pass
    book.refuses = False
    book.tell(7200)
    assert [extra for _, _, extra in book.written] == [7200]


def test_what_was_counted_outlives_a_flash_that_refuses() -> None:
    book = Refusing()
    for reason in (REASON_UNKNOWN_CARD, REASON_REVOKED):
        for _ in range(500):
            book.note(EVENT_DENIED, reason)
    book.refuses = True
    try:
        book.tell(60)
        raise AssertionError("was not refused")
    except OSError:
        book.refuses = False
    book.tell(61)
    assert sum([extra for _, _, extra in book.written]) == 2 * (500 - FOLD_ABOVE)


def test_denials_and_a_stuck_button_leave_days_of_the_access_ring() -> None:
    for event, reason in ((EVENT_DENIED, REASON_UNKNOWN_CARD), (EVENT_REX, 0)):
        book = slow_flood(2, event, reason)
        assert len(book.written) <= BURST_ACCESS + 48 * (HOURLY_ACCESS + 1)
        assert 3 * len(book.written) <= ACCESS_RING_RECORDS


def test_a_collected_card_once_a_minute_is_no_way_round_it() -> None:
    book = Book()
    for second in range(0, 7 * 86400, 60):
        book.note(EVENT_REVOKED_CARD_PRESENTED, REASON_REVOKED, 0, b"12345678")
        book.tell(second)
    assert 7 <= len(book.written) <= 7 * 24 + BURST


def test_a_door_that_opens_two_thousand_times_a_day_has_each_time_on_record() -> None:
    book = Book()
    for second in range(0, 86400, 43):
        book.note(EVENT_DOOR_OPENED)
        book.tell(second)
    assert len(book.written) == len(range(0, 86400, 43))
    assert not [extra for _, _, extra in book.written if extra]


def test_a_flood_of_strangers_folds_no_opening_of_the_door() -> None:
    book = Book()
    for second in range(7200):
        book.note(EVENT_DENIED, REASON_UNKNOWN_CARD)
        if second % 60 == 0:
            book.note(EVENT_DOOR_OPENED)
        book.tell(second)
    assert count(book, EVENT_DOOR_OPENED) == 120


def test_guests_who_come_and_go_all_day_do_not_fill_the_alarm_ring() -> None:
    book = Book()
    asked = 0
    for second in range(0, 86400, 10):
        book.note(EVENT_SESSION_OPENED, ROLE_AUDITOR)
        book.note(EVENT_SESSION_CLOSED, ROLE_AUDITOR)
        asked += book.admits(EVENT_SELF_TEST)
        book.tell(second)
    assert asked <= BURST + 24 * HOURLY_GUEST
    assert len(book.written) <= 2 * (BURST + 24 * (HOURLY_GUEST + 1) + 10)
    assert count(book, EVENT_SESSION_OPENED) >= 100


def test_strangers_who_knock_all_day_are_told_now_and_then_and_all_counted() -> None:
    book = Book()
    door = Admission(Ticks())
    for second in range(0, 86400, 10):
        door.refuse()
        door.tell(book)
        book.tell(second)
    assert count(book, EVENT_REFUSED_ATTEMPTS) <= BURST + 24 * HOURLY_GUEST
    assert sum([extra for _, _, extra in book.written]) + door.refused == 8640


def test_every_collected_card_is_told_and_no_entry_is_folded() -> None:
    book = Book()
    for number in range(5):
        for _ in range(20):
            book.note(EVENT_REVOKED_CARD_PRESENTED, REASON_REVOKED, 0, bytes(7) + bytes((number,)))
    assert count(book, EVENT_REVOKED_CARD_PRESENTED) == 5
    for _ in range(3 * FOLD_ABOVE):
        book.note(EVENT_GRANTED)
    assert count(book, EVENT_GRANTED) == 3 * FOLD_ABOVE


def test_what_a_guest_asks_for_again_and_again_is_refused_until_the_window_ends() -> None:
    book = Book()
    for second in range(3 * 60):
        if second % 60 < 2 * FOLD_ABOVE:
            if second % 60 < FOLD_ABOVE:
                assert book.admits(EVENT_CLOCK_SET)
            else:
                assert not book.admits(EVENT_CLOCK_SET)
        book.tell(second + 1)
    assert book.admits(EVENT_SELF_TEST)
    assert not book.written


class Desk:
    """A controller, as far as the counting of what a guest asks for goes."""

    def __init__(self) -> None:
        self.journal = Book()


def test_what_is_always_recorded_is_not_carried_out_without_end() -> None:
    async def carried_out(_c: "Any", _arguments: "Any") -> bool:
        return True

    for room, operation in (
        (seldom, OP_SELF_TEST),
        (seldom, OP_ENROLL),
        (orders, OP_SET_SIGNED_TIME),
        (orders, OP_PUT_CHECKPOINT),
    ):
        kept = room._HANDLERS[operation]
        room._HANDLERS[operation] = carried_out
        try:
            c: Any = Desk()
            for _ in range(FOLD_ABOVE):
                assert asyncio.run(room.carry_out(c, operation, []))
            refused(ERR_BUSY, asyncio.run, room.carry_out(c, operation, []))
        finally:
            room._HANDLERS[operation] = kept


def test_a_flood_of_strangers_cards_shuts_no_guest_out() -> None:
    book = Book()
    for second in range(7200):
        book.note(EVENT_DENIED, REASON_UNKNOWN_CARD)
        book.tell(second)
    for _ in range(2):
        for _ in range(FOLD_ABOVE):
            assert book.admits(EVENT_CLOCK_SET)
        second += 60
        book.tell(second)


class Rtc:
    """machine.RTC that was set to the first days of 2026."""

    def datetime(self, *_: "Any") -> "tuple[int, ...]":
        return (2026, 1, 2, 0, 0, 0, 0, 0)


def test_an_rtc_behind_a_floor_that_comes_later_is_as_good_as_none() -> None:
    clock = Clock(Rtc(), Numbers())
    assert clock.quality == CLOCK_RTC
    clock.raise_floor(clock.time_s + 1)
    assert clock.quality == CLOCK_UNSET


def test_an_unsigned_time_does_not_take_a_clock_far_back() -> None:
    clock = Clock(Rtc(), Numbers())
    clock.raise_floor(ISSUED_S)
    clock.set_unsigned(ISSUED_S + 80000)
    clock.set_unsigned(ISSUED_S + 79800)  # a little is what clocks are set for
    refused(ERR_TIME_REACH, clock.set_unsigned, ISSUED_S)
    clock.set_signed(ISSUED_S + 1)
