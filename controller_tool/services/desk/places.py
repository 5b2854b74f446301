"""Houses, rooms and stays by the words that people use for them, and the doors they open (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, HousePoint, Room
from controller_tool.registry.models import STATE_ISSUED, Card, Device
from controller_tool.registry.stays import Lease
from controller_tool.rules import stay as rules
from controller_tool.rules import texts, visits, words
from controller_tool.services import cards

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


def house(session: Session, text: str) -> House:
    """The house with this reference or address code; OperatorError when there is none."""
    found = session.scalar(
        select(House).where(
            or_(House.ref == texts.code(text).upper(), House.address_code == texts.code(text))
        )
    )
    if found is None:
        raise OperatorError(
            t("There is no house {house}", house=text), t("See them with: house list")
        )
    return found


def room(session: Session, of: House, number: str) -> Room:
    """A room of a house by the number on its door; OperatorError when it has none."""
    query = select(Room).where(Room.house_id == of.id, Room.number == texts.code(number))
    found = session.scalar(query)
    if found is None:
        raise OperatorError(
            t("House {house} has no room {room}", house=of.ref, room=number),
            t("See its rooms with: house show {house}", house=of.ref),
        )
    return found


def unlock_for(site: Site, text: str) -> None:
    """Before a stay is looked for with the registry locked: a card's number is sealed."""
    if not text.strip().upper().startswith("L"):
        site.unlock()


def lease(site: Site, session: Session, text: str) -> Lease:
    """A stay by its reference, or by a card of it; OperatorError when there is none."""
    found = session.scalar(select(Lease).where(Lease.ref == text.strip().upper()))
    if found is None and not text.strip().upper().startswith("L"):
        card = cards.find(site, session, text)
        found = session.get(Lease, card.lease_id) if card.lease_id else None
    if found is None:
        raise OperatorError(
            t("There is no stay {stay}", stay=text), t("See them with: tenant list")
        )
    return found


def facts(of: House) -> rules.House:
    """A house as rules see it."""
    return rules.House(of.ref, of.class4, of.state)


def require_not_moved(session: Session, of: Lease) -> None:
    """Who moved stays on under another reference: OperatorError names it."""
    if of.end_reason != words.MOVED:
        return
    query = select(Lease.ref).where(
        Lease.person_id == of.person_id, Lease.ended_at_s.is_(None), Lease.id != of.id
    )
    now = session.scalar(query.order_by(Lease.ref.desc()))
    if now is not None:
        raise OperatorError(
            t("Stay {stay} has moved on and is {now} now", stay=of.ref, now=now),
            t("Do it with that one: {now}", now=now),
        )


def room_facts(session: Session, of: Room) -> rules.Room:
    """A room as rules see it."""
    query = select(Lease.bed, Lease.ref).where(
        Lease.room_id == of.id, Lease.ended_at_s.is_(None), Lease.kind != words.VISITOR
    )  # fmt: skip
    there = [(bed, ref) for bed, ref in session.execute(query)]
    return rules.Room(of.number, of.beds, len(there), {bed: ref for bed, ref in there if bed})


def living(session: Session, person_id: str, but: str | None = None) -> tuple[rules.Living, ...]:
    """Stays of a person that go on and are no visits, by reference; ``but`` one, by its id."""
    query = select(Lease).where(
        Lease.person_id == person_id, Lease.ended_at_s.is_(None), Lease.kind != words.VISITOR
    )
    if but is not None:
        query = query.where(Lease.id != but)
    return tuple(as_living(session, one) for one in session.scalars(query.order_by(Lease.ref)))


def visits_of(
    session: Session, person_id: str, from_min: int, but: str | None = None
) -> tuple[visits.Visit, ...]:
    """Visits of a person that the rules of one from this minute on ask for; ``but`` one, by its id.

    Not those that went on in another room under another reference, which has all their hours.
    """
    query = (
        select(Lease, House.ref)
        .join(House, House.id == Lease.house_id)
        .where(
            Lease.person_id == person_id, Lease.kind == words.VISITOR,
            Lease.until_min > from_min - visits.WEEK_DAYS * 1440,
            or_(Lease.end_reason.is_(None), Lease.end_reason != words.MOVED),
        )
        .order_by(Lease.ref)
    )  # fmt: skip
    found = []
    for one, there in session.execute(query):
        left = one.until_min
        if one.ended_at_s is not None:
            left = max(one.from_min, min(left, one.ended_at_s // 60))
        if one.id != but:
            over = one.ended_at_s is not None
            found.append(visits.Visit(one.ref, there, one.from_min, left, over))
    return tuple(found)


def guests_of(
    session: Session, host: str | None, from_min: int, until_min: int, but: str | None = None
) -> int:
    """How many others visit the host, a stay's id, in these minutes; ``but`` one, by its id."""
    query = select(Lease.id).where(
        Lease.host_lease_id == host, Lease.ended_at_s.is_(None), Lease.from_min < until_min,
        Lease.until_min > from_min,
    )  # fmt: skip
    return 0 if host is None else len({*session.scalars(query)} - {but})


def as_living(session: Session, of: Lease) -> rules.Living:
    """A stay as rules see where somebody lives."""
    there, in_room = session.get_one(House, of.house_id), session.get_one(Room, of.room_id)
    return rules.Living(of.ref, there.ref, in_room.number, of.from_min, of.until_min)


def doors(session: Session, of: House, in_room: Room) -> dict[Device, int | None]:
    """Controllers that a stay in this room opens, and the mask of their points; None: all."""
    query = (
        select(HousePoint, Device)
        .join(Device, Device.id == HousePoint.device_id)
        .where(
            HousePoint.house_id == of.id,
            or_(HousePoint.room_id.is_(None), HousePoint.room_id == in_room.id),
            Device.ended_how.is_(None),
        )
    )
    masks: dict[Device, int] = {}
    for point, device in session.execute(query):
        masks[device] = masks.get(device, 0) | 1 << point.point
    return {
        device: None if mask == (1 << device.points) - 1 else mask
        for device, mask in sorted(masks.items(), key=lambda pair: pair[0].name)
    }


def doors_of(session: Session, of: Lease) -> dict[Device, int | None]:
    """As doors, of a stay."""
    house, in_room = session.get_one(House, of.house_id), session.get_one(Room, of.room_id)
    return doors(session, house, in_room)


def live_cards(session: Session, of: Lease) -> list[Card]:
    """Its cards that are out, by reference."""
    query = select(Card).where(Card.lease_id == of.id, Card.state == STATE_ISSUED)
    return list(session.scalars(query.order_by(Card.ref)))
