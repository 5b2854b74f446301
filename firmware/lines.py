"""Supervised lines that break, looked at once a second (device).

Loaded where a board has one.
"""

from firmware.journal import NO_KEY
from protocol.codes import EVENT_INPUT_FAULT, LINE_ACTIVE, LINE_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller


class Lines:
    """watched: (input, door, which) of all contacts; those that are no supervised lines rest."""

    def __init__(self, controller: "Controller", watched: "list[tuple[Any, int, int]]") -> None:
        self._c = controller
        self._watched = [one for one in watched if hasattr(one[0], "line")]

    def second(self) -> None:
        """A second is over."""
        for line, point, which in self._watched:
            state = LINE_OK if line.line == LINE_ACTIVE else line.line
            if state != line.told:
                line.told = state
                self._c.journal.note(EVENT_INPUT_FAULT, state, point, NO_KEY, which)
