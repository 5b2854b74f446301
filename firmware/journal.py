"""The journal: two rings under one roof, floors and boot count in their key slots (device).

record() returns when the record is safe; whoever calls it acts afterwards. note() is for what
happens in any case. Events below FIRST_ALARM_RING_EVENT go to the access ring, all others to the
alarm ring.

A flood cannot push evidence out of a ring. Of what anybody can bring about at a reader or contact,
denials and alarms, the first FOLD_ABOVE of a kind and reason in a window are written, the others
counted, and one record at its end says how many (its point is CONTROLLER). The alarm of a collected
card comes once for each card. The window is a minute and doubles, up to an hour, while it floods.
What a guest of ours brings about and is always written may be asked for FOLD_ABOVE times a minute,
whatever strangers do meanwhile.
"""

from firmware.cells import Cells
from firmware.ring import Ring
from protocol import keyslot
from protocol.codes import (
    ERR_BUSY,
    EVENT_DENIED,
    EVENT_FIRMWARE_FAULT,
    EVENT_READER_DOUBTFUL,
    EVENT_REVOKED_CARD_PRESENTED,
    FIRST_ALARM_RING_EVENT,
)
from protocol.constants import RING_ACCESS, RING_ALARM
from protocol.messages import Refused

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
_WINDOW_MAX_S = 3600


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
        self.lost = 0  # events that the flash did not take, not told yet
        self._counts: "dict[int, int]" = {}  # of this window, by event and reason
        self._asked: "dict[int, int]" = {}  # of this minute, by event
        self._asked_s = 0
        self._presented: "list[bytes]" = []  # collected cards of this window
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
        """As record(), for what happens in any case: no error when the flash does not take it."""
        if self._floods(event, reason, key):
            return
        try:
            self.record(event, reason, point, key, extra)
        except OSError:
            self.lost += 1

    def admit(self, event: int) -> None:
        """Refused(ERR_BUSY): enough of what this event records was asked for in this minute."""
        count = self._asked.get(event, 0)
        if count == FOLD_ABOVE:
            raise Refused(ERR_BUSY)
        self._asked[event] = count + 1

    def _floods(self, event: int, reason: int, key: bytes) -> bool:
        """Whether this is one too many of its kind to be written; it is counted then."""
        if event == EVENT_REVOKED_CARD_PRESENTED:
            if key in self._presented or len(self._presented) == FOLD_ABOVE:
                return True
            self._presented.append(key)
            return False
        if event not in (EVENT_DENIED, EVENT_READER_DOUBTFUL) and event < FIRST_ALARM_RING_EVENT:
            return False
        kind = event << 8 | reason
        self._counts[kind] = count = self._counts.get(kind, 0) + 1
        return count > FOLD_ABOVE

    def tell(self, uptime_s: int) -> None:
        """Write what was only counted, when it is time, and how much was lost; now and then."""
        if self.lost:
            self.record(EVENT_FIRMWARE_FAULT, extra=self.lost)
            self.lost = 0
        if uptime_s - self._asked_s >= _WINDOW_S:
            self._asked_s = uptime_s
            self._asked.clear()
        if uptime_s - self._began_s < self._window_s:
            return
        self._began_s = uptime_s
        counts = self._counts
        self._counts = {}
        self._presented = []
        longer_s = min(2 * self._window_s, _WINDOW_MAX_S)
        self._window_s = _WINDOW_S
        for kind in counts:
            if counts[kind] > FOLD_ABOVE:
                self._window_s = longer_s
                self.record(kind >> 8, kind & 0xFF, extra=counts[kind] - FOLD_ABOVE)

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
