"""Check-in: person, stay and cards in one transaction, by the rules of rules.stay (host).

What it leaves behind: a person, a stay with a reference, its cards granted on the doors of house
and room. That a card opens a door is known when the door's receipt is there: services.push.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import Card, Device, Grant, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, words
from controller_tool.rules import stay as rules
from controller_tool.rules.refusal import require
from controller_tool.services import audit, cards, list_content, people, profiles, refs
from controller_tool.services.desk import operators, places
from controller_tool.services.site_init import RESIDENT_PROFILE
from protocol.constants import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.rules.visits import Visit
    from controller_tool.services.people import Holder
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Request:
    """A check-in as the desk asks for it; minutes since 2020, ``until_min`` exclusive.

    house, room: reference or address code, and number; kind: code of rules.words; host: reference
    of the host's stay, for a visitor; profile: by name, None is the residents'; roster: the source
    it came with; bed: as it is marked in the room; cards: none where no card is handed out yet.
    """

    holder: Holder
    house: str
    room: str
    from_min: int
    until_min: int
    kind: str = words.TENANT
    host: str | None = None
    cards: tuple[Credential, ...] = ()
    profile: str | None = None
    contract: str = ""
    roster: str | None = None
    bed: str = ""


@dataclass(frozen=True)
class Stay:
    """A stay as screens and slips show it. cards: what is proven of each; name: by role."""

    ref: str
    person_id: str
    name: str
    house: str
    address: str
    room: str
    kind: str
    from_min: int
    until_min: int
    ended_at_s: int | None
    end_reason: str | None
    cards: tuple[cards.CardStatus, ...]
    bed: str = ""


def check_in(site: Site, request: Request, dry_run: bool = False) -> Stay:
    """Check somebody in; RuleRefused names the rule that forbids it, and nothing has changed."""
    site.require_cards()
    operators.require(site, duty.VISIT if request.kind == words.VISITOR else duty.CHECK_IN)
    site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        lease = move_in(site, session, request)
        list_content.require_room(session, list(places.doors_of(session, lease)))
        audit.append(
            session, site.operator, "tenant.check_in", stay=lease.ref, house=request.house,
            kind=lease.kind, cards=[card.ref for card in places.live_cards(session, lease)],
        )  # fmt: skip
        seen = view(site, session, lease)
        if dry_run:
            trial.rollback()
    return seen


def move_in(site: Site, session: Session, request: Request) -> Lease:
    """The rows of a check-in in the caller's transaction, which audits and minds the room."""
    house = places.house(session, request.house)
    room = places.room(session, house, request.room)
    hosted = places.lease(site, session, request.host).id if request.host else None
    there_already, living, visits = _of_person(site, session, room, request)
    wish = rules.Wish(
        request.kind, request.holder.document, request.from_min, request.until_min,
        host(site, session, house, request.host, room), there_already, living,
        numbered=bool(request.holder.id_number.strip()),
        bed=people.short(request.bed, people.BED_MAX), visits=visits,
        guests=places.guests_of(session, hosted, request.from_min, request.until_min),
    )  # fmt: skip
    now_min = now_s() // 60
    require(rules.check_in(places.facts(house), places.room_facts(session, room), wish, now_min))
    person = people.take(site, session, request.holder)
    person.room = room.number
    row = Lease(
        id=os.urandom(ID_BYTES).hex(), ref=refs.following(session, Lease.ref, "L"),
        person_id=person.id, house_id=house.id, room_id=room.id, kind=request.kind,
        host_lease_id=hosted,
        from_min=request.from_min, until_min=request.until_min,
        profile_id=profiles.find(session, request.profile).id if request.profile
        else RESIDENT_PROFILE,
        contract=people.short(request.contract, 64), roster=request.roster, created_at_s=now_s(),
        bed=wish.bed,
    )  # fmt: skip
    session.add(row)
    session.flush()
    hand_out(site, session, row, person, request.cards)
    return row


def hand_out(
    site: Site, session: Session, lease: Lease, person: Person, credentials: Sequence[Credential]
) -> list[Card]:
    """Cards of a stay, on the doors of its house and room; OperatorError when it has none."""
    if not credentials:
        return []
    doors = places.doors_of(session, lease)
    if not doors:
        house = session.get_one(House, lease.house_id)
        raise OperatorError(
            t("House {house} has no door that a card could open", house=house.ref),
            t("Name its doors: house door add {house}", house=house.ref),
        )
    terms = cards.Terms(lease.from_min, lease.until_min, profile_id=lease.profile_id)
    made = []
    for credential in credentials:
        card = cards.add(site, session, credential, terms, person)
        card.lease_id = lease.id
        grant(session, card, doors)
        made.append(card)
    return made


def grant(session: Session, card: Card, doors: dict[Device, int | None]) -> None:
    """Grant a card on points of controllers, as places.doors found them."""
    session.add_all(
        Grant(card_id=card.id, device_id=device.id, points_mask=mask)
        for device, mask in doors.items()
    )


def view(site: Site, session: Session, lease: Lease) -> Stay:
    """A stay of an open session for people."""
    session.flush()
    house, room = session.get_one(House, lease.house_id), session.get_one(Room, lease.room_id)
    person = session.get_one(Person, lease.person_id)
    query = select(Card).where(Card.lease_id == lease.id).order_by(Card.ref)
    named = operators.name_seen(site, session, person.name)
    return Stay(
        lease.ref, person.id, named, house.ref, house.address, room.number, lease.kind,
        lease.from_min, lease.until_min, lease.ended_at_s, lease.end_reason,
        tuple(cards.status_of(site, session, card) for card in session.scalars(query)), lease.bed,
    )  # fmt: skip


def host(
    site: Site, session: Session, house: House, text: str | None, room: Room | None = None
) -> rules.Host | None:
    """Whom a visitor visits, by stay or card, as rules see them; None where nobody is named.

    room: where the visitor would be, None while it is not known.
    """
    return None if text is None else seen_host(places.lease(site, session, text), house, room)


def seen_host(lease: Lease, house: House, room: Room | None = None) -> rules.Host:
    """The stay that is visited as rules see it, by somebody who would be in this house and room."""
    here = lease.house_id == house.id and lease.ended_at_s is None and lease.kind != words.VISITOR
    in_room = room is None or lease.room_id == room.id
    return rules.Host(lease.ref, lease.until_min, here, in_room)


def _of_person(
    site: Site, session: Session, room: Room, request: Request
) -> tuple[str | None, tuple[rules.Living, ...], tuple[Visit, ...]]:
    """Reference of the stay that this person has in this room, where else they live, visits."""
    number = request.holder.id_number.strip()
    person = people.known(site, session, request.holder) if number else None
    if person is None:
        return None, (), ()
    query = select(Lease.ref).where(
        Lease.person_id == person.id, Lease.room_id == room.id, Lease.ended_at_s.is_(None)
    )
    visits = places.visits_of(session, person.id, request.from_min)
    return session.scalar(query), places.living(session, person.id), visits
