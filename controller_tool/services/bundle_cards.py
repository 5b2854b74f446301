"""Which card is meant by the keys in a journal, for a bundle that may say so (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.registry.models import Card, Person
from controller_tool.registry.records import SentCard
from controller_tool.services import bundle_manifest, cards
from controller_tool.services.desk import operators
from protocol import cards as layout

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_ROLES = ("office", "desk")  # their folders hold card keys and persons


def require(site: Site) -> None:
    """OperatorError, in one line, in a folder that was not given cards and persons."""
    if site.role not in _ROLES:
        raise OperatorError(
            t("This {role} folder does not know whose cards are whose",
              role=name_of("role", site.role)),
            t("Leave out --cards and --people, or use the desk's folder"),
        )  # fmt: skip


def references(site: Site, session: Session, device: Device, people: bool) -> bytes:
    """Canonical JSON: `{card key as hex: {"ref": …, "holder": …}}`; holders only with people."""
    said: dict[str, dict[str, str]] = {}
    if device.card_key_sealed is not None:
        card_key = site.secret(device, "card_key")
        sent = select(SentCard.card_id).where(SentCard.device_id == device.id)
        query = select(Card, Person.name).outerjoin(Person, Person.id == Card.person_id)
        for card, holder in session.execute(query.where(Card.id.in_(sent)).order_by(Card.ref)):
            credential = cards.credential_of(site, card)
            key = layout.card_key(card_key, credential.type, credential.data)
            said[key.hex()] = {"ref": card.ref}
            if people:
                said[key.hex()]["holder"] = operators.name_seen(site, session, holder or "")
    return bundle_manifest.canonical(said)
