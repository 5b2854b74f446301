"""Who answers for which area or house: 定人, 定岗, 定责 (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import Area, House
from controller_tool.registry.models import Operator
from controller_tool.registry.stays import Duty
from controller_tool.rules import duty as rules
from controller_tool.rules import words
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit
from controller_tool.services.desk import operators, places

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


@dataclass(frozen=True)
class DutyView:
    """A duty of a named operator; area: its code, house: its reference, one of them empty."""

    id: int
    operator: str
    duty: str
    area: str
    house: str
    ended_at_s: int | None


def add(
    site: Site, name: str, duty: str, area: str = "", house: str = "", dry_run: bool = False
) -> DutyView:
    """A duty for one area or one house; the same twice is refused."""
    operators.require(site, rules.OPERATORS)
    if duty not in words.DUTIES:
        raise OperatorError(
            t("There is no duty {duty}", duty=duty), t("Duties: {duties}",
                                                       duties=", ".join(words.DUTIES)),
        )  # fmt: skip
    if bool(area) == bool(house):
        raise OperatorError(
            t("A duty is for one area or one house"), t("Give --area or --house, one of them")
        )
    with site.registry.writing() as session, session.begin_nested() as trial:
        row = operators.get(session, name)
        require_rules(rules.in_service(operators.who(name, row)))
        made = Duty(
            operator_id=row.id, duty=duty,
            area_code=_area(session, area) if area else None,
            house_id=places.house(session, house).id if house else None,
        )  # fmt: skip
        if _there(session, made):
            raise OperatorError(
                t("{name} has this duty already", name=name), t("See them with: operator duty list")
            )
        session.add(made)
        session.flush()
        view = _view(session, made)
        audit.append(
            session, site.operator, "duty.add", name=name, duty=duty, area=view.area,
            house=view.house,
        )  # fmt: skip
        if dry_run:
            trial.rollback()
    return view


def end(site: Site, number: int, dry_run: bool = False) -> DutyView:
    """It is over; it stays on the books. Doing it twice changes nothing."""
    operators.require(site, rules.OPERATORS)
    with site.registry.writing() as session, session.begin_nested() as trial:
        row = session.get(Duty, number)
        if row is None:
            raise OperatorError(
                t("There is no duty {duty}", duty=number), t("See them with: operator duty list")
            )
        if row.ended_at_s is None:
            row.ended_at_s = now_s()
            audit.append(session, site.operator, "duty.end", duty=row.id)
        view = _view(session, row)
        if dry_run:
            trial.rollback()
    return view


def list_duties(site: Site, name: str | None = None, ended: bool = False) -> list[DutyView]:
    """By number, perhaps of one operator; with ``ended`` those that are over too."""
    query = select(Duty).join(Operator, Operator.id == Duty.operator_id).order_by(Duty.id)
    if name is not None:
        query = query.where(Operator.name == name)
    if not ended:
        query = query.where(Duty.ended_at_s.is_(None), Operator.ended_at_s.is_(None))
    with site.registry.session() as session:
        return [_view(session, row) for row in session.scalars(query)]


def _area(session: Session, code: str) -> str:
    found = session.get(Area, code.strip())
    if found is None:
        raise OperatorError(t("There is no area {area}", area=code), t("See them with: area list"))
    return found.code


def _there(session: Session, made: Duty) -> bool:
    same = select(Duty).where(
        Duty.operator_id == made.operator_id, Duty.duty == made.duty,
        Duty.area_code.is_not_distinct_from(made.area_code),
        Duty.house_id.is_not_distinct_from(made.house_id), Duty.ended_at_s.is_(None),
    )  # fmt: skip
    return session.scalar(same) is not None


def _view(session: Session, row: Duty) -> DutyView:
    house = session.get_one(House, row.house_id).ref if row.house_id else ""
    name = session.get_one(Operator, row.operator_id).name
    return DutyView(row.id, name, row.duty, row.area_code or "", house, row.ended_at_s)
