"""Which cards a signed list shows to a controller, and which it ends, on the books (host).

Only what changed is written: a list of thousands of cards mostly shows what the one before it did.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from controller_tool.registry.bulk import insert_rows
from controller_tool.registry.records import SentCard

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device

_NEW = ("card_id", "device_id", "first_version")
_IDS_A_STATEMENT = 500


class Books:
    """What is to be written for lists that are signed in one transaction.

    `write` must follow before it ends. Rows that are new go in by their key, for all controllers
    at once: a million of them in another order take three times as long.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._new: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)

    def note(self, device: Device, version: int, live: frozenset[str]) -> None:
        """This version shows the cards of these ids as live to the controller, and no others.

        What an earlier version showed is no proof that this one is there: a card that comes back
        counts from this version on.
        """
        self._session.flush()
        is_live = SentCard.dead_from_version.is_(None)
        query = select(SentCard.card_id, is_live).where(SentCard.device_id == device.id)
        known = {row[0]: row[1] for row in self._session.connection().execute(query)}
        ended = [card_id for card_id, alive in known.items() if alive and card_id not in live]
        back = [card_id for card_id, alive in known.items() if not alive and card_id in live]
        self._change(device, ended, dead_from_version=version)
        self._change(device, back, first_version=version, dead_from_version=None)
        place, new = (device.id, version), self._new
        for card_id in live - known.keys():
            new[card_id].append(place)

    def write(self) -> None:
        """Add what is new."""
        self._session.flush()
        rows = [
            (card_id, *place)
            for card_id in sorted(self._new)
            for place in sorted(self._new[card_id])
        ]
        insert_rows(self._session, SentCard, _NEW, rows)
        self._new.clear()

    def _change(self, device: Device, card_ids: list[str], **values: int | None) -> None:
        for at in range(0, len(card_ids), _IDS_A_STATEMENT):
            these = SentCard.card_id.in_(card_ids[at : at + _IDS_A_STATEMENT])
            of_it = (SentCard.device_id == device.id) & these
            self._session.execute(update(SentCard).where(of_it).values(**values))
