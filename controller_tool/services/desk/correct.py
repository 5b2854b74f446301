"""Corrects the entry of a person: name, number, phone, sex, household, employer (host).

The log says which fields became otherwise, and not what they said. Nobody has compared the new
entry with the person yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.rules import corrections as rules
from controller_tool.rules import duty, words
from controller_tool.rules.refusal import require
from controller_tool.services import audit, people
from controller_tool.services.desk import holds, operators, people_view
from controller_tool.services.desk.change import changing, wanted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Person
    from controller_tool.services.desk.people_view import PersonView
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Wish:
    """What is right; empty stays as it is. id_number: of the document that the entry has."""

    name: str = ""
    id_number: str = ""
    phone: str = ""
    sex: str = ""
    origin: str = ""
    employer: str = ""


@dataclass(frozen=True)
class Corrected:
    """The entry as the role may see it, and which fields are otherwise."""

    person: PersonView
    fields: tuple[str, ...]


def correct(site: Site, who: str, wish: Wish, dry_run: bool = False) -> Corrected:
    """Correct one person's entry, found as by people_view.find; RuleRefused, OperatorError."""
    operators.require(site, duty.CHECK_IN)
    site.unlock()
    with changing(site, dry_run) as session:
        person = people_view.find(site, session, who)
        name = wanted(wish.name, people.NAME_MAX, t("The name")) if wish.name else person.name
        holder = people.Holder(
            name, wish.id_number, person.room, people.good_phone(wish.phone), person.document,
            sex=wish.sex, origin=wish.origin, employer=wish.employer,
        )  # fmt: skip
        number = people.good_number(holder)
        fields = _fields(site, person, holder, number)
        require(
            rules.refuse(
                rules.Facts(
                    fields, person.erased_at_s is not None,
                    holds.standing(session, [person.id]).get(person.id, ()),
                    _taken(site, session, person, number),
                    "sex" in fields and person.document == words.ID_CARD,
                )
            )
        )  # fmt: skip
        people.refresh(site, session, person, holder)
        person.name = name
        if "id_number" in fields:
            people.renumber(site, person, number)
        person.verified_at_s = person.verified_good = None
        audit.append(session, site.operator, "person.correct", person=person.id, fields=fields)
        session.flush()
        return Corrected(people_view.seen(site, session, person), fields)


def _fields(site: Site, person: Person, holder: people.Holder, number: str) -> tuple[str, ...]:
    now = people_view.whole(site, person)
    pairs = (
        ("name", holder.name, now.name), ("id_number", number, now.number),
        ("phone", holder.phone, now.phone), ("sex", holder.sex, now.sex),
        ("origin", holder.origin.strip(), now.origin),
        ("employer", holder.employer.strip(), now.employer),
    )  # fmt: skip
    return tuple(name for name, right, was in pairs if right and right != was)


def _taken(site: Site, session: Session, person: Person, number: str) -> bool:
    if not number:
        return False
    other = people.find(site, session, people.indexed(person.document, number))
    return other is not None and other.id != person.id
