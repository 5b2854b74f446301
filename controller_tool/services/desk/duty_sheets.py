"""One sheet for each person who answers for houses: what they need, and nothing more (host).

Only the houses of their own duty; of the people there the number, no name and no document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool import disk
from controller_tool.errors import OperatorError
from controller_tool.keys.files import FOLDER_MODE
from controller_tool.messages import name_of, t
from controller_tool.registry.houses import Area, Hazard, House
from controller_tool.registry.models import Operator
from controller_tool.registry.stays import Duty, Lease
from controller_tool.rules import duty as duty_rules
from controller_tool.rules import words
from controller_tool.services import audit, journal_read
from controller_tool.services.city.rows_places import moment
from controller_tool.services.desk import operators, tables

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime

_NO_FILE_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class Sheet:
    """Whose it is, where it lies (None for a dry run), and how many houses are on it."""

    operator: str
    path: Path | None
    houses: int


def export(site: Site, folder: Path, form: str = "xlsx", dry_run: bool = False) -> list[Sheet]:
    """A file for each duty holder in a new folder; OperatorError when it is there already.

    No folder where nobody answers for a house.
    """
    site.require_cards()
    operators.require(site, duty_rules.EXPORT)
    with site.registry.session() as session:
        local = journal_read.local_time(site, session)
        found = [
            (operator, _rows(session, local, houses))
            for operator, houses in _holders(session).items()
        ]
    if dry_run or not found:
        return [Sheet(operator, None, len(rows)) for operator, rows in found]
    try:
        folder.mkdir(FOLDER_MODE)
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be made ({error})", path=folder, error=error.strerror or error),
            t("Name a new folder") if folder.exists() else disk.next_step(error),
        ) from None
    audit.export_begun(site, "duties", ["duty"], len(found))
    headers = [t("house"), t("address"), t("class"), t("duty"), t("rooms"), t("people"),
               t("hazards"), t("next due")]  # fmt: skip
    made = []
    for number, (operator, rows) in enumerate(found, 1):
        name = _NO_FILE_NAME.sub("_", operator)[:40]
        path = folder / f"{number:03d}-{name}.{form}"
        tables.write(path, headers, rows, t("duty"))
        made.append(Sheet(operator, path, len(rows)))
    with site.registry.writing() as session:
        audit.append(session, site.operator, "export.duties", sheets=len(made))
    return made


def _holders(session: Session) -> dict[str, dict[str, tuple[House, set[str]]]]:
    """Houses by operator, with the duties that he or she has there; by operator's name."""
    below = _areas_below(session)
    houses = list(session.scalars(select(House).where(House.state != words.CLOSED)))
    query = (
        select(Operator.name, Duty)
        .join(Operator, Operator.id == Duty.operator_id)
        .where(Duty.ended_at_s.is_(None), Operator.ended_at_s.is_(None))
        .order_by(Operator.name, Duty.id)
    )
    found: dict[str, dict[str, tuple[House, set[str]]]] = {}
    for name, duty in session.execute(query):
        areas = below.get(duty.area_code or "", set())
        theirs = found.setdefault(name, {})
        for house in houses:
            if house.id == duty.house_id or house.grid_code in areas:
                theirs.setdefault(house.ref, (house, set()))[1].add(duty.duty)
    return found


def _areas_below(session: Session) -> dict[str, set[str]]:
    """Each area with all that lie in it; one that is its own parent ends there."""
    parents = {area.code: area.parent_code for area in session.scalars(select(Area))}
    below: dict[str, set[str]] = {code: set() for code in parents}
    for code in parents:
        at: str | None = code
        seen: set[str] = set()
        while at is not None and at not in seen:
            seen.add(at)
            below[at].add(code)
            at = parents.get(at)
    return below


def _rows(
    session: Session, local: SiteTime, houses: dict[str, tuple[House, set[str]]]
) -> list[list[object]]:
    stays = (
        select(Lease.house_id, func.count(func.distinct(Lease.person_id)))
        .where(Lease.ended_at_s.is_(None))
        .group_by(Lease.house_id)
    )
    people = {row[0]: row[1] for row in session.execute(stays)}
    hazards = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            select(Hazard.house_id, func.count(), func.min(Hazard.due_s))
            .where(Hazard.fixed_by_id.is_(None))
            .group_by(Hazard.house_id)
        )
    }
    rows: list[list[object]] = []
    for ref, (house, duties) in sorted(houses.items()):
        count, due_s = hazards.get(house.id, (0, None))
        named = ", ".join(name_of("duty", duty) for duty in sorted(duties))
        rows.append(
            [ref, house.address, name_of("class4", house.class4), named, house.rooms_declared,
             people.get(house.id, 0), count, moment(due_s, local)[:10]]
        )  # fmt: skip
    return rows
