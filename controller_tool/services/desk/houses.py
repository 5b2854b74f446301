"""Houses from registration to their end: added, surveyed, classified, admitted, closed (host).

What is allowed is in rules.admission and rules.inspections. Whoever lives in a house that is
barred, suspended or closed is named in what these return: their stays end by check-out or
eviction, and no card ends by itself (ADR-0034).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool import id_number
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, Inspection, Room
from controller_tool.rules import admission, duty, inspections, landlords, texts, words
from controller_tool.rules import areas as area_rules
from controller_tool.rules.refusal import require, unknown
from controller_tool.services import audit, people, refs
from controller_tool.services.desk import (
    areas,
    change_stay,
    held_before,
    holds,
    house_lines,
    house_view,
    operators,
    places,
)
from controller_tool.services.desk.change import changing, wanted
from protocol.constants import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from controller_tool.services.desk.house_lines import HouseLine
    from controller_tool.services.desk.house_view import HouseView, Staying
    from controller_tool.services.site import Site

CODE_MAX, ADDRESS_MAX = 64, 200
_SEALED = ("landlord_phone", "landlord_document")


@dataclass(frozen=True)
class NewHouse:
    """A house as it is registered; type5, class4: codes of rules.words; grid: code of an area.

    mark: why it is a key area although no number makes it one.
    """

    address_code: str
    address: str
    grid: str
    type5: str
    rooms: int
    beds: int
    class4: str = words.WATCHED
    landlord: str = ""
    phone: str = ""
    document: str = ""
    resettlement: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Wish:
    """What is to change; None leaves it as it is, an empty text takes it away."""

    address: str | None = None
    grid: str | None = None
    type5: str | None = None
    landlord: str | None = None
    phone: str | None = None
    document: str | None = None
    resettlement: bool | None = None
    mark: str | None = None


@dataclass(frozen=True)
class Changed:
    """What became of a house. staying: who lives there although nothing is issued any more.

    shortened: references of stays that end earlier by the new class.
    """

    line: HouseLine
    before: str
    staying: tuple[Staying, ...] = ()
    shortened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contact:
    """How the landlord is reached."""

    house: str
    landlord: str
    phone: str
    document: str


def add(site: Site, new: NewHouse, dry_run: bool = False) -> HouseLine:
    """Register a house; it is known, and admitted later. OperatorError when it is there already."""
    operators.require(site, duty.KEEP)
    if new.phone or new.document:
        site.unlock()
    with changing(site, dry_run) as session:
        house = register(site, session, new)
        audit.append(session, site.operator, "house.add", ref=house.ref, grid=house.grid_code,
                     type5=house.type5, class4=house.class4)  # fmt: skip
        return house_lines.line(session, house, now_s())


def register(site: Site, session: Session, new: NewHouse) -> House:
    """As add, in the caller's transaction, which audits."""
    code = wanted(texts.code(new.address_code), CODE_MAX, t("The address code"))
    there = session.scalar(select(House.ref).where(House.address_code == code))
    if there is not None:
        raise OperatorError(
            t("Address code {code} is house {house} already", code=code, house=there),
            t("See it with: house show {house}", house=there),
        )
    require(
        unknown(new.type5, words.TYPES),
        unknown(new.class4, words.CLASSES),
        area_rules.counted(new.rooms, new.beds),
    )
    house = House(
        id=os.urandom(ID_BYTES).hex(), ref=refs.following(session, House.ref, "H"),
        address_code=code, address=wanted(new.address, ADDRESS_MAX, t("The address")),
        grid_code=areas.find(session, new.grid, words.GRID).code, type5=new.type5,
        class4=new.class4, state=words.KNOWN, rooms_declared=new.rooms,
        beds_declared=new.beds, landlord_name="", created_at_s=now_s(),
    )  # fmt: skip
    write_down(site, session, house, Wish(
        landlord=new.landlord, phone=new.phone, document=new.document,
        resettlement=new.resettlement, mark=new.mark,
    ))  # fmt: skip
    session.add(house)
    session.flush()
    return house


def change(site: Site, text: str, wish: Wish, dry_run: bool = False) -> HouseView:
    """Correct what is written down of a house."""
    operators.require(site, duty.KEEP)
    if _of_landlord(wish):
        site.unlock()  # to seal them, or what stood there under an order
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        write_down(site, session, house, wish)
        fields = sorted(name for name, value in vars(wish).items() if value is not None)
        audit.append(session, site.operator, "house.change", ref=house.ref, fields=fields)
        return house_view.view(session, house)


def list_houses(
    site: Site, area: str | None = None, class4: str | None = None, state: str | None = None
) -> list[HouseLine]:
    """All houses by reference, perhaps of one area, class or state only."""
    site.require_cards()
    with site.registry.session() as session:
        grids = None if area is None else areas.within(session, area)
        found = house_lines.lines(session, now_s())
    return [
        line for line in found
        if (grids is None or line.grid in grids)
        and class4 in (None, line.class4) and state in (None, line.state)
    ]  # fmt: skip


