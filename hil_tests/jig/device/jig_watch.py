"""Watches lines with time stamps: every change, and in hardware every falling edge (device).

A change is stamped when its interrupt's handler runs: on a chip some 50 to 200 us after it came
(MicroPython queues the call), later while a line is being written to UART0. The pulse counter
counts whatever the interpreter does: what is too short for a stamp too.
"""

import time

from esp32 import PCNT
from machine import Pin

LOG_ENTRIES = 64
_UNITS = 8
_FILTER_TICKS = 200  # of 80 MHz: shorter than 2.5 us is noise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Watch:
    """Up to eight lines. `count` changes were logged since the start; the last 64 are kept."""

    def __init__(self) -> None:
        self.count = 0
        self._when = [0] * LOG_ENTRIES
        self._what = bytearray(LOG_ENTRIES)
        self._levels = bytearray(64)
        self._lines: dict[int, tuple[Pin, PCNT]] = {}

    def pins(self, numbers: "list[int]") -> None:
        """Watch these from now on, and no other; the log begins anew."""
        for pin, _ in self._lines.values():
            pin.irq(None)
        self._lines = {}
        self.count = 0
        for unit, number in enumerate(numbers[:_UNITS]):
            pin = Pin(number, Pin.IN)
            counter = PCNT(unit, pin=pin, falling=PCNT.INCREMENT, filter=_FILTER_TICKS)
            counter.init(value=0)
            counter.start()
            self._levels[number] = pin.value()
            # a counter takes its pin without the interrupt, so the interrupt comes last
            pin.irq(self._changed_of(number, pin), Pin.IRQ_FALLING | Pin.IRQ_RISING)
            self._lines[number] = pin, counter

    def _changed_of(self, number: int, pin: Pin) -> "Callable[[Pin], None]":
        def changed(_pin: Pin) -> None:
            now_us = time.ticks_us()
            level = pin.value()
            if level == self._levels[number]:
                return
            self._levels[number] = level
            at = self.count % LOG_ENTRIES
            self._when[at] = now_us
            self._what[at] = number << 1 | level
            self.count += 1

        return changed

    def first(self, since: int, pin: int, level: int) -> "int | None":
        """ticks_us of the first change of a line to a level, from change number `since` on."""
        for number in range(max(since, self.count - LOG_ENTRIES), self.count):
            at = number % LOG_ENTRIES
            if self._what[at] == pin << 1 | level:
                return self._when[at]
        return None

    def falls(self) -> "dict[str, int]":
        """Falling edges by pin, as the hardware counted them since `pins`."""
        return {str(number): counter.value() for number, (_, counter) in self._lines.items()}
