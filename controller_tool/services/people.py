"""Persons in the registry: found by a keyed index of the ID number, which is sealed (host)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool import id_number, travel_document
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Person
from controller_tool.rules import contact, texts, words
from controller_tool.rules.refusal import require
from protocol.constants import ID_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.sealing import Vault
    from controller_tool.services.site import Site

NAME_MAX = 64
ROOM_MAX = 32
BED_MAX = 16
_INDEX = "id_number"


@dataclass(frozen=True)
class Holder:
    """Somebody as the desk writes them down; the number of the document may be missing.

    id_number: of the document; document: its kind, a code of rules.words; sex: "M", "F" or empty,
    which an ID number says itself; origin: where the household is registered.
    """

    name: str
    id_number: str = ""
    room: str = ""
    phone: str = ""
    document: str = words.ID_CARD
    sex: str = ""
    origin: str = ""
    employer: str = ""


def take(site: Site, session: Session, holder: Holder) -> Person:
    """The person that ``holder`` means, new where the number is none or not known.

    What the desk knows better now is brought up to date. Raises OperatorError when the number is
    wrong or belongs to somebody of another name, RuleRefused for what is no phone number.
    """
    number = good_number(holder)
    holder = replace(holder, phone=good_phone(holder.phone))
    person = find(site, session, indexed(holder.document, number)) if number else None
    if person is None:
        return add(site, session, holder, number)
    if person.name != holder.name.strip():
        raise OperatorError(
            t("This ID number belongs to somebody of another name"),
            t("Compare it with the document"),
        )
    refresh(site, session, person, holder)
    return person


def refresh(site: Site, session: Session, person: Person, holder: Holder) -> bool:
    """Bring up to date what the desk knows better now; whether anything was otherwise.

    What is the same is not sealed anew. The room alone is no news: it moves with the stay. An entry
    that is another one now was compared with nobody yet; of one that the police keep, what stood
    there is kept.
    """
    from controller_tool.services.desk import held_before  # noqa: PLC0415 - orders look people up

    person.room = short(holder.room, ROOM_MAX) or person.room
    before, phone = kept(person), _phone(site, person) if holder.phone else ""
    if holder.sex and person.document != words.ID_CARD:
        person.sex = holder.sex
    person.origin = short(holder.origin, NAME_MAX) or person.origin
    person.employer = short(holder.employer, NAME_MAX) or person.employer
    if holder.phone and holder.phone != phone:
        person.phone_sealed = _seal_phone(site, person.id, holder.phone)
    was = {name: phone if name == "phone" else str(value)
           for name, value in before.items() if value != kept(person)[name]}  # fmt: skip
    if was:  # a spot check was of what stood there before
        person.verified_at_s = person.verified_good = None
        held_before.keep_person(site, session, person, was)
    return bool(was)


def kept(person: Person) -> dict[str, object]:
    """What the desk may correct, by the names that people know."""
    return {"name": person.name, "phone": person.phone_sealed, "sex": person.sex,
            "origin": person.origin, "employer": person.employer}  # fmt: skip


def renumber(site: Site, person: Person, number: str) -> None:
    """Another number of the same kind of document, as good_number has it; nobody else's."""
    person.id_number_sealed = site.vault.seal("persons", person.id, "id_number", number.encode())
    told = indexed(person.document, number)
    person.id_number_index = index(site.vault, told.encode(), person.id)
    if person.document == words.ID_CARD:
        person.sex = id_number.sex(number)


def known(site: Site, session: Session, holder: Holder) -> Person | None:
    """Who has this document already; OperatorError when its number is wrong."""
    number = good_number(holder)
    return find(site, session, indexed(holder.document, number)) if number else None


def good_number(holder: Holder) -> str:
    """The number of the document, normalised and checked; empty where none was taken."""
    if not holder.id_number or holder.document == words.NO_DOCUMENT:
        return ""
    if holder.document == words.ID_CARD:
        return require_good(holder.id_number)
    number = id_number.normalise(holder.id_number)
    fault = travel_document.fault(holder.document, number)
    if fault is not None:
        raise OperatorError(
            t("The number of the document is wrong: {fault}", fault=t(fault)),
            t("Compare it with the document"),
        )
    return number


def good_phone(text: str) -> str:
    """The phone number as it is kept, "" for none; RuleRefused for what is none."""
    require(contact.refuse_phone(text))
    return contact.phone(text) or ""


def is_short(text: str, longest: int) -> bool:
    """Whether a name or room can be kept: no control characters, nothing unseen."""
    return len(text) <= longest and texts.readable(text)


def short(text: str, longest: int) -> str:
    """The text without blanks around it, perhaps empty; OperatorError for what is not is_short."""
    if not is_short(text.strip(), longest):
        raise OperatorError(
            t("{text} is longer than {n} characters, or unprintable",
              text=ascii(text.strip()[:longest]), n=longest),
            t("Correct it"),
        )  # fmt: skip
    return text.strip()


def index(vault: Vault, number: bytes, row_id: str) -> bytes:
    """What stands in the registry for an ID number so that it can be found; none has its own."""
    return vault.index(_INDEX, number or row_id.encode())


def find(site: Site, session: Session, number: str) -> Person | None:
    """The person with this normalised ID number, or other document as indexed has it."""
    query = select(Person).where(Person.id_number_index == index(site.vault, number.encode(), ""))
    return session.scalar(query)


def require_good(number: str) -> str:
    """The number normalised; OperatorError when it cannot be one."""
    normal = id_number.normalise(number)
    fault = id_number.fault(normal, date.today())  # noqa: DTZ011 - a birth date has no zone
    if fault is not None:
        raise OperatorError(
            t("The ID number is wrong: {fault}", fault=t(id_number.FAULTS[fault])),
            t("Compare it with the document"),
        )
    return normal


def add(site: Site, session: Session, holder: Holder, number: str = "") -> Person:
    """A new person; ``number`` is normalised and checked, or empty when it was not taken.

    Raises OperatorError for a name or room that is too long or would disturb a screen or list.
    """
    person = made(site, holder, number)
    session.add(person)
    session.flush()
    return person


def made(site: Site, holder: Holder, number: str = "") -> Person:
    """The row of a new person, which the caller adds; as for add."""
    name = holder.name.strip()
    if not name or not is_short(name, NAME_MAX):
        raise OperatorError(
            t("The name is empty, longer than {n} characters, or unprintable", n=NAME_MAX),
            t("Correct it"),
        )
    row_id = os.urandom(ID_BYTES).hex()
    by_number = number and holder.document == words.ID_CARD
    return Person(
        id=row_id,
        name=name,
        room=short(holder.room, ROOM_MAX),
        id_number_sealed=site.vault.seal("persons", row_id, "id_number", number.encode()),
        id_number_index=index(site.vault, indexed(holder.document, number).encode(), row_id),
        phone_sealed=_seal_phone(site, row_id, holder.phone) if holder.phone else None,
        created_at_s=now_s(),
        document=holder.document,
        sex=id_number.sex(number) if by_number else holder.sex,
        origin=short(holder.origin, NAME_MAX),
        employer=short(holder.employer, NAME_MAX),
    )


def indexed(document: str, number: str) -> str:
    """What is found again: the same characters on another kind of document are somebody else's."""
    return number if document == words.ID_CARD or not number else f"{document}:{number}"


def _seal_phone(site: Site, row_id: str, phone: str) -> bytes:
    return site.vault.seal("persons", row_id, "phone", phone.encode())


def _phone(site: Site, person: Person) -> str:
    if person.phone_sealed is None:
        return ""
    return site.vault.open("persons", person.id, "phone", person.phone_sealed).decode()
