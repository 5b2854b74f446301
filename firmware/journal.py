"""The journal: two rings under one roof, floors and boot count in their key slots (device).

record() returns when the record is safe; whoever calls it acts afterwards. note() is for what
happens in any case. Events below FIRST_ALARM_RING_EVENT go to the access ring, all others to the
alarm ring.

A flood cannot push evidence out of a ring, neither a quick one nor one that goes on for days. What
goes beyond these limits is counted, and records of the kind (point CONTROLLER) say how many.

- of what anybody can bring about at a reader, button or contact, and of what is refused: so many of
  a kind and reason at once, then so many an hour. The rest is told once an hour
- of denials and alarms no more than FOLD_ABOVE in a window. The rest is told at its end; it is a
  minute long and doubles, up to an hour, while anything is folded by it
- the alarm of a collected card comes once an hour for each card
- sessions, faults, and what a guest of ours asks for and is always written, have such a budget too;
  the latter is refused as busy beyond it, whatever strangers do meanwhile

Never folded: cards that were let in, and what somebody signed.
"""

from firmware.cells import Cells
from firmware.ring import Ring
from protocol import keyslot
from protocol.codes import (
    EVENT_DENIED,
    EVENT_FIRMWARE_FAULT,
    EVENT_READER_DOUBTFUL,
    EVENT_REVOKED_CARD_PRESENTED,
    FIRST_ALARM_RING_EVENT,
)
from protocol.constants import RING_ACCESS, RING_ALARM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.clock import Clock
    from firmware.config import Config
    from firmware.store import Nvs

_CELL_SECTORS_PER_RING = 8
_PARTITIONS = ("journal", "alarm")

NO_KEY = b"\0\0\0\0\0\0\0\0"
CONTROLLER = 255  # the point of records that belong to no door, port or reader
FOLD_ABOVE = 10
_WINDOW_S = 60
_HOUR_S = 3600  # the longest window too
_PRESENTED_MAX = 10

# records of a kind: at once, and more an hour. The alarm ring holds some 1160, the other 19 000
BURST_ACCESS = 300  # a busy door opens 2000 times a day
HOURLY_ACCESS = 120
BURST = 40
HOURLY_ALARM = 2
HOURLY_GUEST = 6  # a hub that stays opens a session every ten minutes


