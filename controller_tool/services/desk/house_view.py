"""One house with all that is known of it, and who lives there (host)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.registry.houses import Case, Hazard, House, HousePoint, Inspection, Room
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import inspections, words
from controller_tool.services.desk import house_lines, operators, places

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.services.desk.house_lines import HouseLine
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class RoomLine:
    """A room; taken: how many stay there, no visitors."""

    number: str
    beds: int
    taken: int


@dataclass(frozen=True)
class DoorLine:
    """A door or port of a house. door: from 1, as people count; heard_at_s: None for never."""

    device: str
    door: int
    use: str
    room: str | None
    camera: str | None
    enrolled: bool
    heard_at_s: int | None


@dataclass(frozen=True)
class Visit:
    """An inspection; found: references of the hazards that it found."""

    at_s: int
    kind: str
    passed: bool
    operator: str
    note: str
    found: tuple[str, ...]


@dataclass(frozen=True)
class HazardLine:
    """A hazard; mended_at_s: when somebody saw it mended, None while it is open."""

    ref: str
    house: str
    address: str
    grade: str
    what: str
    due_s: int
    overdue: bool
    mended_at_s: int | None


@dataclass(frozen=True)
class Staying:
    """Somebody who stays in a house. cards: references of those that are out."""

    stay: str
    name: str
    room: str
    kind: str
    until_min: int
    cards: tuple[str, ...]


@dataclass(frozen=True)
class HouseView:
    """A house in full. Phone and document of the landlord: only whether they are kept.

    visits: the newest first; class_follows: the class that inspections and hazards call for.
    """

    line: HouseLine
    landlord: str
    has_phone: bool
    has_document: bool
    resettlement: bool
    key_mark: str | None
    rooms_declared: int
    beds_declared: int
    rooms_surveyed: int | None
    beds_surveyed: int | None
    surveyed_at_s: int | None
    created_at_s: int
    admitted_at_s: int | None
    closed_at_s: int | None
    class_follows: str
    rooms: tuple[RoomLine, ...]
    doors: tuple[DoorLine, ...]
    visits: tuple[Visit, ...]
    hazards: tuple[HazardLine, ...]
    cases: tuple[str, ...]
    staying: tuple[Staying, ...]


def show(site: Site, text: str) -> HouseView:
    """The house with this reference or address code."""
    site.require_cards()
    with site.registry.session() as session:
        seen = view(session, places.house(session, text))
        named = partial(operators.name_seen, site, session)
        return replace(
            seen, landlord=named(seen.landlord),
            staying=tuple(replace(one, name=named(one.name)) for one in seen.staying),
        )  # fmt: skip


def view(session: Session, house: House) -> HouseView:
    """A house of an open session."""
    at_s = now_s()
    shown = house_lines.line(session, house, at_s)
    open_cases = select(Case.ref).where(Case.house_id == house.id, Case.closed_at_s.is_(None))
    return HouseView(
        line=shown,
        landlord=house.landlord_name,
        has_phone=house.landlord_phone_sealed is not None,
        has_document=house.landlord_document_sealed is not None,
        resettlement=house.resettlement,
        key_mark=house.key_mark,
        rooms_declared=house.rooms_declared,
        beds_declared=house.beds_declared,
        rooms_surveyed=house.rooms_surveyed,
        beds_surveyed=house.beds_surveyed,
        surveyed_at_s=house.surveyed_at_s,
        created_at_s=house.created_at_s,
        admitted_at_s=house.admitted_at_s,
        closed_at_s=house.closed_at_s,
        class_follows=class_that_follows(session, house, at_s),
        rooms=rooms(session, house),
        doors=doors(session, house),
        visits=_visits(session, house),
        hazards=tuple(hazards(session, at_s, house)),
        cases=tuple(session.scalars(open_cases.order_by(Case.ref))),
        staying=tuple(staying(session, house)),
    )


def class_that_follows(session: Session, house: House, at_s: int) -> str:
    """The class that inspections and hazards call for; the house's own where none follows."""
    visits = session.scalars(_newest(house).limit(inspections.GOOD_VISITS))
    passed = [visit.passed for visit in visits]
    left = house_lines.open_hazards(session, house.id)
    return inspections.class_that_follows(house.class4, left, passed, at_s)


