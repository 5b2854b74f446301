"""Slots of a charger's account of energy as they are written (device).

Loaded when something is to be written, and forgotten; firmware/energy_ring.py says in which order.
"""

from protocol import energy_slot
from protocol.constants import ENERGY_SLOT_BYTES, SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.energy_ring import EnergyRing

NO_KEY = b"\0\0\0\0\0\0\0\0"
_ERASE = 6
_PIECE_BYTES = 256
_ROW = energy_slot.ROW_BYTES
_PART_BYTES = energy_slot.ROWS * _ROW


def commit(ring: "EnergyRing", day: int, time_s: int, quality: int) -> None:
    """Write what was put; it is safe when this returns. OSError: then it is not."""
    if not ring.restored:
        raise OSError("not restored")
    _find_place(ring)
    _write(ring, ring.slot, time_s, day, quality, energy_slot.KIND_MINUTE)
    ring.newest_time_s = time_s
    ring.spent = False
    close_entries(ring, day, ring.spend)
    if ring.behind() >= ring.count - 4:
        try:
            _write_ledger(ring)
        except OSError:  # the minute is safe all the same; the next one tries again
            return


def close_entries(ring: "EnergyRing", day: int, spend: "Callable[[bytes, int, int], None]") -> None:
    """What the slot of a day tells of ends: counted when nobody has, and told no more."""
    forgets = 0 < ring.day < day
    ring.begin_day(day)
    for port in range(ring.ports):
        if energy_slot.flags(ring.slot, port) & energy_slot.ENERGY_ENDED:
            key, energy_mwh, seconds, _, _ = energy_slot.entry(ring.slot, port)
            if forgets or not ring.restored:
                spend(key, energy_mwh, seconds)
            energy_slot.put_entry(ring.slot, port, NO_KEY, 0, 0, 0, 0)
    ring.spent = False


def look_ahead(ring: "EnergyRing") -> bool:
    """Erase at most one sector that will be needed, or write the ledger; whether it did."""
    if not ring.blank_ahead:
        ahead = ring.after(1)
        erasing = not _is_blank(ring, ahead)
        if erasing:
            ring.partition.ioctl(_ERASE, ahead)
        ring.blank_ahead = True
        return erasing
    _write_ledger(ring)
    return True


def _find_place(ring: "EnergyRing") -> None:
    """Where the next slot goes: a blank place, after zeros over what was refused."""
    if ring.refused:
        zeros = bytearray(ENERGY_SLOT_BYTES)
        ring.partition.writeblocks(ring.sector, zeros, ring.place * ENERGY_SLOT_BYTES)
        ring.refused = False
    for _ in range(ring.count * energy_slot.SLOTS):
        if ring.place == energy_slot.SLOTS:
            ahead = ring.after(1)
            if not ring.blank_ahead and not _is_blank(ring, ahead):
                ring.partition.ioctl(_ERASE, ahead)
            ring.sector = ahead
            ring.place = 0
            ring.blank_ahead = False
        ring.load(ring.sector, ring.place)
        if min(ring.other) == 0xFF:
            return
        ring.place += 1
    raise OSError("no blank place")


def _write(
    ring: "EnergyRing", slot: bytearray, time_s: int, day: int, quality: int, kind: int
) -> None:
    energy_slot.seal(slot, ring.seq, time_s, day, quality, kind)
    ring.refused = True
    ring.partition.writeblocks(ring.sector, slot, ring.place * ENERGY_SLOT_BYTES)
    ring.refused = False
    ring.place += 1
    ring.seq += 1


def _write_ledger(ring: "EnergyRing") -> None:
    first = -1
    for at in range(0, max(ring.rows, 1) * _ROW, _PART_BYTES):
        _find_place(ring)
        if first < 0:
            first = ring.sector
        other = ring.other
        other[energy_slot.HEADER_BYTES : energy_slot.ROWS_AT] = (
            ring.ledger[at : at + _PART_BYTES] + bytes(_PART_BYTES)
        )[:_PART_BYTES]
        other[energy_slot.ROWS_AT :] = bytes((ring.rows, at // _PART_BYTES, 0, 0, 0, 0, 0, 0))
        kind = energy_slot.KIND_LEDGER_MORE if at else energy_slot.KIND_LEDGER
        _write(ring, other, ring.newest_time_s, ring.day, 0, kind)
    ring.covered = first
    ring.owing = False


def _is_blank(ring: "EnergyRing", sector: int) -> bool:
    piece = memoryview(bytearray(_PIECE_BYTES))
    for at in range(0, SECTOR_BYTES, _PIECE_BYTES):
        ring.partition.readblocks(sector, piece, at)
        if min(piece) != 0xFF:
            return False
    return True
