"""A stay that goes on otherwise: a later end, another room, one more card, a stricter class (host).

The cards of a stay never change as they lie: the former issue ends as *replaced* and a new one
with a reference of its own begins, so that receipts prove both (services.card_change).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, HousePoint, Room
from controller_tool.registry.models import (
    STATE_ISSUED,
    STATE_LOST,
    STATE_REPLACED,
    Card,
    Grant,
    Person,
)
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, words
from controller_tool.rules import stay as rules
from controller_tool.rules.refusal import require
from controller_tool.services import audit, card_change, cards, list_content, people, refs
from controller_tool.services.desk import check_in, check_out, operators, places
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER, ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.services.desk.check_in import Stay
    from controller_tool.services.site import Site


def extend(site: Site, text: str, until_min: int, dry_run: bool = False) -> Stay:
    """Give a stay a later end, and its cards with it; RuleRefused when a rule forbids it."""

    def act(session: Session, lease: Lease) -> Lease:
        house = session.get_one(House, lease.house_id)
        person = session.get_one(Person, lease.person_id)
        wish = rules.Wish(
            lease.kind,
            person.document,
            lease.from_min,
            until_min,
            _host(session, lease, house),
            living=places.living(session, person.id, but=lease.id),
            visits=places.visits_of(session, person.id, lease.from_min, but=lease.id),
            guests=_guests(session, lease, until_min),
        )
        require(rules.extension(places.facts(house), wish, lease.until_min, now_s() // 60))
        was = lease.until_min
        lease.until_min = until_min
        reissue(site, session, lease, lease, was)
        audit.append(
            session, site.operator, "tenant.extend", stay=lease.ref, was_until_min=was,
            until_min=until_min,
        )  # fmt: skip
        return lease

    return _changed(site, text, act, dry_run)


def move(
    site: Site, text: str, house: str, room: str, dry_run: bool = False, bed: str = ""
) -> Stay:
    """Another room: the stay ends as *moved*, a new one with the same cards begins there.

    bed: as it is marked there. RuleRefused when a rule forbids it.
    """

    def act(session: Session, lease: Lease) -> Lease:
        there = places.house(session, house)
        new_room = places.room(session, there, room)
        person = session.get_one(Person, lease.person_id)
        now_min = now_s() // 60
        # a visit's hours go on counting
        visit = lease.kind == words.VISITOR
        begin_min = lease.from_min if visit else max(lease.from_min, now_min)
        wish = rules.Wish(
            lease.kind, person.document, begin_min, lease.until_min,
            _host(session, lease, there, new_room),
            lease.ref if new_room.id == lease.room_id else None,
            places.living(session, person.id, but=lease.id),
            bed=people.short(bed, people.BED_MAX),
            visits=places.visits_of(session, person.id, begin_min, but=lease.id),
            guests=_guests(session, lease, lease.until_min),
        )  # fmt: skip
        facts = places.room_facts(session, new_room)
        require(rules.check_in(places.facts(there), facts, wish, now_min))
        new = Lease(
            id=os.urandom(ID_BYTES).hex(), ref=refs.following(session, Lease.ref, "L"),
            person_id=person.id, house_id=there.id, room_id=new_room.id, kind=lease.kind,
            host_lease_id=lease.host_lease_id, from_min=begin_min, until_min=lease.until_min,
            profile_id=lease.profile_id, contract=lease.contract, roster=lease.roster,
            created_at_s=now_s(), bed=wish.bed,
        )  # fmt: skip
        session.add(new)
        lease.ended_at_s, lease.end_reason = now_s(), words.MOVED
        session.flush()
        follow(site, session, lease, new)
        person.room = new_room.number
        reissue(site, session, lease, new)
        audit.append(session, site.operator, "tenant.move", stay=new.ref, before=lease.ref)
        return new

    return _changed(site, text, act, dry_run)


def add_card(
    site: Site,
    text: str,
    credential: Credential,
    dry_run: bool = False,
    in_place_of: str | None = None,
) -> Stay:
    """One more card for a stay that goes on; in_place_of: a card of it, which ends as lost."""

    def act(session: Session, lease: Lease) -> Lease:
        house = session.get_one(House, lease.house_id)
        require(rules.admission(places.facts(house)))
        if in_place_of is not None:
            _lose(site, session, lease, in_place_of)
        person = session.get_one(Person, lease.person_id)
        [card] = check_in.hand_out(site, session, lease, person, [credential])
        list_content.require_room(session, list(places.doors_of(session, lease)))
        audit.append(session, site.operator, "tenant.card", stay=lease.ref, card=card.ref)
        return lease

    return _changed(site, text, act, dry_run)


def reissue(
    site: Site, session: Session, old: Lease, new: Lease, was_until_min: int | None = None
) -> None:
    """The cards of ``old`` go on with the dates and doors of ``new``, issued anew.

    was_until_min: the end of ``old`` before this. A card that was made to end before its stay, or
    to go by another profile, still does.
    """
    was = old.until_min if was_until_min is None else was_until_min
    person = session.get_one(Person, new.person_id)
    held = places.live_cards(session, old)
    credentials = [cards.credential_of(site, card) for card in held]
    for card in held:
        card.state, card.ended_at_s = STATE_REPLACED, now_s()
    session.flush()
    made = check_in.hand_out(site, session, new, person, credentials)
    for before, after in zip(held, made, strict=True):
        keep_terms(before, after, was, old.profile_id)
    list_content.require_room(session, list(places.doors_of(session, new)))


def keep_terms(before: Card, after: Card, was_until_min: int, was_profile_id: int) -> None:
    """The new issue of a card ends early, and has a profile of its own, as the former one did.

    was_until_min, was_profile_id: of the stay when the former one was out.
    """
    if before.until_min < was_until_min:
        after.until_min = min(before.until_min, after.until_min)
        after.from_min = min(after.from_min, after.until_min - 1)
    if before.profile_id != was_profile_id:
        after.profile_id = before.profile_id


def follow(site: Site, session: Session, old: Lease, new: Lease) -> None:
    """Visitors go on visiting somebody who changed the room, there; in another house nobody does.

    The door of the room that was left is another one's from now on.
    """
    query = select(Lease).where(Lease.host_lease_id == old.id, Lease.ended_at_s.is_(None))
    for visit in list(session.scalars(query.order_by(Lease.ref))):
        if new.house_id != old.house_id:
            check_out.move_out(session, visit)
            continue
        visit.host_lease_id, visit.room_id = new.id, new.room_id
        session.get_one(Person, visit.person_id).room = session.get_one(Room, new.room_id).number
        reissue(site, session, visit, visit)


def hold_to_class(site: Site, session: Session, house: House) -> list[str]:
    """Shorten stays that outlast the house's class, and cards without a stay on its doors.

    Their references. For a class or door that changed; of a barred house nothing is shortened.
    """
    if house.class4 == words.BARRED:
        return []
    return _shorten_stays(site, session, house) + _shorten_cards(site, session, house)


def _shorten_cards(site: Site, session: Session, house: House) -> list[str]:
    now_min = now_s() // 60
    query = (
        select(Card)
        .join(Grant, Grant.card_id == Card.id)
        .join(HousePoint, HousePoint.device_id == Grant.device_id)
        .where(HousePoint.house_id == house.id, Card.lease_id.is_(None),
               Card.state == STATE_ISSUED)
        .order_by(Card.ref)
    )  # fmt: skip
    shortened = []
    for card in dict.fromkeys(session.scalars(query)):
        begin_min = max(card.from_min, now_min)
        latest = rules.latest_end_min(places.facts(house), words.TENANT, begin_min, now_min)
        if card.until_min > latest and not card.flags & (FLAG_MASTER | FLAG_EMERGENCY):
            shortened.append(card_change.shorten(site, session, card, latest).ref)
    return shortened


def _shorten_stays(site: Site, session: Session, house: House) -> list[str]:
    now_min = now_s() // 60
    query = select(Lease).where(Lease.house_id == house.id, Lease.ended_at_s.is_(None))
    shortened = []
    for lease in session.scalars(query.order_by(Lease.ref)):
        begin_min = lease.from_min if lease.kind == words.VISITOR else max(lease.from_min, now_min)
        latest = rules.latest_end_min(places.facts(house), lease.kind, begin_min, now_min)
        if lease.until_min > max(latest, now_min):
            was, lease.until_min = lease.until_min, max(latest, lease.from_min + 1)
            reissue(site, session, lease, lease, was)
            shortened.append(lease.ref)
    return shortened


def _lose(site: Site, session: Session, lease: Lease, text: str) -> None:
    """A card of this stay ends as lost; one that has ended stays as it is."""
    card = cards.find(site, session, text)
    if card.lease_id != lease.id:
        raise OperatorError(
            t("Card {card} is none of stay {stay}", card=card.ref, stay=lease.ref),
            t("See its cards with: tenant show {stay}", stay=lease.ref),
        )
    if card.state == STATE_ISSUED:
        card.state, card.ended_at_s = STATE_LOST, now_s()
        audit.append(session, site.operator, "card.lost", ref=card.ref)
        session.flush()


def _changed(site: Site, text: str, act: Callable[[Session, Lease], Lease], dry_run: bool) -> Stay:
    site.require_cards()
    operators.require(site, duty.EXTEND)
    site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        lease = places.lease(site, session, text)
        places.require_not_moved(session, lease)
        if lease.ended_at_s is not None:
            raise OperatorError(
                t("Stay {stay} has ended", stay=lease.ref),
                t("Check the person in anew: tenant check-in"),
            )
        seen = check_in.view(site, session, act(session, lease))
        if dry_run:
            trial.rollback()
    return seen


def _guests(session: Session, lease: Lease, until_min: int) -> int:
    host = lease.host_lease_id
    return places.guests_of(session, host, lease.from_min, until_min, but=lease.id)


def _host(
    session: Session, lease: Lease, house: House, room: Room | None = None
) -> rules.Host | None:
    if lease.host_lease_id is None:
        return None
    return check_in.seen_host(session.get_one(Lease, lease.host_lease_id), house, room)
