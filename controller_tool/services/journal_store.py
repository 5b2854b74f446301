"""Pulled journals in the registry: append-only, exactly as the controllers gave them (host).

Nothing is judged here but shape: what is false is kept too, for `journal verify` to name it. A
record that comes again with other bytes goes to the conflicts, the first copy stays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.errors import DeviceError
from controller_tool.messages import t
from controller_tool.registry.records import (
    AuditEntry,
    JournalConflict,
    JournalHead,
    JournalRecord,
)
from controller_tool.services import audit
from protocol import cbor, chain, records
from protocol.constants import (
    AAD_CHECKPOINT,
    CHAIN_BYTES,
    RECORD_BODY_BYTES,
    RECORD_BYTES,
    RING_ACCESS,
    RING_ALARM,
)

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_Row = TypeVar("_Row", JournalRecord, JournalHead, JournalConflict)
RINGS = (RING_ACCESS, RING_ALARM)
CHECKPOINT_KEY = "checkpoint"
_NOTED = "journal.head"
_HEAD_FIELDS = 7
_HEAD_MAC_BYTES = 16


@dataclass(frozen=True)
class Counts:
    """What became of one page or head; fields as in pull.PullResult."""

    new: int = 0
    already_had: int = 0
    overwritten: int = 0
    conflicting: int = 0


def next_seq(site: Site, device: Device, ring: int) -> int:
    """Sequence number after the newest record that is stored."""
    with site.registry.session() as session:
        return _next_seq(session, device.id, ring)


def append(
    site: Site,
    device: Device,
    ring: int,
    page: bytes,
    head: list[Any] | None = None,
    nonce: bytes | None = None,
    after_head: int | None = None,
) -> Counts:
    """Store a page of whole records and, when given, the head that answered ``nonce``.

    ``overwritten`` counts what is missing before the head's oldest record and was not missing at
    the head before. after_head: `newest_head_id` when the head was asked for; a head that another
    pull overtook says nothing new and would look like a controller that fell back: it is left out.
    Raises DeviceError for what has not the shape of a page or head.
    """
    if len(page) % RECORD_BYTES or (head is not None and not _is_head(head, ring)):
        raise DeviceError(
            t("{device} sent a journal page of a wrong shape", device=device.name),
            t("Pull again; if it stays so, the firmware is not ours"),
        )
    with site.registry.writing() as session:
        counts = _store(session, device.id, ring, page)
        if head is None or nonce is None:
            return counts
        session.flush()
        if _overtaken(session, device.id, ring, head[1], after_head):
            return counts
        _note(site, session, device, ring, head[1])
        overwritten = _store_head(session, device.id, ring, head, nonce)
        return replace(counts, overwritten=overwritten)


def checkpoint(site: Site, device: Device) -> bytes | None:
    """Signed statement of what this registry holds of both rings; None when it cannot be made.

    It is made only of rings that are whole from the first record on and end at their last head.
    """
    if not site.holds(CHECKPOINT_KEY):
        return None
    fields: list[cbor.Value] = [site.id, device.id_bytes]
    with site.registry.session() as session:
        for ring in RINGS:
            c = _chain_value(session, site, device, ring)
            head = newest_head(session, device.id, ring)
            if head is None or c is None or c != head.chain:
                return None
            fields += [head.next_seq, c]
    return site.sign(CHECKPOINT_KEY, AAD_CHECKPOINT, cbor.encode(fields))


def noted_seq(session: Session, device_id: str, ring: int) -> int:
    """The highest number of a head that the operators' log remembers.

    Who removes records together with the heads that speak of them would have to change the log
    too, and its hashes stand in signed manifests.
    """
    query = select(AuditEntry.details).where(AuditEntry.act == _NOTED)
    said = [json.loads(details) for details in session.scalars(query)]
    mine = (e["next_seq"] for e in said if (e["device"], e["ring"]) == (device_id, ring))
    return max(mine, default=0)


def rows(session: Session, device_id: str, ring: int) -> list[JournalRecord]:
    """Stored records of one ring by sequence number."""
    return list(session.scalars(_of(JournalRecord, device_id, ring).order_by(JournalRecord.seq)))


def heads(session: Session, device_id: str, ring: int) -> list[JournalHead]:
    """Stored heads of one ring, the oldest first."""
    return list(session.scalars(_of(JournalHead, device_id, ring).order_by(JournalHead.id)))


def conflicts(session: Session, device_id: str, ring: int) -> list[JournalConflict]:
    """Records that came again with other bytes, in the order in which they came."""
    return list(session.scalars(_of(JournalConflict, device_id, ring).order_by(JournalConflict.id)))


def newest_head_id(site: Site, device: Device, ring: int) -> int:
    """Which head was stored last; 0 for none."""
    with site.registry.session() as session:
        newest = newest_head(session, device.id, ring)
        return 0 if newest is None else newest.id


def newest_head(session: Session, device_id: str, ring: int) -> JournalHead | None:
    """The head that was stored last."""
    query = _of(JournalHead, device_id, ring).order_by(JournalHead.id.desc())
    return session.scalar(query.limit(1))


def _of(model: type[_Row], device_id: str, ring: int) -> Select[_Row]:
    return select(model).where(model.device_id == device_id, model.ring == ring)


def _next_seq(session: Session, device_id: str, ring: int) -> int:
    seqs = _of(JournalRecord, device_id, ring).with_only_columns(func.max(JournalRecord.seq))
    newest = session.execute(seqs).scalar()
    return 0 if newest is None else newest + 1


def _store(session: Session, device_id: str, ring: int, page: bytes) -> Counts:
    taken = [page[at : at + RECORD_BYTES] for at in range(0, len(page), RECORD_BYTES)]
    bodies = [records.unpack(record[:RECORD_BODY_BYTES]) for record in taken]
    there = JournalRecord.seq.in_([body.seq for body in bodies])
    query = _of(JournalRecord, device_id, ring).where(there)
    held = {row.seq: row.record for row in session.scalars(query)}
    had = conflicting = 0
    for body, record in zip(bodies, taken, strict=True):
        common = {"device_id": device_id, "ring": ring, "seq": body.seq, "record": record}
        if held.setdefault(body.seq, record) != record:
            session.add(JournalConflict(**common, pulled_at_s=now_s()))
            conflicting += 1
        elif held[body.seq] is not record:
            had += 1
        else:
            session.add(JournalRecord(**common, boot=body.boot, pulled_at_s=now_s()))
    return Counts(len(taken) - had - conflicting, had, 0, conflicting)


def _overtaken(
    session: Session, device_id: str, ring: int, next_seq: int, after_head: int | None
) -> bool:
    """Whether a later head was stored since the one with this number was asked for."""
    if after_head is None:
        return False
    since = _of(JournalHead, device_id, ring).where(
        JournalHead.id > after_head, JournalHead.next_seq >= next_seq
    )
    return session.scalar(since.limit(1)) is not None


def _note(site: Site, session: Session, device: Device, ring: int, next_seq: int) -> None:
    if next_seq > noted_seq(session, device.id, ring):
        audit.append(session, site.operator, _NOTED, device=device.id, ring=ring, next_seq=next_seq)


def _store_head(session: Session, device_id: str, ring: int, head: list[Any], nonce: bytes) -> int:
    before = newest_head(session, device_id, ring)
    _, n, c, oldest, boot, tool_mac, audit_mac = head
    missing = _missing_before(session, device_id, ring, oldest)
    if before is not None:
        missing -= _missing_before(session, device_id, ring, before.oldest_seq)
    session.add(
        JournalHead(
            device_id=device_id, ring=ring, nonce=nonce, next_seq=n, chain=c, oldest_seq=oldest,
            boot=boot, tool_mac=tool_mac, audit_mac=audit_mac, pulled_at_s=now_s(),
        )
    )  # fmt: skip
    return max(0, missing)


def _missing_before(session: Session, device_id: str, ring: int, seq: int) -> int:
    older = _of(JournalRecord, device_id, ring).where(JournalRecord.seq < seq)
    stored = session.execute(older.with_only_columns(func.count())).scalar()
    return seq - (stored or 0)


def _chain_value(session: Session, site: Site, device: Device, ring: int) -> bytes | None:
    """c after all stored records; None when one is missing."""
    c = chain.start(site.id, device.id_bytes, ring)
    columns = (JournalRecord.seq, JournalRecord.record)
    query = _of(JournalRecord, device.id, ring).with_only_columns(*columns)
    for expected, (seq, record) in enumerate(session.execute(query.order_by(JournalRecord.seq))):
        if seq != expected:
            return None
        c = chain.link(c, record[:RECORD_BODY_BYTES])
    return c


def _is_head(head: list[Any], ring: int) -> bool:
    if not isinstance(head, list) or len(head) != _HEAD_FIELDS:
        return False
    numbers, sizes = (head[0], head[1], head[3], head[4]), (head[2], head[5], head[6])
    return (
        all(isinstance(value, int) and value >= 0 for value in numbers)
        and all(isinstance(value, bytes) for value in sizes)
        and [len(value) for value in sizes] == [CHAIN_BYTES, _HEAD_MAC_BYTES, _HEAD_MAC_BYTES]
        and head[0] == ring
    )
