"""Reads credentials from whatever readers the board has, and debounces inputs (device)."""

import time

from firmware.readers.results import CARD, SHOW_REST

_REPEAT_MS = 1000  # readers repeat a card for as long as it is held to them
# equal samples, 10 ms apart, before an input counts as changed; two that lie further apart will do
# as well: three of a loop that a push keeps for 50 ms each would be seven times the time
STEADY_POLLS = 3
STEADY_MS = 20

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.supervised import Supervised


class Reader:
    """One reader: its driver, the card that it last gave, and how it is."""

    def __init__(self, number: int, driver: "Any") -> None:
        self.number = number
        self.driver = driver
        self.edge_ticks = driver.edge_ticks  # as it was seen last
        self.trouble = 0  # as it is on record
        self.restarts = 0
        self.pairs = False  # it is being given a key
        self.shown = SHOW_REST
        self._last = b""
        self._last_ticks = time.ticks_ms()

    def poll(self, now_ms: int) -> int:
        """What the driver has, but for a card that is still held there; again until NOTHING."""
        while True:
            result: int = self.driver.poll(now_ms)
            if result != CARD:
                self._forget(now_ms)
                return result
            if self._fresh(now_ms):
                return result

    def _forget(self, now_ms: int) -> None:
        """Let a card go once it is no longer held there: ticks wrap, and it may come again."""
        if self._last and time.ticks_diff(now_ms, self._last_ticks) >= _REPEAT_MS:
            self._last = b""

    def _fresh(self, now_ms: int) -> bool:
        """Whether this is not the card that was given a moment ago."""
        self._forget(now_ms)
        self._last_ticks = now_ms
        if self.driver.credential == self._last:
            return False
        self._last = bytes(self.driver.credential)
        return True


class Input:
    """One contact; `active` changes after it has been steady for 20 to 30 ms."""

    def __init__(self, pin: "Any", active: bool) -> None:
        self._pin = pin
        self._polls = self._since_ms = 0
        self.active = active

    def poll(self) -> bool:
        """Sample it; returns `active`."""
        level = self._pin is not None and self._pin.value() == 1
        if level == self.active:
            self._polls = 0
        else:
            now_ms = time.ticks_ms()
            if not self._polls:
                self._since_ms = now_ms
            self._polls += 1
            steady_ms = time.ticks_diff(now_ms, self._since_ms)
            if self._polls >= STEADY_POLLS or steady_ms >= STEADY_MS:
                self._polls = 0
                self.active = level
        return self.active


def wired(pin: "Any", fault: bool = True) -> "Input | Supervised":
    """A contact or, where the board gives an analog input, a supervised line; fault: what a line
    counts as that is cut or shorted."""
    if not hasattr(pin, "read_uv"):
        return Input(pin, False)
    from firmware.supervised import Supervised

    return Supervised(pin, fault)
