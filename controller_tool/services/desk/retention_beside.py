"""What is deleted beside persons: cases, landlords, contracts, answers of other systems (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from controller_tool.registry.houses import Case, House
from controller_tool.registry.models import Person
from controller_tool.registry.records import LogText
from controller_tool.registry.stays import DeliveryReject, Lease
from controller_tool.rules import retention as rules
from controller_tool.rules import words
from controller_tool.services.desk import holds

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_AT_ONCE = 500  # values in one statement


def cases(session: Session, limit: int, now: int) -> list[str]:
    """Blank the cases whose time is over, with their person's, else by their own end; their

    references. limit: days that data is kept.
    """
    query = (
        select(Case, Person.erased_at_s)
        .outerjoin(Person, Person.id == Case.person_id)
        .where(or_(Case.party_name != "", Case.what != ""))
        .order_by(Case.ref)
    )
    held = holds.on_houses(session)
    erased = []
    for case, person_erased_at_s in session.execute(query):
        of_person = case.person_id is not None
        if of_person and person_erased_at_s is None:
            continue
        orders, longer = held.get(case.house_id, ()), 0 if of_person else limit
        if rules.keeps_case(case.ref, case.closed_at_s, orders, longer, now) is not None:
            continue
        case.party_name = case.what = ""
        erased.append(case.ref)
    session.flush()
    return erased


def landlords(session: Session, limit: int, now: int) -> list[str]:
    """Blank the landlords of houses that were closed so long ago; references of the houses."""
    held = holds.on_houses(session)
    open_cases: dict[str, list[str]] = {}
    query = select(Case.house_id, Case.ref).where(Case.closed_at_s.is_(None)).order_by(Case.ref)
    for house_id, ref in session.execute(query):
        open_cases.setdefault(house_id, []).append(ref)
    closed = select(House).where(
        House.state == words.CLOSED, House.closed_at_s.is_not(None),
        or_(House.landlord_name != "", House.landlord_phone_sealed.is_not(None),
            House.landlord_document_sealed.is_not(None),
            House.ref.in_(select(LogText.subject))),
    )  # fmt: skip
    erased = []
    for house in session.scalars(closed.order_by(House.ref)):
        facts = rules.Facts(
            house.closed_at_s or 0, holds=held.get(house.id, ()),
            cases=tuple(open_cases.get(house.id, ())),
        )  # fmt: skip
        if rules.keeps(facts, limit, now) is None:
            house.landlord_name = ""
            house.landlord_phone_sealed = house.landlord_document_sealed = None
            erased.append(house.ref)
    session.flush()
    return erased


def of_persons(session: Session, person_ids: list[str]) -> None:
    """Blank contracts' numbers, and what other systems answered about these and their stays."""
    gone = set(person_ids)
    for first in range(0, len(person_ids), _AT_ONCE):
        some = person_ids[first : first + _AT_ONCE]
        session.execute(update(Lease).where(Lease.person_id.in_(some)).values(contract=""))
    if not gone:
        return
    stays = {ref for ref, of in session.execute(select(Lease.ref, Lease.person_id)) if of in gone}
    for reject in session.scalars(select(DeliveryReject).where(DeliveryReject.reason != "")):
        # marks.event_id: of a person by id, of a stay by reference and whether they came or left
        head = reject.event_id.rsplit("-", 2)[0]
        if head in gone or head.rpartition("-")[0] in stays:
            reject.reason = ""
