"""What the jig plays: readers, contacts, meters (device).

Outputs drive opto-couplers, transistors or small relays: 1 is "acts", 0 is at rest.
"""

import binascii
import time

from machine import UART, Pin

_PULSE_US = 50


def drive(pin: int, level: int) -> int:
    """Sets an output; returns when."""
    Pin(pin, Pin.OUT, value=level)
    return time.ticks_us()


def wiegand(zero: int, one: int, bits: str, pitch_us: int) -> "list[int]":
    """Pulses, one a bit ("0" on D0, "1" on D1), `pitch_us` from start to start.

    Returns when the last began, and the longest pitch that came out.
    """
    lines = (Pin(zero, Pin.OUT, value=0), Pin(one, Pin.OUT, value=0))
    ticks, diff, add = time.ticks_us, time.ticks_diff, time.ticks_add
    due = last = ticks()
    longest = 0
    for bit in bits:
        while diff(due, ticks()) > 0:
            pass
        now = ticks()
        line = lines[bit == "1"]
        line.value(1)
        longest = max(longest, diff(now, last))
        last = now
        time.sleep_us(_PULSE_US)
        line.value(0)
        due = add(now, pitch_us)  # a late bit puts off the next: readers keep their pitch
    return [last, longest]


def serial(tx: int, uart: int, baud: int, data: str) -> int:
    """Sends bytes (hex) as a reader's UART would; returns when its last bit was out."""
    port = UART(uart, baud, tx=tx, rx=-1)
    port.write(binascii.unhexlify(data))
    port.flush()
    return time.ticks_us()


class Pulses:
    """A meter's CF pin: so many pulses in a thousand seconds, made by the jig's own loop."""

    def __init__(self, pin: int, milli_hz: int) -> None:
        self._pin = Pin(pin, Pin.OUT, value=0)
        self._pitch_us = 1_000_000_000 // milli_hz if milli_hz else 0
        self._due_us = time.ticks_us()
        self.count = 0

    def turn(self) -> None:
        """A pulse when it is due; one that came late does not put off the next."""
        if not self._pitch_us or time.ticks_diff(self._due_us, time.ticks_us()) > 0:
            return
        self._pin.value(1)
        time.sleep_us(_PULSE_US)
        self._pin.value(0)
        self.count += 1
        self._due_us = time.ticks_add(self._due_us, self._pitch_us)
