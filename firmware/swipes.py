"""Cards at the readers of a door or charger: judged, and every denial on record (device).

A flood cannot push evidence out of the ring: above FOLD_ABOVE a minute, unknown cards and
doubtful frames are counted, and one record a minute says how many.
"""

from firmware.readers.rdm6300 import CARD
from firmware.reading import Reader
from protocol.codes import (
    EVENT_DENIED,
    EVENT_READER_DOUBTFUL,
    EVENT_REVOKED_CARD_PRESENTED,
    REASON_REVOKED,
    REASON_UNKNOWN_CARD,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.controller import Controller

FOLD_ABOVE = 10
_MINUTE_MS = 60000


class Swipes:
    """`on_card(reader)` is called for every card that was read."""

    def __init__(self, controller: "Controller", on_card: "Callable[[Reader], None]") -> None:
        self._c = controller
        self._on_card = on_card
        self._readers = [
            Reader(number, kind, uart)
            for number, (kind, uart) in enumerate(controller.board.readers())
        ]
        self._minute_ms = 0
        self._unknown = 0
        self._doubtful = 0

    def poll(self, passed_ms: int) -> None:
        """Take what the readers have read."""
        for reader in self._readers:
            result = reader.poll()
            while result:
                self._c.pace.edge_ticks = reader.edge_ticks
                if result == CARD:
                    self._on_card(reader)
                else:
                    self._doubt(reader.number)
                result = reader.poll()
        self._minute_ms += passed_ms
        if self._minute_ms >= _MINUTE_MS:
            self._tell_folded()

    def judge(self, reader: Reader, point: int, fire: bool) -> "tuple[bool, int]":
        """The decision about what the reader has just read."""
        decoder = reader.decoder
        return self._c.access.judge(decoder.type, decoder.credential, point, fire)

    def deny(self, reason: int, point: int, reader: int) -> None:
        """Write a denial of the card judged last; a collected one is an alarm too."""
        if reason == REASON_UNKNOWN_CARD:
            self._unknown += 1
            if self._unknown > FOLD_ABOVE:
                return
        journal = self._c.journal
        key = self._c.access.key
        journal.record(EVENT_DENIED, reason, point, key, reader)
        if reason == REASON_REVOKED:
            journal.record(EVENT_REVOKED_CARD_PRESENTED, reason, point, key, reader)

    def _doubt(self, reader: int) -> None:
        self._doubtful += 1
        if self._doubtful <= FOLD_ABOVE:
            self._c.journal.record(EVENT_READER_DOUBTFUL, extra=reader)

    def _tell_folded(self) -> None:
        """One record for all that were only counted in this minute: extra says how many."""
        unknown, doubtful = self._unknown - FOLD_ABOVE, self._doubtful - FOLD_ABOVE
        self._minute_ms = self._unknown = self._doubtful = 0
        if unknown > 0:
            self._c.journal.record(EVENT_DENIED, REASON_UNKNOWN_CARD, extra=unknown)
        if doubtful > 0:
            self._c.journal.record(EVENT_READER_DOUBTFUL, REASON_UNKNOWN_CARD, extra=doubtful)
