"""All that a roster is compared with, in a few queries however many rows it has (host)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import STATE_ISSUED, STATE_LOST, Card, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import stay as stay_rules
from controller_tool.rules import words
from controller_tool.services import card_holder, cards, people
from controller_tool.services.desk import places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from controller_tool.registry.models import Device
    from controller_tool.services.roster_file import Row
    from controller_tool.services.site import Site

_AT_ONCE = 500  # values in one query: SQLite's older builds take 999


class Books:
    """Rows of the registry by what a roster calls them, as one transaction sees them.

    house: of the whole roster; None: each row names its own. source: whose roster it is.
    """

    def __init__(
        self, site: Site, session: Session, rows: list[Row], house: House | None, source: str
    ) -> None:
        self._site, self._session = site, session
        self.only = house
        self._houses = {} if house else self._named({row.house for row in rows})
        known = {one.id: one for one in [house, *self._houses.values()] if one}
        self.house_by_id = known
        self.persons = {one.id_number_index: one for one in self._of(
            Person, Person.id_number_index, {self._index(row) for row in rows})}  # fmt: skip
        stays = Lease.ended_at_s.is_(None)
        mine = {one.id for one in self.persons.values()}
        self.stays: dict[str, list[Lease]] = defaultdict(list)
        for lease in self._of(Lease, Lease.person_id, mine, stays):
            self.stays[lease.person_id].append(lease)
        self.from_source = self._from_source(source)
        self.rooms = {(one.house_id, one.number): one
                      for one in self._of(Room, Room.house_id, set(known))}  # fmt: skip
        self.taken = self._taken(set(known))
        self.in_beds = self._in_beds(set(known))
        self._cards(rows)
        self._doors: dict[str, dict[Device, int | None]] = {}

    def house(self, row: Row) -> House | None:
        """The house that a row means."""
        return self.only or self._houses.get(row.house)

    def person(self, row: Row) -> Person | None:
        """The person with the row's ID number."""
        return self.persons.get(self._index(row))

    def card(self, row: Row) -> Card | None:
        """The card with the row's number that is out."""
        if row.credential is None:
            return None
        return self._by_credential.get(cards.index(self._site.vault, row.credential))

    def lost(self, row: Row) -> Card | None:
        """The newest card with the row's number where it was lost."""
        if row.credential is None:
            return None
        return self._lost.get(cards.index(self._site.vault, row.credential))

    def holder(self, card: Card) -> str:
        """Who has or lost a card, as card_holder says it."""
        return card_holder.said(self._site, self._session, card)

    def held(self, lease: Lease) -> list[Card]:
        """The cards of a stay that are out."""
        return self._by_stay[lease.id]

    def doors(self, house: House, room: Room) -> dict[Device, int | None]:
        """As places.doors, asked once for each room."""
        if room.id not in self._doors:
            self._doors[room.id] = places.doors(self._session, house, room)
        return self._doors[room.id]

    def living(self, stays: Iterable[Lease]) -> tuple[stay_rules.Living, ...]:
        """These stays as rules see them."""
        return tuple(places.as_living(self._session, one) for one in stays)

    def _index(self, row: Row) -> bytes:
        number = people.indexed(row.document, row.id_number)
        return people.index(self._site.vault, number.encode(), "")

    def _named(self, texts: set[str]) -> dict[str, House]:
        found: dict[str, House] = {}
        for some in _pieces(texts):
            refs = [text.upper() for text in some]
            query = select(House).where(or_(House.ref.in_(refs), House.address_code.in_(some)))
            for house in self._session.scalars(query):
                named = {text for text in some
                         if text == house.address_code or text.upper() == house.ref}  # fmt: skip
                found |= dict.fromkeys(named, house)
        return found

    def _from_source(self, source: str) -> list[Lease]:
        query = select(Lease).where(Lease.roster == source, Lease.ended_at_s.is_(None))
        if self.only:
            query = query.where(Lease.house_id == self.only.id)
        return list(self._session.scalars(query.order_by(Lease.ref)))

    def _taken(self, house_ids: set[str]) -> Counter[str]:
        taken: Counter[str] = Counter()
        for some in _pieces(house_ids):
            query = select(Lease.room_id, func.count()).where(
                Lease.house_id.in_(some), Lease.ended_at_s.is_(None), Lease.kind != words.VISITOR
            )
            for room_id, count in self._session.execute(query.group_by(Lease.room_id)):
                taken[room_id] = count
        return taken

    def _in_beds(self, house_ids: set[str]) -> dict[tuple[str, str], str]:
        """Reference of the stay by room and bed, where beds were named."""
        found: dict[tuple[str, str], str] = {}
        for some in _pieces(house_ids):
            query = select(Lease.room_id, Lease.bed, Lease.ref).where(
                Lease.house_id.in_(some), Lease.ended_at_s.is_(None), Lease.bed != ""
            )
            found |= {(room_id, bed): ref for room_id, bed, ref in self._session.execute(query)}
        return found

    def _cards(self, rows: list[Row]) -> None:
        out = Card.state == STATE_ISSUED
        numbers = {cards.index(self._site.vault, row.credential) for row in rows if row.credential}
        same: dict[bytes, list[Card]] = defaultdict(list)
        for card in self._of(Card, Card.credential_index, numbers):
            same[card.credential_index].append(card)
        newest = {number: cards.newest(many) for number, many in same.items()}
        self._by_credential, self._lost = (
            {number: card for number, card in newest.items() if card and card.state == state}
            for state in (STATE_ISSUED, STATE_LOST)
        )
        leases = {one.id for many in self.stays.values() for one in many}
        leases |= {one.id for one in self.from_source}
        self._by_stay: dict[str, list[Card]] = defaultdict(list)
        for card in self._of(Card, Card.lease_id, leases, out):
            self._by_stay[str(card.lease_id)].append(card)

    def _of(
        self, model: Any, column: InstrumentedAttribute[Any], values: set[Any],
        more: ColumnElement[bool] | None = None,
    ) -> Iterable[Any]:  # fmt: skip
        """Rows whose column has one of these values, by primary key."""
        for some in _pieces(values):
            query = select(model).where(column.in_(some)).order_by(model.id)
            yield from self._session.scalars(query if more is None else query.where(more))


def _pieces(values: set[Any]) -> Iterable[list[Any]]:
    ordered = sorted(values)
    for place in range(0, len(ordered), _AT_ONCE):
        yield ordered[place : place + _AT_ONCE]
