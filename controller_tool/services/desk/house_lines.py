"""Houses as lists show them, in a constant number of queries however many there are (host)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import distinct, func, select

from controller_tool.registry.houses import Area, Hazard, House, HousePoint, Inspection, Room
from controller_tool.registry.models import Device
from controller_tool.registry.stays import Lease
from controller_tool.rules import inspections, key_areas, required_doors, words
from controller_tool.rules.inspections import Open

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from controller_tool.rules.key_areas import Reason

_STAYS = Lease.ended_at_s.is_(None)
_LIVES_THERE = (_STAYS, Lease.kind != words.VISITOR)


@dataclass(frozen=True)
class HouseLine:
    """A house and what is to be done about it; times in seconds since 2020.

    rooms, beds: the most of what was declared, surveyed and registered; people: who stay there, no
    visitors; inspect_due_s: None for a closed house, 0 where nobody ever inspected it; hazards,
    overdue: open ones; key: why it is a key area; must_have_door, door_gap: rules.required_doors.
    """

    ref: str
    address_code: str
    address: str
    grid: str
    type5: str
    class4: str
    state: str
    rooms: int
    beds: int
    people: int
    people_surveyed: int | None
    inspect_due_s: int | None
    hazards: int
    overdue: int
    key: tuple[Reason, ...]
    must_have_door: bool
    door_gap: str | None


def grid_counts(session: Session) -> dict[str, tuple[int, int]]:
    """Let houses and people who stay in them, by code of the grid."""
    stays = _stays(session, _STAYS)
    people = _people(session)
    found: dict[str, tuple[int, int]] = {}
    for house_id, grid, state in session.execute(select(House.id, House.grid_code, House.state)):
        houses, staying = found.get(grid, (0, 0))
        let = required_doors.is_let(state, stays[house_id])
        found[grid] = (houses + let, staying + people[house_id])
    return found


def lines(session: Session, now_s: int) -> list[HouseLine]:
    """All houses by reference."""
    reader = _Reader(session, now_s)
    return [reader.line(house) for house in reader.houses]


def line(session: Session, house: House, now_s: int) -> HouseLine:
    """One house of an open session."""
    session.flush()
    return _Reader(session, now_s).line(house)


def open_hazards(session: Session, house_id: str) -> list[Open]:
    """What nobody saw mended in a house, by reference."""
    return _open(session, Hazard.house_id == house_id)[house_id]


class _Reader:
    """All facts of a site at one moment."""

    def __init__(self, session: Session, now_s: int) -> None:
        self._now_s = now_s
        self.houses = list(session.scalars(select(House).order_by(House.ref)))
        self._people = _people(session)
        self._stays = _stays(session, _STAYS)
        self._rooms = _rooms(session)
        self._doors = _doors(session)
        self._inspected = _inspected(session)
        self._hazards = _open(session)
        self._villages = _Villages(session, self.houses, self._people)

    def line(self, house: House) -> HouseLine:
        """One of them."""
        rooms = self._rooms[house.id]
        most_rooms = max(house.rooms_declared, house.rooms_surveyed or 0, len(rooms))
        most_beds = max(house.beds_declared, house.beds_surveyed or 0, sum(rooms.values()))
        needs = required_doors.House(
            house.state, self._stays[house.id], most_rooms, most_beds, frozenset(rooms),
            tuple(self._doors[house.id]),
        )  # fmt: skip
        hazards = self._hazards[house.id]
        return HouseLine(
            house.ref, house.address_code, house.address, house.grid_code, house.type5,
            house.class4, house.state, most_rooms, most_beds, self._people[house.id],
            house.people_surveyed, self._due_s(house), len(hazards),
            sum(inspections.is_overdue(hazard, self._now_s) for hazard in hazards),
            key_areas.of_house(self._villages.facts(house)), required_doors.must_have(needs),
            required_doors.gap(needs, self._now_s),
        )  # fmt: skip

    def _due_s(self, house: House) -> int | None:
        if house.state == words.CLOSED:
            return None
        at_s = self._inspected.get(house.id)
        return 0 if at_s is None else inspections.due_s(house.class4, at_s)


class _Villages:
    """Who lives together where, as key areas are told by it."""

    def __init__(self, session: Session, houses: Iterable[House], people: Counter[str]) -> None:
        self._people = people
        self._areas = {area.code: area for area in session.scalars(select(Area))}
        self._village: Counter[str] = Counter()
        self._unit: Counter[tuple[str, str]] = Counter()
        self._compound: Counter[str] = Counter()
        for house in houses:
            village, here = self._village_of(house), self._most(house)
            self._village[village] += people[house.id]
            if house.type5 == words.ENTERPRISE:
                self._unit[village, house.landlord_name] += here
            if house.resettlement:
                self._compound[house.grid_code] += here

    def facts(self, house: House) -> key_areas.House:
        """What the rule looks at."""
        village, here = self._village_of(house), self._most(house)
        named = house.type5 == words.ENTERPRISE and house.landlord_name
        return key_areas.House(
            type5=house.type5,
            people=here,
            unit_workers=self._unit[village, house.landlord_name] if named else here,
            village_migrants=max(
                self._areas[village].migrants_surveyed or 0, self._village[village]
            ),
            compound_migrants=self._compound[house.grid_code] if house.resettlement else None,
            mark=house.key_mark,
        )

    def _village_of(self, house: House) -> str:
        return self._areas[house.grid_code].parent_code or house.grid_code

    def _most(self, house: House) -> int:
        return max(self._people[house.id], house.people_surveyed or 0)


def _people(session: Session) -> Counter[str]:
    return _stays(session, *_LIVES_THERE)


def _stays(session: Session, *which: ColumnElement[bool]) -> Counter[str]:
    """How many persons stay, by id of the house."""
    query = select(Lease.house_id, func.count(distinct(Lease.person_id))).where(*which)
    return Counter({row[0]: row[1] for row in session.execute(query.group_by(Lease.house_id))})


def _rooms(session: Session) -> dict[str, dict[str, int]]:
    """Beds by number of the room, by id of the house."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for house_id, number, beds in session.execute(select(Room.house_id, Room.number, Room.beds)):
        found[house_id][number] = beds
    return found


def _doors(session: Session) -> dict[str, list[required_doors.Door]]:
    """Doors of controllers that are in use, by id of the house."""
    query = (
        select(HousePoint.house_id, HousePoint.use, Room.number, Device.enrolled_at_s,
               Device.last_heard_s)
        .join(Device, Device.id == HousePoint.device_id)
        .outerjoin(Room, Room.id == HousePoint.room_id)
        .where(Device.ended_how.is_(None))
    )  # fmt: skip
    found: dict[str, list[required_doors.Door]] = defaultdict(list)
    for house_id, use, room, enrolled_s, heard_s in session.execute(query):
        found[house_id].append(required_doors.Door(use, enrolled_s is not None, heard_s, room))
    return found


def _inspected(session: Session) -> dict[str, int]:
    query = select(Inspection.house_id, func.max(Inspection.at_s)).group_by(Inspection.house_id)
    return {row[0]: row[1] for row in session.execute(query)}


def _open(session: Session, *which: ColumnElement[bool]) -> dict[str, list[Open]]:
    query = select(Hazard).where(Hazard.fixed_by_id.is_(None), *which).order_by(Hazard.ref)
    found: dict[str, list[Open]] = defaultdict(list)
    for hazard in session.scalars(query):
        found[hazard.house_id].append(Open(hazard.ref, hazard.grade, hazard.due_s))
    return found
