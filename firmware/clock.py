"""The controller's clock: small-int seconds since 2020, their quality and the time floor (device).

Rules of setting it:
- an unsigned time reaches at most the floor + 24 h and never lies below the floor; while no signed
  object was ever accepted (floor 0, first contact after provisioning) it is taken as it is
- unsigned times move a clock that is set back by five minutes at most, taken together until the
  floor rises: else whoever may set it could keep a list fresh for ever
- a time signed for a nonce of this controller reaches any date; it raises the floor
- the floor is the highest issue date of accepted signed objects and never falls; an RTC that turns
  out to lie behind it counts as lost
"""

import time

from protocol import calendar
from protocol.codes import (
    CLOCK_HOLDOVER,
    CLOCK_RTC,
    CLOCK_SYNCED,
    CLOCK_UNSET,
    ERR_BOUNDS,
    ERR_TIME_REACH,
)
from protocol.constants import TIME_END_MIN, UNSIGNED_TIME_REACH_S
from protocol.messages import Refused

HOLDOVER_AFTER_S = 86400
_UNSIGNED_BACK_S = 300
_RTC_PLAUSIBLE_YEAR = 2025

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from firmware.store import Nvs

    class Rtc(Protocol):
        def datetime(self, value: "tuple[int, ...]" = ...) -> "tuple[int, ...]": ...


class Clock:
    """Counts from ticks_ms, because the RTC of a board may be absent, lost or wrong."""

    def __init__(self, rtc: "Rtc", nvs: "Nvs") -> None:
        self.rtc = rtc
        self._nvs = nvs
        self._last_ticks = time.ticks_ms()
        self.ms = 0
        self.time_s = 0
        self.uptime_s = 0
        self.floor_s = nvs.get("floor_s")
        self.quality = CLOCK_UNSET
        self._since_sync_s = 0
        self._back_s = _UNSIGNED_BACK_S  # how far back unsigned times may still move it
        self._read_rtc()

    def _read_rtc(self) -> None:
        year, month, day, _, hour, minute, second = self.rtc.datetime()[:7]
        if year < _RTC_PLAUSIBLE_YEAR:
            return
        now_s = calendar.from_civil(year, month, day, hour, minute, second)
        if now_s < TIME_END_MIN * 60:
            self.time_s = now_s
            self.quality = CLOCK_RTC
            self._doubt_rtc()

    def _doubt_rtc(self) -> None:
        if self.quality == CLOCK_RTC and self.time_s < self.floor_s:
            self.quality = CLOCK_UNSET

    def tick(self) -> None:
        """Take over what ticks_ms has counted; at least once in six days."""
        now = time.ticks_ms()
        self.ms += time.ticks_diff(now, self._last_ticks)
        self._last_ticks = now
        while self.ms >= 1000:
            self.ms -= 1000
            self.time_s += 1
            self.uptime_s += 1
            self._since_sync_s += 1
        if self.quality == CLOCK_SYNCED and self._since_sync_s > HOLDOVER_AFTER_S:
            self.quality = CLOCK_HOLDOVER

    def judged_min(self) -> int:
        """The minute to judge dates by: now, or the floor's while the clock is unset."""
        return (self.floor_s if self.quality == CLOCK_UNSET else self.time_s) // 60

    def raise_floor(self, issued_at_s: int) -> bool:
        """Take the date of an accepted signed object; whether the floor rose."""
        if issued_at_s <= self.floor_s:
            return False
        self.floor_s = issued_at_s
        self._back_s = _UNSIGNED_BACK_S
        self._doubt_rtc()
        self._nvs.put("floor_s", issued_at_s)
        return True

    def set_unsigned(self, time_s: int) -> None:
        """Raises Refused(ERR_TIME_REACH) when it lies outside the floor's reach or far back."""
        self.tick()
        back_s = _UNSIGNED_BACK_S
        if self.floor_s:
            least_s = self.floor_s
            if self.quality != CLOCK_UNSET:
                least_s = max(least_s, self.time_s - self._back_s)
                back_s = min(back_s, self._back_s + time_s - self.time_s)
            if not least_s <= time_s <= self.floor_s + UNSIGNED_TIME_REACH_S:
                raise Refused(ERR_TIME_REACH)
        self._set(time_s)
        self._back_s = back_s

    def set_signed(self, time_s: int) -> None:
        """The caller has checked signature and nonce."""
        if time_s < self.floor_s:
            raise Refused(ERR_TIME_REACH)
        self._set(time_s)
        self.raise_floor(time_s)

    def _set(self, time_s: int) -> None:
        if time_s // 60 >= TIME_END_MIN:
            raise Refused(ERR_BOUNDS)
        self.tick()
        self.time_s = time_s
        self.ms = 0
        self._since_sync_s = 0
        self.quality = CLOCK_SYNCED
        year, month, day, hour, minute, second, weekday = calendar.to_civil(time_s)
        self.rtc.datetime((year, month, day, weekday, hour, minute, second, 0))
