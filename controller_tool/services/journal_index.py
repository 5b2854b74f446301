"""Keeps the index of the journals: which record is of what kind, when, and of which card (host).

It is made from journal_records when they come, or when first asked for in a folder that got them
otherwise, and can be thrown away.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select

from controller_tool.registry import changes
from controller_tool.registry.bulk import insert_rows
from controller_tool.registry.derived import (
    JournalCursor,
    JournalFacet,
    JournalIndex,
    JournalStream,
)
from controller_tool.registry.records import JournalRecord
from controller_tool.services import journal_rows
from controller_tool.services.journal_keys import Keys, Stream, stream_of, unmasks
from protocol import chain
from protocol.codes import (
    EVENT_CHARGE_CHOOSES,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_DENIED,
    EVENT_GRANTED,
    EVENT_OVER_POWER,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_SESSION_CLOSED,
    EVENT_SESSION_OPENED,
    EVENT_STATION_LIMIT,
    EVENT_UNLOCKED,
)
from protocol.constants import CARD_KEY_BYTES, RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.registry.sealing import Vault
    from controller_tool.services.site import Site

# records whose key field is a card, and those in which it is the id of a peer
CARD_EVENTS = frozenset((
    EVENT_GRANTED, EVENT_DENIED, EVENT_UNLOCKED, EVENT_CHARGE_STARTED, EVENT_CHARGE_ENDED,
    EVENT_CHARGE_CHOOSES, EVENT_OVER_POWER, EVENT_STATION_LIMIT, EVENT_REVOKED_CARD_PRESENTED,
))  # fmt: skip
SESSION_EVENTS = frozenset((EVENT_SESSION_OPENED, EVENT_SESSION_CLOSED))
_KEYED = CARD_EVENTS | SESSION_EVENTS
SEQ_BITS = 32
_FIELDS = struct.Struct(">6xHI4xQ24x")  # what, time_s, masked key: as protocol.records has them
_POINT_AT = 15
_BATCH = 5000
_COVERED = "journal_index_covered"
_DAMAGED = 0  # what = no event; no controller writes it
_NO_POINT = 255
_COLUMNS = ("id", "facet_id", "time_s", "key")
_RECORDS = select(JournalRecord.seq, JournalRecord.record).where(
    JournalRecord.device_id == bindparam("device_id"),
    JournalRecord.ring == bindparam("ring"),
    JournalRecord.seq.in_(bindparam("seqs", expanding=True)),
)
Progress = Callable[[str, int, int], None]
Place = tuple[int, bytes]  # sequence number where it is stored, record


def add(site: Site, session: Session, device: Device, ring: int, places: Sequence[Place]) -> None:
    """Index records that were stored in this transaction, and whatever lay there before."""
    found = _stream(session, device.id, ring)
    if found is None:
        _index_all(site, session, device, ring)
    elif places:
        stream = stream_of(site, device, ring, found.id)
        _index(site.vault if stream.k_tool else None, session, stream, places)


def ensure(
    site: Site,
    devices: Sequence[Device],
    thoroughly: bool = False,
    progress: Progress | None = None,
) -> None:
    """Index what these controllers' rings hold and the index lacks: an exported folder's, say.

    A ring is behind when a record of it has no row. Whether its newest has one is looked at each
    time, and how many rows there are in all; each record only where those are not as many, or
    ``thoroughly``: some seconds for some millions.
    """
    with site.registry.session() as session:
        each = thoroughly or not _covers(session, devices)
        behind = _behind(session, devices, each)
        if behind and not each:  # records may have gone, whose rows stand for those of others
            behind = _behind(session, devices, True)
        if each and not behind:
            _note_covered(session, devices)
    if any(unmasks(device, ring) for device, ring in behind):
        site.unlock()
    for device, ring in behind:
        with site.registry.writing() as session:
            _forget(session, device.id, ring)
            _index_all(site, session, device, ring, progress)


def rebuild(site: Site, progress: Progress | None = None) -> int:
    """Throw the index away and make it anew from the records; returns how many it then has."""
    with site.registry.writing() as session:
        for model in (JournalIndex, JournalCursor, JournalFacet, JournalStream):
            session.execute(delete(model))
    ensure(site, site.devices(), progress=progress)
    with site.registry.session() as session:
        return size(session)


def size(session: Session) -> int:
    """How many records are in the index."""
    return session.execute(select(func.count()).select_from(JournalIndex)).scalar() or 0


def _covers(session: Session, devices: Sequence[Device]) -> bool:
    """Whether the index has a row for each record and for nothing else, by their numbers alone.

    The newest of every ring has to be there too; else each record's row is looked for (seconds)
    once. What was found whole stays so until this connection or another one writes.
    """
    state, covered = session.connection().info.get(_COVERED, (None, frozenset()))
    if state == changes.state(session) and covered >= {device.id for device in devices}:
        return True
    whole = changes.numbers_agree(session, SEQ_BITS) and _ends_agree(session, devices)
    if whole:
        _note_covered(session, devices)
    return whole


def _ends_agree(session: Session, devices: Sequence[Device]) -> bool:
    """Whether the index of every ring ends where its records end."""
    ids = [device.id for device in devices]
    streams = session.scalars(select(JournalStream).where(JournalStream.device_id.in_(ids)))
    return all(
        journal_rows.next_seq_of(session, stream.device_id, stream.ring)
        == _indexed_end(session, stream.id)
        for stream in streams
    )


def _note_covered(session: Session, devices: Sequence[Device]) -> None:
    """The rings of these controllers were looked at, and nothing is missing in the index."""
    info, state = session.connection().info, changes.state(session)
    before, covered = info.get(_COVERED, (None, frozenset()))
    ids = frozenset(device.id for device in devices)
    info[_COVERED] = state, ids | covered if before == state else ids


def _behind(
    session: Session, devices: Sequence[Device], thoroughly: bool
) -> list[tuple[Device, int]]:
    """Rings whose index is not that of their records."""
    streams = {(s.device_id, s.ring): s.id for s in session.scalars(select(JournalStream))}
    behind = []
    for device, ring in itertools.product(devices, journal_rows.RINGS):
        end = journal_rows.next_seq_of(session, device.id, ring)
        number = streams.get((device.id, ring))
        if number is None:
            fits = end == 0
        else:
            fits = end <= _indexed_end(session, number) and (
                not thoroughly or _has_each(session, device, ring, number)
            )
        if not fits:
            behind.append((device, ring))
    return behind


def _indexed_end(session: Session, stream_id: int) -> int:
    newest = session.execute(select(func.max(JournalIndex.id)).where(*_of(stream_id))).scalar()
    return 0 if newest is None else newest - (stream_id << SEQ_BITS) + 1


def _has_each(session: Session, device: Device, ring: int, stream_id: int) -> bool:
    """Whether each record has its row; rows without a record stay: who reads is told of them."""
    row = (stream_id << SEQ_BITS) + JournalRecord.seq
    lacking = journal_rows.of(JournalRecord, device.id, ring).with_only_columns(JournalRecord.seq)
    lacking = lacking.where(
        JournalRecord.seq.between(0, (1 << SEQ_BITS) - 1),
        ~select(JournalIndex.id).where(JournalIndex.id == row).exists(),
    )
    return session.scalar(lacking.limit(1)) is None


def _of(stream_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    first = stream_id << SEQ_BITS
    return JournalIndex.id >= first, JournalIndex.id < first + (1 << SEQ_BITS)


def _forget(session: Session, device_id: str, ring: int) -> None:
    stream = _stream(session, device_id, ring)
    if stream is None:
        return
    session.execute(delete(JournalIndex).where(*_of(stream.id)))
    for model in (JournalCursor, JournalFacet):
        session.execute(delete(model).where(model.stream_id == stream.id))
    session.delete(stream)
    session.flush()


def _stream(session: Session, device_id: str, ring: int) -> JournalStream | None:
    query = select(JournalStream).where(
        JournalStream.device_id == device_id, JournalStream.ring == ring
    )
    return session.scalar(query)


def _index_all(
    site: Site, session: Session, device: Device, ring: int, progress: Progress | None = None
) -> None:
    """Every record of a ring that has no stream yet, in batches."""
    row = JournalStream(device_id=device.id, ring=ring)
    session.add(row)
    session.flush()
    stream = stream_of(site, device, ring, row.id)
    vault = site.vault if stream.k_tool else None
    columns = (JournalRecord.seq, JournalRecord.record)
    query = journal_rows.of(JournalRecord, device.id, ring).with_only_columns(*columns)
    total = journal_rows.stored(session, device.id, ring, 0, 1 << SEQ_BITS) if progress else 0
    done = 0
    after = -1  # what stands at an impossible number was put there by somebody else
    while batch := list(
        session.execute(
            query.where(JournalRecord.seq > after).order_by(JournalRecord.seq).limit(_BATCH)
        )
    ):
        after = batch[-1].seq
        _index(vault, session, stream, [(seq, record) for seq, record in batch])
        if progress is not None:
            done += len(batch)
            progress(device.name, done, max(done, total))


def _index(vault: Vault | None, session: Session, stream: Stream, places: Sequence[Place]) -> None:
    good = sorted(place for place in places if 0 <= place[0] < 1 << SEQ_BITS)
    if not good:
        return
    time_s = 0
    facets = _Facets(session, stream)
    keys = Keys(vault, session, stream)
    rows: list[tuple[int, int, int, bytes | None]] = []
    for seq, record in good:
        if len(record) != RECORD_BYTES:  # found where it would stand, for it to be named
            rows.append(
                ((stream.id << SEQ_BITS) + seq, facets.id_of(_DAMAGED, _NO_POINT), time_s, None)
            )
            continue
        what, time_s, masked = _FIELDS.unpack(record)
        key = None
        if what >> 8 in _KEYED and (k_tool := keys.before(seq)) is not None:
            number = masked ^ int.from_bytes(chain.mask(k_tool), "big")
            key = number.to_bytes(CARD_KEY_BYTES, "big") if number else None
        facet_id = facets.id_of(what, record[_POINT_AT])
        rows.append(((stream.id << SEQ_BITS) + seq, facet_id, time_s, key))
    _make_way(session, [row[0] for row in rows])
    insert_rows(session, JournalIndex, _COLUMNS, rows)
    keys.keep(good[-1][0] + 1)


def _make_way(session: Session, ids: list[int]) -> None:
    """Rows of records that were lost since, and have come again."""
    within = (JournalIndex.id >= min(ids), JournalIndex.id <= max(ids))
    if session.scalar(select(JournalIndex.id).where(*within).limit(1)) is None:
        return
    for some in _some(ids):
        session.execute(delete(JournalIndex).where(JournalIndex.id.in_(some)))


class _Facets:
    """Ids of a stream's facets; new ones are written down."""

    def __init__(self, session: Session, stream: Stream) -> None:
        self._session = session
        self._stream = stream
        query = select(JournalFacet).where(JournalFacet.stream_id == stream.id)
        self._ids = {(row.what, row.point): row.id for row in session.scalars(query)}

    def id_of(self, what: int, point: int) -> int:
        """The facet's id."""
        found = self._ids.get((what, point))
        if found is None:
            row = JournalFacet(stream_id=self._stream.id, what=what, point=point)
            self._session.add(row)
            self._session.flush()
            found = self._ids[what, point] = row.id
        return found


def records_of(session: Session, ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Index id and record of each of these, in no order; one whose record is gone is left out."""
    streams = {s.id: (s.device_id, s.ring) for s in session.scalars(select(JournalStream))}
    by_stream: dict[int, list[int]] = {}
    for number in ids:
        by_stream.setdefault(number >> SEQ_BITS, []).append(number & ((1 << SEQ_BITS) - 1))
    connection = session.connection()
    for stream_id, seqs in by_stream.items():
        if stream_id not in streams:
            continue  # somebody altered the index
        device_id, ring = streams[stream_id]
        for some in _some(seqs):
            where = {"device_id": device_id, "ring": ring, "seqs": some}
            for seq, record in connection.execute(_RECORDS, where):
                yield stream_id << SEQ_BITS | seq, record


def _some(seqs: list[int], size: int = 500) -> Iterator[list[int]]:
    for at in range(0, len(seqs), size):
        yield seqs[at : at + size]
