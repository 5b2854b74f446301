"""I2C of a virtual board with output expanders on it, and 74HC595 on its SPI (virtual board).

A board whose board.toml has `expanders` under [wiring] has it; no other pays for it. The chips
(controller_tool/sim/chips/expanders.py) keep their state in the page. What their outputs are is
written where pins from 40 on stand, 1 = powered: the relay log and the host see no difference.
Fault modes are those of boards/virtual/ds3231.py, and one more: a chip that holds SDA down until it
is clocked out.
"""

import expanders
import page as layout
from machine_shim import hooks, set_output

_FAULT_ABSENT, _FAULT_STUCK, _FAULT_HELD = 1, 2, 3
_CLOCKS = 9
_ENODEV = 19
_ETIMEDOUT = 116


class Inputs(expanders.Pcf8574):
    """One whose pins come from outside: what is written high reads as the wire has it."""

    def __init__(self, memory, at: int, first: int) -> None:
        super().__init__(memory, at)
        self._wires = memory
        self._first = first

    def read(self, count: int) -> bytes:
        """What is at the pins."""
        seen = 0
        for number in range(self.PINS):
            level = self._wires[layout.LEVELS + self._first + number]
            seen |= (0 if level == 0 else 1) << number
        return bytes((seen & self.levels(),)) * count


class Chips:
    """The chips of a board; rows: those of `expanders` in board.toml."""

    def __init__(self, page, time, rows: list, bus: dict) -> None:
        self._page = page
        self._time = time
        self._clocks = 0
        self._by_address = {}
        self.register = None
        at = layout.EXPANDERS
        for row in rows:
            if row["kind"] == "hc595":
                self._wire_register(row, at)
            elif row.get("inputs"):
                chip = Inputs(page.bytes, at, row["first"])
                self._by_address[row["address"]] = (chip, -1, 0)
                at += chip.BYTES
            elif row["kind"] == "pcf8574":
                chip = expanders.Pcf8574(page.bytes, at)
                self._by_address[row["address"]] = (chip, row["first"], 0)
                at += chip.BYTES
            else:
                chip = expanders.Mcp23017(page.bytes, at)
                self._by_address[row["address"]] = (chip, row["first"], 1)
                at += chip.BYTES
        self._sda = bus.get("sda", -1)
        hooks[bus.get("scl", -1)] = self._clocked

    def _wire_register(self, row: dict, at: int) -> None:
        chip = self.register = expanders.Hc595(self._page.bytes, at, row["chips"])

        def show(_level: int) -> None:
            enabled = self._page.bytes[layout.OUTPUTS + row["enable"]] == 0
            self._show(chip.levels() if enabled else 0, row["first"], 8 * row["chips"], 1)

        def latched(level: int) -> None:
            if level:
                chip.latch()
                show(level)

        hooks[row["latch"]] = latched
        hooks[row["enable"]] = show

    def _show(self, levels: int, first: int, count: int, active: int) -> None:
        for number in range(count):
            set_output(self._page, first + number, 1 if levels >> number & 1 == active else 0)

    def _clocked(self, level: int) -> None:
        """SCL moves by hand: the chip that holds SDA goes on with its byte."""
        if level and self._page.bytes[layout.I2C_FAULT] == _FAULT_HELD:
            self._clocks += 1
            if self._clocks >= _CLOCKS:
                self._clocks = 0
                self._page.bytes[layout.I2C_FAULT] = 0
                self._page.bytes[layout.LEVELS + self._sda] = 1

    def write(self, address: int, data: bytes, timeout_us: int) -> None:
        """One transaction."""
        chip, first, active = self._reach(address, timeout_us)
        chip.write(data)
        if first >= 0:
            self._show(chip.levels(), first, chip.PINS, active)

    def read(self, address: int, count: int, timeout_us: int) -> bytes:
        """One transaction."""
        return self._reach(address, timeout_us)[0].read(count)

    def _reach(self, address: int, timeout_us: int) -> tuple:
        fault = self._page.bytes[layout.I2C_FAULT]
        if fault in (_FAULT_STUCK, _FAULT_HELD):
            self._time.sleep_us(timeout_us)
            raise OSError(_ETIMEDOUT)
        if fault == _FAULT_ABSENT or address not in self._by_address:
            raise OSError(_ENODEV)
        return self._by_address[address]

    def scan(self) -> list:
        """Addresses that acknowledge."""
        return [] if self._page.bytes[layout.I2C_FAULT] else sorted(self._by_address)


def build(chips: Chips, wait_us) -> type:
    """`machine.I2C` of this board; wait_us: None, or spends what the bytes take on the wire."""

    class I2C:
        """Bus 0 or 1, with those chips on it."""

        def __init__(
            self, id: int = 0, scl=None, sda=None, freq: int = 400000, timeout: int = 50000
        ) -> None:
            self._timeout_us = timeout
            self._byte_us = 9000000 // freq

        def _pass(self, count: int) -> None:
            if wait_us is not None:
                wait_us(count * self._byte_us)

        def scan(self) -> list:
            return chips.scan()

        def writeto(self, addr: int, buf, stop: bool = True) -> int:
            chips.write(addr, bytes(buf), self._timeout_us)
            self._pass(1 + len(buf))
            return len(buf) + 1

        def readfrom_into(self, addr: int, buf, stop: bool = True) -> None:
            buf[:] = chips.read(addr, len(buf), self._timeout_us)
            self._pass(1 + len(buf))

        def writeto_mem(self, addr: int, memaddr: int, buf) -> None:
            chips.write(addr, bytes((memaddr,)) + bytes(buf), self._timeout_us)
            self._pass(2 + len(buf))

        def readfrom_mem_into(self, addr: int, memaddr: int, buf) -> None:
            chips.write(addr, bytes((memaddr,)), self._timeout_us)
            buf[:] = chips.read(addr, len(buf), self._timeout_us)
            self._pass(3 + len(buf))

    return I2C
