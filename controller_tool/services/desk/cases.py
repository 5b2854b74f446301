"""Breaches of the law or the rules, and what was decided (查处; host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import Case, House, Sanction
from controller_tool.registry.models import Person
from controller_tool.rules import cases as rules
from controller_tool.rules import duty, words
from controller_tool.rules.refusal import require, unknown
from controller_tool.services import audit, audit_texts, people, refs
from controller_tool.services.desk import operators, places
from controller_tool.services.desk.change import changing, wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

WHAT_MAX = 500
DOCUMENT_MAX = 64


@dataclass(frozen=True)
class SanctionLine:
    """What was decided, by which document."""

    kind: str
    document: str
    at_s: int
    operator: str


@dataclass(frozen=True)
class CaseLine:
    """A case; who: the party's name, or of the person whose stay was named."""

    ref: str
    house: str
    address: str
    party: str
    who: str
    what: str
    opened_at_s: int
    closed_at_s: int | None
    sanctions: tuple[SanctionLine, ...]


def open_case(
    site: Site, house: str, party: str, what: str, who: str = "", stay: str | None = None,
    dry_run: bool = False,
) -> CaseLine:  # fmt: skip
    """A breach in a house and who answers for it: a name, or somebody's stay by its reference.

    The landlord needs no name: it is the house's.
    """
    operators.require(site, duty.INSPECT)
    if stay is not None:
        places.unlock_for(site, stay)
    with changing(site, dry_run) as session:
        of = places.house(session, house)
        require(unknown(party, words.PARTIES))
        lease = None if stay is None else places.lease(site, session, stay)
        who = who or (of.landlord_name if party == rules.LANDLORD else "")
        require(rules.opened(who, lease is None, lease is None or lease.house_id == of.id))
        row = Case(
            ref=refs.following(session, Case.ref, "C"), house_id=of.id,
            person_id=lease.person_id if lease else None, party=party,
            party_name=people.short(who, people.NAME_MAX),
            what=wanted(what, WHAT_MAX, t("What was done")), opened_at_s=now_s(),
        )  # fmt: skip
        session.add(row)
        audit.append(session, site.operator, "case.open", ref=row.ref, house=of.ref, party=party)
        return _one(site, session, row)


def sanction(site: Site, ref: str, kind: str, document: str, dry_run: bool = False) -> CaseLine:
    """What was decided in a case, by the number of its document."""
    operators.require(site, duty.SANCTION)
    with changing(site, dry_run) as session:
        row = _find(session, ref)
        require(unknown(kind, words.SANCTIONS))
        require(rules.sanctioned(row.ref, row.closed_at_s is not None))
        number = wanted(document, DOCUMENT_MAX, t("The document's number"))
        session.add(Sanction(case_id=row.id, kind=kind, document=number, at_s=now_s(),
                             operator=site.operator))  # fmt: skip
        audit.append(session, site.operator, "case.sanction", ref=row.ref, kind=kind,
                     document=number)  # fmt: skip
        return _one(site, session, row)


def close(site: Site, ref: str, reason: str = "", dry_run: bool = False) -> CaseLine:
    """End a case: with a sanction, or by a reason why none was called for."""
    operators.require(site, duty.SANCTION)
    if reason.strip():
        site.unlock()  # the reason is sealed
    with changing(site, dry_run) as session:
        row = _find(session, ref)
        decided = bool(_one(site, session, row).sanctions)
        why = people.short(reason, WHAT_MAX)
        require(rules.closed(row.ref, row.closed_at_s is not None, decided, why))
        row.closed_at_s = now_s()
        said = audit_texts.keep(site, session, row.ref, why)
        audit.append(session, site.operator, "case.close", ref=row.ref, text=said)
        return _one(site, session, row)


def list_cases(site: Site, house: str | None = None, closed: bool = False) -> list[CaseLine]:
    """Open cases by reference, of all houses or one; closed: these too."""
    site.require_cards()
    with site.registry.session() as session:
        query = select(Case).order_by(Case.ref)
        if house is not None:
            query = query.where(Case.house_id == places.house(session, house).id)
        if not closed:
            query = query.where(Case.closed_at_s.is_(None))
        return _lines(site, session, list(session.scalars(query)))


def _find(session: Session, ref: str) -> Case:
    found = session.scalar(select(Case).where(Case.ref == ref.strip().upper()))
    if found is None:
        raise OperatorError(t("There is no case {case}", case=ref), t("See them with: case list"))
    return found


def _one(site: Site, session: Session, row: Case) -> CaseLine:
    session.flush()
    return _lines(site, session, [row])[0]


def _lines(site: Site, session: Session, rows: Sequence[Case]) -> list[CaseLine]:
    made: dict[int, list[SanctionLine]] = {row.id: [] for row in rows}
    of_them = select(Sanction).where(Sanction.case_id.in_(made)).order_by(Sanction.id)
    for one in session.scalars(of_them):
        made[one.case_id].append(SanctionLine(one.kind, one.document, one.at_s, one.operator))
    ids = {row.house_id for row in rows}
    named = select(House.id, House.ref, House.address).where(House.id.in_(ids))
    houses = {row[0]: (row[1], row[2]) for row in session.execute(named)}
    whom = {row.person_id for row in rows if row.person_id}
    persons = {
        row[0]: row[1]
        for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(whom)))
    }
    return [
        CaseLine(
            row.ref, *houses[row.house_id], row.party,
            operators.name_seen(
                site, session, persons[row.person_id] if row.person_id else row.party_name
            ),
            row.what,
            row.opened_at_s, row.closed_at_s, tuple(made[row.id]),
        )
        for row in rows
    ]  # fmt: skip