class Journal:
    """`version` is the list version that every record carries; the whitelist sets it."""

    def __init__(
        self,
        partition: "Callable[[str], Any]",
        config: "Config",
        clock: "Clock",
        nvs: "Nvs",
    ) -> None:
        self._clock = clock
        self._nvs = nvs
        self.version = 0
        self.lost = 0  # events that flash or heap did not take, not told yet
        self._counts: "dict[int, int]" = {}  # of this window, by kind: event and reason
        self._folded: "dict[int, int]" = {}  # of these, what was counted only
        self._beyond: "dict[int, int]" = {}  # of this hour, what was beyond its budget
        self._asked: "dict[int, int]" = {}  # of this minute, by kind
        self._asked_s = 0
        self._spent: "dict[int, int]" = {}  # of the budget, by kind
        self._hour_s = 0
        self._presented: "list[bytes]" = []  # collected cards of this hour
        self._window_s = _WINDOW_S
        self._began_s = 0
        keys = partition("keys")
        self.rings = [
            Ring(number, partition(_PARTITIONS[number]), ring_cells(keys, number))
            for number in (RING_ACCESS, RING_ALARM)
        ]
        self._join(config)

    def _join(self, config: "Config") -> None:
        """The highest floors, epoch and boot number of both rings and of NVS count for both.

        A version floor counts in its own epoch, the trust floor in all.
        """
        trust = self._nvs.get("floor_trust")
        boot = 0
        for ring in self.rings:
            config.epoch = max(config.epoch, ring.floors[2])
        epoch = config.epoch
        version = self._nvs.get("floor_version") if self._nvs.get("floor_epoch") == epoch else 0
        for ring in self.rings:
            boot = max(boot, ring.boot)
            trust = max(trust, ring.floors[1])
            if ring.floors[2] == epoch:
                version = max(version, ring.floors[0])
        self.boot = max(boot, self._nvs.get("boot")) + 1
        for ring in self.rings:
            ring.boot = self.boot & 0xFFFF
            ring.floors = (version, trust, epoch)
        self._nvs.put("boot", self.boot)

    def record(
        self,
        event: int,
        reason: int = 0,
        point: int = CONTROLLER,
        key: bytes = NO_KEY,
        extra: int = 0,
    ) -> int:
        """Write one event; returns its sequence number in its ring."""
        clock = self._clock
        clock.tick()
        ring = self.rings[RING_ACCESS if event < FIRST_ALARM_RING_EVENT else RING_ALARM]
        when = (clock.time_s, clock.ms, clock.quality)
        return ring.record(event, reason, when, point, key, self.version, extra)

    def note(
        self,
        event: int,
        reason: int = 0,
        point: int = CONTROLLER,
        key: bytes = NO_KEY,
        extra: int = 0,
    ) -> None:
        """As record(), for what happens in any case: no error when flash or heap refuse it."""
        try:
            if not self._floods(event, reason, key):
                self.record(event, reason, point, key, extra)
        except (OSError, MemoryError):
            self.lost += 1

    def admits(self, event: int) -> bool:
        """Whether one more record of this event may be asked for; it counts as asked for then."""
        kind = event << 8
        asked, spent = self._asked.get(kind, 0), self._spent.get(kind, 0)
        if asked == FOLD_ABOVE or spent >= BURST:
            return False
        self._asked[kind] = asked + 1
        self._spent[kind] = spent + 1
        return True

    def _floods(self, event: int, reason: int, key: bytes) -> bool:
        """Whether this is one too many of its kind to be written; it is counted then."""
        if event == EVENT_REVOKED_CARD_PRESENTED:
            if key in self._presented:
                return True
            if len(self._presented) < _PRESENTED_MAX:
                self._presented.append(key)
        kind = event << 8 | reason
        count = self._counts.get(kind, 0)
        spent = self._spent.get(kind, 0)
        alarm = event >= FIRST_ALARM_RING_EVENT
        if spent >= (BURST if alarm else BURST_ACCESS):
            self._beyond[kind] = self._beyond.get(kind, 0) + 1
            return True
        if count == FOLD_ABOVE and (alarm or event in (EVENT_DENIED, EVENT_READER_DOUBTFUL)):
            self._folded[kind] = self._folded.get(kind, 0) + 1
            return True
        self._counts[kind] = count + 1
        self._spent[kind] = spent + 1
        return False

    def tell(self, uptime_s: int) -> None:
        """Write what was only counted, when it is time, and how much was lost; now and then."""
        spent = self._spent.get(EVENT_FIRMWARE_FAULT << 8, 0)
        if self.lost and spent < BURST:
            self.record(EVENT_FIRMWARE_FAULT, extra=self.lost)  # costs nothing while it is refused
            self._spent[EVENT_FIRMWARE_FAULT << 8] = spent + 1
            self.lost = 0
        if uptime_s - self._asked_s >= _WINDOW_S:
            self._asked_s = uptime_s
            self._asked.clear()
        if uptime_s - self._hour_s >= _HOUR_S:
            self._tell_counts(self._beyond)
            self._hour_s = uptime_s
            self._presented = []
            self._allow_more()
        if uptime_s - self._began_s < self._window_s:
            return
        longer_s = min(2 * self._window_s, _HOUR_S) if self._folded else _WINDOW_S
        self._tell_counts(self._folded)
        self._window_s = longer_s
        self._began_s = uptime_s
        self._counts = {}

    def _tell_counts(self, counts: "dict[int, int]") -> None:
        """One record a kind; what a failing flash leaves stays for the next time."""
        while counts:
            kind = next(iter(counts))
            self.record(kind >> 8, kind & 0xFF, extra=counts[kind])
            del counts[kind]

    def _allow_more(self) -> None:
        spent = self._spent
        self._spent = {}
        for kind in spent:
            hourly = HOURLY_ALARM
            if kind >> 8 < FIRST_ALARM_RING_EVENT:
                hourly = HOURLY_ACCESS
            elif kind >> 8 < EVENT_REVOKED_CARD_PRESENTED:  # the first of the alarms
                hourly = HOURLY_GUEST
            if spent[kind] > hourly:
                self._spent[kind] = spent[kind] - hourly

    @property
    def version_floor(self) -> int:
        """No list up to this version is taken."""
        return self.rings[RING_ALARM].floors[0]

    def raise_version_floor(self, version: int) -> None:
        """Both rings carry the new floor from their next record on; NVS has its copy at once."""
        for ring in self.rings:
            ring.floors = (version,) + ring.floors[1:]  # noqa: RUF005  not in MicroPython
        # in this order: a number of an older epoch must never count in this one
        self._nvs.put("floor_version", version)
        self._nvs.put("floor_epoch", self.rings[0].floors[2])

    def erase_ahead(self) -> bool:
        """At most one erase (45 ms) that will be needed; whether there was one to do."""
        return any(ring.erase_ahead() for ring in self.rings)


def ring_cells(keys: "Any", number: int) -> Cells:
    """The key cells of a ring in the partition `keys`."""
    return Cells(keys, number * _CELL_SECTORS_PER_RING)


def must_begin(keys: "Any") -> bool:
    """Whether a ring still has the seed that provisioning laid (firmware/first_boot.py)."""
    slots = [ring_cells(keys, number).slot for number in (RING_ACCESS, RING_ALARM)]
    return any(slot is not None and slot.state == keyslot.STATE_SEED for slot in slots)
