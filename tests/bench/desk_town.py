"""A district as a desk's registry has it after some years: houses, people, cards, doors (host).

200 houses in 20 grids of four villages, each with a door of its own and 100 more among them;
20 000 persons of whom three in four stay here, 60 000 cards over time, four in five of them ended,
one departure in a hundred not yet proven dead. Written row by row of plain values: nothing of it
was ever signed or sent.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.registry import bulk
from controller_tool.registry.houses import (
    Area,
    Case,
    Hazard,
    House,
    HousePoint,
    Inspection,
    Room,
    Sanction,
)
from controller_tool.registry.models import (
    STATE_COLLECTED,
    STATE_ISSUED,
    Card,
    Device,
    Grant,
    Person,
)
from controller_tool.registry.records import SentCard
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.services import cards, people
from protocol.constants import ID_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Base
    from controller_tool.services.site import Site

HOUSES, PERSONS, CARDS, DEVICES = 200, 20_000, 60_000, 300
DISTRICT = "330114"
_VILLAGES, _GRIDS = 4, 20
_ROOMS = 50
_STAY_IN_FOUR = 3
_LIST = 9  # the list that all controllers have receipted
_DAY_S = 86400
_TABLES: tuple[type[Base], ...] = (
    Area, Device, House, Room, HousePoint, Person, Lease, Card, Grant, SentCard, Inspection,
    Hazard, Case, Sanction,
)  # fmt: skip


@dataclass
class _Town:
    """Rows that are to be written, by table; every row of a table has the same columns."""

    site: Site
    now_s: int
    chance: random.Random
    rows: dict[type[Base], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, model: type[Base], **values: Any) -> dict[str, Any]:
        self.rows.setdefault(model, []).append(values)
        return values

    def seal(self, table: str, row_id: str, column: str, value: str) -> bytes:
        return self.site.vault.seal(table, row_id, column, value.encode())

    def days_ago(self, most: int) -> int:
        return self.now_s - self.chance.randrange(most * _DAY_S)


def build(
    site: Site,
    houses: int = HOUSES,
    persons: int = PERSONS,
    cards_count: int = CARDS,
    devices: int = DEVICES,
) -> None:
    """Fill the empty registry of a site; the same each time but for keys and nonces."""
    town = _Town(site, now_s(), random.Random(8))
    grids = _areas(town, persons, houses)
    doors = [_device(town, number) for number in range(devices)]
    made = [_house(town, number, grids, doors) for number in range(houses)]
    stays = [_person(town, number, made[number % houses]) for number in range(persons)]
    serving = {house["id"]: house_doors for house, _, house_doors in made}
    for number in range(cards_count):
        _card(town, number, stays[number % persons], serving)
    _visits(town, [house for house, _, _ in made])
    with site.registry.writing() as session:
        for model in _TABLES:
            _write(session, model, town.rows.get(model, []))


def _write(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = list(rows[0])
        bulk.insert_rows(session, model, columns, [tuple(row.values()) for row in rows])


def _areas(town: _Town, persons: int, houses: int) -> list[str]:
    area = {"houses_surveyed": None, "migrants_surveyed": None}
    town.add(Area, code=DISTRICT, kind=words.DISTRICT, name="钱塘区", parent_code=None, **area)
    for number in range(_VILLAGES):
        town.add(Area, code=f"{DISTRICT}-{number:02d}", kind=words.VILLAGE, name=f"第{number}村",
                 parent_code=DISTRICT, **area)  # fmt: skip
    for number in range(_GRIDS):
        town.add(Area, code=f"{DISTRICT}-{number % _VILLAGES:02d}-{number:02d}", kind=words.GRID,
                 name=f"第{number}网格", parent_code=f"{DISTRICT}-{number % _VILLAGES:02d}",
                 houses_surveyed=houses // _GRIDS, migrants_surveyed=persons // _GRIDS)  # fmt: skip
    return [row["code"] for row in town.rows[Area] if row["kind"] == words.GRID]


def _device(town: _Town, number: int) -> str:
    row_id = os.urandom(ID_BYTES).hex()
    town.add(
        Device, id=row_id, name=f"door-{number:03d}", kind="door", board="virtual_door", points=1,
        cards_max=20_000, created_at_s=town.now_s, enrolled_at_s=town.now_s,
        last_heard_s=town.days_ago(3), certificate_der=b"", version_floor=0,
        list_version_sent=_LIST, list_version_receipted=_LIST,
        card_key_sealed=town.site.vault.seal("devices", row_id, "card_key", os.urandom(32)),
    )  # fmt: skip
    return row_id


def _house(
    town: _Town, number: int, grids: list[str], doors: list[str]
) -> tuple[dict[str, Any], list[str], list[str]]:
    """The house, its rooms and its doors."""
    house_id, total = os.urandom(ID_BYTES).hex(), HOUSES
    mine = doors[number::total]
    house = town.add(
        House, id=house_id, ref=f"H{number + 1:05d}", address_code=f"A{number:05d}",
        address=f"新湾街{number + 1}号", grid_code=grids[number % len(grids)],
        type5=words.TYPES[number % len(words.TYPES)],
        class4=words.CLASSES[min(2, number % 17 // 7)],
        state=words.KNOWN if number % 50 == 0 else words.ADMITTED, rooms_declared=_ROOMS,
        beds_declared=2 * _ROOMS, rooms_surveyed=_ROOMS, beds_surveyed=2 * _ROOMS,
        people_surveyed=76, surveyed_at_s=town.days_ago(200), landlord_name="陈建国",
        resettlement=False, created_at_s=town.now_s,
    )  # fmt: skip
    rooms = []
    for room in range(_ROOMS):
        rooms.append(os.urandom(ID_BYTES).hex())
        town.add(Room, id=rooms[-1], house_id=house_id, number=str(101 + room), beds=2)
    for device_id in mine:
        town.add(HousePoint, device_id=device_id, point=0, house_id=house_id, use=words.ENTRANCE)
    return house, rooms, mine


def _person(
    town: _Town, number: int, where: tuple[dict[str, Any], list[str], list[str]]
) -> dict[str, Any]:
    """A person and the stay that they have or had; returns the stay."""
    row_id, id_number = os.urandom(ID_BYTES).hex(), f"3301021990{number:08d}"
    seen = number % 10 != 0
    town.add(
        Person, id=row_id, name=f"李强{number}", room="", document=words.ID_CARD, sex="M",
        origin="安徽", employer="", created_at_s=town.days_ago(700),
        id_number_sealed=town.seal("persons", row_id, "id_number", id_number),
        id_number_index=people.index(town.site.vault, id_number.encode(), row_id),
        phone_sealed=town.seal("persons", row_id, "phone", "13800000000"),
        verified_at_s=town.days_ago(100) if seen else None,
        verified_good=number % 100 != 1 if seen else None,
    )  # fmt: skip
    house, rooms, _ = where
    stays = number // HOUSES % (_STAY_IN_FOUR + 1) < _STAY_IN_FOUR
    return town.add(
        Lease, id=os.urandom(ID_BYTES).hex(), ref=f"L{number + 1:06d}", person_id=row_id,
        house_id=house["id"], room_id=rooms[number // HOUSES % _ROOMS],
        kind=words.WORKER if house["type5"] == words.ENTERPRISE else words.TENANT,
        from_min=town.now_s // 60 - 100_000, until_min=town.now_s // 60 + 100_000, profile_id=1,
        contract="", bed="", created_at_s=town.now_s,
        ended_at_s=None if stays else town.days_ago(500),
    )  # fmt: skip


def _card(town: _Town, number: int, stay: dict[str, Any], serving: dict[str, list[str]]) -> None:
    """A card of a stay, granted on the doors of its house: the newest is out while it lasts."""
    row_id, credential = os.urandom(ID_BYTES).hex(), credentials.parse(f"{number + 1:010d}")
    is_out = number < PERSONS and stay["ended_at_s"] is None
    town.add(
        Card, id=row_id, ref=f"K{number + 1:06d}", credential_type=credential.type,
        credential_sealed=town.site.vault.seal("cards", row_id, "credential", credential.data),
        credential_index=cards.index(town.site.vault, credential), flags=0, profile_id=1,
        state=STATE_ISSUED if is_out else STATE_COLLECTED, from_min=stay["from_min"],
        until_min=stay["until_min"], person_id=stay["person_id"], lease_id=stay["id"],
        issued_at_s=town.now_s, ended_at_s=None if is_out else town.days_ago(500),
    )  # fmt: skip
    dead_from = None if is_out else _LIST + 1 if number % 100 == 0 else _LIST
    for device_id in serving[stay["house_id"]]:
        town.add(Grant, card_id=row_id, device_id=device_id)
        town.add(SentCard, card_id=row_id, device_id=device_id, first_version=1,
                 dead_from_version=dead_from)  # fmt: skip


def _visits(town: _Town, houses: list[dict[str, Any]]) -> None:
    """Ten visits to each house, one hazard at each second of them; a case for every other house."""
    for number, house in enumerate(houses):
        for visit in range(10):
            key = number * 10 + visit + 1
            town.add(Inspection, id=key, house_id=house["id"], kind=words.PERIODIC, passed=True,
                     at_s=town.now_s - (10 - visit) * 30 * _DAY_S, operator="bench",
                     note="")  # fmt: skip
            if visit % 2 == 0:
                town.add(Hazard, ref=f"Z{key:05d}", house_id=house["id"], inspection_id=key,
                         what="楼道堆物", grade=words.MINOR, due_s=town.days_ago(100),
                         fixed_by_id=key + 1 if key % 7 else None)  # fmt: skip
        if number % 2 == 0:
            town.add(Case, id=number + 1, ref=f"C{number:05d}", house_id=house["id"],
                     party="landlord", party_name="陈建国", what="…", opened_at_s=town.now_s,
                     closed_at_s=None)  # fmt: skip
            if number % 4 == 0:
                town.add(Sanction, case_id=number + 1, kind=words.WARNING, document="2026-1",
                         at_s=town.now_s, operator="bench")  # fmt: skip
