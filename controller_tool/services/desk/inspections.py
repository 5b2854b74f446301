"""Visits to houses: what they found, and what they saw mended (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.messages import t
from controller_tool.registry.houses import Hazard, Inspection
from controller_tool.rules import duty, words
from controller_tool.rules import inspections as rules
from controller_tool.rules.refusal import require, unknown
from controller_tool.services import audit, people, refs
from controller_tool.services.desk import house_lines, house_view, houses, operators, places
from controller_tool.services.desk.change import changing, wanted

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from controller_tool.registry.houses import House
    from controller_tool.services.desk.house_lines import HouseLine
    from controller_tool.services.desk.house_view import HazardLine, Staying
    from controller_tool.services.site import Site

WHAT_MAX = 500


@dataclass(frozen=True)
class Found:
    """A hazard as the visitor writes it down; grade: code of rules.words."""

    grade: str
    what: str


@dataclass(frozen=True)
class Written:
    """A visit as it is written down; kind: code of rules.words.

    mended: references of the hazards that it saw mended.
    """

    kind: str
    passed: bool
    found: tuple[Found, ...] = ()
    mended: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Visited:
    """What came of a visit. found: the hazards it found, open: all that are open now.

    suspended: a major hazard has ended the admission; then staying are those who live there;
    class_follows: the class that should be given now, the house's own where none follows.
    """

    line: HouseLine
    passed: bool
    found: tuple[HazardLine, ...]
    open: tuple[HazardLine, ...]
    suspended: bool
    staying: tuple[Staying, ...]
    class_follows: str


def inspect(site: Site, text: str, written: Written, dry_run: bool = False) -> Visited:
    """Write down a visit of now; RuleRefused when it contradicts itself.

    A major hazard suspends an admitted house.
    """
    operators.require(site, duty.INSPECT)
    kind, passed, found = written.kind, written.passed, written.found
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        require(
            unknown(kind, words.INSPECTIONS), *(unknown(one.grade, words.GRADES) for one in found)
        )
        seen = {ref.strip().upper() for ref in written.mended}
        before = house_lines.open_hazards(session, house.id)
        require(rules.visit(kind, passed, [one.grade for one in found], seen, before))
        visit = Inspection(
            house_id=house.id, kind=kind, passed=passed, at_s=now_s(), operator=site.operator,
            note=people.short(written.note, WHAT_MAX),
        )  # fmt: skip
        session.add(visit)
        session.flush()
        new = [_add(session, house, visit, one) for one in found]
        for hazard in session.scalars(select(Hazard).where(*_of(house), Hazard.ref.in_(seen))):
            hazard.fixed_by_id = visit.id
        audit.append(
            session, site.operator, "house.inspect", ref=house.ref, kind=kind, passed=passed,
            found=new, mended=sorted(seen),
        )  # fmt: skip
        suspended = houses.suspend_for_hazard(site, session, house)
        return _result(session, house, visit, new, suspended)


def list_hazards(
    site: Site, house: str | None = None, mended: bool = False, overdue: bool = False
) -> list[HazardLine]:
    """Open hazards, those that are due first come first; mended: also what was mended."""
    site.require_cards()
    with site.registry.session() as session:
        of = None if house is None else places.house(session, house)
        found = house_view.hazards(session, now_s(), of, mended)
    return [one for one in found if one.overdue or not overdue]


def _add(session: Session, house: House, visit: Inspection, one: Found) -> str:
    row = Hazard(
        ref=refs.following(session, Hazard.ref, "Z"), house_id=house.id, inspection_id=visit.id,
        what=wanted(one.what, WHAT_MAX, t("What the hazard is")), grade=one.grade,
        due_s=rules.hazard_due_s(one.grade, visit.at_s),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.ref


def _of(house: House) -> tuple[ColumnElement[bool], ...]:
    return (Hazard.house_id == house.id, Hazard.fixed_by_id.is_(None))


def _result(
    session: Session, house: House, visit: Inspection, new: list[str], suspended: bool
) -> Visited:
    session.flush()
    left = house_view.hazards(session, visit.at_s, house)
    return Visited(
        house_lines.line(session, house, visit.at_s), visit.passed,
        tuple(one for one in left if one.ref in new), tuple(left), suspended,
        tuple(house_view.staying(session, house)) if suspended else (),
        house_view.class_that_follows(session, house, visit.at_s),
    )  # fmt: skip
