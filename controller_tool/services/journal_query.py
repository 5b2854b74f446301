"""Finds records of the pulled journals by any mix of filters, a page at a time (host).

A filter picks facets (controller, ring, event, reason, point), for a person also the card's keys.
Each of these sources is an index range by time; they are merged, and one is first read when the
merge has come to its outermost record. So a page costs some dozens of short looks, however many
records there are and however rare the ones that are wanted.

Order is by second, then by index id; services.journal_order sorts within a second. Times of an
unset clock count from the floor: they are in the order in which the controller showed them, not in
that in which things happened.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Integer, LargeBinary, bindparam, func, select

from controller_tool.registry.derived import JournalFacet, JournalIndex, JournalStream
from controller_tool.services.journal_index import CARD_EVENTS, SEQ_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

_FIRST_CHUNK = 32
_CHUNK_MAX = 1024
_AT_ONCE = 500
_EVERY_ID = 1 << 62
_KEY = bindparam("of_key", type_=LargeBinary)


class Found(NamedTuple):
    """A record's place in the index and what the index says of it."""

    time_s: int
    id: int
    facet_id: int
    key: bytes | None


class Facet(NamedTuple):
    """A kind of record of one ring of one controller."""

    id: int
    device_id: str
    ring: int
    event: int
    reason: int
    point: int


@dataclass(frozen=True)
class Wanted:
    """A filter as the index takes it.

    facet: which kinds; since_s, until_s: seconds since 2020, the second is not wanted any more;
    keys: by controller the keys of the wanted cards, None for any record.
    """

    facet: Callable[[Facet], bool] | None = None
    since_s: int | None = None
    until_s: int | None = None
    keys: dict[str, frozenset[bytes]] | None = field(default=None, repr=False)


class _Source(NamedTuple):
    """An index range: all records of this facet and key, by time."""

    facet_id: int | None
    key: bytes | None = None


def search(session: Session, wanted: Wanted, newest_first: bool = True) -> Iterator[Found]:
    """What is wanted, one after the other; nothing is read further than it is asked for."""
    order = _Order(session, wanted, newest_first)
    if wanted.facet is None and wanted.keys is None:
        yield from order.read(_Source(None))
        return
    chosen = [f for f in facets(session) if wanted.facet is None or wanted.facet(f)]
    if wanted.keys is None:
        yield from order.merge(order.outermost([facet.id for facet in chosen]))
        return
    first: list[tuple[int, _Source]] = []
    by_device: dict[str, list[int]] = {}
    for facet in chosen:
        if facet.event in CARD_EVENTS:
            by_device.setdefault(facet.device_id, []).append(facet.id)
    for device_id, ids in by_device.items():
        for key in wanted.keys.get(device_id, ()):
            first += order.outermost(ids, key)
    yield from order.merge(first)


def facets(session: Session) -> list[Facet]:
    """All facets of all rings."""
    query = select(
        JournalFacet.id, JournalStream.device_id, JournalStream.ring, JournalFacet.what,
        JournalFacet.point,
    ).join(JournalStream, JournalStream.id == JournalFacet.stream_id)  # fmt: skip
    return [
        Facet(number, device_id, ring, what >> 8, what & 0xFF, point)
        for number, device_id, ring, what, point in session.execute(query)
    ]


def place_of(session: Session, device_id: str, ring: int, seq: int) -> tuple[int, int] | None:
    """Second and id of one record; None when the index has none there."""
    query = select(JournalStream.id).where(
        JournalStream.device_id == device_id, JournalStream.ring == ring
    )
    stream_id = session.scalar(query)
    if stream_id is None or not 0 <= seq < 1 << SEQ_BITS:
        return None
    number = stream_id << SEQ_BITS | seq
    time_s = session.scalar(select(JournalIndex.time_s).where(JournalIndex.id == number))
    return None if time_s is None else (time_s, number)


def places(session: Session, device_id: str, ring: int, seqs: Sequence[int]) -> list[Found]:
    """What the index has at these numbers of one ring, by number."""
    stream_id = session.scalar(
        select(JournalStream.id).where(
            JournalStream.device_id == device_id, JournalStream.ring == ring
        )
    )
    if stream_id is None:
        return []
    columns = JournalIndex.time_s, JournalIndex.id, JournalIndex.facet_id, JournalIndex.key
    found: list[Found] = []
    for some in _parts([stream_id << SEQ_BITS | seq for seq in seqs]):
        query = select(*columns).where(JournalIndex.id.in_(some)).order_by(JournalIndex.id)
        found += map(Found._make, session.execute(query))
    return found


