"""What the rates are made of, read from the registry in a constant number of queries (host).

Every list is of the whole site: services.desk.rates picks what is asked for. No name and no
number of a person is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import case, distinct, exists, func, or_, select
from sqlalchemy.orm import aliased

from controller_tool.registry.houses import Area, Case, Hazard, House, Inspection, Room, Sanction
from controller_tool.registry.models import STATE_ISSUED, STATE_REPLACED, Card, Device, Person
from controller_tool.registry.records import SentCard
from controller_tool.registry.sealing import EMPTY_BYTES
from controller_tool.registry.stays import Lease
from controller_tool.rules import rates, words
from controller_tool.services import cards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

_KEYS_A_QUERY = 10_000  # databases take some 30 000 values in one
_HAS_LEFT = Lease.ended_at_s.is_not(None)


class Entry(NamedTuple):
    """A person who stays in a house, as far as an entry can be right or wrong."""

    house_id: str
    ref: str
    room: str
    kind: str
    person_id: str
    created_at_s: int
    verified_at_s: int | None
    verified_good: bool | None
    document: str
    sex: str
    origin: str
    has_phone: bool
    number_bytes: int
    name: str

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the fields that nobody filled in."""
        has_number = self.document != words.NO_DOCUMENT and self.number_bytes > EMPTY_BYTES
        filled = (("document", has_number), ("sex", self.sex), ("origin", self.origin),
                  ("phone", self.has_phone))  # fmt: skip
        return tuple(name for name, there in filled if not there)


class Danger(NamedTuple):
    """A hazard and who saw it mended."""

    house_id: str
    ref: str
    what: str
    grade: str
    due_s: int
    found_at_s: int
    mended_at_s: int | None
    same_visit: bool


class Breach(NamedTuple):
    """A case; what it is about stays in the registry, for it may name people."""

    house_id: str
    ref: str
    party: str
    closed: bool
    sanctioned: bool


@dataclass
class Departure:
    """A departure that is not done; house_id: None for a card of no stay."""

    house_id: str | None
    subject: str
    still_issued: bool = False
    of: int = 0
    devices: tuple[str, ...] = ()
    room: str = ""
    name: str = ""


@dataclass(frozen=True)
class Facts:
    """departures: how many there are, by house; undone: those of them that are not done."""

    areas: Sequence[Area]
    houses: Sequence[House]
    entries: Sequence[Entry]
    dangers: Sequence[Danger]
    breaches: Sequence[Breach]
    departures: dict[str | None, int]
    undone: Sequence[Departure]


def read(session: Session) -> Facts:
    """All of it, as one transaction sees it."""
    counts = session.execute(
        _departures(Lease.house_id, func.count(distinct(_KEY))).group_by(Lease.house_id)
    )
    return Facts(
        areas=session.scalars(select(Area).order_by(Area.code)).all(),
        houses=session.scalars(select(House).order_by(House.ref)).all(),
        entries=[Entry(*row) for row in session.execute(_entries())],
        dangers=[Danger(*row) for row in session.execute(_dangers())],
        breaches=[Breach(*row) for row in session.execute(_breaches())],
        departures={row[0]: row[1] for row in counts},
        undone=_undone(session),
    )


def _entries() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Lease.house_id, Lease.ref, Room.number, Lease.kind, Person.id, Person.created_at_s,
            Person.verified_at_s, Person.verified_good, Person.document, Person.sex, Person.origin,
            Person.phone_sealed.is_not(None), func.length(Person.id_number_sealed), Person.name,
        )
        .join(Person, Person.id == Lease.person_id)
        .join(Room, Room.id == Lease.room_id)
        .where(Lease.ended_at_s.is_(None), Lease.kind.in_(rates.POPULATION))
        .order_by(Lease.ref)
    )  # fmt: skip


def _dangers() -> Select[*tuple[Any, ...]]:
    found, mended = aliased(Inspection), aliased(Inspection)
    return (
        select(
            Hazard.house_id, Hazard.ref, Hazard.what, Hazard.grade, Hazard.due_s, found.at_s,
            mended.at_s, func.coalesce(Hazard.fixed_by_id == Hazard.inspection_id, False),
        )
        .join(found, found.id == Hazard.inspection_id)
        .outerjoin(mended, mended.id == Hazard.fixed_by_id)
        .order_by(Hazard.due_s, Hazard.ref)
    )  # fmt: skip


def _breaches() -> Select[*tuple[Any, ...]]:
    sanctioned = exists().where(Sanction.case_id == Case.id)
    columns = (Case.house_id, Case.ref, Case.party, Case.closed_at_s.is_not(None), sanctioned)
    return select(*columns).order_by(Case.ref)


# A card belongs to the departure of its stay when that has ended, else to one of its own.
_KEY = case((_HAS_LEFT, Lease.id), else_=Card.id)
_SUBJECT = case((_HAS_LEFT, Lease.ref), else_=Card.ref)
_WHOSE = (_KEY, Lease.house_id, _SUBJECT, func.coalesce(Room.number, Person.room, ""),
          func.coalesce(Person.name, ""))  # fmt: skip


def _departures(*columns: Any) -> Select[*tuple[Any, ...]]:
    ended = Card.state.not_in((STATE_ISSUED, STATE_REPLACED))
    return (
        select(*columns)
        .select_from(Card)
        .outerjoin(Lease, Lease.id == Card.lease_id)
        .where(or_(_HAS_LEFT, ended))
    )


def _held_by(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The same joined with who had the card, and the room of the stay."""
    holder = func.coalesce(Lease.person_id, Card.person_id)
    joined = query.outerjoin(Person, Person.id == holder)
    return joined.outerjoin(Room, Room.id == Lease.room_id)


def _undone(session: Session) -> list[Departure]:
    found: dict[str, Departure] = {}
    issued = _held_by(_departures(*_WHOSE)).where(Card.state == STATE_ISSUED)
    for key, house_id, subject, room, name in session.execute(issued):
        found[key] = Departure(house_id, subject, still_issued=True, room=room, name=name)
    missing: dict[str, set[str]] = {}
    unproven = _sent_to(_held_by(_departures(*_WHOSE, Device.name)))
    for key, house_id, subject, room, name, device in session.execute(
        unproven.where(cards.not_dead())
    ):
        found.setdefault(key, Departure(house_id, subject, room=room, name=name))
        missing.setdefault(key, set()).add(device)
    for key, names in missing.items():
        found[key].devices = tuple(sorted(names))
    for key, of in _controllers(session, list(missing)):
        found[key].of = of
    return sorted(found.values(), key=lambda one: one.subject)


def _controllers(session: Session, keys: list[str]) -> Iterator[tuple[str, int]]:
    """How many controllers were ever sent a card of each of these departures.

    By their keys: to count it of all of them takes longer than everything else.
    """
    for at in range(0, len(keys), _KEYS_A_QUERY):
        some = keys[at : at + _KEYS_A_QUERY]
        for key, those in ((Card.lease_id, Card.lease_id.in_(some)), (Card.id, Card.id.in_(some))):
            query = _sent_to(select(key, func.count(distinct(SentCard.device_id))).where(those))
            yield from ((row[0], row[1]) for row in session.execute(query.group_by(key)))


def _sent_to(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The same joined with the controllers that cards were sent to."""
    joined = query.join(SentCard, SentCard.card_id == Card.id)
    return joined.join(Device, Device.id == SentCard.device_id).where(cards.counts())
