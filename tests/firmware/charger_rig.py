"""A charger on a bench: the firmware's own service and account of energy; loads as numbers.

For MicroPython alone. Time moves by hand. The journal keeps what was written instead of a ring, the
account lies on a flash whose power can go at any change of it or of the journal. Current flows
through a port when its relay is closed, or welded, and the contactor too.
"""

from firmware import sectors as _sectors  # noqa: F401  early: nested imports cost stack
from firmware.access import Access
from firmware.charger import Service
from firmware.config import Config
from firmware.readers.results import KEY, KEY_CLEAR, KEY_ENTER, NOTHING, SHOW_REST
from protocol import cards, cbor, codes
from protocol.codes import (
    CLOCK_SYNCED,
    CLOCK_UNSET,
    CREDENTIAL_EM4100,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_DENIED,
    EVENT_GRANTED,
)
from protocol.constants import RECORD_BYTES
from tests.firmware.door_rig import CARD_KEY, Cards, Clock, Numbers, Pin, Reader, Written, modules
from tests.firmware.energy_rig import keep_loaded
from tests.firmware.flash import Chip, Partition, PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

POWER_ON, HARD, WATCHDOG = 1, 2, 3
WARM_MV = 1650  # 25 degrees
TURN_MS = 10
SECTORS = 16


class Ticks:
    """`time` as far as the service asks it."""

    now_ms = 0

    @staticmethod
    def ticks_ms() -> int:
        return Ticks.now_ms

    @staticmethod
    def ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


class Thermistor:
    """The level of its divider."""

    level_mv = WARM_MV


class Relay(Pin):
    """An output, perhaps of an expander that is lost; welded: current flows in any case."""

    def __init__(self) -> None:
        super().__init__()
        self.welded = self.lost = False

    def value(self, level: "int | None" = None) -> int:
        if self.lost:
            raise OSError(19)
        return super().value(level)


class Meters:
    """A row that measures each of its ports, from `first` on, once a second."""

    pulse_mj = 0

    def __init__(self, world: "World", first: int, count: int) -> None:
        self._world = world
        self._first = first
        self.count = count
        self.power_dw = [0] * count
        self.readings = bytearray(count)
        self.trouble = bytearray(count)
        self.gain = [10000] * count
        self.read_ms = [Ticks.now_ms] * count
        self.silent: set[int] = set()

    def poll(self, now_ms: int) -> None:
        for index in range(self.count):
            silent_ms = now_ms - self.read_ms[index]
            if index in self.silent:
                self.trouble[index] |= silent_ms > 3000
            elif silent_ms >= 1000:
                self.trouble[index] = 0
                self.power_dw[index] = self._world.flows_dw(self._first + index)
                self.readings[index] = self.readings[index] + 1 & 0xFF
                self.read_ms[index] = now_ms


class Module:
    """A module of firmware/meters."""

    @staticmethod
    def drivers(world: "World", options: "dict[str, Any]") -> Meters:
        made = Meters(world, options["first"], options["count"])
        world.meters_made.append(made)
        return made


class Shown:
    """A reader at which nothing is read by itself, and keys are pressed; pressed: those to come."""

    edge_ticks = trouble = 0
    shown = SHOW_REST

    def __init__(self) -> None:
        self.pressed: list[int] = []
        self.key = 0

    def poll(self, _now_ms: int) -> int:
        if not self.pressed:
            return NOTHING
        self.key = self.pressed.pop(0)
        return KEY

    def show(self, pattern: int, _now_ms: int) -> None:
        self.shown = pattern


class Readers:
    """A module of firmware/readers."""

    @staticmethod
    def drivers(world: "World", _options: "dict[str, Any]") -> "list[Shown]":
        return [world.reader]


modules["firmware.meters.world"] = Module
modules["firmware.readers.world"] = Readers
modules["firmware.charge_sessions"].time = Ticks
for name in ("energy_ring", "charge_sessions", "charge_cards", "charge_safety", "charger"):
    modules["firmware." + name].forget = keep_loaded


class Told(Written):
    """The journal; it survives a restart, and power can go before or after a record.

    rings: the records again, as either ring would give its own. watch(event, point): before each.
    """

    def __init__(self, world: "World") -> None:
        super().__init__(world)  # type: ignore[arg-type]
        self.world = world
        rings: list[Any] = [self, self]
        self.rings = rings
        self.oldest = 0
        self.version = 1

    @property
    def seq(self) -> int:
        return len(self.records)

    def record(
        self, event: int, reason: int = 0, point: int = 255, key: bytes = b"", extra: int = 0
    ) -> int:
        chip = self.world.chip
        if event in self.refused:
            raise OSError(5)
        if chip.begins() and chip.cut_quarters < 4:
            raise PowerCut
        self.events.append((event, reason))
        self.records.append((event, reason, point, key, extra))
        if not chip.has_power:
            raise PowerCut
        return 0

    def read(self, seq: int, out: memoryview) -> int:
        at = 0
        for event, reason, point, _, extra in self.records[seq:]:
            if at == len(out):
                break
            out[at + 6], out[at + 7], out[at + 15] = event, reason, point
            out[at + 28 : at + 32] = extra.to_bytes(4, "big")
            at += RECORD_BYTES
        return at


