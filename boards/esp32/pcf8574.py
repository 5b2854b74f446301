"""PCF8574: eight relays on I2C, each powered by a pin that is low (device).

Its pins are high after power-up and sink far more than they source, so a relay's driver is wired
to act on low. It has no registers: a byte written is the pins, a byte read is what is at them. They
keep their state through a reset of the controller.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from expander_bus import Bus
    from machine import I2C

_ALL_OFF = 0xFF


class Pcf8574:
    """put() and get() take the number of a pin, 0 to 7."""

    def __init__(self, bus: "Bus", address: int) -> None:
        self._bus = bus
        self._address = address
        self._state = bytearray((_ALL_OFF,))
        self._seen = bytearray(1)
        bus.chips.append(self)

    def off(self) -> None:
        """As it is to be from the next restore of the bus on."""
        self._state[0] = _ALL_OFF

    def restore(self, i2c: "I2C") -> None:
        """Everything anew."""
        i2c.writeto(self._address, self._state)

    def _read(self, i2c: "I2C") -> None:
        i2c.readfrom_into(self._address, self._seen)

    def put(self, number: int, level: int) -> None:
        """Drive a relay, at once."""
        bit = 1 << number
        self._state[0] = self._state[0] & ~bit & 0xFF if level else self._state[0] | bit
        self._bus.act(self.restore)

    def get(self, number: int) -> int:
        """What is at the pin; 1 = powered."""
        self._bus.act(self._read)
        return 1 - (self._seen[0] >> number & 1)
