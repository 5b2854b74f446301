"""Meter drivers on model chips, and a clock that only goes when told to (MicroPython)."""

from controller_tool.sim.chips.bl0942 import READ, WATT, Bl0942, Line, check_of
from controller_tool.sim.chips.hlw8012 import Hlw8012
from firmware import sectors as _sectors  # noqa: F401  early: nested imports cost stack
from firmware.charge_setup import zero_ms
from firmware.meters import bl0942, hlw8012
from protocol.policy.charge_port import NO_END, Port, Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TURN_MS = 10
PER_WATT = 623.4  # of a shunt of 1 mOhm and a divider of 1.95 MOhm and 510 Ohm


class Pin:
    """An output that remembers its level."""

    def __init__(self) -> None:
        self.level = 0

    def value(self, level: "int | None" = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class Wire:
    """A UART with lines of chips behind a multiplexer; an answer comes `late_turns` turns later."""

    def __init__(self, lines: "list[Line]", select: "tuple[Pin, ...]" = ()) -> None:
        self.lines = lines
        self.select = select
        self.held = b""
        self.late_turns = 1
        self.asked: list[tuple[int, int]] = []  # row and address
        self._coming: list[list[Any]] = []

    def pass_turn(self) -> None:
        for answer in self._coming:
            answer[0] -= 1
        while self._coming and self._coming[0][0] <= 0:
            self.held += self._coming.pop(0)[1]

    def any(self) -> int:
        return len(self.held)

    def readinto(self, buf: bytearray) -> int:
        count = min(len(buf), len(self.held))
        buf[:count] = self.held[:count]
        self.held = self.held[count:]
        return count

    def write(self, data: bytes) -> int:
        row = 0
        for place, pin in enumerate(self.select):
            row |= pin.level << place
        self.asked.append((row, data[0] & 3))
        answer = self.lines[row].receive(bytes(data))
        if answer:
            self._coming.append([self.late_turns, answer])
        return len(data)


class Place:
    """What a row tells of one port."""

    def __init__(self, row: "Any", number: int) -> None:
        self.row = row
        self.number = number

    def __getattr__(self, name: str) -> int:
        value: int = getattr(self.row, name)[self.number]
        return value


class Station:
    """The row of all chips of the lines; addresses: those of each line."""

    def __init__(self, *addresses: "tuple[int, ...]") -> None:
        self.chips: list[Bl0942] = []
        lines = []
        for row in addresses:
            chips = {address: Bl0942(PER_WATT, 3 + address) for address in row}
            self.chips += [chips[address] for address in row]
            lines.append(Line(chips))
        select = (Pin(), Pin()) if len(addresses) > 1 else ()
        self.wire = Wire(lines, select)
        self.row = bl0942.drivers(self.wire, {"lines": addresses, "select": select})
        self.meters = [Place(self.row, number) for number in range(self.row.count)]
        self.now_ms = self.meters[0].read_ms

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.now_ms = self.now_ms + TURN_MS & 0x3FFFFFFF
            self.wire.pass_turn()
            self.row.poll(self.now_ms)

    def seconds(self, count: int) -> None:
        self.turns(count * 1000 // TURN_MS)


class Counter:
    """A pulse counter (PCNT) at a chip's CF."""

    def __init__(self, chip: Hlw8012) -> None:
        self.chip = chip
        self.base = 0
        self.resets = 0

    def value(self, value: "int | None" = None) -> int:
        found = self.chip.pulses - self.base
        if value is not None:
            self.base = self.chip.pulses
            self.resets += 1
        return found


class Pulses:
    """A row of three chips, of which the one in the middle is asked, and its neighbours rest."""

    def __init__(self, chip: str = "hlw8012") -> None:
        counters = [Counter(Hlw8012(1)) for _ in range(3)]
        self.row = hlw8012.drivers(counters, {"chip": chip})
        self.meter = Place(self.row, 1)
        self.chip = Hlw8012(1000 * self.row.pulse_mj)
        self.counter = self.row._counters[1] = Counter(self.chip)
        self.now_ms = self.row._begin_ms  # a millisecond may have passed since read_ms
        self.true_mj = 0
        self.told_mj = 0  # as a service would sum it up: the power of each reading by its second
        self._last_ms = self.now_ms
        self._readings = 0

    def seconds(self, count: int, watts: float) -> None:
        for _ in range(count * 1000 // TURN_MS):
            self.turn(watts)

    def turn(self, watts: float) -> None:
        self.chip.milliwatts = int(1000 * watts)
        self.now_ms = self.now_ms + TURN_MS & 0x3FFFFFFF
        self.chip.pass_us(1000 * TURN_MS)
        self.true_mj += self.chip.milliwatts * TURN_MS // 1000
        self.row.poll(self.now_ms)
        if self.meter.readings != self._readings:
            self._readings = self.meter.readings
            passed_ms = self.now_ms - self._last_ms & 0x3FFFFFFF
            self.told_mj += self.meter.power_dw * passed_ms // 10
            self._last_ms = self.now_ms


class Metered:
    """A port on such a chip; what it says is what it does, and `said` has all of it."""

    def __init__(self, gain: int = 10000, chip: str = "hlw8012") -> None:
        self.pulses = Pulses(chip)
        self.pulses.row.gain[1] = gain
        self.rules = Rules()
        found_ms = zero_ms(self.pulses.row, 1, self.rules.zero_dw)
        self.rules.zero_ms = max(self.rules.zero_ms, found_ms)
        self.port = Port(self.rules)
        self.said: list[int] = []
        self._readings = self.pulses.meter.readings
        self._read_ms = self.pulses.now_ms

    def turns(self, count: int, watts: float) -> None:
        """So much flows, whatever the port thinks."""
        pulses, meter = self.pulses, self.pulses.meter
        for _ in range(count):
            pulses.turn(watts)
            if meter.readings != self._readings:
                self._readings = meter.readings
                self._note(self.port.read(meter.power_dw, meter.read_ms - self._read_ms))
                self._read_ms = meter.read_ms
            self._note(self.port.tick(TURN_MS))

    def _note(self, said: int) -> None:
        if said != NO_END:
            self.said.append(said)


__all__ = [
    "PER_WATT",
    "READ",
    "TURN_MS",
    "WATT",
    "Bl0942",
    "Line",
    "Metered",
    "Pin",
    "Place",
    "Pulses",
    "Station",
    "check_of",
]
