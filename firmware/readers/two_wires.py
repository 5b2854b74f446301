"""Lamp and buzzer of a reader, each on a wire of its own: what SHOW_ patterns look like (device).

A pattern is sixteen steps of 100 ms, the highest bit first. The lamp's goes on for as long as the
pattern is shown, the buzzer's is sounded once, or again and again where the door wants somebody.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEP_MS = 100
_STEPS = 16
# of each SHOW_ in the order of its number: lamp, buzzer, whether the buzzer goes on
_PATTERNS = (
    (0x0000, 0x0000, False),  # at rest
    (0xFFFF, 0xC000, False),  # granted: one long tone
    (0xAAAA, 0xA800, False),  # denied: three short ones
    (0xF0F0, 0x8000, False),  # waits for a PIN or a second card
    (0x0000, 0x8080, True),  # held open
    (0xAAAA, 0xF0F0, True),  # alarm
    (0xFFFF, 0x0000, False),  # normally open
    (0x8000, 0x0000, False),  # shut
)


class TwoWires:
    """lamp, buzzer: a Pin or Signal each, 1 = on, or None where the reader has none."""

    def __init__(self, lamp: "Any", buzzer: "Any") -> None:
        self._lamp = lamp
        self._buzzer = buzzer
        self._pattern = _PATTERNS[0]
        self._began_ms = time.ticks_ms()
        self._step = -1
        self._rounds = 0

    def show(self, pattern: int, now_ms: int) -> None:
        """Begin a pattern."""
        self._pattern = _PATTERNS[pattern]
        self._began_ms = now_ms
        self._step = -1
        self._rounds = 0
        self.turn(now_ms)

    def turn(self, now_ms: int) -> None:
        """Go on with it; call at every turn."""
        step = time.ticks_diff(now_ms, self._began_ms) // _STEP_MS
        if step == self._step:
            return
        if step >= _STEPS or step < 0:  # a round is over; or nobody has looked for days
            self._began_ms = now_ms
            self._rounds = 1
            step = 0
        self._step = step
        lamp, buzzer, goes_on = self._pattern
        mask = 0x8000 >> step
        if self._lamp is not None:
            self._lamp.value(1 if lamp & mask else 0)
        if self._buzzer is not None:
            self._buzzer.value(1 if buzzer & mask and (goes_on or not self._rounds) else 0)
