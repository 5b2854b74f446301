"""Doors on a bench: the firmware's own service, journal folding and access; wires as levels.

For MicroPython alone. The journal keeps what was written instead of a ring; the clock stands until
it is moved; the list is a dictionary of cards.
"""

import sys

from firmware import journal as _early  # noqa: F401  nested imports cost stack
from firmware.access import Access
from firmware.config import Config
from firmware.door import Service
from firmware.journal import Journal
from firmware.pace import Pace
from protocol import cards, cbor
from protocol.codes import CLOCK_SYNCED, CREDENTIAL_CARD_PIN, CREDENTIAL_EM4100, CREDENTIAL_PIN
from protocol.constants import TIME_END_MIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOW_S = 200_000_000  # 2026-05-03, a Sunday, 19:33:20 UTC
CARD_KEY = b"c" * 32
ENTER = 11
CLEAR = 10


class Pin:
    """One wire."""

    def __init__(self) -> None:
        self.level = 0

    def value(self, level: "int | None" = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class Line:
    """A supervised line: machine.ADC as far as the firmware asks it; 1.05 V is at rest."""

    def __init__(self, level_mv: int = 1050) -> None:
        self.level_mv = level_mv

    def read_uv(self) -> int:
        return self.level_mv * 1000


class Written(Journal):
    """The journal as it is, over a flash that refuses the events in `refused`.

    records: (event, reason, point, key, extra) of what was written, with the lock's level then.
    """

    def __init__(self, rig: "Rig") -> None:
        self.refused: tuple[int, ...] = ()
        self.records: list[tuple[int, int, int, bytes, int]] = []
        self.events: list[tuple[int, int]] = []
        self.levels: list[list[int]] = []
        self.lost = 0
        self._counts, self._folded, self._beyond, self._spent = {}, {}, {}, {}
        self._presented = []
        self._asked, self._asked_s = {}, 0
        self._window_s = 60
        self._began_s = self._hour_s = 0
        self._rig = rig

    def forget(self) -> None:
        """As if hours had passed: nothing folds."""
        for counts in (self._counts, self._folded, self._beyond, self._spent):
            counts.clear()
        self._presented.clear()

    def record(
        self, event: int, reason: int = 0, point: int = 255, key: bytes = b"", extra: int = 0
    ) -> int:
        if event in self.refused:
            raise OSError(5)
        self.events.append((event, reason))
        self.records.append((event, reason, point, key, extra))
        self.levels.append([lock.level for lock in self._rig.locks])
        return 0


class Numbers:
    """NVS; `fails`: its flash refuses."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.fails = False

    def get(self, name: str) -> int:
        return self.held.get(name, 0)

    def put(self, name: str, value: int) -> None:
        if self.fails and self.held.get(name, 0) != value:
            raise OSError(5)
        self.held[name] = value


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.time_s = NOW_S
        self.uptime_s = 0
        self.ms = 0
        self.quality = CLOCK_SYNCED

    def tick(self) -> None:
        """It stands still."""

    def judged_min(self) -> int:
        return self.time_s // 60


class Manifest:
    """What a decision asks of a list."""

    def __init__(self) -> None:
        self.refresh_by_s = NOW_S + 30 * 86400
        self.policy = (0, 0)
        # id, points mask, schedule, unlock_ds, flags, quotas
        self.profiles: list[tuple[int, ...]] = [(1, 0b1111, 0, 30, 0, 0, 0, 0, 0)]
        self.schedules: list[list[int]] = []
        self.utc_offsets: list[int] = []
        self.holidays: list[int] = []


class Cards:
    """A whitelist of a few."""

    prover = None

    def __init__(self) -> None:
        self.manifest = Manifest()
        self.held: dict[bytes, tuple[int, int]] = {}
        self.found_from_min = 0
        self.found_until_min = TIME_END_MIN
        self.found_flags = self.found_profile = 0

    def find(self, key: bytes) -> bool:
        if key not in self.held:
            return False
        self.found_profile, self.found_flags = self.held[key]
        return True


class Reader:
    """What a driver has read."""

    def __init__(self, number: int, kind: int, credential: bytes) -> None:
        self.number = number
        self.type = kind
        self.credential = credential
        self.driver = self


class Shown:
    """A driver at which nothing is read; what it was told to show goes into `rig.shown`."""

    edge_ticks = trouble = 0

    def __init__(self, rig: "Rig", number: int) -> None:
        self._rig = rig
        self._number = number

    def poll(self, _now_ms: int) -> int:
        return 0

    def show(self, pattern: int, _now_ms: int) -> None:
        if self._rig.keeps_shown:
            self._rig.shown.append((self._number, pattern))


class Kind:
    """A module of firmware/readers."""

    @staticmethod
    def drivers(rig: "Rig", _options: "dict[str, Any]") -> "list[Shown]":
        return [Shown(rig, number) for number in range(2 * len(rig.locks))]


modules: "Any" = sys.modules
modules["firmware.readers.shown"] = Kind


class Rig:
    """A controller as far as its doors see it, and the world around it."""

    def __init__(
        self,
        doors: int = 1,
        settings: "dict[int, Any] | None" = None,
        nvs: "Numbers | None" = None,
        cards_held: "Cards | None" = None,
        lines: "dict[str, Any] | None" = None,
    ) -> None:
        self.locks = [Pin() for _ in range(doors)]
        self.light = Pin()
        self.wires: dict[str, Any] = {"fire": Pin(), "tamper": Pin()}
        for number in range(doors):
            end = str(number + 1) if number else ""
            self.wires["rex" + end] = Pin()
            self.wires["door" + end] = Pin()
        self.wires.update(lines or {})
        self.board = self
        fields = {1: b"s" * 8, 2: b"d" * 8, 3: "door", 4: b"", 5: CARD_KEY, 6: b"", 7: None, 8: 1}
        fields[9] = settings or {}
        self.config = Config(cbor.encode(fields))
        self.nvs = nvs or Numbers()
        self.clock = Clock()
        self.pace = Pace()
        self.journal = Written(self)
        self.whitelist = cards_held or Cards()
        self.access = Access(self.whitelist, self.clock, CARD_KEY, self.nvs)
        self.enrolment = None
        self.memory_faults = 0
        self.shown: list[tuple[int, int]] = []
        self.keeps_shown = True
        self.door = Service(self)

    def readers(self) -> "list[tuple[str, Rig, dict[str, Any]]]":
        return [("shown", self, {})]

    def relays(self) -> "list[Pin]":
        return self.locks

    def indicator(self) -> Pin:
        return self.light

    def inputs(self) -> "dict[str, Any]":
        return self.wires

    @property
    def lock(self) -> Pin:
        return self.locks[0]

    # --- the world ----------------------------------------------------------------------

    def card(self, text: bytes, profile: int = 1, flags: int = 0, pin: bytes = b"") -> bytes:
        """Put a card (or a card with its PIN, or a PIN alone) on the list; returns its key."""
        if pin and text:
            head = bytes((CREDENTIAL_EM4100, len(text)))
            key = cards.card_key(CARD_KEY, CREDENTIAL_CARD_PIN, head + text + pin)
        elif pin:
            key = cards.card_key(CARD_KEY, CREDENTIAL_PIN, pin)
        else:
            key = cards.card_key(CARD_KEY, CREDENTIAL_EM4100, text)
        self.whitelist.held[key] = (profile, flags)
        return key

    def profile(self, number: int, flags: int = 0, unlock_ds: int = 30, schedule: int = 0) -> int:
        """Put a profile on the list; returns its number."""
        row = (number, 0b1111, schedule, unlock_ds, flags, 0, 0, 0, 0)
        self.whitelist.manifest.profiles.append(row)
        return number

    def swipe(self, text: bytes, reader: int = 0) -> "tuple[int, int]":
        """Hold a card to a reader; the record that the decision left last."""
        try:
            self.door._card(Reader(reader, CREDENTIAL_EM4100, text))
        except OSError:
            self.journal.lost += 1
        return self.decision()

    def type(self, digits: bytes, reader: int = 0, end: int = ENTER) -> "tuple[int, int]":
        """Press keys; the record that the decision left last."""
        for digit in digits:
            self.door.on_key(Reader(reader, 0, b""), digit - 0x30)
        self.door.on_key(Reader(reader, 0, b""), end)
        return self.decision()

    def decision(self) -> "tuple[int, int]":
        """Event and reason of the last grant or denial; (0, 0) without one."""
        for event, reason in reversed(self.journal.events):
            if event in (1, 2):
                return event, reason
        return 0, 0

    def turn(self, **levels: int) -> None:
        """Change wires and give the debouncing its time."""
        for name, level in levels.items():
            self.wires[name].level = level
        for _ in range(5):
            self.door.turn(10)

    def wait(self, seconds: int) -> None:
        """Time passes, for the clock too."""
        for _ in range(seconds):
            self.clock.time_s += 1
            self.clock.uptime_s += 1
            for _ in range(10):
                self.door.turn(100)

    def told(self, event: int) -> int:
        """How many such events were written."""
        return sum(1 for one, _ in self.journal.events if one == event)

    def again(self, settings: "dict[int, Any] | None" = None) -> "Rig":
        """After a restart: NVS and list are what stays."""
        return Rig(len(self.locks), settings, self.nvs, self.whitelist)
