"""Checkpoints: signed statements of what this registry holds of a controller's rings (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.records import JournalCheckpoint, JournalHead, JournalRecord
from controller_tool.services import journal_rows
from protocol import cbor, chain, cose
from protocol.constants import AAD_CHECKPOINT, RECORD_BODY_BYTES, RING_ACCESS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

CHECKPOINT_KEY = "checkpoint"
_FIELDS = 6  # site, device, then number and chain value of each ring


class _Known(NamedTuple):
    """The chain value c before record ``seq``."""

    seq: int
    c: bytes


def checkpoint(site: Site, device: Device) -> bytes | None:
    """Signed statement of what this registry holds of both rings; None when it cannot be made.

    It is made only of rings of which nothing is missing that the controller still had at the last
    head, and whose chain ends where that head says.
    """
    if not site.holds(CHECKPOINT_KEY):
        return None
    fields: list[cbor.Value] = [site.id, device.id_bytes]
    with site.registry.session() as session:
        for ring in journal_rows.RINGS:
            head = journal_rows.newest_head(session, device.id, ring)
            if head is None:
                return None
            c = _chain_value(session, site, device, head)
            if c is None or c != head.chain:
                return None
            fields += [head.next_seq, c]
    return site.sign(CHECKPOINT_KEY, AAD_CHECKPOINT, cbor.encode(fields))


def store_checkpoint(site: Site, device: Device, envelope: bytes) -> None:
    """Keep a checkpoint that the controller took; the same one again is nothing new."""
    said = [_said(envelope, site, device, ring) for ring in journal_rows.RINGS]
    if None in said:
        raise ValueError("no checkpoint of this controller")
    access_seq, alarm_seq = [known.seq for known in said if known is not None]
    with site.registry.writing() as session:
        newest = _newest(session, device.id)
        if newest is not None and newest.envelope == envelope:
            return
        session.add(
            JournalCheckpoint(
                device_id=device.id, access_seq=access_seq, alarm_seq=alarm_seq, envelope=envelope,
                taken_at_s=now_s(),
            )
        )  # fmt: skip


def _newest(session: Session, device_id: str) -> JournalCheckpoint | None:
    query = select(JournalCheckpoint).where(JournalCheckpoint.device_id == device_id)
    return session.scalar(query.order_by(JournalCheckpoint.id.desc()).limit(1))


def _chain_value(session: Session, site: Site, device: Device, head: JournalHead) -> bytes | None:
    """c after all records up to the head; None when one is missing that the controller has."""
    ring, end = head.ring, head.next_seq
    if journal_rows.next_seq_of(session, device.id, ring) != end or not _whole_from(
        session, head, head.oldest_seq
    ):
        return None
    known = _known(session, site, device, head)
    if known is None:
        return None
    query = (
        journal_rows.of(JournalRecord, device.id, ring)
        .with_only_columns(JournalRecord.record)
        .where(JournalRecord.seq >= known.seq)
        .order_by(JournalRecord.seq)
    )
    c = known.c
    for record in session.scalars(query):
        c = chain.link(c, record[:RECORD_BODY_BYTES])
    return c


def _whole_from(session: Session, head: JournalHead, seq: int) -> bool:
    """Whether every record from ``seq`` up to the head is stored."""
    held = journal_rows.stored(session, head.device_id, head.ring, seq, head.next_seq)
    return held == head.next_seq - seq


def _known(session: Session, site: Site, device: Device, head: JournalHead) -> _Known | None:
    """The furthest point from which the chain can be followed to the head without a gap.

    That is a checkpoint that a stored head agrees with, the beginning, or the header of the first
    whole sector behind the last gap.
    """
    ring = head.ring
    taken = _newest(session, device.id)
    said = None if taken is None else _said(taken.envelope, site, device, ring)
    if said is not None and said.seq <= head.next_seq and _whole_from(session, head, said.seq):
        agreeing = journal_rows.of(JournalHead, device.id, ring).where(
            JournalHead.next_seq == said.seq, JournalHead.chain == said.c
        )
        if session.scalar(agreeing.limit(1)) is not None:
            return said
    if _whole_from(session, head, 0):
        return _Known(0, chain.start(site.id, device.id_bytes, ring))
    for header in journal_rows.sectors(session, device.id, ring):
        if header.first_seq <= head.next_seq and _whole_from(session, head, header.first_seq):
            return _Known(header.first_seq, header.c)
    return None


def _said(envelope: bytes, site: Site, device: Device, ring: int) -> _Known | None:
    """What a checkpoint says of a ring; None when it is none of this controller."""
    try:
        fields = cbor.decode(bytes(cose.open_envelope(envelope).payload))
    except cbor.Malformed:
        return None
    if (
        not isinstance(fields, list)
        or len(fields) != _FIELDS
        or fields[:2] != [site.id, device.id_bytes]
    ):
        return None
    seq, c = fields[2:4] if ring == RING_ACCESS else fields[4:6]
    return _Known(seq, c) if isinstance(seq, int) and isinstance(c, bytes) else None