class World:
    """A controller as far as its ports see it, and what is plugged in at them.

    loads_w: of each port; a plug that is in draws it. `board`, `journal` and the like are the
    controller's parts; restart() keeps what a real one keeps.
    """

    locks: "list[Any]" = []  # noqa: RUF012  door_rig's journal looks at them
    keeps_shown = False

    def __init__(
        self,
        ports: int = 4,
        settings: "dict[int, Any] | None" = None,
        contactor: bool = True,
        plugs: bool = True,
        limit_w: int = 0,
    ) -> None:
        self.chip = Chip(dies=True)
        self.account = Partition(self.chip, SECTORS)
        self.outputs = [Relay() for _ in range(ports)]
        self.light = Pin()
        self.trip = Pin()
        self.meters_made: list[Meters] = []
        self.reader = Shown()
        self.loads_w = [0] * ports
        self.heat = [Thermistor() for _ in range(ports + 1)]
        names = ["smoke", "fire", "leakage", "estop", "reset", "tamper"]
        for number in range(ports):
            end = str(number + 1) if number else ""
            names.append("button" + end)
            if plugs:
                names.append("plug" + end)
        self.wires = {name: Pin() for name in names}
        self.board = self
        if contactor:
            self.contactor = lambda: self.trip
        if limit_w:
            self.STATION_LIMIT_W = limit_w
        fields: dict[int, Any] = {
            1: b"s" * 8,
            2: b"d" * 8,
            3: "pile",
            4: b"",
            5: CARD_KEY,
            6: b"",
            7: None,
            8: 1,
        }
        fields[9] = settings or {}
        self.config = Config(cbor.encode(fields))
        parts: list[Any] = [Numbers(), Clock(), Cards()]
        self.nvs, self.clock, self.whitelist = parts
        self.supply = None
        self.pace = self
        self.whitelist.manifest.profiles = [self.row(1)]
        self.intake = self
        self.changes = 0
        self.access = Access(self.whitelist, self.clock, CARD_KEY, self.nvs)
        self.enrolment = None
        self.memory_faults = 0
        self.scratch = memoryview(bytearray(40 * RECORD_BYTES))
        self.edge_ticks = 0
        self.cause = POWER_ON
        self.journal = Told(self)
        self.kind: Any = None
        self.true_mws = [0] * ports  # milliwatt-seconds that flowed, ever
        self.start()

    # --- what the service asks of its controller ----------------------------------------------

    def readers(self) -> "list[tuple[str, World, dict[str, Any]]]":
        return [("world", self, {})]

    def meters(self) -> "list[tuple[str, World, dict[str, Any]]]":
        """The first port has a row of its own."""
        self.meters_made.clear()
        rows = [(0, 1), (1, len(self.outputs) - 1)]
        return [("world", self, {"first": first, "count": count}) for first, count in rows]

    def relays(self) -> "list[Relay]":
        return self.outputs

    def indicator(self) -> Pin:
        return self.light

    def inputs(self) -> "dict[str, Any]":
        return self.wires

    def thermistors(self) -> "tuple[bytes, Callable[[int], int]]":
        points = bytes(range(len(self.outputs))) + b"\xff"
        return points, lambda index: 1000 * self.heat[index].level_mv

    def partition(self, _label: str) -> Partition:
        return self.account

    def reset_cause(self) -> int:
        return self.cause

    def quiet_for(self, _ms: int) -> bool:
        return True

    # --- the world ------------------------------------------------------------------------

    def flows_dw(self, number: int) -> int:
        relay = self.outputs[number]
        closed = relay.level or relay.welded
        if hasattr(self, "contactor"):
            closed = closed and self.trip.level
        return 10 * self.loads_w[number] if closed else 0

    def start(self) -> None:
        """Power comes: what boot.py does, then the service."""
        for relay in self.outputs:
            relay.level = 0
        self.trip.level = 0
        self.journal.forget()
        self.kind = None
        self.kind = Service(self)  # type: ignore[arg-type]

    def restart(self, off_s: int = 0, cause: int = POWER_ON, keeps_clock: bool = True) -> None:
        """The board starts anew after so long without power."""
        self.chip.has_power = True
        self.chip.cut_at = 0
        self.cause = cause
        self.clock.time_s += off_s
        self.clock.uptime_s = 0
        self.clock.quality = CLOCK_SYNCED if keeps_clock else CLOCK_UNSET
        Ticks.now_ms += 1
        self.start()

    def turn(self, passed_ms: int = TURN_MS) -> None:
        """One turn of the loop, and the time before it."""
        for number in range(len(self.outputs)):
            self.true_mws[number] += self.flows_dw(number) * passed_ms // 10
        Ticks.now_ms += passed_ms
        self.clock.ms += passed_ms
        while self.clock.ms >= 1000:
            self.clock.ms -= 1000
            self.clock.time_s += 1
            self.clock.uptime_s += 1
        self.kind.turn(passed_ms)

    def wait(self, seconds: int, turn_ms: int = TURN_MS) -> None:
        """So long passes; turn_ms: how fine (a coarse one is faster to run)."""
        for _ in range(seconds * 1000 // turn_ms):
            self.turn(turn_ms)

    def press(self, name: str, seconds: int = 1) -> None:
        """A contact acts for so long; a hand is not at a button while it holds the card."""
        for _ in range(4):
            self.turn()
        self.wires[name].level = 1
        self.wait(seconds)
        self.wires[name].level = 0

    def type(self, keys: str, seconds: int = 0) -> None:
        """Digits, * and # are pressed at the reader, one after the other; then so long passes."""
        marks = {"*": KEY_CLEAR, "#": KEY_ENTER}
        self.reader.pressed += [marks[key] if key in marks else int(key) for key in keys]
        while self.reader.pressed:
            self.turn()
        self.wait(seconds)

    def plug(self, number: int, watts: int) -> None:
        """Something that draws so much is plugged in; 0 watts: pulled out."""
        self.loads_w[number] = watts
        name = "plug" + (str(number + 1) if number else "")
        if name in self.wires:
            self.wires[name].level = 1 if watts else 0

    @staticmethod
    def row(
        number: int,
        points: int = 0xFFFF,
        wh: int = 0,
        minutes: int = 0,
        day_wh: int = 0,
        day_min: int = 0,
    ) -> "tuple[int, ...]":
        """A profile."""
        return (number, points, 0, 0, 0, wh, minutes, day_wh, day_min)

    def card(self, text: bytes, profile: int = 1, flags: int = 0) -> bytes:
        """Put a card on the list; returns its key."""
        key = cards.card_key(CARD_KEY, CREDENTIAL_EM4100, text)
        self.whitelist.held[key] = (profile, flags)
        return key

    def swipe(self, text: bytes) -> "tuple[int, int]":
        """Hold a card to the reader; event and reason of the decision about it, (0, 0) for none."""
        before = len(self.journal.events)
        try:
            self.kind._chooser._card(Reader(0, CREDENTIAL_EM4100, text))
        except OSError:
            self.journal.lost += 1
        for event, reason in self.journal.events[before:]:
            if event in (EVENT_GRANTED, EVENT_DENIED):
                return event, reason
        return 0, 0

    def told(self, event: int) -> "list[tuple[int, int, bytes, int]]":
        """(reason, point, key, extra) of all such records."""
        return [row[1:] for row in self.journal.records if row[0] == event]

    def ends(self) -> "list[int]":
        """End codes so far."""
        return [row[0] for row in self.told(EVENT_CHARGE_ENDED)]

    def starts(self) -> int:
        """How many sessions began."""
        return len(self.told(EVENT_CHARGE_STARTED))

    def states(self) -> "list[int]":
        """PORT_… of each port."""
        return [port.state for port in self.kind.sessions.ports]

    def levels(self) -> "list[int]":
        """Of the relays."""
        return [relay.level for relay in self.outputs]


MINE, THEIRS = b"mine", b"theirs"
HOT_MV = 300
GRANTED = (codes.EVENT_GRANTED, codes.REASON_CARD)


def denied(reason: int) -> "tuple[int, int]":
    """As a decision is told."""
    return codes.EVENT_DENIED, reason


def charging(watts: int = 200, number: int = 0, **how: "Any") -> World:
    """A world in which that port charges for MINE."""
    world = World(**how)
    world.card(MINE)
    world.card(THEIRS)
    begin(world, MINE, number, watts)
    return world


def begin(world: World, text: bytes, number: int, watts: int = 200) -> None:
    """That card charges at that port."""
    assert world.swipe(text) == GRANTED
    world.plug(number, watts)
    world.wait(6)
    assert world.states()[number] == codes.PORT_CHARGING, world.states()
