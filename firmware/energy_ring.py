"""The account of a charger's energy: one slot a minute for all ports, round and round (device).

Who calls what, and in which order:

- at a start `restore()`, then `open_entries()`: what ran when power went
- when the local day changes `begin_day()`
- each minute in which a port has a session `put()` for each of them, then `commit()`
- when a session ends: `spend()`, `put()` with ENERGY_ENDED, `commit()`, in one turn. What `put()`
  was told stays until a commit has succeeded; an entry that has not ended stays in every commit
- each second in which nothing else is to be done `erase_ahead()`

What each card has used up today is rebuilt from the `ended` entries of that day. They would be
overwritten after some hours, so the ledger itself is written each half round, never between a
spend and its commit: then a session would be in both, or in neither.

Power may go at any time: a torn slot is none, the number goes to the next one, and what is lost is
what came after the slot before. After an error of the flash the refused slot is overwritten with
zeros before another one is written, for whoever wrote it was told that it is none.

Wear: 16 ports, all day, 96 sessions that end: 1 575 slots with the ledger's, 14 a sector, 112
erases a day; each of 16 sectors is erased 7 times a day, and 100 000 erases last 38 years.
"""

from firmware.loan import forget
from protocol import energy_slot
from protocol.constants import ENERGY_SLOT_BYTES, SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SLOTS = SECTOR_BYTES // ENERGY_SLOT_BYTES
_COUNT = 4
_ERASE = 6
_PIECE_BYTES = 256
_ROW = energy_slot.ROW_BYTES
_PART_BYTES = energy_slot.ROWS * _ROW
_NO_KEY = b"\0\0\0\0\0\0\0\0"
_FIELD_MAX = 0xFFFF


