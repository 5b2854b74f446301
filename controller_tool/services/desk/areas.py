"""Districts, villages and grids, and what was counted in them on foot (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.registry.houses import Area
from controller_tool.rules import areas as rules
from controller_tool.rules import duty, key_areas, texts, words
from controller_tool.rules.refusal import require
from controller_tool.services import audit
from controller_tool.services.desk import house_lines, operators
from controller_tool.services.desk.change import changing, wanted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.rules.key_areas import Reason
    from controller_tool.services.site import Site

CODE_MAX = 32
NAME_MAX = 64


@dataclass(frozen=True)
class AreaLine:
    """An area in the tree; what is counted includes all that lies in it.

    depth: 0 for a district; houses: let houses that are registered; people: who stay in them, no
    visitors; key: why it is a key area, villages only.
    """

    code: str
    kind: str
    name: str
    parent: str | None
    depth: int
    houses: int
    houses_surveyed: int | None
    people: int
    migrants_surveyed: int | None
    key: Reason | None


def add(
    site: Site, code: str, kind: str, name: str, parent: str | None = None, dry_run: bool = False
) -> AreaLine:
    """A new area; kind is a code of rules.words. RuleRefused when it does not lie in its parent."""
    operators.require(site, duty.KEEP)
    with changing(site, dry_run) as session:
        code = wanted(texts.code(code), CODE_MAX, t("The code"))
        if session.get(Area, code) is not None:
            raise OperatorError(t("{name} is there already", name=code), t("Take another name"))
        over = None if parent is None else find(session, parent)
        require(rules.place(kind, over.kind if over else None))
        row = Area(code=code, kind=kind, name=wanted(name, NAME_MAX, t("The name")),
                   parent_code=over.code if over else None)  # fmt: skip
        session.add(row)
        audit.append(session, site.operator, "area.add", code=code, kind=kind, parent=parent)
        return _line(session, code)


def survey(
    site: Site, code: str, houses: int | None, migrants: int | None, dry_run: bool = False
) -> AreaLine:
    """Let houses and floating population as counted on foot; None leaves what was entered."""
    operators.require(site, duty.KEEP)
    with changing(site, dry_run) as session:
        row = find(session, code)
        require(rules.counted(houses, migrants))
        row.houses_surveyed = row.houses_surveyed if houses is None else houses
        row.migrants_surveyed = row.migrants_surveyed if migrants is None else migrants
        audit.append(session, site.operator, "area.survey", code=row.code, houses=houses,
                     migrants=migrants)  # fmt: skip
        return _line(session, row.code)


def tree(site: Site, code: str | None = None) -> list[AreaLine]:
    """All areas, or one and what lies in it; each before those that lie in it, by code."""
    site.require_cards()
    with site.registry.session() as session:
        top = None if code is None else find(session, code).code
        return _tree(session, top)


def find(session: Session, code: str, kind: str | None = None) -> Area:
    """The area with this code; OperatorError when there is none, or it is of another kind."""
    found = session.get(Area, texts.code(code))
    if found is None:
        raise OperatorError(t("There is no area {code}", code=code), t("See them with: area list"))
    if kind is not None and found.kind != kind:
        raise OperatorError(
            t("{code} is a {kind}, no {wanted}", code=found.code, kind=name_of("area", found.kind),
              wanted=name_of("area", kind)),
            t("See them with: area list"),
        )  # fmt: skip
    return found


def within(session: Session, code: str) -> set[str]:
    """Codes of an area and all that lies in it."""
    return {line.code for line in _tree(session, find(session, code).code)}


def _line(session: Session, code: str) -> AreaLine:
    session.flush()
    return _tree(session, code)[0]


def _tree(session: Session, top: str | None) -> list[AreaLine]:
    below: dict[str | None, list[Area]] = {}
    for area in session.scalars(select(Area).order_by(Area.code)):
        below.setdefault(area.parent_code, []).append(area)
    counts = house_lines.grid_counts(session)
    made: list[AreaLine] = []

    def visit(area: Area, depth: int) -> tuple[int, int]:
        place = len(made)
        houses, people = counts.get(area.code, (0, 0))
        for child in below.get(area.code, []):
            more_houses, more_people = visit(child, depth + 1)
            houses, people = houses + more_houses, people + more_people
        made.insert(place, _made(area, depth, houses, people))
        return houses, people

    roots = below.get(None, []) if top is None else [session.get_one(Area, top)]
    for area in roots:
        visit(area, 0)
    return made


def _made(area: Area, depth: int, houses: int, people: int) -> AreaLine:
    migrants = max(area.migrants_surveyed or 0, people)
    return AreaLine(
        area.code, area.kind, area.name, area.parent_code, depth, houses, area.houses_surveyed,
        people, area.migrants_surveyed,
        key_areas.of_village(migrants) if area.kind == words.VILLAGE else None,
    )  # fmt: skip
