"""Which let houses must have a smart door, and which of them have none that works (host, pure).

大江东管办发〔2018〕22号, 六(三): 出租居室达到3间以上或者出租床位达到3个以上. 「以上」 includes the
number.

- a house is let unless it is closed and nobody stays in it
- it must have a door with ROOMS_MIN rooms or BEDS_MIN beds: the most of what was declared, counted
  on foot and registered
- it has one when an entrance is served by an enrolled door controller that was heard in the last
  HEARD_H hours, or when each of its rooms has such a door of its own; charging ports are no doors
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.rules import words

ROOMS_MIN = 3
BEDS_MIN = 3
HEARD_H = 72

# why a house has no door that works (group "door_gap")
NO_DOOR, SOME_ROOMS, NOT_ENROLLED, SILENT = GAPS = (
    "no_door", "some_rooms", "not_enrolled", "silent",
)  # fmt: skip


@dataclass(frozen=True)
class Door:
    """A door controller's door of a house; times in seconds since 2020.

    use, room: as rules.words names it, and the number of the room whose own door it is;
    heard_at_s: None for a controller that was never heard.
    """

    use: str
    enrolled: bool
    heard_at_s: int | None
    room: str | None = None


@dataclass(frozen=True)
class House:
    """rooms, beds: the most of what is declared, surveyed, registered; room_numbers: registered."""

    state: str
    stays: int
    rooms: int
    beds: int
    room_numbers: frozenset[str]
    doors: tuple[Door, ...]


def is_let(state: str, stays: int) -> bool:
    """Whether a house counts as let."""
    return state != words.CLOSED or stays > 0


def must_have(house: House) -> bool:
    """Whether the order wants a smart door there."""
    return is_let(house.state, house.stays) and (house.rooms >= ROOMS_MIN or house.beds >= BEDS_MIN)


def gap(house: House, now_s: int, heard_h: int = HEARD_H) -> str | None:
    """Why a house that must have a door has none: one of GAPS; None where nothing is amiss."""
    if not must_have(house):
        return None
    doors = [door for door in house.doors if door.use != words.CHARGER]
    if not doors:
        return NO_DOOR
    if _enough(house, doors):
        enrolled = [door for door in doors if door.enrolled]
        if not _enough(house, enrolled):
            return NOT_ENROLLED
        oldest_s = now_s - heard_h * 3600
        heard = [d for d in enrolled if d.heard_at_s is not None and d.heard_at_s >= oldest_s]
        return None if _enough(house, heard) else SILENT
    return SOME_ROOMS


def _enough(house: House, doors: list[Door]) -> bool:
    """An entrance, or a door of its own for each room."""
    if any(door.use == words.ENTRANCE for door in doors):
        return True
    served = {door.room for door in doors}
    return bool(house.room_numbers) and house.room_numbers <= served
