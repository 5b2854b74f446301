"""Persons in the registry: found by a keyed index of the ID number, which is sealed (host)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool import id_number
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Person
from protocol.constants import ID_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.sealing import Vault
    from controller_tool.services.site import Site

NAME_MAX = 64
ROOM_MAX = 32
_INDEX = "id_number"


@dataclass(frozen=True)
class Holder:
    """Who gets a card, as the desk writes it down; the ID number may be missing."""

    name: str
    id_number: str = ""
    room: str = ""
    phone: str = ""


def take(site: Site, session: Session, holder: Holder) -> Person:
    """The person that ``holder`` means, new where the ID number is none or not known.

    Raises OperatorError when the number is wrong or belongs to somebody of another name.
    """
    if not holder.id_number:
        return add(site, session, holder.name, "", holder.room, holder.phone)
    number = require_good(holder.id_number)
    person = find(site, session, number)
    if person is None:
        return add(site, session, holder.name, number, holder.room, holder.phone)
    if person.name != holder.name.strip():
        raise OperatorError(
            t("This ID number belongs to somebody of another name"),
            t("Compare it with the document"),
        )
    person.room = _good_room(holder.room) or person.room
    return person


def is_short(text: str, longest: int) -> bool:
    """Whether a name or room can be kept: no control characters, no broken bytes."""
    return len(text) <= longest and text.isprintable()


def _good_room(room: str) -> str:
    """The room without blanks around it; it may be empty."""
    if not is_short(room.strip(), ROOM_MAX):
        raise OperatorError(
            t("The room is longer than {n} characters, or unprintable", n=ROOM_MAX),
            t("Correct it"),
        )
    return room.strip()


def index(vault: Vault, number: bytes, row_id: str) -> bytes:
    """What stands in the registry for an ID number so that it can be found; none has its own."""
    return vault.index(_INDEX, number or row_id.encode())


def find(site: Site, session: Session, number: str) -> Person | None:
    """The person with this normalised ID number."""
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


def add(
    site: Site, session: Session, name: str, number: str = "", room: str = "", phone: str = ""
) -> Person:
    """A new person; ``number`` is normalised and checked, or empty when it was not taken.

    Raises OperatorError for a name or room that is too long or would disturb a screen or list.
    """
    name, room = name.strip(), _good_room(room)
    if not name or not is_short(name, NAME_MAX):
        raise OperatorError(
            t("The name is empty, longer than {n} characters, or unprintable", n=NAME_MAX),
            t("Correct it"),
        )
    row_id = os.urandom(ID_BYTES).hex()
    seal = site.vault.seal
    person = Person(
        id=row_id,
        name=name,
        room=room,
        id_number_sealed=seal("persons", row_id, "id_number", number.encode()),
        id_number_index=index(site.vault, number.encode(), row_id),
        phone_sealed=seal("persons", row_id, "phone", phone.encode()) if phone else None,
        created_at_s=now_s(),
    )
    session.add(person)
    session.flush()
    return person