def without_door(site: Site, area: str | None = None) -> list[HouseLine]:
    """Let houses that must have a smart door and have none that works; door_gap says why."""
    return [line for line in list_houses(site, area) if line.door_gap is not None]


def survey(
    site: Site, text: str, rooms: int, beds: int, persons: int, dry_run: bool = False
) -> HouseView:
    """Rooms, beds and people as counted on foot today."""
    operators.require(site, duty.KEEP)
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        require(area_rules.counted(rooms, beds, persons))
        house.rooms_surveyed, house.beds_surveyed = rooms, beds
        house.people_surveyed, house.surveyed_at_s = persons, now_s()
        audit.append(session, site.operator, "house.survey", ref=house.ref, rooms=rooms, beds=beds,
                     people=persons)  # fmt: skip
        return house_view.view(session, house)


def classify(site: Site, text: str, class4: str, reason: str, dry_run: bool = False) -> Changed:
    """Give a house another class; RuleRefused when its open hazards do not allow it.

    Stays that outlast the new class are shortened; of a barred house they are named instead.
    """
    operators.require(site, duty.CLASSIFY)
    site.unlock()
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        why = wanted(reason, ADDRESS_MAX, t("The reason"))
        require(unknown(class4, words.CLASSES))
        left = house_lines.open_hazards(session, house.id)
        require(inspections.classify(house.class4, class4, left, now_s()))
        before, house.class4 = house.class4, class4
        house.state = admission.state_of(class4, house.state)
        shortened = change_stay.hold_to_class(site, session, house)
        audit.append(session, site.operator, "house.classify", ref=house.ref, before=before,
                     class4=class4, reason=why, shortened=shortened)  # fmt: skip
        return _changed(session, house, before, shortened)


def admit(site: Site, text: str, dry_run: bool = False) -> Changed:
    """Admit a house: from now on cards are issued; RuleRefused names all that lacks."""
    operators.require(site, duty.ADMIT)
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        require(admission.admit(_facts(session, house), now_s()))
        before = house.state
        house.state, house.admitted_at_s, house.closed_at_s = words.ADMITTED, now_s(), None
        audit.append(session, site.operator, "house.admit", ref=house.ref, before=before)
        return _changed(session, house, before)


def suspend(site: Site, text: str, reason: str, dry_run: bool = False) -> Changed:
    """Nothing is issued for it until it is admitted anew."""
    operators.require(site, duty.CLOSE_HOUSE)
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        why = wanted(reason, ADDRESS_MAX, t("The reason"))
        require(admission.suspend(_facts(session, house)))
        before, house.state = house.state, words.SUSPENDED
        audit.append(session, site.operator, "house.suspend", ref=house.ref, reason=why)
        return _changed(session, house, before)


def close(site: Site, text: str, reason: str, dry_run: bool = False) -> Changed:
    """It is let no more."""
    operators.require(site, duty.CLOSE_HOUSE)
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        why = wanted(reason, ADDRESS_MAX, t("The reason"))
        require(admission.close(_facts(session, house)))
        before, house.state, house.closed_at_s = house.state, words.CLOSED, now_s()
        audit.append(session, site.operator, "house.close", ref=house.ref, reason=why)
        return _changed(session, house, before)


def add_rooms(
    site: Site, text: str, numbers: Sequence[str], beds: int, dry_run: bool = False
) -> HouseView:
    """Rooms by the numbers on their doors, so many beds each; beds of those that are there change.

    OperatorError when more people stay in a room than it would have beds.
    """
    operators.require(site, duty.KEEP)
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        put_rooms(session, house, dict.fromkeys(numbers, beds))
        audit.append(session, site.operator, "house.rooms", ref=house.ref, rooms=list(numbers),
                     beds=beds)  # fmt: skip
        return house_view.view(session, house)


def put_rooms(session: Session, house: House, beds: Mapping[str, int]) -> None:
    """As add_rooms, in the caller's transaction, which audits. beds: by number of the room."""
    require(area_rules.counted(*beds.values()))
    there = {room.number: room for room in house_view.rooms(session, house)}
    for number, count in {
        wanted(texts.code(one), people.ROOM_MAX, t("The room")): count
        for one, count in beds.items()
    }.items():
        if number not in there:
            row_id = os.urandom(ID_BYTES).hex()
            session.add(Room(id=row_id, house_id=house.id, number=number, beds=count))
            continue
        _require_beds(there[number].number, there[number].taken, count)
        places.room(session, house, number).beds = count