class _Order:
    """Reads sources in one direction, within the wanted times.

    Statements are made once and filled in: making one takes longer than the database does.
    """

    def __init__(self, session: Session, wanted: Wanted, newest_first: bool) -> None:
        self._connection = session.connection()
        self._sign = -1 if newest_first else 1
        self._statements: dict[tuple[bool, bool, bool], Select[int, int, int, bytes | None]] = {}
        self._within: list[ColumnElement[bool]] = []
        if wanted.since_s is not None:
            self._within.append(JournalIndex.time_s >= wanted.since_s)
        if wanted.until_s is not None:
            self._within.append(JournalIndex.time_s < wanted.until_s)
        self._first_of_any, self._first_of_key = self._first(True), self._first(False)

    def outermost(
        self, facet_ids: Sequence[int], key: bytes | None = None
    ) -> list[tuple[int, _Source]]:
        """The time of the first record of each facet, with its source; none where there is none."""
        query = self._first_of_any if key is None else self._first_of_key
        found = []
        for some in _parts(facet_ids):
            rows = self._connection.execute(query, {"ids": some, "of_key": key})
            found += [
                (time_s, _Source(facet_id, key)) for facet_id, time_s in rows if time_s is not None
            ]
        return found

    def _first(self, any_key: bool) -> Select[int, int | None]:
        """The outermost time of each of some facets."""
        pick = func.max if self._sign < 0 else func.min
        of_key = [] if any_key else [JournalIndex.key == _KEY]
        first = select(pick(JournalIndex.time_s)).where(
            JournalIndex.facet_id == JournalFacet.id, *of_key, *self._within
        )
        some = JournalFacet.id.in_(bindparam("ids", expanding=True, type_=Integer))
        return select(JournalFacet.id, first.scalar_subquery()).where(some)

    def merge(self, first: list[tuple[int, _Source]]) -> Iterator[Found]:
        """All sources as one; a source is opened when its first record's turn comes."""
        # an unopened source stands before every record of its time, so ids decide afterwards
        heap: list[tuple[int, int, int, Found | None, Iterator[Found]]] = [
            (self._sign * time_s, -_EVERY_ID, number, None, self.read(source))
            for number, (time_s, source) in enumerate(first)
        ]
        heapq.heapify(heap)
        while heap:
            _, _, number, found, rest = heap[0]
            if found is not None:
                yield found
            following = next(rest, None)
            if following is None:
                heapq.heappop(heap)
                continue
            place = (self._sign * following.time_s, self._sign * following.id)
            heapq.heapreplace(heap, (*place, number, following, rest))

    def read(self, source: _Source) -> Iterator[Found]:
        """One source, a few records at first, then more at a time."""
        size, going_on = _FIRST_CHUNK, False
        values: dict[str, object] = {"facet": source.facet_id, "of_key": source.key}
        while True:
            statement = self._statement(source, going_on)
            rows = self._connection.execute(statement, {**values, "size": size})
            chunk = list(map(Found._make, rows))
            yield from chunk
            if len(chunk) < size:
                return
            values.update(last_s=chunk[-1].time_s, last_id=chunk[-1].id)
            size, going_on = min(2 * size, _CHUNK_MAX), True

    def _statement(self, source: _Source, going_on: bool) -> Select[int, int, int, bytes | None]:
        form = (source.facet_id is None, source.key is None, going_on)
        if form not in self._statements:
            self._statements[form] = self._make(*form)
        return self._statements[form]

    def _make(
        self, any_facet: bool, any_key: bool, going_on: bool
    ) -> Select[int, int, int, bytes | None]:
        conditions = list(self._within)
        if not any_facet:
            conditions.append(JournalIndex.facet_id == bindparam("facet", type_=Integer))
        if not any_key:
            conditions.append(JournalIndex.key == _KEY)
        if going_on:
            last = bindparam("last_s", type_=Integer), bindparam("last_id", type_=BigInteger)
            conditions += _beyond(*last, self._sign)
        columns = (JournalIndex.time_s, JournalIndex.id)
        by = [column.desc() if self._sign < 0 else column.asc() for column in columns]
        return (
            select(*columns, JournalIndex.facet_id, JournalIndex.key)
            .where(*conditions)
            .order_by(*by)
            .limit(bindparam("size", type_=Integer))
        )


def _beyond(time_s: Any, number: Any, sign: int) -> list[ColumnElement[bool]]:
    """What comes after a record in the order; the plain comparison is the one an index serves."""
    if sign < 0:
        rest = (JournalIndex.time_s < time_s) | (JournalIndex.id < number)
        return [JournalIndex.time_s <= time_s, rest]
    return [
        JournalIndex.time_s >= time_s,
        (JournalIndex.time_s > time_s) | (JournalIndex.id > number),
    ]


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(itertools.islice(rest, _AT_ONCE)):
        yield part
