"""The clock chip on I2C against a model that is true to its registers (MicroPython)."""

import sys

from firmware.clock import Clock
from firmware.rtc_ds3231 import Ds3231
from protocol import calendar
from protocol.codes import CLOCK_RTC, CLOCK_SYNCED, CLOCK_UNSET
from protocol.constants import EPOCH_2020_UNIX_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

sys.path.append(__file__.rsplit("/", 3)[0] + "/boards/virtual")
model: "Any" = __import__("ds3231")

NOW_S = 217_000_000  # of 2026
DAY_S = 86400


class Numbers:
    """NVS as firmware.store has it."""

    def get(self, _name: str) -> int:
        return 0

    def put(self, _name: str, _value: int) -> None:
        return None


class Rig:
    """A chip and its bus; time goes on when a test says so."""

    def __init__(self) -> None:
        self.unix_us = (EPOCH_2020_UNIX_S + NOW_S) * 1000000
        self.memory = bytearray(model.STORED_BYTES)
        self.chip = model.Ds3231(self.memory, 0, lambda: self.unix_us)
        self.fault = model.FAULT_NONE
        self.waited_us = 0
        self.bus = model.Bus(self.chip, lambda: self.fault, self._wait, 10000)

    def _wait(self, us: int) -> None:
        self.waited_us += us

    def passes(self, seconds: int) -> None:
        self.unix_us += seconds * 1000000

    def driver(self) -> Ds3231:
        return Ds3231(self.bus)

    def clock(self) -> Clock:
        """The controller after a start."""
        numbers: Any = Numbers()
        return Clock(self.driver(), numbers)

    def set(self, time_s: int = NOW_S) -> Clock:
        clock = self.clock()
        clock.set_signed(time_s)
        return clock


def is_lost(rig: Rig) -> bool:
    return rig.driver().datetime()[0] == 2000 and rig.clock().quality == CLOCK_UNSET


def test_a_new_chip_says_nothing_of_the_time() -> None:
    assert is_lost(Rig())


def test_what_was_set_is_there_after_a_start_and_goes_on() -> None:
    rig = Rig()
    assert rig.set().quality == CLOCK_SYNCED
    rig.passes(3 * DAY_S + 5)
    clock = rig.clock()
    assert clock.quality == CLOCK_RTC
    assert clock.time_s == NOW_S + 3 * DAY_S + 5


def test_the_registers_hold_bcd() -> None:
    rig = Rig()
    rig.driver().datetime((2028, 2, 29, 1, 23, 59, 58, 0))
    assert bytes(rig.memory[:7]) == b"\x58\x59\x23\x02\x29\x02\x28"
    rig.passes(2)
    assert rig.driver().datetime()[:7] == (2028, 3, 1, 2, 0, 0, 0)


def test_every_day_of_our_time_is_read_as_it_was_written() -> None:
    rig = Rig()
    driver = rig.driver()
    for day in range(0, 365 * 31, 13):
        civil = calendar.to_civil(day * DAY_S + 86399)
        year, month, of_month, hour, minute, second, weekday = civil
        when = (year, month, of_month, weekday, hour, minute, second, 0)
        driver.datetime(when)
        assert driver.datetime() == when


def test_an_oscillator_that_has_stopped_is_believed_no_more_until_it_is_set() -> None:
    rig = Rig()
    rig.set()
    rig.chip.stop_oscillator()
    assert is_lost(rig)
    rig.set()
    assert not is_lost(rig)


def test_registers_that_hold_no_time_are_refused() -> None:
    for register, byte in (
        (0, 0x60), (0, 0x5A), (1, 0x60), (1, 0x0F), (2, 0x24), (2, 0x1A), (2, 0x52), (4, 0x00),
        (4, 0x32), (4, 0x1F), (5, 0x00), (5, 0x13), (5, 0x0A), (5, 0x87), (6, 0x19), (6, 0xA0),
    ):  # fmt: skip
        rig = Rig()
        rig.set()
        rig.memory[register] = byte
        assert is_lost(rig), (register, byte)
    rig = Rig()
    rig.driver().datetime((2027, 2, 28, 6, 0, 0, 0, 0))
    assert not is_lost(rig)
    rig.memory[4] = 0x29
    assert is_lost(rig), "29 February of a year that has none"


def test_the_other_bits_of_its_status_stay_and_aging_is_left_alone() -> None:
    rig = Rig()
    rig.memory[16] = 0x85
    rig.set()
    assert rig.memory[15] == 0x08
    assert rig.memory[16] == 0x85


class Interrupted:
    """A bus that fails when the time itself is written."""

    def __init__(self, bus: "Any") -> None:
        self._bus = bus
        self.readfrom_mem = bus.readfrom_mem

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        if register == 0:
            raise OSError(110)
        self._bus.writeto_mem(address, register, data)


def test_a_time_that_was_not_written_is_not_believed() -> None:
    rig = Rig()
    rig.set()
    rig.chip.stop_oscillator()
    Ds3231(Interrupted(rig.bus)).datetime((2026, 12, 1, 1, 0, 0, 0, 0))
    assert is_lost(rig)


def test_a_year_that_it_cannot_hold_changes_nothing() -> None:
    rig = Rig()
    rig.set()
    before = bytes(rig.memory)
    rig.driver().datetime((2100, 1, 1, 4, 0, 0, 0, 0))
    assert bytes(rig.memory) == before


def test_a_bus_that_is_stuck_costs_its_timeout_and_no_more() -> None:
    for fault in (model.FAULT_STUCK, model.FAULT_ABSENT):
        rig = Rig()
        rig.set()
        rig.fault = fault
        clock = rig.clock()
        assert clock.quality == CLOCK_UNSET
        clock.set_signed(NOW_S)
        assert clock.quality == CLOCK_SYNCED
        for _ in range(100):
            clock.tick()
        assert rig.waited_us <= 3 * 10000, "a transfer at the start, two when it is set"


def drift(off_s: int, after_s: int, rig: "Rig | None" = None) -> "int | None":
    """What is said after so long, when the chip was ahead by so much."""
    rig = rig or Rig()
    rig.set()
    rig.passes(after_s)
    driver = rig.driver()
    time_s = NOW_S + after_s - off_s
    year, month, day, hour, minute, second, weekday = calendar.to_civil(time_s)
    driver.datetime((year, month, day, weekday, hour, minute, second, 0))
    return driver.drift_ms_a_day


def about(value: "int | None", expected: int) -> bool:
    return value is not None and abs(value - expected) <= abs(expected) // 50


def test_drift_is_told_in_milliseconds_a_day() -> None:
    assert about(drift(7, 7 * DAY_S), 1000)
    assert about(drift(-30, 10 * DAY_S), -3000)
    assert drift(0, DAY_S) == 0


def test_what_says_nothing_of_drift_is_not_called_drift() -> None:
    assert drift(1, 600) is None, "too soon"
    assert drift(20000, DAY_S) is None, "it was set wrong"
    rig = Rig()
    rig.set()
    rig.memory[9] ^= 1
    driver = rig.driver()
    rig.passes(DAY_S)
    driver.datetime(driver.datetime())
    assert driver.drift_ms_a_day is None, "when it was set is not to be trusted"
    rig.fault = model.FAULT_STUCK
    driver.datetime((2026, 12, 3, 1, 0, 0, 0, 0))
    assert driver.drift_ms_a_day is None
