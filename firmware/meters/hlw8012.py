"""HLW8012 and BL0937 meters: pulses at CF, each of them so many joules (device).

The chip's counter (PCNT) counts them, as it does a Wiegand reader's edges (ADR-0015): interrupts
would be lost while the flash is busy. One counter a port, eight in all. Each second the power is

- of pulses that came: their energy by the time from the last one before to the last of them, so
  that no time is counted twice or left out; from the first of them after a rest, for what was drawn
  before it is not known
- when none came: at most what one pulse since the last would be; after a minute, zero

A pulse tells nothing when it does not come: a cut wire looks like no load, and ends a session.

CF of a watt is V1 * V2 * 48 / Vref² * fosc / 128 (HLW8012: 2.43 V, 3.579 MHz), or
V1 * V2 * 1721506 / Vref² (BL0937: 1.218 V), with V1 = 1 A * shunt and V2 = 1 V * divider.
"""

import time
from array import array

from firmware.meters.results import MOST_DW, PERIOD_MS, begin, took

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RESET_AT = 16000  # a counter goes to 32767
_REST_MS = 60000
_SHUNT_UOHM = 1000
_DIVIDER_OHM = (2350000, 1000)
_HZ_OF_V2 = {"hlw8012": 48 / (2.43 * 2.43) * 3579000 / 128, "bl0937": 1721506 / (1.218 * 1.218)}


class Driver:
    """A row of chips; pulse_mj: the energy of a pulse."""

    count: int

    def __init__(self, counters: "list[Any]", pulse_mj: int) -> None:
        count = len(counters)
        begin(self, count)
        self._counters = counters
        self.pulse_mj = pulse_mj
        self._counts = array("i", [0] * count)
        for number in range(count):
            self._counts[number] = counters[number].value()
        self._pulses = array("i", [0] * count)  # of this second
        self._later = array("i", [0] * count)  # those of them that came after the first was seen
        self._rests = bytearray([1] * count)  # none in the second before
        self._dw = array("i", [0] * count)  # before the gain
        self._begin_ms = time.ticks_ms()
        self._before_ms = array("i", [self._begin_ms] * count)
        self._first_ms, self._last_ms = array("i", [0] * count), array("i", [0] * count)

    def poll(self, now_ms: int) -> None:
        """Look at the counters, and work the powers out once a second."""
        over = not 0 <= time.ticks_diff(now_ms, self._begin_ms) < PERIOD_MS
        if over:
            self._begin_ms = now_ms
        for number in range(self.count):
            count = self._counters[number].value()
            if count != self._counts[number]:
                self._came(number, count, now_ms)
            if over:
                self._work_out(number, now_ms)
                took(self, number, self._dw[number], now_ms)

    def _came(self, number: int, count: int, now_ms: int) -> None:
        came = count - self._counts[number]
        if self._pulses[number]:
            self._later[number] += came
        else:
            self._first_ms[number] = now_ms
        self._pulses[number] += came
        self._last_ms[number] = now_ms
        if count > _RESET_AT:
            self._counters[number].value(0)
            count = 0
        self._counts[number] = count

    def _work_out(self, number: int, now_ms: int) -> None:
        pulses, since_ms = self._pulses[number], self._before_ms[number]
        rested = self._rests[number]
        self._rests[number] = not pulses
        if not pulses:
            waited_ms = time.ticks_diff(now_ms, since_ms)
            if waited_ms >= _REST_MS:
                self._dw[number] = 0
                self._before_ms[number] = time.ticks_add(now_ms, -_REST_MS)
            elif waited_ms > 0:
                self._dw[number] = min(self._dw[number], 10 * self.pulse_mj // waited_ms)
            return
        if rested and self._later[number]:
            pulses, since_ms = self._later[number], self._first_ms[number]
        passed_ms = time.ticks_diff(self._last_ms[number], since_ms)
        if passed_ms > 0:
            self._dw[number] = min(10 * self.pulse_mj * pulses // passed_ms, MOST_DW)
        self._before_ms[number] = self._last_ms[number]
        self._pulses[number] = self._later[number] = 0


def drivers(port: "list[Any]", options: "dict[str, Any]") -> Driver:
    """One row of chips.

    port: the counters of their CF; options: `chip` ("hlw8012" or "bl0937"), `shunt_uohm` and
    `divider` (ohms above and below the tap).
    """
    upper, lower = options.get("divider", _DIVIDER_OHM)
    v1_v2 = options.get("shunt_uohm", _SHUNT_UOHM) / 1000000 * lower / (upper + lower)
    pulse_mj = int(1000 / (v1_v2 * _HZ_OF_V2[options.get("chip", "hlw8012")]) + 0.5)
    return Driver(port, pulse_mj)
