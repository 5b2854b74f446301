"""Pages of the energy ring, for whoever pulls it (device). Loaded for each and forgotten."""

from protocol import energy_slot
from protocol.constants import ENERGY_SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.energy_ring import EnergyRing

_NONE = 0


def read(ring: "EnergyRing", seq: int, out: memoryview) -> int:
    """Fill `out` with whole slots from the number `seq` on, in order; returns how many bytes.

    A slot that rotted is left out, and nothing hides the ones behind it.
    """
    ring.other = bytearray(ENERGY_SLOT_BYTES)
    try:
        return _fill(ring, max(seq, 1), out)
    finally:
        ring.other = bytearray()


def _fill(ring: "EnergyRing", seq: int, out: memoryview) -> int:
    filled = 0
    for steps in range(_start(ring, seq), ring.count + 1):
        sector = ring.after(steps)
        for place in range(energy_slot.SLOTS if steps < ring.count else ring.place):
            if filled == len(out):
                return filled
            if seq <= _number(ring, sector, place) < ring.seq:
                out[filled : filled + ENERGY_SLOT_BYTES] = ring.other
                filled += ENERGY_SLOT_BYTES
    return filled


def _start(ring: "EnergyRing", seq: int) -> int:
    """How many sectors on the one lies whose slots begin nearest at or before `seq`."""
    for steps in range(ring.count, 1, -1):
        places = ring.place if steps == ring.count else energy_slot.SLOTS
        if _NONE < _first(ring, ring.after(steps), places) <= seq:
            return steps
    return 1


def _first(ring: "EnergyRing", sector: int, places: int) -> int:
    """Number of the first slot of a sector that is whole, _NONE when none is."""
    for place in range(places):
        number = _number(ring, sector, place)
        if number != _NONE:
            return number
    return _NONE


def _number(ring: "EnergyRing", sector: int, place: int) -> int:
    ring.load(sector, place)
    return int.from_bytes(ring.other[:4], "big") if energy_slot.is_whole(ring.other) else _NONE
