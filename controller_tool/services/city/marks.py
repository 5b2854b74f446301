"""How far each kind of record was delivered to a target, and what the target refused (host).

Marks stand in `deliveries`. Of happenings: the numbers of each ring that were acknowledged, as
ranges, so that a record that is pulled late is still sent. Of things: revision and keyed digest of
each, in sixteen rows of one kind ("person/3"), so that a batch rewrites a small one. A mark goes on
only with what was acknowledged, in the transaction that writes the rejects down.
"""

from __future__ import annotations

import itertools
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from controller_tool.clock import now_s
from controller_tool.registry.records import JournalRecord
from controller_tool.registry.stays import Delivery, DeliveryReject
from controller_tool.services import audit, bundle_manifest
from controller_tool.services.city.kinds import Once, Places, Thing
from protocol.constants import RING_ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from controller_tool.services.city.kinds import Note
    from controller_tool.services.site import Site

Ranges = list[list[int]]  # (first, last), ascending and apart
_HOLES_MAX = 40  # in one statement; beyond that all numbers are read
_ONCE = "once"


def known(session: Session, target: str, kind: str) -> dict[str, Thing]:
    """Things of one kind by id, as the target has acknowledged them."""
    rows = session.scalars(
        select(Delivery).where(Delivery.target == target, Delivery.kind.startswith(f"{kind}/"))
    )
    return {
        id_: Thing(id_, revision, digest)
        for row in rows
        for id_, (revision, digest) in json.loads(row.mark).items()
    }


def ranges(session: Session, target: str, kind: str, device_id: str, ring: int) -> Ranges:
    """The acknowledged numbers of one ring."""
    found: Ranges = _read(session, target, kind).get(f"{device_id}/{ring}", [])
    return found


def once(session: Session, target: str, kind: str) -> set[str]:
    """Acknowledged records that stand in no ring by themselves."""
    return set(_read(session, target, kind).get(_ONCE, []))


def unseen(session: Session, device_id: str, ring: int, seen: Ranges) -> list[int]:
    """Numbers of stored records of a ring that are in no range, ascending."""
    query = select(JournalRecord.seq).where(
        JournalRecord.device_id == device_id, JournalRecord.ring == ring
    )
    query = query.order_by(JournalRecord.seq)
    if len(seen) > _HOLES_MAX:
        there = {number for first, last in seen for number in range(first, last + 1)}
        return [seq for seq in session.scalars(query) if seq not in there]
    if seen:
        seq = JournalRecord.seq
        holes = [(seq > before[1]) & (seq < after[0]) for before, after in itertools.pairwise(seen)]
        query = query.where(or_(seq < seen[0][0], seq > seen[-1][1], *holes))
    return list(session.scalars(query))


def advance(
    site: Site,
    target: str,
    kind: str,
    notes: Iterable[Note],
    records: int,
    rejected: Sequence[tuple[str, str]] = (),
) -> None:
    """What a target has acknowledged is not sent again; what it refused waits for a person."""
    with site.registry.writing() as session:
        taken = list(notes)
        _note_things(session, target, kind, [n for n in taken if isinstance(n, Thing)])
        _note_places(session, target, kind, taken)
        refused = {event_id for event_id, _ in rejected}
        _settle(session, target, kind, taken, refused)
        for event_id, reason in rejected:
            _reject(session, target, kind, event_id, reason)
        if records:
            audit.append(
                session, site.operator, "export.delivered", target=target, kind=kind,
                records=records, rejected=len(rejected),
            )  # fmt: skip


def send_again(session: Session, reject: DeliveryReject) -> None:
    """Take a refused record out of the mark, so that the next export sends it anew."""
    target, kind, event_id = reject.target, reject.kind, reject.event_id
    head = event_id.rsplit("-", 2)[0]
    row = session.get(Delivery, (target, _bucket(kind, head)))
    if row is not None and head in (mark := json.loads(row.mark)):
        revision, _ = mark[head]
        mark[head] = [revision - 1, ""]
        _write(session, target, row.kind, mark)
        return
    mark = _read(session, target, kind)
    mark[_ONCE] = [one for one in mark.get(_ONCE, []) if one != event_id]
    parts = event_id.split("-")
    # device-boot-ring-number of a record; device-session-number of the record of its end
    ring = f"{parts[0]}/{parts[-2] if parts[-2].isdigit() else RING_ACCESS}"
    number = parts[-1]
    if ring in mark and number.isdigit():
        left = [n for first, last in mark[ring] for n in _around(first, last, int(number))]
        mark[ring] = left
    _write(session, target, kind, mark)


