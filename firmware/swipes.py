"""Cards at the readers of a door or charger: judged, and every denial on record (device)."""

from firmware.readers.results import CARD
from firmware.reading import Reader
from protocol.codes import (
    EVENT_DENIED,
    EVENT_READER_DOUBTFUL,
    EVENT_REVOKED_CARD_PRESENTED,
    REASON_REVOKED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.controller import Controller


class Swipes:
    """`on_card(reader)` is called for every card that was read."""

    def __init__(self, controller: "Controller", on_card: "Callable[[Reader], None]") -> None:
        self._c = controller
        self._on_card = on_card
        self._readers = [
            Reader(number, kind, uart)
            for number, (kind, uart) in enumerate(controller.board.readers())
        ]

    def poll(self) -> None:
        """Take at most one card of each reader: the others wait in its UART, the door does not."""
        for reader in self._readers:
            result = reader.poll()
            while result:
                self._c.pace.edge_ticks = reader.edge_ticks
                if result == CARD:
                    self._take(reader)
                    break
                self._c.journal.note(EVENT_READER_DOUBTFUL, point=reader.number)
                result = reader.poll()

    def _take(self, reader: Reader) -> None:
        enrolment = self._c.enrolment
        if enrolment is not None and enrolment.takes(self._c, reader):
            return
        try:
            self._on_card(reader)
        except OSError:  # no list to be read or no journal to be written: a card does nothing
            self._c.journal.lost += 1

    def judge(self, reader: Reader, point: int, fire: bool) -> "tuple[bool, int]":
        """The decision about what the reader has just read."""
        decoder = reader.decoder
        return self._c.access.judge(decoder.type, decoder.credential, point, fire)

    def deny(self, reason: int, point: int, reader: int) -> None:
        """Write a denial of the card judged last; a collected one is an alarm too."""
        journal = self._c.journal
        key = self._c.access.key
        journal.note(EVENT_DENIED, reason, point, key, reader)
        if reason == REASON_REVOKED:
            journal.note(EVENT_REVOKED_CARD_PRESENTED, reason, point, key, reader)
