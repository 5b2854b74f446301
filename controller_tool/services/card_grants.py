"""Cards that are out get one controller more (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.models import STATE_ISSUED, Card, Grant
from controller_tool.rules import duty, stay
from controller_tool.services import audit, card_terms, cards, list_content
from controller_tool.services.desk import operators
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.services.site import Site


def grant_all(site: Site, device: str, dry_run: bool = False) -> int:
    """Give the cards that are out a grant on one controller; returns how many are new to it.

    Left out: cards of stays, which open what serves their house and room (house door add); master
    cards, which name their controllers; what the houses served here do not allow.
    """
    site.require_cards()
    operators.require(site, duty.KEEP)
    with site.registry.writing() as session, session.begin_nested() as trial:
        [row] = cards.grant_devices(session, [device])
        held = select(Grant.card_id).where(Grant.device_id == row.id)
        query = select(Card).where(
            Card.state == STATE_ISSUED, Card.id.not_in(held), Card.lease_id.is_(None)
        )
        served = card_terms.served(session, [device])
        new = [card.id for card in session.scalars(query) if _may_come(card, served)]
        session.add_all(Grant(card_id=card_id, device_id=row.id) for card_id in new)
        list_content.require_room(session, [row])
        audit.append(session, site.operator, "card.grant", device=device, count=len(new))
        if dry_run:
            trial.rollback()
    return len(new)


def _may_come(card: Card, served: Sequence[stay.House]) -> bool:
    if card.flags & FLAG_MASTER:
        return False
    return not stay.card_without_stay(
        served, card.from_min, card.until_min, now_s() // 60, bool(card.flags & FLAG_EMERGENCY)
    )
