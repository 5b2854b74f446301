"""A DS3231 on I2C as a controller's RTC (device).

datetime() has the form of machine.RTC. Rules:

- a clock whose oscillator has stopped, whose registers hold what is no date, or that does not
  answer, reads as 2000-01-01: firmware/clock.py then says unset, not rtc
- what is written also clears the oscillator-stop flag, last; it is read back by the next start
- a bus that is stuck costs one timeout of the bus at a start and at a setting, and nothing between
- drift: when the clock is set, how far it was off, over the time since it was set before. When
  that was stands in the alarm registers, which have a battery, are compared with nothing (the
  alarms are off) and hold it with its complement. Less than an hour says nothing; more than ten
  minutes a day is no drift, but a clock that was set wrong.

Registers (data sheet, figure 1): 0-6 time in BCD, 7-13 alarms, 14 control, 15 status.
"""

from protocol import calendar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ADDRESS = 0x68
_STATUS = 15
_OSCILLATOR_STOPPED = 0x80
_STATUS_KEPT = 0x08  # EN32kHz; the flags besides are cleared
_TWELVE_HOURS = 0x40
_LOST = (2000, 1, 1, 5, 0, 0, 0, 0)
_DAY_S = 86400
_DRIFT_MIN_S = 3600
_DRIFT_MAX_MS = 600000  # a day
_KEPT_AT = 7
_KEPT_BYTES = 7  # 3 bytes of minutes since 2020 and their complement; one is left over


class Ds3231:
    """The chip on a bus (machine.I2C with a timeout); drift_ms_a_day: None until it is known."""

    def __init__(self, bus: "Any") -> None:
        self._bus = bus
        self.drift_ms_a_day: "int | None" = None

    def datetime(self, when: "tuple[int, ...] | None" = None) -> "tuple[int, ...]":
        """(year, month, day, weekday, hour, minute, second, 0), of 2000 when it is lost."""
        if when is None:
            return self._read() or _LOST
        self._measure(when)
        self._write(when)
        return when

    def _read(self) -> "tuple[int, ...] | None":
        try:
            registers = self._bus.readfrom_mem(_ADDRESS, 0, _STATUS + 1)
        except OSError:  # nobody there, or the bus is stuck
            return None
        if registers[_STATUS] & _OSCILLATOR_STOPPED:
            return None
        second, minute, hour = registers[0], registers[1], registers[2]
        day, month, year = registers[4], registers[5], registers[6]
        if hour & _TWELVE_HOURS:  # nobody of ours has written that
            return None
        # with the century bit, which says 2100 and later, it is no month
        fields = [_number(byte) for byte in (year, month, day, hour, minute, second)]
        year, month, day, hour, minute, second = fields
        year += 2000
        try:
            now_s = calendar.from_civil(year, month, day, hour, minute, second)
        except ValueError:  # before our time, or no date and time at all
            return None
        return (year, month, day, calendar.to_civil(now_s)[6], hour, minute, second, 0)

    def _write(self, when: "tuple[int, ...]") -> None:
        year, month, day, weekday, hour, minute, second = when[:7]
        if year > 2099:
            return
        fields = (second, minute, hour, weekday + 1, day, month, year - 2000)
        kept = calendar.from_civil(year, month, day, hour, minute, second) // 60
        complement = ~kept
        try:
            bus = self._bus
            bus.writeto_mem(_ADDRESS, 0, bytes([n // 10 << 4 | n % 10 for n in fields]))
            pair = [kept >> 16, kept >> 8, kept, complement >> 16, complement >> 8, complement]
            bus.writeto_mem(_ADDRESS, _KEPT_AT, bytes([n & 0xFF for n in pair]))
            status = bus.readfrom_mem(_ADDRESS, _STATUS, 1)[0]
            bus.writeto_mem(_ADDRESS, _STATUS, bytes([status & _STATUS_KEPT]))
        except OSError:  # the controller's own clock goes on without it
            return

    def _measure(self, when: "tuple[int, ...]") -> None:
        """How far it was off until now."""
        was = self._read()
        if was is None:
            return
        try:
            kept = self._bus.readfrom_mem(_ADDRESS, _KEPT_AT, _KEPT_BYTES)
        except OSError:
            return
        set_min = kept[0] << 16 | kept[1] << 8 | kept[2]
        if set_min ^ 0xFFFFFF != kept[3] << 16 | kept[4] << 8 | kept[5]:
            return
        now_s, was_s = _seconds(when), _seconds(was)
        since_s = now_s - 60 * set_min
        if since_s < _DRIFT_MIN_S:
            return
        drift_ms = (was_s - now_s) * 1000 * _DAY_S // since_s
        if -_DRIFT_MAX_MS <= drift_ms <= _DRIFT_MAX_MS:
            self.drift_ms_a_day = drift_ms


def _seconds(when: "tuple[int, ...]") -> int:
    return calendar.from_civil(when[0], when[1], when[2], when[4], when[5], when[6])


def _number(bcd: int) -> int:
    """-1 when a digit is none."""
    return -1 if bcd & 0x0F > 9 or bcd >> 4 > 9 else (bcd >> 4) * 10 + (bcd & 0x0F)
