"""A person as whoever asks may see them: the one place where numbers are masked (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool import id_number, travel_document
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, masking, words
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit, audit_texts, cards, people
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


@dataclass(frozen=True)
class PersonView:
    """What is shown. document: code of its kind; number, phone: masked unless ``revealed``;

    origin: where the household is registered; erased_at_s: personal data was deleted then.
    """

    id: str
    name: str
    document: str
    number: str
    phone: str
    sex: str
    origin: str
    employer: str
    erased_at_s: int | None
    revealed: bool = False


def seen(site: Site, session: Session, person: Person, role: str | None = None) -> PersonView:
    """A person, masked for the role of whoever works with ``site``.

    role: what operators.role_of said, for those who show many.
    """
    return _view(site, person, role or operators.role_of(site, session))


def whole(site: Site, person: Person) -> PersonView:
    """Nothing masked: to compare with, never to be shown."""
    return _view(site, person, None)


def show(site: Site, text: str) -> PersonView:
    """One person, masked."""
    with site.registry.session() as session:
        return seen(site, session, find(site, session, text))


def reveal(site: Site, text: str, reason: str, secret: str | None = None) -> PersonView:
    """Whole numbers, for a role that may see them and a reason; the look is audited first."""
    operators.require(site, duty.SEE_DOCUMENTS, secret)
    require_rules(masking.refuse_reveal(reason))
    site.unlock()
    with site.registry.writing() as session:
        person = find(site, session, text)
        said = audit_texts.keep(site, session, person.id, reason.strip())
        audit.append(session, site.operator, "person.view", person=person.id, text=said)
    return _view(site, person, None)


def find(site: Site, session: Session, text: str) -> Person:
    """By id, stay, card, ID number, or a name that one person alone has; OperatorError if none."""
    word = text.strip()
    found = (
        session.get(Person, word.lower())
        or _by_stay(session, word)
        or _by_document(site, session, word)
        or _by_card(session, word)
    )
    if found is not None:
        return found
    named = list(session.scalars(select(Person).where(Person.name == word).limit(2)))
    if len(named) == 1 and word:
        return named[0]
    if named:
        raise OperatorError(
            t("Several people are called {name}", name=word),
            t("Give a card, a stay or the ID number instead"),
        )
    raise OperatorError(
        t("Nobody is known by this"), t("Give a card, a stay, an ID number or a name")
    )


def _by_stay(session: Session, word: str) -> Person | None:
    lease = session.scalar(select(Lease).where(Lease.ref == word.upper()))
    return session.get(Person, lease.person_id) if lease else None


def _by_document(site: Site, session: Session, word: str) -> Person | None:
    number = id_number.normalise(word)
    kinds = (words.ID_CARD, *travel_document.KINDS) if number else ()
    found = (people.find(site, session, people.indexed(kind, number)) for kind in kinds)
    return next((person for person in found if person is not None), None)


def _by_card(session: Session, word: str) -> Person | None:
    card = cards.by_ref(session, word)
    return session.get(Person, card.person_id) if card and card.person_id else None


def _view(site: Site, person: Person, role: str | None) -> PersonView:
    """role: None shows whole numbers."""
    number = _opened(site, person, "id_number", person.id_number_sealed)
    phone = _opened(site, person, "phone", person.phone_sealed)
    return PersonView(
        id=person.id,
        name=person.name if role is None else masking.name(person.name, role),
        document=person.document,
        number=number if role is None else masking.document(number, role),
        phone=phone if role is None else masking.phone(phone, role),
        sex=person.sex,
        origin=person.origin,
        employer=person.employer,
        erased_at_s=person.erased_at_s,
        revealed=role is None,
    )


def _opened(site: Site, person: Person, column: str, sealed: bytes | None) -> str:
    return "" if sealed is None else site.vault.open("persons", person.id, column, sealed).decode()
