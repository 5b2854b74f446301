"""A current sensor at an analog input: 1 mV a watt (device).

For boards that measure roughly. A converter of 12 bits at a steady load may give the same value
for hours, so it is never called stuck; nor is it ever silent.
"""

import time

from firmware.meters.results import GAIN_ONE, PERIOD_MS, took

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Driver:
    """One ADC."""

    gain = GAIN_ONE

    def __init__(self, adc: "Any") -> None:
        self._adc = adc
        self.power_dw = self.readings = self.trouble = 0
        self.read_ms = time.ticks_ms()

    def poll(self, now_ms: int) -> None:
        """Read it once a second, and the first time at once."""
        if not self.readings or time.ticks_diff(now_ms, self.read_ms) >= PERIOD_MS:
            took(self, self._adc.read_uv() // 100, now_ms)


def drivers(port: "list[Any]", _options: "dict[str, Any]") -> "list[Driver]":
    """One driver a sensor; port: their ADCs."""
    return [Driver(adc) for adc in port]
