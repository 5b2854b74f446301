"""Who has a card that is out, as whoever asks may see it, and how it comes back (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import masking
from controller_tool.rules.refusal import Refusal
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.registry.models import Card
    from controller_tool.services.site import Site


def said(site: Site, session: Session, card: Card) -> str:
    """ "王伟 H00001 101 K000001": the name masked by role, where they stay, the card."""
    person = session.get(Person, card.person_id) if card.person_id else None
    lease = _stay(session, card)
    name = masking.name(person.name, operators.role_of(site, session)) if person else t("nobody")
    if lease is not None:
        house, room = session.get_one(House, lease.house_id), session.get_one(Room, lease.room_id)
        where = f"{house.ref} {room.number}"
    else:
        where = person.room if person else ""
    return " ".join(filter(None, (name, where, card.ref)))


def way_out(session: Session, card: Card) -> str:
    """What is done before somebody else gets it."""
    lease = _stay(session, card)
    if lease is None:
        return t("Take it back first: card collect {card}", card=card.ref)
    return t(
        "Check them out if they have left: tenant check-out {stay}; else take the card back: card"
        " collect {card}", stay=lease.ref, card=card.ref,
    )  # fmt: skip


def refuse_lost(site: Site, session: Session, card: Card, credential: Credential) -> Refusal:
    """Why a lost card is issued to nobody, whoever has it now, and what is done first."""
    return Refusal(
        "lost",
        t("Card {card} is lost: {holder}", card=credential.masked(),
          holder=said(site, session, card)),
        t("Two operators say that it was found: card found {card} --document NUMBER",
          card=card.ref),
    )  # fmt: skip


def lost_in_row(card: Card, holder: str) -> str:
    """The same as the fault of a row; ``holder``: as said has it."""
    return t("this card is lost ({holder}); it goes to nobody before: card found {card}",
             holder=holder, card=card.ref)  # fmt: skip


def _stay(session: Session, card: Card) -> Lease | None:
    return session.get(Lease, card.lease_id) if card.lease_id else None
