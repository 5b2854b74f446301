"""A grid with a house, its rooms and its door, straight into the registry (host)."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from controller_tool import id_number
from controller_tool.clock import now_s
from controller_tool.registry.houses import Area, House, HousePoint, Room
from controller_tool.rules import words

if TYPE_CHECKING:
    from controller_tool.services.site import Site

GRID = "330114-01-01"


def number(first17: str) -> str:
    """A good ID number."""
    return first17 + id_number.check_digit(first17)


def day(days: int) -> str:
    """The date so many days from now."""
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - weeks of room around it


def add_areas(site: Site) -> None:
    """A district, a village, a grid."""
    with site.registry.writing() as session:
        session.add(Area(code="330114", kind=words.DISTRICT, name="钱塘区"))
        session.flush()
        session.add(Area(code="330114-01", kind=words.VILLAGE, name="新湾村", parent_code="330114"))
        session.flush()
        session.add(Area(code=GRID, kind=words.GRID, name="第一网格", parent_code="330114-01"))


def add_house(site: Site, ref: str = "H00001", rooms: dict[str, int] | None = None,
              doors: tuple[tuple[str, int], ...] = (("door-1", 0),),
              **facts: Any) -> House:  # fmt: skip
    """A house with rooms (beds by number) and entrances (controller, point); facts: of House."""
    rooms = {"101": 2, "102": 2} if rooms is None else rooms
    with site.registry.writing() as session:
        house = House(
            id=os.urandom(8).hex(), ref=ref, address_code=facts.pop("address_code", f"A-{ref}"),
            address="新湾街1号", grid_code=GRID, type5=facts.pop("type5", words.RURAL),
            class4=facts.pop("class4", words.TRUSTED), state=facts.pop("state", words.ADMITTED),
            rooms_declared=len(rooms), beds_declared=sum(rooms.values()), landlord_name="陈建国",
            created_at_s=now_s(), **facts,
        )  # fmt: skip
        session.add(house)
        session.flush()
        session.add_all(
            Room(id=os.urandom(8).hex(), house_id=house.id, number=number, beds=beds)
            for number, beds in rooms.items()
        )
        session.flush()
        for name, point in doors:
            device = site.device(name)
            session.add(HousePoint(device_id=device.id, point=point, house_id=house.id,
                                   use=words.ENTRANCE))  # fmt: skip
    return house
