"""Reads credentials from whatever readers the board has, and debounces inputs (device)."""

import time

from firmware.readers.results import CARD, DOUBTFUL

_REPEAT_MS = 1000  # readers repeat a card for as long as it is held to them
_STEADY_POLLS = 3  # equal samples, 10 ms apart, before an input counts as changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Reader:
    """One reader: its UART, its decoder and the card that it last gave."""

    def __init__(self, number: int, kind: str, uart: "Any") -> None:
        module = __import__("firmware.readers." + kind, None, None, ("Decoder",))
        self.number = number
        self.uart = uart
        self.decoder = module.Decoder()
        self._buffer = bytearray(64)
        self._left = 0
        self._at = 0
        self._last = b""
        self._last_ticks = time.ticks_ms()
        self.edge_ticks = self._last_ticks  # when bytes last came

    def poll(self) -> int:
        """Take what the UART holds. Returns CARD, DOUBTFUL or 0; call again until 0."""
        while True:
            if self._at == self._left:
                if not self.uart.any():
                    self._forget()
                    return 0
                self._left = self.uart.readinto(self._buffer) or 0
                self._at = 0
                self.edge_ticks = time.ticks_ms()
                if not self._left:
                    return 0
            byte = self._buffer[self._at]
            self._at += 1
            result: int = self.decoder.feed(byte)
            if result == DOUBTFUL or (result == CARD and self._fresh()):
                return result

    def _forget(self) -> None:
        """Let a card go once it is no longer held there: ticks wrap, and it may come again."""
        if self._last and time.ticks_diff(time.ticks_ms(), self._last_ticks) >= _REPEAT_MS:
            self._last = b""

    def _fresh(self) -> bool:
        """Whether this is not the card that was given a moment ago."""
        self._forget()
        self._last_ticks = time.ticks_ms()
        if self.decoder.credential == self._last:
            return False
        self._last = bytes(self.decoder.credential)
        return True


class Input:
    """One contact; `active` changes after it has been steady for 20 to 30 ms."""

    def __init__(self, pin: "Any", active: bool) -> None:
        self._pin = pin
        self._polls = 0
        self.active = active

    def poll(self) -> bool:
        """Sample it; returns `active`."""
        level = self._pin is not None and self._pin.value() == 1
        if level == self.active:
            self._polls = 0
        else:
            self._polls += 1
            if self._polls >= _STEADY_POLLS:
                self._polls = 0
                self.active = level
        return self.active
