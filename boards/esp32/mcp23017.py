"""MCP23017: sixteen relays on I2C; 1 = powered (device).

Its latches keep their state through a reset of the controller. A new chip has all pins as inputs,
so the relays' drivers need pull-downs: the latches are written before the directions.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from expander_bus import Bus
    from machine import I2C

_IODIRA = 0x00
_IOCON_OF_BANK_1 = 0x05  # GPINTENB otherwise, where 0 does no harm
_IOCON = 0x0A
_GPIOA = 0x12
_OLATA = 0x14


class Mcp23017:
    """put() and get() take the number of a pin, 0 to 15: GPA0 to GPB7."""

    def __init__(self, bus: "Bus", address: int) -> None:
        self._bus = bus
        self._address = address
        self._state = bytearray(2)
        self._zeros = bytearray(2)
        self._seen = bytearray(2)
        bus.chips.append(self)

    def off(self) -> None:
        """As it is to be from the next restore of the bus on."""
        self._state[0] = self._state[1] = 0

    def restore(self, i2c: "I2C") -> None:
        """Everything anew, from whatever state it is in: noise may have set its BANK bit."""
        zero = memoryview(self._zeros)[:1]
        i2c.writeto_mem(self._address, _IOCON_OF_BANK_1, zero)
        i2c.writeto_mem(self._address, _IOCON, zero)
        self._write(i2c)

    def _write(self, i2c: "I2C") -> None:
        """The directions with each: after a dip of its supply its pins would be inputs for good."""
        i2c.writeto_mem(self._address, _OLATA, self._state)
        i2c.writeto_mem(self._address, _IODIRA, self._zeros)

    def _read(self, i2c: "I2C") -> None:
        i2c.readfrom_mem_into(self._address, _GPIOA, self._seen)

    def put(self, number: int, level: int) -> None:
        """Drive a pin, at once."""
        half, bit = number >> 3, 1 << (number & 7)
        self._state[half] = self._state[half] | bit if level else self._state[half] & ~bit
        self._bus.act(self._write)

    def get(self, number: int) -> int:
        """What is at the pin: one that is shorted is not what was written."""
        self._bus.act(self._read)
        return self._seen[number >> 3] >> (number & 7) & 1
