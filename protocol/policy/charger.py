"""One charger port: who may start and stop it and how long it runs (both, pure).

It knows no clock and drives nothing: the caller says how much time has passed and performs what
is returned. Metering comes with a later issue; quotas in minutes and the ceiling count already.

Rules, in the order in which they are applied:

- latched fire: nothing starts; a running session ends with code 13
- the card that started a session stops it, whatever its validity has become: end code 5
- another card at a busy port: refused, port_busy
- a collected card never starts; if its session runs, that session ends with code 18
- a ticket starts an idle port and stops a busy one (end code 4)
- a session ends with code 0 when its profile's minutes are used up, with code 14 at the ceiling
- boot always finds the relay open and no session: nothing resumes by itself
"""

from protocol.codes import END_CARD, END_QUOTA, END_REMOTE, END_REVOKED, END_SMOKE, END_TIME

NO_END = -1
REFUSED_BUSY = -2
STARTED = -3

CEILING_MIN = 480  # 8 h
_MS_PER_MIN = 60000
_NO_KEY = b"\0\0\0\0\0\0\0\0"


class Port:
    """The session of one port. Calls return STARTED, REFUSED_BUSY, NO_END or an end code."""

    def __init__(self, ceiling_min: int = CEILING_MIN) -> None:
        self.ceiling_min = min(ceiling_min, CEILING_MIN)
        self.active = False
        self.fire = False  # latched
        self.key = _NO_KEY
        self.minutes = 0
        self._quota_min = 0
        self._ms = 0

    def owns(self, key: bytes) -> bool:
        """Whether this card's session is running."""
        return self.active and self.key == key

    def card(self, key: bytes, quota_min: int) -> int:
        """A granted card (or the session's own, granted or not) was presented."""
        if self.active:
            return self.end(END_CARD) if self.key == key else REFUSED_BUSY
        return self.start(key, quota_min)

    def start(self, key: bytes, quota_min: int) -> int:
        """Begin a session; quota_min 0 means up to the ceiling."""
        if self.active or self.fire:
            return REFUSED_BUSY
        self.active = True
        self.key = key
        self.minutes = 0
        self._ms = 0
        self._quota_min = quota_min
        return STARTED

    def stop(self) -> int:
        """A ticket stops the port."""
        return self.end(END_REMOTE) if self.active else NO_END

    def revoked(self, key: bytes) -> int:
        """A collected card was found, presented or in a new list: its session ends."""
        return self.end(END_REVOKED) if self.owns(key) else NO_END

    def smoke(self) -> int:
        """Fire or smoke: latched until the controller is reset on site."""
        self.fire = True
        return self.end(END_SMOKE) if self.active else NO_END

    def end(self, code: int) -> int:
        """End the session with a code of protocol/codes.py; returns the code."""
        self.active = False
        return code

    def tick(self, elapsed_ms: int) -> int:
        """Let elapsed_ms pass."""
        if not self.active:
            return NO_END
        self._ms += elapsed_ms
        while self._ms >= _MS_PER_MIN:
            self._ms -= _MS_PER_MIN
            self.minutes += 1
        if self._quota_min and self.minutes >= self._quota_min:
            return self.end(END_QUOTA)
        return self.end(END_TIME) if self.minutes >= self.ceiling_min else NO_END
