"""Cards at the readers of a door or charger, and every denial on record (device).

Readers are numbered in the order of their drivers, as `board.readers()` names them: rows of kind
(a module of firmware/readers), port and options. What becomes of a reader itself is on record too:
lost (its reason: the TROUBLE_ bits), back, tampered with, started anew, given a key.
"""

import time

from firmware.readers.results import CARD, DOUBTFUL, KEY, TROUBLE_TAMPER
from firmware.reading import Reader
from protocol.codes import (
    EVENT_DENIED,
    EVENT_READER_BACK,
    EVENT_READER_DOUBTFUL,
    EVENT_READER_LOST,
    EVENT_READER_PAIRED,
    EVENT_READER_RESTARTED,
    EVENT_READER_TAMPER,
    EVENT_REVOKED_CARD_PRESENTED,
    REASON_REVOKED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.controller import Controller

_PAIR_RUNS = 1  # as protocol/osdp_panel.py, which other readers do not need
_RESULTS_MAX = 8  # of one reader in a turn: noise on its line must not keep the door


class Swipes:
    """`on_card(reader)` is called for every card, `on_key(reader, key)` for every key."""

    def __init__(
        self,
        controller: "Controller",
        on_card: "Callable[[Reader], None]",
        on_key: "Callable[[Reader, int], None] | None" = None,
    ) -> None:
        self._c = controller
        self._on_card = on_card
        self._on_key = on_key
        self.readers: "list[Reader]" = []
        self.line: "Any" = None  # to be looked at between the turns too
        for kind, port, options in controller.board.readers():
            module = __import__("firmware.readers." + kind, None, None, ("drivers",))
            options["settings"] = controller.config.settings
            options["first"] = len(self.readers)
            for driver in module.drivers(port, options):
                self.readers.append(Reader(len(self.readers), driver))
                self.line = getattr(driver, "line", self.line)

    def poll(self) -> None:
        """Take at most one card of each reader: the others wait in its line, the door does not."""
        now_ms = time.ticks_ms()
        for reader in self.readers:
            for _ in range(_RESULTS_MAX):
                result = reader.poll(now_ms)
                if reader.edge_ticks != reader.driver.edge_ticks:
                    self._c.pace.edge_ticks = reader.edge_ticks = reader.driver.edge_ticks
                if result == DOUBTFUL:
                    self._c.journal.note(EVENT_READER_DOUBTFUL, point=reader.number)
                elif result == KEY:
                    if self._on_key is not None:
                        self._on_key(reader, reader.driver.key)
                else:
                    if result == CARD:
                        self._take(reader)
                    break
            self._look_after(reader)

    def show(self, number: int, pattern: int) -> None:
        """SHOW_… at one reader, which is told when it changes."""
        reader = self.readers[number]
        if reader.shown != pattern:
            reader.shown = pattern
            reader.driver.show(pattern, time.ticks_ms())

    def _take(self, reader: Reader) -> None:
        enrolment = self._c.enrolment
        if enrolment is not None and enrolment.takes(self._c, reader):
            return
        try:
            self._on_card(reader)
        except (OSError, MemoryError) as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """No list to be read, no journal to be written, no room: a card or a key does nothing.

        A restart would do something: it lets go of a fail-safe lock, and strangers have cards.
        """
        self._c.journal.lost += 1
        if isinstance(error, MemoryError):
            self._c.memory_faults += 1

    def _look_after(self, reader: Reader) -> None:
        """Put on record what has become of it since the last look."""
        trouble = reader.driver.trouble
        restarts = getattr(reader.driver, "restarts", 0)
        if restarts != reader.restarts:
            reader.restarts = restarts
            self._c.journal.note(EVENT_READER_RESTARTED, point=reader.number)
        if reader.pairs and reader.driver.pairing != _PAIR_RUNS:
            reader.pairs = False
            self._c.journal.note(EVENT_READER_PAIRED, reader.driver.pairing, reader.number)
        if trouble == reader.trouble:
            return
        begun = trouble & ~reader.trouble
        reader.trouble = trouble
        if begun & TROUBLE_TAMPER:
            self._c.journal.note(EVENT_READER_TAMPER, trouble, reader.number)
        if begun & ~TROUBLE_TAMPER:
            self._c.journal.note(EVENT_READER_LOST, trouble, reader.number)
        elif not trouble:
            self._c.journal.note(EVENT_READER_BACK, point=reader.number)

    def deny(self, reason: int, point: int, reader: int) -> None:
        """Write a denial of the card judged last; a collected one is an alarm too."""
        journal = self._c.journal
        key = self._c.access.key
        journal.note(EVENT_DENIED, reason, point, key, reader)
        if reason == REASON_REVOKED:
            journal.note(EVENT_REVOKED_CARD_PRESENTED, reason, point, key, reader)
