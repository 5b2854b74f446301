"""PCF8574 with eight opto-coupled inputs: a pin is low while its input is lit (device).

All are read at once, every 5 ms at most. A chip that cannot be read says what cut wires say, all
dark: a loop that is to be closed counts as broken, a button as not pressed.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from expander_bus import Bus
    from machine import I2C

_DARK = 0xFF
_READ_MS = 5


class Contact:
    """One of its inputs; value() is 1 while it is dark or, where `lit` counts, while it is lit."""

    def __init__(self, inputs: "Pcf8574Inputs", number: int, lit: bool) -> None:
        self._inputs = inputs
        self._number = number
        self._lit = lit

    def value(self) -> int:
        """1 when what the contact's name says is so."""
        level = self._inputs.read() >> self._number & 1
        return 1 - level if self._lit else level


class Pcf8574Inputs:
    """Stands behind the relays' chips on their bus: outputs are counted from its first chip."""

    def __init__(self, bus: "Bus", address: int) -> None:
        self._bus = bus
        self._address = address
        self._ones = b"\xff"  # a pin that is written high can be pulled down from outside
        self._seen = bytearray(b"\xff")
        self._read_ms = time.ticks_ms()
        bus.chips.append(self)

    def off(self) -> None:
        """Nothing here is powered."""

    def restore(self, i2c: "I2C") -> None:
        """Its pins are inputs, whatever noise made of them."""
        i2c.writeto(self._address, self._ones)

    def _look(self, i2c: "I2C") -> None:
        i2c.readfrom_into(self._address, self._seen)

    def read(self) -> int:
        """All eight, a bit each, 1 = dark."""
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._read_ms) >= _READ_MS:
            self._read_ms = now_ms
            try:
                self._bus.act(self._look)
            except OSError:
                self._seen[0] = _DARK
        return self._seen[0]
