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

from firmware.meters.results import GAIN_ONE, PERIOD_MS, took

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RESET_AT = 16000  # a counter goes to 32767
_REST_MS = 60000
_SHUNT_UOHM = 1000
_DIVIDER_OHM = (2350000, 1000)
_HZ_OF_V2 = {"hlw8012": 48 / (2.43 * 2.43) * 3579000 / 128, "bl0937": 1721506 / (1.218 * 1.218)}


class Driver:
    """One chip; pulse_mj: the energy of a pulse."""

    gain = GAIN_ONE

    def __init__(self, counter: "Any", pulse_mj: int) -> None:
        self.power_dw = self.readings = self.trouble = 0
        self._pulses = self._later = 0  # of this second; and those after the first was seen
        self._rests = True  # none in the second before
        self._dw = 0  # before the gain
        self._counter = counter
        self._pulse_mj = pulse_mj
        self._count = counter.value()
        self.read_ms = self._begin_ms = self._before_ms = time.ticks_ms()
        self._first_ms = self._last_ms = self.read_ms

    def poll(self, now_ms: int) -> None:
        """Look at the counter, and work the power out once a second."""
        count = self._counter.value()
        if count != self._count:
            came = count - self._count
            self._count = count
            if self._pulses:
                self._later += came
            else:
                self._first_ms = now_ms
            self._pulses += came
            self._last_ms = now_ms
            if count > _RESET_AT:
                self._counter.value(0)
                self._count = 0
        if not 0 <= time.ticks_diff(now_ms, self._begin_ms) < PERIOD_MS:
            self._begin_ms = now_ms
            self._work_out(now_ms)
            took(self, self._dw, now_ms)

    def _work_out(self, now_ms: int) -> None:
        self._rests, rested = not self._pulses, self._rests
        if not self._pulses:
            waited_ms = time.ticks_diff(now_ms, self._before_ms)
            if waited_ms >= _REST_MS:
                self._dw = 0
                self._before_ms = time.ticks_add(now_ms, -_REST_MS)
            elif waited_ms > 0:
                self._dw = min(self._dw, 10 * self._pulse_mj // waited_ms)
            return
        pulses, since_ms = self._pulses, self._before_ms
        if rested and self._later:
            pulses, since_ms = self._later, self._first_ms
        passed_ms = time.ticks_diff(self._last_ms, since_ms)
        if passed_ms > 0:
            self._dw = 10 * self._pulse_mj * pulses // passed_ms
        self._before_ms = self._last_ms
        self._pulses = self._later = 0


def drivers(port: "list[Any]", options: "dict[str, Any]") -> "list[Driver]":
    """One driver a chip.

    port: the counters of their CF; options: `chip` ("hlw8012" or "bl0937"), `shunt_uohm` and
    `divider` (ohms above and below the tap).
    """
    upper, lower = options.get("divider", _DIVIDER_OHM)
    v1_v2 = options.get("shunt_uohm", _SHUNT_UOHM) / 1000000 * lower / (upper + lower)
    pulse_mj = int(1000 / (v1_v2 * _HZ_OF_V2[options.get("chip", "hlw8012")]) + 0.5)
    return [Driver(counter, pulse_mj) for counter in port]
