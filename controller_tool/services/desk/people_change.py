"""Corrects what the desk wrote down of somebody; a spot check of it counts no more (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.rules import duty, words
from controller_tool.services import audit, people
from controller_tool.services.desk import operators, people_view

if TYPE_CHECKING:
    from controller_tool.registry.models import Person
    from controller_tool.services.desk.people_view import PersonView
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Wish:
    """What it should be; empty: as it is. sex: of who has no ID number, a code of rules.words."""

    name: str = ""
    phone: str = ""
    sex: str = ""
    origin: str = ""
    employer: str = ""


@dataclass(frozen=True)
class Changed:
    """The person as the role may see them; fields: names of what is otherwise now."""

    person: PersonView
    fields: tuple[str, ...]
    dry_run: bool


def change(site: Site, text: str, wish: Wish, dry_run: bool = False) -> Changed:
    """Correct a person, found as people_view.find does. OperatorError, RuleRefused."""
    operators.require(site, duty.CHECK_IN)
    asked = {name: value for name, value in vars(wish).items() if value.strip()}
    if not asked:
        raise OperatorError(t("It is not said what to correct"), t("Name at least one of them"))
    with site.registry.writing() as session, session.begin_nested() as trial:
        person = people_view.find(site, session, text)
        _require_fit(person, wish)
        before = people.kept(person)
        people.refresh(site, person, people.Holder(
            person.name, phone=people.good_phone(wish.phone), sex=wish.sex, origin=wish.origin,
            employer=wish.employer,
        ))  # fmt: skip
        person.name = people.short(wish.name, people.NAME_MAX) or person.name
        after = people.kept(person)
        fields = tuple(name for name, value in after.items() if value != before[name])
        if fields:
            person.verified_good = None
        audit.append(session, site.operator, "person.change", person=person.id, fields=fields)
        seen = people_view.seen(site, session, person)
        if dry_run:
            trial.rollback()
    return Changed(seen, fields, dry_run)


def _require_fit(person: Person, wish: Wish) -> None:
    if person.erased_at_s is not None:
        raise OperatorError(
            t("The personal data of this person was deleted"), t("Check them in anew")
        )
    if wish.sex and person.document == words.ID_CARD and person.sex not in ("", wish.sex):
        raise OperatorError(
            t("The ID number says otherwise"), t("Compare the number with the document")
        )