def rooms(session: Session, house: House) -> tuple[RoomLine, ...]:
    """Its rooms by number."""
    count = select(Lease.room_id, func.count()).where(
        Lease.house_id == house.id, Lease.ended_at_s.is_(None), Lease.kind != words.VISITOR
    )
    taken = {row[0]: row[1] for row in session.execute(count.group_by(Lease.room_id))}
    found = session.scalars(select(Room).where(Room.house_id == house.id).order_by(Room.number))
    return tuple(RoomLine(room.number, room.beds, taken.get(room.id, 0)) for room in found)


def doors(session: Session, house: House) -> tuple[DoorLine, ...]:
    """Its doors and ports by controller."""
    query = (
        select(HousePoint, Device, Room.number)
        .join(Device, Device.id == HousePoint.device_id)
        .outerjoin(Room, Room.id == HousePoint.room_id)
        .where(HousePoint.house_id == house.id, Device.ended_how.is_(None))
        .order_by(Device.name, HousePoint.point)
    )
    return tuple(
        DoorLine(device.name, point.point + 1, point.use, room, point.camera,
                 device.enrolled_at_s is not None, device.last_heard_s)
        for point, device, room in session.execute(query)
    )  # fmt: skip


def staying(session: Session, house: House) -> list[Staying]:
    """Who stays there, visitors too, by room and reference; and the cards they hold."""
    query = (
        select(Lease, Person.name, Room.number)
        .join(Person, Person.id == Lease.person_id)
        .join(Room, Room.id == Lease.room_id)
        .where(Lease.house_id == house.id, Lease.ended_at_s.is_(None))
        .order_by(Room.number, Lease.ref)
    )
    out: dict[str | None, list[str]] = defaultdict(list)
    of_house = (
        select(Card.lease_id, Card.ref)
        .join(Lease, Lease.id == Card.lease_id)
        .where(Lease.house_id == house.id, Card.state == STATE_ISSUED)
        .order_by(Card.ref)
    )
    for lease_id, ref in session.execute(of_house):
        out[lease_id].append(ref)
    return [
        Staying(lease.ref, name, room, lease.kind, lease.until_min, tuple(out[lease.id]))
        for lease, name, room in session.execute(query)
    ]


def hazards(
    session: Session, at_s: int, house: House | None = None, mended: bool = False
) -> list[HazardLine]:
    """Hazards, of all houses or of one; those that are due first come first. mended: these too."""
    query = (
        select(Hazard, House.ref, House.address, Inspection.at_s)
        .join(House, House.id == Hazard.house_id)
        .outerjoin(Inspection, Inspection.id == Hazard.fixed_by_id)
        .order_by(Hazard.due_s, Hazard.ref)
    )
    if house is not None:
        query = query.where(Hazard.house_id == house.id)
    if not mended:
        query = query.where(Hazard.fixed_by_id.is_(None))
    return [
        HazardLine(
            one.ref, ref, address, one.grade, one.what, one.due_s,
            mended_at_s is None
            and inspections.is_overdue(inspections.Open(one.ref, one.grade, one.due_s), at_s),
            mended_at_s,
        )
        for one, ref, address, mended_at_s in session.execute(query)
    ]  # fmt: skip


def _visits(session: Session, house: House) -> tuple[Visit, ...]:
    found: dict[int, list[str]] = defaultdict(list)
    refs = select(Hazard.inspection_id, Hazard.ref).where(Hazard.house_id == house.id)
    for inspection_id, ref in session.execute(refs.order_by(Hazard.ref)):
        found[inspection_id].append(ref)
    return tuple(
        Visit(one.at_s, one.kind, one.passed, one.operator, one.note, tuple(found[one.id]))
        for one in session.scalars(_newest(house))
    )


def _newest(house: House) -> Select[Inspection]:
    query = select(Inspection).where(Inspection.house_id == house.id)
    return query.order_by(Inspection.at_s.desc(), Inspection.id.desc())
