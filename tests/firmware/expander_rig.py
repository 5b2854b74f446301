"""Relay expanders of boards/esp32 on model chips, with a bus that fails as told (MicroPython).

`machine` is this module's: drivers import I2C and Pin from there, as on the chip.
"""

import sys

from controller_tool.sim.chips.expanders import Hc595, Mcp23017, Pcf8574

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCL, SDA = 22, 21
CLOCKS = 9


class Wires:
    """What the chips at the wires are, and what is wrong with these."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.chips: dict[int, Any] = {}
        self.stuck = False  # for good
        self.held = 0  # clocks until the chip lets SDA go
        self.fails = 0  # transfers that fail from now on
        self.transfers = 0
        self.steps: list[tuple[int, int]] = []  # pins that moved by hand
        self.levels = {SCL: 1, SDA: 1}
        self.register: Any = None

    def sda(self) -> int:
        return 0 if self.stuck or self.held else 1

    def reach(self, address: int) -> "Any":
        self.transfers += 1
        if self.fails:
            self.fails -= 1
            raise OSError(116)
        if not self.sda():
            raise OSError(116)
        if address not in self.chips:
            raise OSError(19)
        return self.chips[address]


wires = Wires()


class Pin:
    """A pin of the rig; SDA is low while somebody holds it."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7

    def __init__(self, number: int, _mode: int = 1, value: "int | None" = None) -> None:
        self.number = number
        if value is not None:
            wires.levels[number] = value

    def value(self, level: "int | None" = None) -> "int | None":
        if level is None:
            return wires.sda() if self.number == SDA else wires.levels.get(self.number, 0)
        before = wires.levels.get(self.number, 0)
        wires.levels[self.number] = level
        wires.steps.append((self.number, level))
        if self.number == SCL and level and not before and wires.held:
            wires.held -= 1
        if wires.register and self.number == LATCH and level:
            wires.register.latch()
        return None


LATCH, ENABLE = 12, 26


class I2C:
    """A bus; one call is one transaction."""

    opened = 0

    def __init__(self, _id: int, **_pins: "Any") -> None:
        I2C.opened += 1

    def writeto(self, address: int, data: bytes) -> int:
        wires.reach(address).write(bytes(data))
        return len(data)

    def readfrom_into(self, address: int, data: bytearray) -> None:
        data[:] = wires.reach(address).read(len(data))

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        wires.reach(address).write(bytes((register,)) + bytes(data))

    def readfrom_mem_into(self, address: int, register: int, data: bytearray) -> None:
        chip = wires.reach(address)
        chip.write(bytes((register,)))
        data[:] = chip.read(len(data))


class Spi:
    """To a row of 74HC595."""

    def write(self, data: bytes) -> None:
        wires.register.shift(bytes(data))


class Machine:
    """In sys.modules where the chip has `machine`."""


machine: "Any" = Machine()
machine.Pin, machine.I2C = Pin, I2C
sys.modules["machine"] = machine
sys.path.append(__file__.rsplit("/", 3)[0] + "/boards/esp32")


def on_i2c(kind: str, chips: int = 1) -> "tuple[Any, list[Any], list[Any]]":
    """A bus, its chips' models, and all of its relays."""
    wires.begin()
    bus_module, driver = __import__("expander_bus"), __import__(kind)
    outputs = __import__("output").Outputs
    bus = bus_module.Bus(SCL, SDA)
    models: list[Any] = []
    each = 16 if kind == "mcp23017" else 8
    for number in range(chips):
        address = 0x20 + number
        model: Any = Mcp23017 if kind == "mcp23017" else Pcf8574
        models.append(model(bytearray(model.BYTES), 0))
        wires.chips[address] = models[-1]
        (driver.Mcp23017 if kind == "mcp23017" else driver.Pcf8574)(bus, address)
    return bus, models, list(outputs(bus.chips, each, each * chips))


def on_spi(chips: int = 2) -> "tuple[Any, Any, list[Any]]":
    """A driver, the model of its chips, and all of its relays."""
    wires.begin()
    wires.register = model = Hc595(bytearray(1 + 2 * chips), 0, chips)
    driver = __import__("hc595").Hc595(Spi(), Pin(LATCH), Pin(ENABLE, value=1), chips)
    return driver, model, list(__import__("output").Outputs([driver], 8 * chips, 8 * chips))
