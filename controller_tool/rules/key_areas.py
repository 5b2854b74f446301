"""The five key areas of the order, and why a village or house is one (host, pure).

大江东管办发〔2018〕22号, 二. 「以上」 includes the number:

1. *village*: a village or community with VILLAGE_MIGRANTS or more of the floating population
2. *dormitory*: an enterprise with UNIT_WORKERS or more migrant workers in its dormitories
3. *gathering*: where they live together: long-let and hotel-style flats (the type), group lets
4. *resettlement*: a resettlement compound with many of them
5. *marked*: whatever else needs it, marked by hand with its reason

The order gives no number for group lets and for *many*: GROUP_PEOPLE and RESETTLEMENT_MIGRANTS are
ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.rules import words

VILLAGE_MIGRANTS = 2000
UNIT_WORKERS = 300
GROUP_PEOPLE = 10
RESETTLEMENT_MIGRANTS = 200

# group "key_area", in the order's own order
VILLAGE, DORMITORY, GATHERING, RESETTLEMENT, MARKED = KEY_AREAS = (
    "village", "dormitory", "gathering", "resettlement", "marked",
)  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """Which of the five. A house in a village that is a key area is one by its village.

    count: people that make it one, None where its kind does; note: why it was marked.
    """

    word: str
    count: int | None = None
    note: str = ""


@dataclass(frozen=True)
class House:
    """people: the more of those registered and those counted on foot.

    unit_workers: in all dormitories of the same enterprise; compound_migrants: in all resettlement
    houses of the same grid; village_migrants: of its village; mark: why it was marked by hand.
    """

    type5: str
    people: int
    unit_workers: int
    village_migrants: int
    compound_migrants: int | None
    mark: str | None


def of_village(migrants: int) -> Reason | None:
    """Why a village or community is a key area, or None."""
    return Reason(VILLAGE, migrants) if migrants >= VILLAGE_MIGRANTS else None


def of_house(house: House) -> tuple[Reason, ...]:
    """Why a house is, or lies in, a key area: all reasons, in the order's order."""
    found = [
        of_village(house.village_migrants),
        _dormitory(house),
        _gathering(house),
        _resettlement(house),
        Reason(MARKED, note=house.mark) if house.mark else None,
    ]
    return tuple(reason for reason in found if reason is not None)


def _dormitory(house: House) -> Reason | None:
    if house.type5 != words.ENTERPRISE or house.unit_workers < UNIT_WORKERS:
        return None
    return Reason(DORMITORY, house.unit_workers)


def _gathering(house: House) -> Reason | None:
    if house.type5 == words.APARTMENT:
        return Reason(GATHERING)
    if house.type5 != words.ENTERPRISE and house.people >= GROUP_PEOPLE:
        return Reason(GATHERING, house.people)
    return None


def _resettlement(house: House) -> Reason | None:
    migrants = house.compound_migrants
    if migrants is None or migrants < RESETTLEMENT_MIGRANTS:
        return None
    return Reason(RESETTLEMENT, migrants)
