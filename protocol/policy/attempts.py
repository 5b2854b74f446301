"""Wrong attempts at one door: an alarm, and for a while no card opens it (both, pure).

Rules:

- wrong is what nobody has: an unknown card, a wrong PIN, a collected card
- `limit` of them within WINDOW_S of the first: one alarm; cards then open nothing for lockout_s (0:
  an alarm alone); limit 0 switches it off
- what is tried during a lock-out is denied, prolongs nothing and counts for nothing: else whoever
  keeps trying could shut a house for ever
- a good card does not wipe out the count: else whoever has one could guess without end
- emergency cards, REX and fire pass (protocol/policy/decide.py, door.py)
"""

WINDOW_S = 300


class Attempts:
    """Times are seconds of uptime, which no clock moves."""

    def __init__(self, limit: int = 5, lockout_s: int = 60) -> None:
        self._limit = limit
        self._lockout_s = lockout_s
        self._count = 0
        self._since_s = 0
        self._until_s = 0

    def locked(self, now_s: int) -> bool:
        """Whether no card opens at the moment."""
        return now_s < self._until_s

    def wrong(self, now_s: int) -> bool:
        """One more; True when it is the one that alarms."""
        if not self._limit or self.locked(now_s):
            return False
        if not self._count or now_s - self._since_s >= WINDOW_S:
            self._count = 0
            self._since_s = now_s
        self._count += 1
        if self._count < self._limit:
            return False
        self._count = 0
        self._until_s = now_s + self._lockout_s
        return True
