"""Key areas, and houses that must have a smart door and have none that works (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.services.desk import areas, house_lines

if TYPE_CHECKING:
    from controller_tool.services.desk.areas import AreaLine
    from controller_tool.services.desk.house_lines import HouseLine
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class KeyPlaces:
    """Villages and houses that are key areas."""

    villages: list[AreaLine]
    houses: list[HouseLine]


@dataclass(frozen=True)
class Doors:
    """must_have: how many houses the order wants a smart door in; without: those with none."""

    must_have: int
    without: list[HouseLine]


def key_places(site: Site, area: str | None = None) -> KeyPlaces:
    """Of the site or of one area (by code). OperatorError for one that is none."""
    villages = [line for line in areas.tree(site, area) if line.key is not None]
    return KeyPlaces(villages, [line for line in _houses(site, area) if line.key])


def doors(site: Site, area: str | None = None) -> Doors:
    """Of the site or of one area (by code). OperatorError for one that is none."""
    must = [line for line in _houses(site, area) if line.must_have_door]
    return Doors(len(must), [line for line in must if line.door_gap is not None])


def _houses(site: Site, area: str | None) -> list[HouseLine]:
    site.require_cards()
    with site.registry.session() as session:
        codes = None if area is None else areas.within(session, area)
        found = house_lines.lines(session, now_s())
    return [line for line in found if codes is None or line.grid in codes]
