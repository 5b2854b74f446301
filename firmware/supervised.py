"""A supervised line on an analog input (ADC1): at rest, acted, short or cut (device).

It takes the place of firmware/reading.py `Input` and is loaded where a board has one only. A line
that is cut or shorted counts as acted where people may depend on it (fire: the doors are released,
for a fire alarm nobody can send any more must not keep people in), and as at rest for a REX, whose
wire must open no door to whoever shorts it; either way it is reported as an input fault. A fire
line that jumps between acted, short and cut is never steady in any of them, and acted all the same.
"""

import time

from firmware.reading import STEADY_MS, STEADY_POLLS
from protocol.codes import LINE_ACTIVE, LINE_OK, LINE_SHORT
from protocol.policy.line import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Supervised:
    """`line` (LINE_…) and `active`, once steady for 20 to 30 ms; `told`: of the journal."""

    def __init__(self, adc: "Any", fault: bool) -> None:
        self._adc = adc
        self._fault = fault
        self._next = LINE_OK
        self._polls = self._differs = self._since_ms = 0
        self.line = self.told = LINE_OK
        self.active = False

    def poll(self) -> bool:
        """Sample it; returns `active`."""
        now = state(self._adc.read_uv() // 1000, self.line)
        acted = now == LINE_ACTIVE or (now >= LINE_SHORT and self._fault)
        if acted == self.active:
            self._differs = 0
        else:
            now_ms = time.ticks_ms()
            if not self._differs:
                self._since_ms = now_ms
            self._differs += 1
            steady_ms = time.ticks_diff(now_ms, self._since_ms)
            if self._differs >= STEADY_POLLS or steady_ms >= STEADY_MS:
                self.active = acted
                self._differs = 0
        if now == self.line or now != self._next:
            self._polls = 0
            self._next = now
        if now != self.line:
            self._polls += 1
            if self._polls >= STEADY_POLLS:
                self.line = now
        return self.active
