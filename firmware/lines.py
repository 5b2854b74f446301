"""What is looked at once a second: supervised lines that break, mains, supply (device).

Loaded where a board has one of these.
"""

from firmware.journal import NO_KEY
from firmware.reading import Input
from protocol.codes import (
    EVENT_INPUT_FAULT,
    EVENT_MAINS_BACK,
    EVENT_MAINS_LOST,
    EVENT_SUPPLY_LOW,
    LINE_ACTIVE,
    LINE_OK,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller

# (contact, event when it comes to hold, event when it ends; 0: none)
_SLOW = (
    ("mains_lost", EVENT_MAINS_LOST, EVENT_MAINS_BACK),
    ("supply_low", EVENT_SUPPLY_LOW, 0),
)


class Lines:
    """watched: (input, door, which) of all contacts; those that are no supervised lines rest."""

    def __init__(
        self,
        controller: "Controller",
        contacts: "dict[str, Any]",
        watched: "list[tuple[Any, int, int]]",
    ) -> None:
        self._c = controller
        self._watched = [one for one in watched if hasattr(one[0], "line")]
        self._slow = [
            (Input(contacts[name], False), begins, ends)
            for name, begins, ends in _SLOW
            if name in contacts
        ]

    def second(self) -> None:
        """A second is over."""
        note = self._c.journal.note
        for line, point, which in self._watched:
            state = LINE_OK if line.line == LINE_ACTIVE else line.line
            if state != line.told:
                line.told = state
                note(EVENT_INPUT_FAULT, state, point, NO_KEY, which)
        for contact, begins, ends in self._slow:
            held = contact.active
            if contact.poll() != held and (ends or not held):
                note(ends if held else begins)
