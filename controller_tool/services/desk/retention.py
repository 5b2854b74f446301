"""Deletes personal data whose time is over, unless something keeps it (host).

Name, document, phone, origin, employer, room and sex are blanked, the numbers of their contracts,
what their cases tell, why somebody looked at them, and what other systems answered about them; the
rows stay, and with them what journals, stays and cards refer to. Cases without a person of the
registry, and landlords of houses, are blanked as long after these were closed
(services.desk.retention_beside). Copies in backups and exported folders are not reached.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.registry.houses import Case
from controller_tool.registry.models import STATE_ISSUED, Card, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, words
from controller_tool.rules import retention as rules
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit, audit_texts, cards, people, rules_room
from controller_tool.services.desk import holds, operators, people_view, retention_beside

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.rules.refusal import Refusal
    from controller_tool.services.site import Site

_DAYS = "retention_days"
_ENTRY_PERSONS = 500  # in one entry of the operators' log


@dataclass(frozen=True)
class Erased:
    """Ids of the persons whose data is deleted, or would be; kept: how many each rule keeps.

    cases: references of those that are blanked; houses: of those whose landlord is.
    """

    days: int
    erased: tuple[str, ...]
    cases: tuple[str, ...]
    houses: tuple[str, ...]
    kept: dict[str, int]
    dry_run: bool


def days(site: Site) -> int:
    """For how many days personal data is kept after the last stay ended."""
    with site.registry.session() as session:
        return _days(session)


def set_days(site: Site, wanted: int, dry_run: bool = False) -> int:
    """Another number of days; nothing is deleted by that alone."""
    operators.require(site, duty.RETENTION)
    require_rules(rules.refuse_days(wanted))
    with site.registry.writing() as session, session.begin_nested() as trial:
        before = _days(session)
        if wanted != before:
            rules_room.put_setting(session, _DAYS, str(wanted))
            audit.append(session, site.operator, "site.retention", days=wanted, before=before)
        if dry_run:
            trial.rollback()
    return wanted


def keeps(site: Site, text: str) -> Refusal | None:
    """What keeps one person's data now, or None when it is to be deleted."""
    with site.registry.session() as session:
        person = people_view.find(site, session, text)
        facts = _facts(session, [person])[person.id]
        return rules.keeps(facts, _days(session), now_s())


def erase_due(site: Site, dry_run: bool = False) -> Erased:
    """Delete the data of all whose time is over; one transaction, each person on record."""
    operators.require(site, duty.RETENTION)
    site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        limit, now = _days(session), now_s()
        living = select(Person).where(Person.erased_at_s.is_(None))
        persons = list(session.scalars(living.order_by(Person.id)))
        facts = _facts(session, persons)
        kept: Counter[str] = Counter()
        due: list[Person] = []
        for person in persons:
            refusal = rules.keeps(facts[person.id], limit, now)
            if refusal is None:
                due.append(person)
            else:
                kept[refusal.rule] += 1
        for person in due:
            _erase(site, person, now)
        ids = [person.id for person in due]
        session.flush()
        cases = retention_beside.cases(session, limit, now)
        houses = retention_beside.landlords(session, limit, now)
        retention_beside.of_persons(session, ids)
        audit_texts.forget(session, [*ids, *cases, *houses])
        for first in range(0, len(ids), _ENTRY_PERSONS):
            some = ids[first : first + _ENTRY_PERSONS]
            audit.append(session, site.operator, "person.erase", persons=some, days=limit)
        for first in range(0, len(cases), _ENTRY_PERSONS):
            of = cases[first : first + _ENTRY_PERSONS]
            audit.append(session, site.operator, "case.erase", cases=of, days=limit)
        if houses:
            audit.append(session, site.operator, "house.erase", houses=houses, days=limit)
        if dry_run:
            trial.rollback()
    return Erased(limit, tuple(ids), tuple(cases), tuple(houses), dict(kept), dry_run)


def _days(session: Session) -> int:
    return int(rules_room.get_setting(session, _DAYS, str(rules.DEFAULT_DAYS)))


def _facts(session: Session, persons: list[Person]) -> dict[str, rules.Facts]:
    """What counts for each of them, in a handful of queries however many they are."""
    ids = {person.id for person in persons}
    here = _refs(session, select(Lease.person_id, Lease.ref).where(Lease.ended_at_s.is_(None)))
    owned = select(Card.person_id, Card.ref).where(Card.person_id.is_not(None))
    out = _refs(session, owned.where(Card.state == STATE_ISSUED))
    ended = owned.where(Card.state != STATE_ISSUED, Card.id.in_(cards.waiting()))
    open_cases = select(Case.person_id, Case.ref).where(
        Case.person_id.is_not(None), Case.closed_at_s.is_(None)
    )
    unproven, cases = _refs(session, ended), _refs(session, open_cases)
    held = holds.standing(session, ids)
    last: dict[str, int] = {}
    for query in (
        select(Lease.person_id, func.max(Lease.ended_at_s)).group_by(Lease.person_id),
        select(Card.person_id, func.max(Card.ended_at_s)).group_by(Card.person_id),
    ):
        for person_id, at_s in session.execute(query):
            if at_s is not None and person_id in ids:
                last[person_id] = max(last.get(person_id, at_s), at_s)
    return {
        person.id: rules.Facts(
            last_end_s=last.get(person.id, person.created_at_s),
            erased=person.erased_at_s is not None,
            stays=here.get(person.id, ()),
            cards_out=out.get(person.id, ()),
            unproven=unproven.get(person.id, ()),
            holds=held.get(person.id, ()),
            cases=cases.get(person.id, ()),
        )
        for person in persons
    }


def _refs(session: Session, query: Select[Any, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for person_id, ref in session.execute(query):
        found.setdefault(person_id, []).append(ref)
    return {person_id: tuple(sorted(refs)) for person_id, refs in found.items()}


def _erase(site: Site, person: Person, at_s: int) -> None:
    person.name = person.room = person.origin = person.employer = person.sex = ""
    person.id_number_sealed = site.vault.seal("persons", person.id, "id_number", b"")
    person.id_number_index = people.index(site.vault, b"", person.id)
    person.phone_sealed = None
    person.document = words.NO_DOCUMENT
    person.erased_at_s = at_s
