"""Lamp and buzzer of a reader, each on a wire of its own: what SHOW_ patterns look like (device).

A pattern is sixteen steps of 100 ms, the highest bit first. The lamp's goes on for as long as the
pattern is shown, the buzzer's is sounded once, or again and again where the door wants somebody.
"""

import time

from firmware.readers.results import SHOW_ALARM, SHOW_HELD, SHOW_REST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEP_MS = 100
_STEPS = 16
# of each SHOW_ in the order of its number: lamp and buzzer, two bytes each
_PATTERNS = (
    b"\x00\x00\x00\x00"  # at rest
    b"\xff\xff\xc0\x00"  # granted: one long tone
    b"\xaa\xaa\xa8\x00"  # denied: three short ones
    b"\xf0\xf0\x80\x00"  # waits for a PIN or a second card
    b"\x00\x00\x80\x80"  # held open
    b"\xaa\xaa\xf0\xf0"  # alarm
    b"\xff\xff\x00\x00"  # normally open
    b"\x80\x00\x00\x00"  # shut
)


class TwoWires:
    """lamp, buzzer: a Pin or Signal each, 1 = on, or None where the reader has none."""

    def __init__(self, lamp: "Any", buzzer: "Any") -> None:
        self._wires = (lamp, buzzer)
        self._pattern = SHOW_REST
        self._began_ms = time.ticks_ms()
        self._step = -1
        self._again = False

    def show(self, pattern: int, now_ms: int) -> None:
        """Begin a pattern."""
        self._pattern = pattern
        self._began_ms = now_ms
        self._step = -1
        self._again = False
        self.turn(now_ms)

    def turn(self, now_ms: int) -> None:
        """Go on with it; call at every turn."""
        step = time.ticks_diff(now_ms, self._began_ms) // _STEP_MS
        if step == self._step:
            return
        if not 0 <= step < _STEPS:  # a round is over; or nobody has looked for days
            self._began_ms = now_ms
            self._again = True
            step = 0
        self._step = step
        at = 4 * self._pattern + step // 8
        for wire in self._wires:
            if wire is not None:
                wire.value(_PATTERNS[at] >> 7 - step % 8 & 1)
            at += 2
            if self._again and self._pattern not in (SHOW_HELD, SHOW_ALARM):
                at = 2  # the buzzer of the first pattern, which has none
