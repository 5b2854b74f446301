"""A WS2812 as a status light: dim green or off (device)."""

from machine import Pin, bitstream

_TIMING_NS = (400, 850, 800, 450)  # high and low of a 0, of a 1
_GREEN = b"\x10\x00\x00"  # green comes first
_OFF = b"\x00\x00\x00"


class Pixel:
    """value(level) as a Pin has it; the wire is used when the level changes, 30 us each time."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin
        self._level = -1

    def value(self, level: int) -> None:
        """1 is lit."""
        if level != self._level:
            self._level = level
            bitstream(self._pin, 0, _TIMING_NS, _GREEN if level else _OFF)
