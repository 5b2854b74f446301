"""Other dates or another profile for a card that is out: a new grant, never automatic (host).

The former issue of the card ends as *replaced* and a new one begins, with a reference of its own.
So receipts prove, controller by controller, that the former terms are gone and that the new ones
are there; and the operators' log says who gave which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House
from controller_tool.registry.models import (
    STATE_ISSUED,
    STATE_REPLACED,
    Device,
    Grant,
    Person,
    Profile,
)
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, stay
from controller_tool.rules.refusal import require
from controller_tool.services import audit, card_terms, cards, list_content, profiles
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Card
    from controller_tool.services.cards import CardStatus
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Wish:
    """What is to be different; None stays. Minutes since 2020, ``until_min`` exclusive."""

    profile: str | None = None
    from_min: int | None = None
    until_min: int | None = None


@dataclass(frozen=True)
class CardChange:
    """The card before and after; profile: the name of the new one."""

    before: CardStatus
    after: CardStatus
    profile: str
    dry_run: bool


def change(site: Site, text: str, wish: Wish, dry_run: bool = False) -> CardChange:
    """Issue the card anew with other terms; OperatorError when it is not out, or stays as it is."""
    site.require_cards()
    operators.require(site, duty.EXTEND)
    site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        old = cards.find(site, session, text)
        before = cards.status_of(site, session, old)
        new, names = _anew(site, session, old, wish)
        profile = session.get_one(Profile, new.profile_id).name
        audit.append(
            session, site.operator, "card.change", ref=new.ref, before=old.ref, profile=profile,
            from_min=new.from_min, until_min=new.until_min, was_until_min=old.until_min,
            extended=new.until_min > old.until_min, devices=names,
        )  # fmt: skip
        session.flush()
        done = CardChange(before, cards.status_of(site, session, new), profile, dry_run)
        if dry_run:
            trial.rollback()
    return done


def shorten(site: Site, session: Session, card: Card, until_min: int) -> Card:
    """The card issued anew with an earlier end, in the caller's transaction, which audits it."""
    return _reissued(site, session, card, card.from_min, until_min, card.profile_id)


def _anew(site: Site, session: Session, old: Card, wish: Wish) -> tuple[Card, list[str]]:
    if old.state != STATE_ISSUED:
        raise OperatorError(
            t("Card {card} has ended", card=old.ref), t("Issue it anew: card issue")
        )
    held = select(Device).join(Grant, Grant.device_id == Device.id).where(Grant.card_id == old.id)
    devices = list(session.scalars(held.order_by(Device.name)))
    names = [device.name for device in devices]
    terms = cards.Terms(
        from_min=old.from_min if wish.from_min is None else wish.from_min,
        until_min=old.until_min if wish.until_min is None else wish.until_min,
        devices=tuple(names),
        flags=old.flags,
        profile_id=profiles.find(session, wish.profile).id if wish.profile else old.profile_id,
    )
    if (terms.from_min, terms.until_min, terms.profile_id) == (
        old.from_min, old.until_min, old.profile_id
    ):  # fmt: skip
        raise OperatorError(
            t("Card {card} is like that already", card=old.ref), t("Check the dates")
        )
    lease = session.get(Lease, old.lease_id) if old.lease_id else None
    if lease is None:
        card_terms.check(session, terms)
    else:
        _require_within(session, lease, old, terms)
    new = _reissued(site, session, old, terms.from_min, terms.until_min, terms.profile_id)
    list_content.require_room(session, devices)
    return new, names


def _reissued(
    site: Site, session: Session, old: Card, from_min: int, until_min: int, profile_id: int
) -> Card:
    """The same card with other dates or profile, on the same doors."""
    terms = cards.Terms(from_min, until_min, None, old.flags, profile_id)
    credential = cards.credential_of(site, old)
    person = session.get(Person, old.person_id) if old.person_id else None
    old.state, old.ended_at_s = STATE_REPLACED, now_s()
    session.flush()
    new = cards.add(site, session, credential, terms, person)
    new.lease_id = old.lease_id
    session.add_all(
        Grant(card_id=new.id, device_id=grant.device_id, points_mask=grant.points_mask)
        for grant in session.scalars(select(Grant).where(Grant.card_id == old.id))
    )
    session.flush()
    return new


def _require_within(session: Session, lease: Lease, old: Card, terms: cards.Terms) -> None:
    """A card of a stay lies within it, and gets nothing more where its house issues nothing."""
    if terms.until_min > lease.until_min:
        raise OperatorError(
            t("Card {card} belongs to stay {stay} and ends with it", card=old.ref, stay=lease.ref),
            t("Extend the stay: tenant extend"),
        )
    if terms.from_min < min(lease.from_min, old.from_min):
        raise OperatorError(
            t("Card {card} belongs to stay {stay} and begins with it", card=old.ref,
              stay=lease.ref),
            t("Give a later --from"),
        )  # fmt: skip
    shorter = terms.from_min >= old.from_min and terms.until_min <= old.until_min
    if not shorter or terms.profile_id != old.profile_id:
        house = session.get_one(House, lease.house_id)
        require(stay.admission(stay.House(house.ref, house.class4, house.state)))
