"""What the registry holds of a ring: records, heads, numbers that are missing (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import func, select

from controller_tool.registry.records import (
    AuditEntry,
    JournalConflict,
    JournalHead,
    JournalRecord,
    JournalSector,
)
from protocol import sector_header
from protocol.constants import RECORD_BYTES, RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site
    from protocol.sector_header import SectorHeader

RINGS = (RING_ACCESS, RING_ALARM)
NOTED = "journal.head"
_Row = TypeVar("_Row", JournalRecord, JournalHead, JournalConflict, JournalSector)


def next_seq(site: Site, device: Device, ring: int) -> int:
    """Sequence number after the newest record that is stored."""
    with site.registry.session() as session:
        return next_seq_of(session, device.id, ring)


def next_seq_of(session: Session, device_id: str, ring: int) -> int:
    """As `next_seq`, in an open session."""
    seqs = of(JournalRecord, device_id, ring).with_only_columns(func.max(JournalRecord.seq))
    newest = session.execute(seqs).scalar()
    return 0 if newest is None else newest + 1


def pulled(session: Session, device_ids: Sequence[str]) -> bool:
    """Whether anything of these controllers was ever pulled: it is here, or the log speaks of it.

    What somebody removed was pulled once: `journal verify` has to be asked, not the controller.
    """
    of_these = (
        select(JournalRecord.seq).where(JournalRecord.device_id.in_(device_ids)),
        select(JournalHead.id).where(JournalHead.device_id.in_(device_ids)),
    )
    if any(session.execute(query.limit(1)).first() is not None for query in of_these):
        return True
    said = session.scalars(select(AuditEntry.details).where(AuditEntry.act == NOTED))
    return any(json.loads(details)["device"] in device_ids for details in said)


def missing_ranges(
    site: Site, device: Device, ring: int, oldest: int, end: int
) -> list[tuple[int, int]]:
    """Which numbers from ``oldest`` to before ``end`` are not stored: half-open ranges, in order.

    Where none is missing, records are counted and not looked at.
    """
    with site.registry.session() as session:
        if stored(session, device.id, ring, oldest, end) >= end - oldest:
            return []
        return _gaps(session, device.id, ring, oldest, end)


def stored(session: Session, device_id: str, ring: int, first: int, end: int) -> int:
    """How many records of the numbers from ``first`` to before ``end`` are stored."""
    within = of(JournalRecord, device_id, ring).where(
        JournalRecord.seq >= first, JournalRecord.seq < end
    )
    return session.execute(within.with_only_columns(func.count())).scalar() or 0


def noted_seq(session: Session, device_id: str, ring: int) -> int:
    """The highest number of a head that the operators' log remembers.

    Who removes records together with the heads that speak of them would have to change the log
    too, and its hashes stand in signed manifests.
    """
    query = select(AuditEntry.details).where(AuditEntry.act == NOTED)
    said = [json.loads(details) for details in session.scalars(query)]
    mine = (e["next_seq"] for e in said if (e["device"], e["ring"]) == (device_id, ring))
    return max(mine, default=0)


def rows(session: Session, device_id: str, ring: int) -> list[JournalRecord]:
    """Stored records of one ring by sequence number."""
    return list(session.scalars(of(JournalRecord, device_id, ring).order_by(JournalRecord.seq)))


def record_at(session: Session, device_id: str, ring: int, seq: int) -> bytes | None:
    """One stored record; None when there is none of that number, or what is there is no record."""
    one = of(JournalRecord, device_id, ring).where(JournalRecord.seq == seq)
    found = session.scalar(one.with_only_columns(JournalRecord.record))
    return found if found is not None and len(found) == RECORD_BYTES else None


def heads(session: Session, device_id: str, ring: int) -> list[JournalHead]:
    """Stored heads of one ring, the oldest first."""
    return list(session.scalars(of(JournalHead, device_id, ring).order_by(JournalHead.id)))


def conflicts(session: Session, device_id: str, ring: int) -> list[JournalConflict]:
    """Records that came again with other bytes, in the order in which they came."""
    return list(session.scalars(of(JournalConflict, device_id, ring).order_by(JournalConflict.id)))


def newest_head_id(site: Site, device: Device, ring: int) -> int:
    """Which head was stored last; 0 for none."""
    with site.registry.session() as session:
        newest = newest_head(session, device.id, ring)
        return 0 if newest is None else newest.id


def newest_head(session: Session, device_id: str, ring: int) -> JournalHead | None:
    """The head that was stored last."""
    query = of(JournalHead, device_id, ring).order_by(JournalHead.id.desc())
    return session.scalar(query.limit(1))


def sectors(session: Session, device_id: str, ring: int) -> list[SectorHeader]:
    """Stored sector headers by first number; their tags are not judged here."""
    query = of(JournalSector, device_id, ring).with_only_columns(JournalSector.header)
    found = [sector_header.unpack(raw) for raw in session.scalars(query)]
    return sorted((one for one in found if one), key=lambda one: one.first_seq)


def newest_sector(session: Session, device_id: str, ring: int, end_seq: int) -> int:
    """First number of the newest sector up to there whose header is stored; 0 for none."""
    newest = func.max(JournalSector.first_seq)
    held = of(JournalSector, device_id, ring).where(JournalSector.first_seq <= end_seq)
    return session.scalar(held.with_only_columns(newest)) or 0


def of(model: type[_Row], device_id: str, ring: int) -> Select[_Row]:
    """All rows of one ring."""
    return select(model).where(model.device_id == device_id, model.ring == ring)


def _gaps(
    session: Session, device_id: str, ring: int, oldest: int, end: int
) -> list[tuple[int, int]]:
    seqs = (
        of(JournalRecord, device_id, ring)
        .where(JournalRecord.seq >= oldest, JournalRecord.seq < end)
        .with_only_columns(
            JournalRecord.seq, func.lag(JournalRecord.seq).over(order_by=JournalRecord.seq)
        )
        .subquery()
    )
    seq, before = seqs.c
    found = session.execute(
        select(func.coalesce(before + 1, oldest), seq)
        .where(seq > func.coalesce(before + 1, oldest))
        .order_by(seq)
    )
    ranges = [(first, last) for first, last in found]
    newest = session.execute(select(func.max(seq))).scalar()
    behind = oldest if newest is None else newest + 1
    return [*ranges, (behind, end)] if behind < end else ranges
