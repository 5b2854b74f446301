"""A controller's list written plainly, card by card: what the fast way must agree with (host)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.registry.models import STATE_ISSUED, Card, Grant
from controller_tool.registry.records import SentCard
from controller_tool.services.list_records import KEPT_MIN, Records
from protocol import cards as layout
from protocol.constants import FLAG_REVOKED

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site


def records(site: Site, session: Session, device: Device, now_s: int) -> Records:
    """As list_records.Builder.build; `first_end_min` is left out of it."""
    granted = set(session.scalars(select(Grant.card_id).where(Grant.device_id == device.id)))
    sent = {
        row.card_id: row.first_version <= device.list_version_sent
        for row in session.scalars(select(SentCard).where(SentCard.device_id == device.id))
    }
    cards = [
        card
        for card in session.scalars(select(Card))
        if card.id in sent or (card.id in granted and card.state == STATE_ISSUED)
    ]
    issues = Counter(card.credential_index for card in cards)
    cards.sort(key=lambda card: _rank(card, was_sent=sent.get(card.id, False)))
    found: dict[bytes, bytes] = {}
    owners: dict[bytes, str] = {}
    contested = set()
    left_out = 0
    for card in cards:
        if _end_min(card) < now_s // 60 - KEPT_MIN:
            continue
        issued = card.state == STATE_ISSUED
        if len(found) >= device.cards_max and not (issued and sent.get(card.id)):
            left_out += issued
            continue
        credential = site.vault.open("cards", card.id, "credential", card.credential_sealed)
        card_key = site.secret(device, "card_key")
        key = layout.card_key(card_key, card.credential_type, credential)
        if key in found:
            continue
        flags = card.flags if issued else card.flags | FLAG_REVOKED
        found[key] = layout.pack(key, card.from_min, card.until_min, card.profile_id, flags)
        if issued:
            owners[key] = card.id
        if issues[card.credential_index] > 1:
            contested.add(key)
    payload = b"".join(found[key] for key in sorted(found))
    return Records(payload, owners, frozenset(contested), left_out, 0)


def _rank(card: Card, *, was_sent: bool) -> tuple[int, int, str]:
    if card.state == STATE_ISSUED:
        return (0 if was_sent else 1, 0, card.ref)
    return (2, -(card.ended_at_s or 0), card.ref)


def _end_min(card: Card) -> int:
    ended_min = 2**53 if card.ended_at_s is None else card.ended_at_s // 60
    return min(card.until_min, ended_min)
