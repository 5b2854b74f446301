"""One door of a controller: what is wired to it, what it is told, and what it shows (device)."""

from firmware.config import own
from firmware.readers.results import (
    SHOW_ALARM,
    SHOW_GRANTED,
    SHOW_HELD,
    SHOW_OPEN,
    SHOW_REST,
    SHOW_SHUT,
)
from firmware.reading import wired
from protocol.codes import MODE_CLOSED, MODE_OPEN
from protocol.policy.attempts import Attempts
from protocol.policy.door import ACT_HELD_OPEN, Door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.config import Config


class Point:
    """Door `number` from 0; its contacts are called `rex` and `door`, or `rex2`, `door2` …"""

    def __init__(
        self, number: int, relay: "Any", contacts: "dict[str, Any]", config: "Config"
    ) -> None:
        end = str(number + 1) if number else ""
        self.number = number
        self.relay = relay
        self.rex = wired(contacts.get("rex" + end), False)
        self.leaf = wired(contacts.get("door" + end))
        self.attempts = Attempts(config.attempts, config.lockout_s)
        self.door = Door(
            own(config.unlock_ds, number),
            own(config.held_open_s, number),
            own(config.relock, number),
            own(config.held_warning_s, number),
            own(config.rex_kind, number) == 1,
        )
        self.escort_s = 0  # for so long an escort counts as here
        self.denied_s = 0  # for so long a reader shows a denial, or a lock-out is waited for
        self.waits = 0  # for a first card: FIRST_CARD_…

    def second(self, now_s: int) -> bool:
        """A second is over; whether readers are to show its state again."""
        if self.escort_s:
            self.escort_s -= 1
        if not self.denied_s:
            return False
        self.denied_s -= 1
        if self.denied_s:
            return False
        if self.attempts.locked(now_s):  # whose end nothing else tells
            self.denied_s = 1
        return True

    def pattern(self, now_s: int) -> int:
        """SHOW_… of its state."""
        door = self.door
        if door.fire or door.mode == MODE_OPEN:
            return SHOW_OPEN
        if door.forced or door.held == ACT_HELD_OPEN:
            return SHOW_ALARM
        if door.held:
            return SHOW_HELD
        if door.unlocked:
            return SHOW_GRANTED
        if door.mode >= MODE_CLOSED or self.attempts.locked(now_s):
            return SHOW_SHUT
        return SHOW_REST
