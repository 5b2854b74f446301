"""How long the loop went without letting the door in, and whether every task is alive (device)."""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_AGE_MAX_MS = 60000


class Pace:
    """Kept by the task that serves the door: turn() at each of its turns.

    longest_ms: the longest stretch beyond the task's own pause; handshake_ms: the longest single
    step of a TLS handshake, which is counted apart because nobody can yield inside it.
    """

    def __init__(self) -> None:
        self.longest_ms = 0
        self.handshake_ms = 0
        self.edge_ticks = time.ticks_ms()  # when a reader last moved
        self._last = time.ticks_ms()
        self._exempt_ms = 0

    def turn(self, pause_ms: int) -> int:
        """Returns how many milliseconds have passed since the last turn."""
        now = time.ticks_ms()
        passed_ms: int = time.ticks_diff(now, self._last)
        stretch_ms = passed_ms - pause_ms - self._exempt_ms
        self._last = now
        self._exempt_ms = 0
        if stretch_ms > self.longest_ms:
            self.longest_ms = stretch_ms
        return passed_ms

    def handshake_step(self, began_ticks: int) -> None:
        """A step of a handshake that began then has ended now."""
        took_ms = time.ticks_diff(time.ticks_ms(), began_ticks)
        self._exempt_ms += took_ms
        if took_ms > self.handshake_ms:
            self.handshake_ms = took_ms

    def quiet_for(self, quiet_ms: int) -> bool:
        """Whether no reader has moved for so long, up to a minute; ask at least every six days."""
        now = time.ticks_ms()
        age_ms: int = time.ticks_diff(now, self.edge_ticks)
        if age_ms > _AGE_MAX_MS:  # ticks wrap: what is long ago must not come to lie ahead
            self.edge_ticks = time.ticks_add(now, -_AGE_MAX_MS)
        return age_ms >= quiet_ms


class Watch:
    """Feeds the watchdog only when every task has shown itself since the last feed."""

    def __init__(self, watchdog: "Any", tasks: int) -> None:
        self._watchdog = watchdog
        self._all = (1 << tasks) - 1
        self._seen = 0

    def alive(self, task: int) -> None:
        """Task number `task` is doing its rounds."""
        self._seen |= 1 << task
        if self._seen == self._all:
            self._seen = 0
            self._watchdog.feed()
