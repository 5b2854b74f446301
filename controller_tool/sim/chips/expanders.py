"""Output expanders as their data sheets describe them: MCP23017, PCF8574, 74HC595 (both).

Their state lies in `memory` from `at` on, outside what a reset of the controller reaches: they keep
it, and lose it with their power. A byte that is 0 says that they have just got it.
"""

_IOCON = 0x0A
_BANK = 0x80
_GPIO, _OLAT = 0x09, 0x0A  # of a half, as BANK = 1 counts them
_HALF = 11  # registers of a half
_FLAG = 1


class Mcp23017:
    """Sixteen pins. `write` and `read` are what lies between START and STOP, without address."""

    BYTES = 2 + 2 * _HALF
    PINS = 16

    def __init__(self, memory: "bytearray | memoryview", at: int) -> None:
        self._memory = memory
        self._at = at

    def _power(self) -> None:
        if self._memory[self._at] != _FLAG:
            for place in range(self.BYTES):
                self._memory[self._at + place] = 0
            self._memory[self._at] = _FLAG
            self._memory[self._at + 2] = self._memory[self._at + 2 + _HALF] = 0xFF  # IODIR

    def _place(self, half: int, register: int) -> int:
        return self._at + 2 + half * _HALF + register

    def _find(self, address: int) -> "tuple[int, int]":
        """Half and register of an address, in the bank mode that holds."""
        if self._memory[self._place(0, 5)] & _BANK:
            half, register = address >> 4 & 1, address & 0x0F
        else:
            half, register = address & 1, address >> 1
        return half, register

    def _step(self, address: int) -> int:
        """The next address: after the last register of all, or of a half, the first."""
        if self._memory[self._place(0, 5)] & _BANK:
            return address & 0x10 if address & 0x0F >= _OLAT else address + 1
        return 0 if address >= 2 * _HALF - 1 else address + 1

    def write(self, data: bytes) -> None:
        """An address, then registers one after the other."""
        self._power()
        if not data:
            return
        pointer = data[0]
        for byte in data[1:]:
            half, register = self._find(pointer)
            pointer = self._step(pointer)
            if register == 5:  # IOCON is one register at two addresses
                self._memory[self._place(0, 5)] = self._memory[self._place(1, 5)] = byte & 0xFE
            elif register in (_GPIO, _OLAT):  # writing the port writes the latch
                self._memory[self._place(half, _OLAT)] = byte
            elif register < _GPIO and register not in (7, 8):  # INTF and INTCAP are read only
                self._memory[self._place(half, register)] = byte
        self._memory[self._at + 1] = pointer

    def read(self, count: int) -> bytes:
        """From where the pointer stands."""
        self._power()
        found = bytearray(count)
        for place in range(count):
            half, register = self._find(self._memory[self._at + 1])
            self._memory[self._at + 1] = self._step(self._memory[self._at + 1])
            if register == _GPIO:
                found[place] = self.levels() >> 8 * half & 0xFF
            elif register < _HALF:
                found[place] = self._memory[self._place(half, register)]
        return bytes(found)

    def levels(self) -> int:
        """At the pins, GPA0 the lowest bit; the relays' drivers pull inputs down."""
        if self._memory[self._at] != _FLAG:
            return 0
        found = 0
        for half in (0, 1):
            driven = ~self._memory[self._place(half, 0)]
            found |= (self._memory[self._place(half, _OLAT)] & driven & 0xFF) << 8 * half
        return found


class Pcf8574:
    """Eight quasi-bidirectional pins; no registers."""

    BYTES = 2
    PINS = 8

    def __init__(self, memory: "bytearray | memoryview", at: int) -> None:
        self._memory = memory
        self._at = at

    def write(self, data: bytes) -> None:
        """Each byte is the pins; the last one stays."""
        if data:
            self._memory[self._at] = _FLAG
            self._memory[self._at + 1] = data[-1]

    def read(self, count: int) -> bytes:
        """What is at the pins, again and again."""
        return bytes((self.levels(),)) * count

    def levels(self) -> int:
        """At the pins; all high until something is written."""
        return self._memory[self._at + 1] if self._memory[self._at] == _FLAG else 0xFF


class Hc595:
    """Eight outputs a chip, chips in a row; after power-up they hold anything."""

    def __init__(self, memory: "bytearray | memoryview", at: int, chips: int) -> None:
        self._memory = memory
        self._at = at
        self._chips = chips

    def _power(self) -> None:
        if self._memory[self._at] != _FLAG:
            self._memory[self._at] = _FLAG
            for place in range(2 * self._chips):
                self._memory[self._at + 1 + place] = 0xA5

    def shift(self, data: bytes) -> None:
        """Bytes clocked in at SER: each pushes the others on, the last stays in the first chip."""
        self._power()
        first = self._at + 1
        for byte in data:
            for place in range(self._chips - 1, 0, -1):
                self._memory[first + place] = self._memory[first + place - 1]
            self._memory[first] = byte

    def latch(self) -> None:
        """RCLK rises."""
        self._power()
        for place in range(self._chips):
            source = self._at + 1 + place
            self._memory[source + self._chips] = self._memory[source]

    def levels(self) -> int:
        """At the outputs while they are enabled, QA of the first chip the lowest bit."""
        self._power()
        found = 0
        for place in range(self._chips):
            found |= self._memory[self._at + 1 + self._chips + place] << 8 * place
        return found
