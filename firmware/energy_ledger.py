"""What each card has used up of its day: rows of a charger's ledger (device).

Loaded when a card begins or ends a session, and forgotten. The rows lie in the ring that is given.
"""

from protocol import energy_slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.energy_ring import EnergyRing

_ROW = energy_slot.ROW_BYTES
_WH_AT = 8
_MIN_AT = 10
_MORE_ROWS = 8
_FIELD_MAX = 0xFFFF


def spend(ring: "EnergyRing", key: bytes, energy_mwh: int, seconds: int) -> None:
    """A session has ended: each Wh and minute that it has begun counts for today."""
    at = _row(ring, key)
    if at < 0:
        at = _least(ring) if ring.rows == energy_slot.LEDGER_ROWS else ring.rows * _ROW
        ring.rows = max(ring.rows, at // _ROW + 1)
        if at == len(ring.ledger):
            ring.ledger.extend(bytes(_MORE_ROWS * _ROW))
        ring.ledger[at : at + _ROW] = key + b"\0\0\0\0"
    _add(ring, at + _WH_AT, (energy_mwh + 999) // 1000)
    _add(ring, at + _MIN_AT, max(1, (seconds + 59) // 60))


def used(ring: "EnergyRing", key: bytes) -> "tuple[int, int]":
    """Wh and minutes of today's sessions that have ended."""
    at = _row(ring, key)
    return (0, 0) if at < 0 else (_field(ring, at + _WH_AT), _field(ring, at + _MIN_AT))


def _row(ring: "EnergyRing", key: bytes) -> int:
    for at in range(0, ring.rows * _ROW, _ROW):
        if ring.ledger[at] == key[0] and ring.ledger[at : at + 8] == key:
            return at
    return -1


def _least(ring: "EnergyRing") -> int:
    """Room for another card is that of the one that has used least."""
    found = 0
    for at in range(_ROW, ring.rows * _ROW, _ROW):
        if ring.ledger[at + 8 : at + _ROW] < ring.ledger[found + 8 : found + _ROW]:
            found = at
    return found


def _field(ring: "EnergyRing", at: int) -> int:
    return ring.ledger[at] << 8 | ring.ledger[at + 1]


def _add(ring: "EnergyRing", at: int, more: int) -> None:
    value = min(_field(ring, at) + more, _FIELD_MAX)
    ring.ledger[at] = value >> 8
    ring.ledger[at + 1] = value & 0xFF