class EnergyRing:
    """`seq` is the number of the next slot, `damaged` whether the start found less than was there.

    partition: six sectors or more. ports: how many of the 16 entries of a slot are used.
    """

    def __init__(self, partition: "Any", ports: int) -> None:
        self.partition = partition
        self._ports = ports
        self.count: int = partition.ioctl(_COUNT, 0)
        self.slot = bytearray(ENERGY_SLOT_BYTES)  # the minute that is being gathered
        self.other = bytearray(ENERGY_SLOT_BYTES)  # whatever else is read or written
        self.ledger = bytearray(energy_slot.LEDGER_ROWS * _ROW)
        self.restored = False
        self.empty()

    def empty(self) -> None:
        """As a partition that was never written leaves it."""
        self.seq = 1
        self.sector = self.covered = self.count - 1  # the next slot's; the newest ledger's
        self.place = SLOTS
        self.rows = 0
        self.day = 0
        self.newest_time_s = 0
        self.damaged = False
        self.owing = False  # the ledger knows what no slot does
        self.spent = False  # and the next commit will tell it
        self._blank_ahead = False
        self._refused = False

    def restore(self) -> None:
        """Find the newest slot and what it and the others tell; OSError when it cannot be read."""
        from firmware.energy_restore import restore

        forget("firmware.energy_restore")
        restore(self)

    def open_entries(self) -> "Iterator[tuple[int, bytes, int, int, bool]]":
        """(port, key, mWh, seconds, by ticket) of each session that has not ended."""
        for port in range(self._ports):
            key, energy_mwh, seconds, _, flags = energy_slot.entry(self.slot, port)
            if flags & (energy_slot.ENERGY_LIVE | energy_slot.ENERGY_ENDED) == 1:
                yield port, key, energy_mwh, seconds, flags & energy_slot.ENERGY_BY_TICKET != 0

    # --- the day's ledger ---------------------------------------------------------------

    def begin_day(self, day: int) -> None:
        """Forget what was used up on another day; 0, the clock is unknown, forgets nothing."""
        if not day or day == self.day:
            return
        if self.rows:
            self.owing = True  # until a slot tells of the day
            if self.day:
                self.rows = 0
        self.day = day

    def spend(self, key: bytes, energy_mwh: int, seconds: int) -> None:
        """A session has ended: to the nearest Wh and minute it counts for today."""
        if key == _NO_KEY:
            return
        at = self._row(key)
        if at < 0:
            at = self._least() if self.rows == energy_slot.LEDGER_ROWS else self.rows * _ROW
            self.rows = max(self.rows, at // _ROW + 1)
            self.ledger[at : at + _ROW] = key + b"\0\0\0\0"
        self._add(at + 8, (energy_mwh + 500) // 1000)
        self._add(at + 10, (seconds + 30) // 60)
        self.spent = True

    def used_wh(self, key: bytes) -> int:
        """Of today's sessions that have ended."""
        at = self._row(key)
        return 0 if at < 0 else self._field(at + 8)

    def used_min(self, key: bytes) -> int:
        """Of today's sessions that have ended."""
        at = self._row(key)
        return 0 if at < 0 else self._field(at + 10)

    def _row(self, key: bytes) -> int:
        for at in range(0, self.rows * _ROW, _ROW):
            if self.ledger[at] == key[0] and self.ledger[at : at + 8] == key:
                return at
        return -1

    def _least(self) -> int:
        """Room for another card is that of the one that has used least."""
        found = 0
        for at in range(_ROW, self.rows * _ROW, _ROW):
            if self.ledger[at + 8 : at + _ROW] < self.ledger[found + 8 : found + _ROW]:
                found = at
        return found

    def _field(self, at: int) -> int:
        return self.ledger[at] << 8 | self.ledger[at + 1]

    def _add(self, at: int, more: int) -> None:
        value = min(self._field(at) + more, _FIELD_MAX)
        self.ledger[at] = value >> 8
        self.ledger[at + 1] = value & 0xFF

    # --- writing ------------------------------------------------------------------------

    def put(
        self, port: int, key: bytes, energy_mwh: int, seconds: int, power_w: int, flags: int
    ) -> None:
        """How a port's session stands, for the next commit; power_w: mean since the last one."""
        if self._flags(port) & energy_slot.ENERGY_ENDED and not flags & energy_slot.ENERGY_ENDED:
            self.owing = True  # the commit that would have told of that end was refused
        energy_slot.put_entry(self.slot, port, key, energy_mwh, seconds, power_w, flags)

    def commit(self, day: int, time_s: int, quality: int) -> None:
        """Write what was put; it is safe when this returns. OSError: then it is not.

        day, time_s: 0 for unknown.
        """
        if not self.restored:
            raise OSError("not restored")
        self._find_place()
        self._write(self.slot, time_s, day, quality, energy_slot.KIND_MINUTE)
        self.newest_time_s = time_s
        self.spent = False
        self.close_entries(day)
        if self._behind() >= self.count - 4:
            try:
                self._write_ledger()
            except OSError:  # the minute is safe all the same; the next one tries again
                return

    def close_entries(self, day: int) -> None:
        """What the slot of a day tells of ends: counted when nobody has, and told no more."""
        forgets = day and self.day and day != self.day
        self.begin_day(day)
        for port in range(self._ports):
            if self._flags(port) & energy_slot.ENERGY_ENDED:
                key, energy_mwh, seconds, _, _ = energy_slot.entry(self.slot, port)
                if forgets or not self.restored:
                    self.spend(key, energy_mwh, seconds)
                energy_slot.put_entry(self.slot, port, _NO_KEY, 0, 0, 0, 0)
        self.spent = False

    def _flags(self, port: int) -> int:
        return self.slot[energy_slot.HEADER_BYTES + (port + 1) * energy_slot.ENTRY_BYTES - 1]

    def _find_place(self) -> None:
        """Where the next slot goes: a blank place, after zeros over what was refused."""
        if self._refused:
            zeros = bytearray(ENERGY_SLOT_BYTES)
            self.partition.writeblocks(self.sector, zeros, self.place * ENERGY_SLOT_BYTES)
            self._refused = False
        for _ in range(self.count * SLOTS):
            if self.place == SLOTS:
                ahead = self.after(1)
                if not self._blank_ahead and not self._is_blank(ahead):
                    self.partition.ioctl(_ERASE, ahead)
                self.sector = ahead
                self.place = 0
                self._blank_ahead = False
            self.load(self.sector, self.place)
            if min(self.other) == 0xFF:
                return
            self.place += 1
        raise OSError("no blank place")

    def _write(self, slot: bytearray, time_s: int, day: int, quality: int, kind: int) -> None:
        energy_slot.seal(slot, self.seq, time_s, day, quality, kind)
        self._refused = True
        self.partition.writeblocks(self.sector, slot, self.place * ENERGY_SLOT_BYTES)
        self._refused = False
        self.place += 1
        self.seq += 1

    def _write_ledger(self) -> None:
        other = self.other
        first = -1
        for at in range(0, max(self.rows, 1) * _ROW, _PART_BYTES):
            self._find_place()
            if first < 0:
                first = self.sector
            other[energy_slot.HEADER_BYTES : energy_slot.ROWS_AT] = (
                self.ledger[at : at + _PART_BYTES] + bytes(_PART_BYTES)
            )[:_PART_BYTES]
            other[energy_slot.ROWS_AT :] = bytes((self.rows, at // _PART_BYTES, 0, 0, 0, 0, 0, 0))
            kind = energy_slot.KIND_LEDGER_MORE if at else energy_slot.KIND_LEDGER
            self._write(other, self.newest_time_s, self.day, 0, kind)
        self.covered = first
        self.owing = False

    def erase_ahead(self) -> bool:
        """Erase at most one sector that will be needed, or write the ledger; whether it did."""
        if not self.restored or self._refused:
            return False
        if not self._blank_ahead:
            ahead = self.after(1)
            erasing = not self._is_blank(ahead)
            if erasing:
                self.partition.ioctl(_ERASE, ahead)
            self._blank_ahead = True
            return erasing
        if self.spent or not (self.owing or self._behind() >= self.count // 2 - 1):
            return False
        self._write_ledger()
        return True

    # --- where things lie ---------------------------------------------------------------

    def after(self, steps: int) -> int:
        """The sector that is filled so many steps later."""
        return (self.sector + steps) % self.count

    def _behind(self) -> int:
        """How many sectors ago the newest ledger was written."""
        return (self.sector - self.covered) % self.count

    def load(self, sector: int, place: int) -> None:
        """Read a place into `other`."""
        self.partition.readblocks(sector, self.other, place * ENERGY_SLOT_BYTES)

    def _is_blank(self, sector: int) -> bool:
        piece = memoryview(self.other)[:_PIECE_BYTES]
        for at in range(0, SECTOR_BYTES, _PIECE_BYTES):
            self.partition.readblocks(sector, piece, at)
            if min(piece) != 0xFF:
                return False
        return True

    # --- reading ------------------------------------------------------------------------

    def read(self, seq: int, out: memoryview) -> int:
        """Fill `out` with whole slots from the number `seq` on; returns how many bytes."""
        from firmware.energy_pages import read

        forget("firmware.energy_pages")
        return read(self, seq, out)
