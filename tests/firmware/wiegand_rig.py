"""A Wiegand driver on the pins of an ESP32 and a clock that only goes when told to (MicroPython).

The pins are those of the virtual board (boards/virtual/lines.py): hardware counts every edge,
handlers may be late, miss some, or be told of two lines in the wrong order.
"""

from boards.virtual.lines import Lines
from firmware.readers.results import NOTHING
from firmware.readers.wiegand import drivers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TURN_MS = 10
D0, D1 = 16, 17
_now: "list[Lines]" = []
on_look: "list[Callable[[], None]]" = []  # called whenever a unit is read
deaf: "set[int]" = set()  # edges, counted from 0, that no handler is told of
blind: "set[int]" = set()  # edges that no unit counts


class Pin:
    """An input of the rig, or an output that remembers its level."""

    IRQ_FALLING = 2

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.level = 0

    def irq(self, handler: "Any", _trigger: int) -> None:
        _now[0].handlers[self.number] = lambda _: handler(self)

    def value(self, level: "int | None" = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class Counter:
    """A pulse counter (PCNT) on a pin."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin.number
        self._base = 0

    def value(self, value: "int | None" = None) -> int:
        for called in on_look:
            called()
        found: int = _now[0].counts.get(self._pin, 0) - self._base
        if value is not None:
            self._base += found
        return found


class Wires(Lines):
    """Lines of which single edges can be lost on the way to the handlers, or to all."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def _arrive(self) -> int:
        number = self.seen
        self.seen += 1
        pin: int = super()._arrive()
        if number in blind:
            self.counts[pin] -= 1
        return -1 if number in deaf or number in blind else pin


class Rig:
    """One reader on its wires; times in us since the rig began."""

    def __init__(self, **options: "Any") -> None:
        self.lines = Wires()
        _now[:] = [self.lines]
        on_look.clear()
        deaf.clear()
        blind.clear()
        zero, one = Pin(D0), Pin(D1)
        self.driver = drivers((zero, Counter(zero), one, Counter(one)), options)[0]
        self.now_us = 0
        self.driver.edge_ticks = 0

    def send(self, bits: "list[int]", pitch_us: int = 2000) -> int:
        """Put a frame on the wires from now on; returns when its last edge comes."""
        self.lines.seen = 0
        for at, bit in enumerate(bits):
            self.lines.add(self.now_us + 100 + at * pitch_us, D1 if bit else D0)
        return self.now_us + 100 + len(bits) * pitch_us

    def sleep(self, until_us: int, dark: "tuple[int, int] | None" = None) -> "list[int]":
        """Poll the driver at each turn until then; dark: the flash is at work from, to."""
        found = []
        while self.now_us < until_us:
            if dark and dark[0] <= self.now_us + TURN_MS * 1000:
                self.lines.leisure(dark[0])
                self.lines.busy(dark[1], True)
                self.now_us = max(self.now_us, dark[1])
                dark = None
            else:
                self.now_us += TURN_MS * 1000
            self.lines.leisure(self.now_us)
            result = self.driver.poll(self.now_us // 1000)
            if result != NOTHING:
                found.append(result)
        return found

    def read(self, bits: "list[int]", pitch_us: int = 2000) -> "list[int]":
        """What a frame leads to when the chip is at leisure."""
        end_us = self.send(bits, pitch_us)
        return self.sleep(end_us + 60_000)


def frame(count: int, value: int) -> "list[int]":
    """A Wiegand frame of so many bits around a number."""
    inner = [value >> place & 1 for place in range(count - 3, -1, -1)]
    half = (count + 1) // 2 - 1
    inner.insert(0, sum(inner[:half]) & 1)
    inner.append(1 - (sum(inner[-half:]) & 1))
    return inner
