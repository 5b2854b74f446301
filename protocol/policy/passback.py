"""Anti-passback: on which side of the doors a card was last (both, pure).

Rules:

- the doors of one controller enclose one area; a card that comes in has to leave before it may come
  in again, and the other way round. Which reader lies on which side: SIDE_…
- a card that is not remembered may go either way
- what is remembered is forgiven after forgive_min minutes of uptime (0: never)
- a card is noted when it is let in, not when it asks
- the last ENTRIES cards are remembered, in memory: beyond that the oldest is forgotten, and a
  restart forgives all. Denying more than is known would lock people in
"""

from array import array

SIDE_IN = 0  # the reader that lets in
SIDE_OUT = 1
OFF = 0
SOFT = 1  # granted, and flagged
HARD = 2
ENTRIES = 64
_SMALL = 0x3FFFFFFF


class Passback:
    """60 bits of each card key in two small numbers, and minute and side in a third."""

    def __init__(self, forgive_min: int = 0) -> None:
        self._forgive_min = forgive_min
        self._high = array("I", bytes(4 * ENTRIES))
        self._low = array("I", bytes(4 * ENTRIES))
        self._seen = array("I", bytes(4 * ENTRIES))

    def _find(self, key: bytes) -> int:
        high = (key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3]) & _SMALL
        low = (key[4] << 24 | key[5] << 16 | key[6] << 8 | key[7]) & _SMALL
        self._wanted_high, self._wanted_low = high, low
        for at in range(ENTRIES):
            if self._high[at] == high and self._low[at] == low and self._seen[at]:
                return at
        return -1

    def violates(self, key: bytes, side: int, minute: int) -> bool:
        """Whether the card was let through to this side already. minute: of uptime."""
        at = self._find(key)
        if at < 0 or self._seen[at] & 1 != side:
            return False
        return not self._forgive_min or minute - (self._seen[at] >> 2) < self._forgive_min

    def note(self, key: bytes, side: int, minute: int) -> None:
        """The card was let through."""
        at = self._find(key)
        if at < 0:
            at = 0
            for other in range(1, ENTRIES):
                if self._seen[other] < self._seen[at]:  # minutes first; 0: empty
                    at = other
            self._high[at], self._low[at] = self._wanted_high, self._wanted_low
        self._seen[at] = (minute << 2 | 2 | side) & _SMALL