def _around(first: int, last: int, number: int) -> Ranges:
    if not first <= number <= last:
        return [[first, last]]
    return [part for part in ([first, number - 1], [number + 1, last]) if part[0] <= part[1]]


def _note_things(session: Session, target: str, kind: str, things: list[Thing]) -> None:
    by_bucket: dict[str, list[Thing]] = {}
    for thing in things:
        by_bucket.setdefault(_bucket(kind, thing.id), []).append(thing)
    for bucket, some in by_bucket.items():
        mark = _read(session, target, bucket)
        mark.update({thing.id: [thing.revision, thing.digest] for thing in some})
        _write(session, target, bucket, mark)


def _note_places(session: Session, target: str, kind: str, notes: list[Note]) -> None:
    by_ring: dict[str, set[int]] = {}
    singles: list[str] = []
    for note in notes:
        if isinstance(note, Places):
            by_ring.setdefault(f"{note.device_id}/{note.ring}", set()).update(note.numbers)
        elif isinstance(note, Once):
            singles.append(note.event_id)
    if not by_ring and not singles:
        return
    mark = _read(session, target, kind)
    for ring, numbers in by_ring.items():
        mark[ring] = _joined(mark.get(ring, []), bundle_manifest.ranges(sorted(numbers)))
    if singles:
        mark[_ONCE] = sorted({*mark.get(_ONCE, []), *singles})
    _write(session, target, kind, mark)


def _joined(seen: Ranges, more: Sequence[tuple[int, int]]) -> Ranges:
    made: Ranges = []
    for first, last in sorted([*map(tuple, seen), *more]):
        if made and first <= made[-1][1] + 1:
            made[-1][1] = max(made[-1][1], last)
        else:
            made.append([first, last])
    return made


def _settle(session: Session, target: str, kind: str, notes: list[Note], refused: set[str]) -> None:
    """A newer revision that the target took settles what it refused of the same thing."""
    query = select(DeliveryReject).where(
        DeliveryReject.target == target, DeliveryReject.kind == kind,
        DeliveryReject.resolved_at_s.is_(None),
    )  # fmt: skip
    taken = {note.id: event_id(note) for note in notes if isinstance(note, Thing)}
    for row in session.scalars(query) if taken else ():
        newer = taken.get(row.event_id.rsplit("-", 2)[0])
        if newer is not None and newer not in refused:
            row.resolved_at_s = now_s()


def event_id(thing: Thing) -> str:
    """Of a thing in this revision; the same again when the same is sent again."""
    return f"{thing.id}-{thing.revision}-{thing.digest}"


def _reject(session: Session, target: str, kind: str, event_id: str, reason: str) -> None:
    query = select(DeliveryReject).where(
        DeliveryReject.target == target, DeliveryReject.kind == kind,
        DeliveryReject.event_id == event_id,
    )  # fmt: skip
    row = session.scalar(query)
    if row is None:
        row = DeliveryReject(target=target, kind=kind, event_id=event_id)
        session.add(row)
    row.reason, row.at_s, row.resolved_at_s = reason, now_s(), None
    session.flush()


def _bucket(kind: str, id_: str) -> str:
    return f"{kind}/{sha256(id_.encode()).hexdigest()[0]}"


def _read(session: Session, target: str, kind: str) -> dict[str, Any]:
    row = session.get(Delivery, (target, kind))
    found: dict[str, Any] = {} if row is None else json.loads(row.mark)
    return found


def _write(session: Session, target: str, kind: str, mark: dict[str, Any]) -> None:
    text = json.dumps(mark, separators=(",", ":"))
    row = session.get(Delivery, (target, kind))
    if row is None:
        session.add(Delivery(target=target, kind=kind, mark=text, updated_at_s=now_s()))
        session.flush()
        return
    row.mark, row.updated_at_s = text, now_s()
