"""What the slots of an energy ring tell at a start (device).

They are read twice: for the newest number, then in the order in which they were written. Each
minute counts as it did when it was written; a whole ledger puts itself in the place of all before
it. What came before the last whole ledger may be missing, what came after it may not: then the
account is not what it was, and whoever starts is told.
"""

from firmware.loan import forget
from protocol import energy_slot
from protocol.constants import ENERGY_SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from firmware.energy_ring import EnergyRing

_ENDS = energy_slot.ENERGY_BY_TICKET | energy_slot.ENERGY_ENDING | energy_slot.ENERGY_RESUMED
_KIND_AT = 11
_ERASE = 6
# the header counts to 2^32, the heap's small numbers to 2^30: nobody charges for 1800 years
_NUMBER_MAX = 0x3F000000
_TORN_MAX = 3  # without a whole slot these may be the first of all, cut


def restore(ring: "EnergyRing") -> None:
    """Set everything in the ring that its slots tell."""
    ring.restored = False
    ring.empty()
    ring.slot[:] = bytes(ENERGY_SLOT_BYTES)
    ring.other = bytearray(ENERGY_SLOT_BYTES)
    if _find_newest(ring):
        _live_through(ring)
    ring.other = bytearray()
    ring.restored = True


def _find_newest(ring: "EnergyRing") -> bool:
    other = ring.other
    used = 0
    newest = 0
    for sector in range(ring.count):
        for place in range(energy_slot.SLOTS):
            ring.load(sector, place)
            used += min(other) != 0xFF
            if energy_slot.is_whole(other):
                number = int.from_bytes(other[:4], "big")
                if number > newest:
                    newest, ring.sector, ring.place = number, sector, place + 1
    if newest > _NUMBER_MAX:  # somebody wrote it: begun anew, or the numbers would run out
        for sector in range(ring.count):
            ring.partition.ioctl(_ERASE, sector)
        ring.empty()
        newest, used = 0, used + _TORN_MAX
    ring.seq = newest + 1
    ring.damaged = not newest and used > _TORN_MAX
    return newest > 0


def open_entries(ring: "EnergyRing") -> "list[tuple[int, bytes, int, int, bool]]":
    """(port, key, mWh, seconds, whether it ends in any case) of each session without its end.

    It does when a ticket began it, its relay was open already, or it has just gone on once.
    """
    found = []
    for port in range(ring.ports):
        key, energy_mwh, seconds, _, flags = energy_slot.entry(ring.slot, port)
        if flags & (energy_slot.ENERGY_LIVE | energy_slot.ENERGY_ENDED) == energy_slot.ENERGY_LIVE:
            found.append(
                (
                    port,
                    key,
                    energy_mwh,
                    seconds,
                    flags & _ENDS != 0,
                )
            )
    return found


def _live_through(ring: "EnergyRing") -> None:
    from firmware.energy_ledger import spend
    from firmware.energy_write import NO_KEY, close_entries

    forget("firmware.energy_ledger")
    forget("firmware.energy_write")

    def count(key: bytes, energy_mwh: int, seconds: int) -> None:
        if key != NO_KEY:
            spend(ring, key, energy_mwh, seconds)

    other = ring.other
    number = 0  # of the slot before
    missing = False
    parts = bytearray()  # of a ledger, as far as it has come
    began = 0
    for sector in _in_order(ring):
        found = int.from_bytes(other[:4], "big")
        if not number:  # the oldest; until a ledger comes it must do
            ring.covered = sector
        if found != number + 1:
            missing = True
            parts = bytearray()
        number = found
        kind = other[_KIND_AT]
        if kind == energy_slot.KIND_MINUTE:
            ring.slot[:] = other
            ring.newest_time_s = int.from_bytes(other[4:8], "big")
            close_entries(ring, other[8] << 8 | other[9], count)
            parts = bytearray()
            continue
        if kind == energy_slot.KIND_LEDGER:
            parts = bytearray()
            began = sector
        elif not parts:
            continue
        parts += other[energy_slot.HEADER_BYTES : energy_slot.ROWS_AT]
        if len(parts) >= other[energy_slot.ROWS_AT] * energy_slot.ROW_BYTES:
            _take_ledger(ring, parts)
            ring.covered = began
            missing = False
    ring.damaged = ring.owing = missing


def _in_order(ring: "EnergyRing") -> "Iterator[int]":
    """The sector of each whole slot, which lies in `other`: the oldest first."""
    for steps in range(1, ring.count + 1):
        sector = ring.after(steps)
        for place in range(energy_slot.SLOTS if steps < ring.count else ring.place):
            ring.load(sector, place)
            if energy_slot.is_whole(ring.other):
                yield sector


def _take_ledger(ring: "EnergyRing", parts: bytearray) -> None:
    ring.ledger = parts[: energy_slot.LEDGER_ROWS * energy_slot.ROW_BYTES]
    ring.rows = min(ring.other[energy_slot.ROWS_AT], len(ring.ledger) // energy_slot.ROW_BYTES)
    ring.day = ring.other[8] << 8 | ring.other[9]
