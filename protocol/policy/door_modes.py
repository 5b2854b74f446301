"""Which mode counts at a door: what was commanded, else the hours, else the setting (both, pure).

Rules:

- a command counts until its minutes are over (0: until further notice) or until one says
  MODE_SCHEDULE; while it counts, hours do nothing
- else, within the hours of the door's schedule, the mode that belongs to them
- first_card: hours that would open the door wait until a first card has come within them; those of
  a day that end take the first card with them, however the clock came to lie outside
- else the door's own mode
- minutes are counted by uptime. What a restart takes up again is what was booked: stored() is
  booked ahead of the time, anew with each start, so that cutting power makes no command longer. A
  lockdown that must not end some minutes early is given until further notice

Hours are asked anew every second from the time that is then, so a clock that jumps moves the mode
with it; windows that overlap are one longer window (protocol/policy/schedule.py).
"""

from protocol.codes import MODE_CONTROLLED, MODE_OPEN, MODE_SCHEDULE
from protocol.constants import MODE_MINUTES_MAX

FIRST_CARD_OFF = 0
FIRST_CARD_HOURS = 1  # normally open hours wait for a first card
FIRST_CARD_ALL = 2  # ... and so do all other cards within them

_BOOKED_MIN = 10
_MODE_SHIFT = 13


def argument(mode: int, minutes: int) -> int:
    """Of a ticket: what command() takes. minutes: at most MODE_MINUTES_MAX."""
    return mode << _MODE_SHIFT | minutes


class Modes:
    """own: the door's mode by setting; timed: its mode within the hours of its schedule."""

    def __init__(
        self,
        own: int = MODE_CONTROLLED,
        timed: int = MODE_OPEN,
        first_card: int = 0,
        stored: int = 0,
    ) -> None:
        self._own = own
        self._timed = timed
        self._first_card = first_card
        self._had_first = False
        self.waits = 0  # for a first card: FIRST_CARD_…
        self._command = MODE_SCHEDULE
        self._left_min = 0
        self._last = False  # it was restored with its last minute
        if stored:
            self.command(stored - 1)
            self._last = self._left_min == 1

    def command(self, value: int) -> bool:
        """Take the argument of a ticket; False for a mode that is none."""
        if value >> _MODE_SHIFT > MODE_SCHEDULE:
            return False
        self._last = False
        self._command = value >> _MODE_SHIFT
        self._left_min = value & MODE_MINUTES_MAX
        return True

    def stored(self) -> int:
        """What a restart gives to the constructor; changes every _BOOKED_MIN minutes at most."""
        if self._command == MODE_SCHEDULE or self._last:
            return 0
        left = self._left_min
        if left:  # at least one: 0 minutes would be for ever
            left = max(1, (left - 1) // _BOOKED_MIN * _BOOKED_MIN)
        return 1 + argument(self._command, left)

    def minute(self) -> None:
        """A minute of uptime is over."""
        if self._left_min:
            self._left_min -= 1
            if not self._left_min:
                self._command = MODE_SCHEDULE

    def first_card(self) -> None:
        """Such a card was let in."""
        self._had_first = True

    def now(self, inside: bool) -> int:
        """The mode that counts. inside: whether the time lies in the hours of the schedule."""
        self.waits = FIRST_CARD_OFF
        if not inside:
            self._had_first = False
        if self._command != MODE_SCHEDULE:
            return self._command
        if not inside:
            return self._own
        if self._timed == MODE_OPEN and not self._had_first and self._first_card:
            self.waits = self._first_card
            return self._own
        return self._timed
