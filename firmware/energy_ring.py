"""The account of a charger's energy: one slot a minute for all ports, round and round (device).

Who calls what, and in which order:

- at a start `restore()` and `open_entries()` of energy_restore.py: what ran when power went
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
zeros before another one is written, for whoever wrote it was told that it is none. Until that has
been done no ledger is written: what was used on a day that nobody knew then may count for the next
day too, when a start comes in between. That is less for the card, never more.

Wear: 16 ports, all day, 96 sessions that end: 1 575 slots with the ledger's, 14 a sector, 112
erases a day; each of 16 sectors is erased 7 times a day, and 100 000 erases last 38 years.
"""

from firmware.loan import forget
from protocol import energy_slot
from protocol.constants import ENERGY_SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BACK_DAYS = 31
_COUNT = 4
_NO_KEY = b"\0\0\0\0\0\0\0\0"


class EnergyRing:
    """`seq` is the number of the next slot, `damaged` whether the start found less than was there.

    partition: six sectors or more. ports: how many of the 16 entries of a slot are used.
    """

    def __init__(self, partition: "Any", ports: int) -> None:
        self.partition = partition
        self.ports = ports
        self.count: int = partition.ioctl(_COUNT, 0)
        self.slot = bytearray(ENERGY_SLOT_BYTES)  # the minute that is being gathered
        self.other = bytearray()  # whatever else is read or written, while that is done
        self.ledger = bytearray()
        self.restored = False
        self.empty()

    def empty(self) -> None:
        """As a partition that was never written leaves it."""
        self.seq = 1
        self.sector = self.covered = self.count - 1  # the next slot's; the newest ledger's
        self.place = energy_slot.SLOTS
        self.rows = 0
        self.day = 0
        self.newest_time_s = 0
        self.damaged = False
        self.owing = False  # the ledger knows what no slot does
        self.spent = False  # and the next commit will tell it
        self.blank_ahead = False
        self.refused = False

    # --- the day's ledger ---------------------------------------------------------------

    def begin_day(self, day: int) -> None:
        """Forget what was used up on an earlier day; 0, the clock is unknown, forgets nothing.

        A clock that was set back brings no day anew: the ledger's goes on until it is over. One
        that is further ahead than BACK_DAYS was never true: its rows count for today.
        """
        if not day or 0 <= self.day - day <= BACK_DAYS:
            return
        if self.rows:
            self.owing = True  # until a slot tells of the day
            if 0 < self.day < day:
                self.rows = 0
        self.day = day

    def spend(self, key: bytes, energy_mwh: int, seconds: int) -> None:
        """A session has ended: each Wh and minute that it has begun counts for today."""
        if key == _NO_KEY:
            return
        from firmware.energy_ledger import spend

        forget("firmware.energy_ledger")
        spend(self, key, energy_mwh, seconds)
        self.spent = True

    def used(self, key: bytes) -> "tuple[int, int]":
        """Wh and minutes of today's sessions that have ended."""
        from firmware.energy_ledger import used

        forget("firmware.energy_ledger")
        return used(self, key)

    # --- writing ------------------------------------------------------------------------

    def put(
        self, port: int, key: bytes, energy_mwh: int, seconds: int, power_w: int, flags: int
    ) -> None:
        """How a port's session stands, for the next commit; power_w: mean since the last one."""
        if (
            energy_slot.flags(self.slot, port) & energy_slot.ENERGY_ENDED
            and not flags & energy_slot.ENERGY_ENDED
        ):
            self.owing = True  # the commit that would have told of that end was refused
        energy_slot.put_entry(self.slot, port, key, energy_mwh, seconds, power_w, flags)

    def commit(self, day: int, time_s: int, quality: int) -> None:
        """Write what was put; it is safe when this returns. OSError: then it is not.

        day, time_s: 0 for unknown.
        """
        from firmware.energy_write import commit

        forget("firmware.energy_write")
        try:
            commit(self, day, time_s, quality)
        finally:
            self.other = bytearray()

    def erase_ahead(self) -> bool:
        """Erase at most one sector that will be needed, or write the ledger; whether it did."""
        if not self.restored or self.refused:
            return False
        if self.blank_ahead and (
            self.spent or not (self.owing or self.behind() >= self.count // 2 - 1)
        ):
            return False
        from firmware.energy_write import look_ahead

        forget("firmware.energy_write")
        try:
            return look_ahead(self)
        finally:
            self.other = bytearray()

    # --- where things lie ---------------------------------------------------------------

    def after(self, steps: int) -> int:
        """The sector that is filled so many steps later."""
        return (self.sector + steps) % self.count

    def behind(self) -> int:
        """How many sectors ago the newest ledger was written."""
        return (self.sector - self.covered) % self.count

    def load(self, sector: int, place: int) -> None:
        """Read a place into `other`, which whoever asked first lets go again."""
        if not self.other:
            self.other = bytearray(ENERGY_SLOT_BYTES)
        self.partition.readblocks(sector, self.other, place * ENERGY_SLOT_BYTES)
