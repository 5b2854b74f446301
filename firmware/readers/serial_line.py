"""A reader that speaks by itself on a UART: its bytes, one after the other (device)."""

import time

from firmware.readers.results import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BUFFER_BYTES = 64


class Line:
    """Gives what the UART holds to `feed(byte)`, which the kind of reader has."""

    type = 0
    bits = 0
    trouble = 0  # a reader that is never asked is never known to be lost

    def __init__(self, uart: "Any") -> None:
        self._uart = uart
        self._buffer = bytearray(_BUFFER_BYTES)
        self._held = 0
        self._next = 0
        self.edge_ticks = time.ticks_ms()

    def poll(self, now_ms: int) -> int:
        """Feed at most one buffer; the result that came first."""
        if self._next == self._held:
            self._next = self._held = 0
            if not self._uart.any():
                return NOTHING
            self._held = self._uart.readinto(self._buffer) or 0
            self.edge_ticks = now_ms
        while self._next < self._held:
            byte = self._buffer[self._next]
            self._next += 1
            result = self.feed(byte)
            if result:
                return result
        return NOTHING

    def feed(self, byte: int) -> int:
        """One byte of the line; returns NOTHING, CARD, DOUBTFUL or, with keys, KEY."""
        raise NotImplementedError

    def show(self, pattern: int, now_ms: int) -> None:
        """It has neither lamp nor buzzer that could be reached."""
