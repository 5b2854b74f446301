"""Orders of the police that keep a person's or a house's data, by number (host).

``standing`` is what whoever deletes anything asks first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House
from controller_tool.registry.models import Person
from controller_tool.registry.stays import Hold, Lease
from controller_tool.rules import duty, masking
from controller_tool.rules import holds as rules
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit
from controller_tool.services.desk import operators, people_view, places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from controller_tool.rules.holds import Order
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class HoldView:
    """An order. person: id, house: reference, one of them empty; stands: it keeps them now.

    name: of the person, masked for the role of whoever asks; empty where it was deleted.
    """

    id: int
    number: str
    authority: str
    person: str
    house: str
    from_s: int
    until_s: int | None
    released_at_s: int | None
    stands: bool
    name: str = ""


def add(
    site: Site, order: Order, person: str = "", house: str = "", dry_run: bool = False
) -> HoldView:
    """An order for one person (id, stay, card, ID number or name) or one house."""
    operators.require(site, duty.HOLD)
    if bool(person) == bool(house):
        raise OperatorError(
            t("An order names one person or one house"), t("Give --person or --house, one of them")
        )
    if person:
        site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        person_id = people_view.find(site, session, person).id if person else None
        house_id = places.house(session, house).id if house else None
        row = Hold(
            number=order.number.strip(), authority=order.authority.strip(), person_id=person_id,
            house_id=house_id, from_s=order.from_s, until_s=order.until_s,
        )  # fmt: skip
        require_rules(rules.refuse(order, _there(session, row)))
        session.add(row)
        session.flush()
        view = _view(session, row, operators.role_of(site, session))
        audit.append(
            session, site.operator, "hold.add", number=row.number, person=person_id or "",
            house=view.house, until_s=row.until_s,
        )  # fmt: skip
        if dry_run:
            trial.rollback()
    return view


def release(site: Site, number: str, dry_run: bool = False) -> list[HoldView]:
    """All that the order with this number keeps is free again."""
    operators.require(site, duty.RELEASE_HOLD)
    with site.registry.writing() as session, session.begin_nested() as trial:
        query = select(Hold).where(Hold.number == number.strip(), Hold.released_at_s.is_(None))
        rows = list(session.scalars(query.order_by(Hold.id)))
        if not rows:
            raise OperatorError(
                t("No order {number} stands", number=number), t("See the orders with: hold list")
            )
        for row in rows:
            row.released_at_s = now_s()
        audit.append(session, site.operator, "hold.release", number=number.strip(), count=len(rows))
        role = operators.role_of(site, session)
        views = [_view(session, row, role) for row in rows]
        if dry_run:
            trial.rollback()
    return views


def list_holds(site: Site, every: bool = False) -> list[HoldView]:
    """Those that stand or will; with ``every`` those that are over too."""
    with site.registry.session() as session:
        rows = session.scalars(select(Hold).order_by(Hold.id))
        role = operators.role_of(site, session)
        views = [_view(session, row, role) for row in rows]
    now = now_s()
    over = {v.id for v in views if v.released_at_s is not None or (v.until_s or now + 1) <= now}
    return [view for view in views if every or view.id not in over]


def standing(session: Session, person_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Numbers of the orders that stand now for each person, or a house they ever stayed in."""
    in_force, wanted = _in_force(), set(person_ids)
    of_person = select(Hold.person_id, Hold.number).where(Hold.person_id.is_not(None), *in_force)
    of_house = (
        select(Lease.person_id, Hold.number)
        .join(Hold, and_(Hold.house_id == Lease.house_id, *in_force))
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for query in (of_person, of_house):
        for person_id, number in session.execute(query):
            if person_id in wanted:
                found.setdefault(person_id, set()).add(number)
    return {person_id: tuple(sorted(numbers)) for person_id, numbers in found.items()}


def on_houses(session: Session) -> dict[str, tuple[str, ...]]:
    """Numbers of the orders that stand now for each house, by its id."""
    query = select(Hold.house_id, Hold.number).where(Hold.house_id.is_not(None), *_in_force())
    found: dict[str, tuple[str, ...]] = {}
    for house_id, number in session.execute(query.order_by(Hold.number)):
        assert house_id is not None  # noqa: S101 - the query says so
        found[house_id] = (*found.get(house_id, ()), number)
    return found


def _in_force() -> tuple[ColumnElement[bool], ...]:
    now = now_s()
    return (
        Hold.released_at_s.is_(None), Hold.from_s <= now,
        or_(Hold.until_s.is_(None), Hold.until_s > now),
    )  # fmt: skip


def _there(session: Session, row: Hold) -> bool:
    same = select(Hold.id).where(
        Hold.number == row.number,
        Hold.person_id.is_not_distinct_from(row.person_id),
        Hold.house_id.is_not_distinct_from(row.house_id),
    )
    return session.scalar(same) is not None


def _view(session: Session, row: Hold, role: str) -> HoldView:
    name = session.get_one(Person, row.person_id).name if row.person_id else ""
    return HoldView(
        row.id, row.number, row.authority, row.person_id or "",
        session.get_one(House, row.house_id).ref if row.house_id else "",
        row.from_s, row.until_s, row.released_at_s,
        rules.stands(row.from_s, row.until_s, row.released_at_s, now_s()),
        masking.name(name, role),
    )  # fmt: skip
