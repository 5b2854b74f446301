"""74HC595 in a row: eight relays each on SPI, with latch and output enable; 1 = powered (device).

The enable line has a pull-up to 3.3 V: a controller that is being reset lets go of it, and every
relay opens whatever the latches hold. There is nothing to read back.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin


class Hc595:
    """put() and get() take the number of an output, 0 = QA of the chip next to the controller."""

    def __init__(self, spi: "SPI", latch: "Pin", enable: "Pin", chips: int) -> None:
        self._spi = spi
        self._latch = latch
        self._enable = enable
        self._state = bytearray(chips)  # what is sent first ends up in the last chip

    def safe(self) -> None:
        """All off, and only then enabled: after power-up the latches hold anything."""
        self._enable.value(1)
        for at in range(len(self._state)):
            self._state[at] = 0
        self._send()
        self._enable.value(0)

    def _send(self) -> None:
        self._spi.write(self._state)
        self._latch.value(1)
        self._latch.value(0)

    def put(self, number: int, level: int) -> None:
        """Drive an output, at once."""
        at = len(self._state) - 1 - (number >> 3)
        bit = 1 << (number & 7)
        self._state[at] = self._state[at] | bit if level else self._state[at] & ~bit
        self._send()

    def get(self, number: int) -> int:
        """What was written last."""
        return self._state[len(self._state) - 1 - (number >> 3)] >> (number & 7) & 1
