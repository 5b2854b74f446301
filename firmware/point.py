"""One door of a controller: what is wired to it, what it is told, and what it shows (device)."""

from firmware.readers.results import (
    SHOW_ALARM,
    SHOW_GRANTED,
    SHOW_HELD,
    SHOW_OPEN,
    SHOW_REST,
    SHOW_SHUT,
)
from firmware.reading import Input
from protocol.codes import MODE_CLOSED, MODE_OPEN
from protocol.policy.attempts import Attempts
from protocol.policy.door import ACT_HELD_OPEN, Door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.config import Config, PerDoor
    from firmware.supervised import Supervised


def wired(pin: "Any", fault: bool = True) -> "Input | Supervised":
    """A contact or, where the board gives an analog input, a supervised line; fault: what a line
    counts as that is cut or shorted."""
    if not hasattr(pin, "read_uv"):
        return Input(pin, False)
    from firmware.supervised import Supervised

    return Supervised(pin, fault)


def own(setting: "PerDoor", number: int) -> int:
    """A door's own of a setting; a list that is too short goes on with its last."""
    if isinstance(setting, int):
        return setting
    return setting[min(number, len(setting) - 1)]


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
