"""Current sensors at analog inputs: 1 mV a watt (device).

For boards that measure roughly. A converter of 12 bits at a steady load may give the same value
for hours, so it is never called stuck; nor is it ever silent.
"""

import time

from firmware.meters.results import PERIOD_MS, begin, took

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Any


class Driver:
    """A row of ADCs."""

    count: int
    read_ms: "array[int]"

    def __init__(self, adcs: "list[Any]") -> None:
        begin(self, len(adcs))
        self._adcs = adcs
        self._due_ms = self.read_ms[0]

    def poll(self, now_ms: int) -> None:
        """Read them once a second, and the first time at once."""
        if time.ticks_diff(now_ms, self._due_ms) >= 0:
            self._due_ms = time.ticks_add(now_ms, PERIOD_MS)
            for number in range(self.count):
                took(self, number, self._adcs[number].read_uv() // 100, now_ms)


def drivers(port: "list[Any]", _options: "dict[str, Any]") -> Driver:
    """One row of sensors; port: their ADCs."""
    return Driver(port)