def contact(site: Site, text: str) -> Contact:
    """The landlord's phone and document, unsealed; that somebody looked is on record."""
    operators.require(site, duty.SEE_DOCUMENTS)
    site.unlock()
    with changing(site, dry_run=False) as session:
        house = places.house(session, text)
        phone, document = opened(site, house)
        audit.append(session, site.operator, "house.contact_seen", ref=house.ref)
        return Contact(house.ref, house.landlord_name, phone, document)


def opened(site: Site, house: House) -> tuple[str, str]:
    """The landlord's phone and document, to compare with; who shows them writes down the look."""
    sealed = house.landlord_phone_sealed, house.landlord_document_sealed
    phone, document = (
        "" if one is None else site.vault.open("houses", house.id, column, one).decode()
        for column, one in zip(_SEALED, sealed, strict=True)
    )
    return phone, document


def write_down(site: Site, session: Session, house: House, wish: Wish) -> None:
    """As change, in the caller's transaction, which audits.

    Of a house that the police keep, what stood there of its landlord is kept.
    """
    held = _of_landlord(wish) and house.id in holds.on_houses(session)
    before = _landlord(site, house) if held else {}
    if wish.address is not None:
        house.address = wanted(wish.address, ADDRESS_MAX, t("The address"))
    if wish.grid is not None:
        house.grid_code = areas.find(session, wish.grid, words.GRID).code
    if wish.type5 is not None:
        require(unknown(wish.type5, words.TYPES))
        house.type5 = wish.type5
    if wish.landlord is not None:
        house.landlord_name = people.short(wish.landlord, people.NAME_MAX)
    if wish.resettlement is not None:
        house.resettlement = wish.resettlement
    if wish.mark is not None:
        house.key_mark = people.short(wish.mark, ADDRESS_MAX) or None
    phone = wish.phone and people.good_phone(wish.phone)
    document = wish.document and _good_document(wish.document)
    for column, value in zip(_SEALED, (phone, document), strict=True):
        if value is not None:
            setattr(house, f"{column}_sealed", _sealed(site, house, column, value))
    if held:
        now = _landlord(site, house)
        was = {name: value for name, value in before.items() if value != now[name]}
        held_before.keep_house(site, session, house, was)


def _of_landlord(wish: Wish) -> bool:
    return any(one is not None for one in (wish.landlord, wish.phone, wish.document))


def _landlord(site: Site, house: House) -> dict[str, str]:
    phone, document = opened(site, house)
    return {"landlord": house.landlord_name or "", "phone": phone, "document": document}


def _good_document(text: str) -> str:
    number = id_number.normalise(text)
    fault = landlords.document_fault(number, date.today())  # noqa: DTZ011 - a birth date has no zone
    if fault:
        raise OperatorError(
            t("The number of the document is wrong: {fault}", fault=fault),
            t("Compare it with the document"),
        )
    return number


def suspend_for_hazard(site: Site, session: Session, house: House) -> bool:
    """In the caller's transaction: whether a major hazard has ended the admission of a house."""
    if not inspections.suspends(house.state, house_lines.open_hazards(session, house.id)):
        return False
    house.state = words.SUSPENDED
    audit.append(session, site.operator, "house.suspend", ref=house.ref, reason="hazard")
    return True


def _changed(session: Session, house: House, before: str, shortened: Sequence[str] = ()) -> Changed:
    session.flush()
    issues = house.state == words.ADMITTED and house.class4 != words.BARRED
    staying = () if issues else tuple(house_view.staying(session, house))
    return Changed(house_lines.line(session, house, now_s()), before, staying, tuple(shortened))


def _facts(session: Session, house: House) -> admission.House:
    visits = select(Inspection).where(Inspection.house_id == house.id)
    found = list(session.scalars(visits.order_by(Inspection.at_s, Inspection.id)))
    since_s = house.closed_at_s or 0
    looked_at = any(one.kind == words.ADMISSION and one.at_s >= since_s for one in found)
    left = house_lines.open_hazards(session, house.id)
    return admission.House(
        ref=house.ref, class4=house.class4, state=house.state, landlord=house.landlord_name,
        beds=sum(room.beds for room in house_view.rooms(session, house)),
        surveyed=house.surveyed_at_s is not None, looked_at=looked_at,
        newest_passed=bool(found) and found[-1].passed,
        inspected_at_s=found[-1].at_s if found else None,
        open_major=tuple(hazard.ref for hazard in left if hazard.grade == words.MAJOR),
    )  # fmt: skip


def _sealed(site: Site, house: House, column: str, value: str) -> bytes | None:
    short = people.short(value, people.NAME_MAX)
    return site.vault.seal("houses", house.id, column, short.encode()) if short else None


def _require_beds(number: str, taken: int, beds: int) -> None:
    if taken > beds:
        raise OperatorError(
            t("{n} people stay in room {room}", n=taken, room=number),
            t("Check somebody out or move them first: tenant check-out, tenant move"),
        )
