"""Pulled journals in the registry: append-only, exactly as the controllers gave them (host).

Nothing is judged here but shape: what is false is kept too, for `journal verify` to name it. A
record that comes again with other bytes goes to the conflicts, the first copy stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.errors import DeviceError
from controller_tool.messages import t
from controller_tool.registry.bulk import insert_rows
from controller_tool.registry.records import (
    JournalConflict,
    JournalHead,
    JournalRecord,
    JournalSector,
)
from controller_tool.services import audit, journal_index
from controller_tool.services.journal_checkpoint import (
    CHECKPOINT_KEY,
    checkpoint,
    store_checkpoint,
)
from controller_tool.services.journal_rows import (
    NOTED,
    RINGS,
    conflicts,
    heads,
    missing_ranges,
    newest_head,
    newest_head_id,
    next_seq,
    next_seq_of,
    noted_seq,
    of,
    rows,
    stored,
)
from controller_tool.wire_shapes import is_head, is_page
from protocol import sector_header
from protocol.constants import RECORD_BYTES, SECTOR_HEADER_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

__all__ = [
    "CHECKPOINT_KEY", "RINGS", "Counts", "append", "append_sectors", "checkpoint", "conflicts",
    "heads", "missing_ranges", "newest_head", "newest_head_id", "next_seq", "noted_seq", "rows",
    "store_checkpoint",
]  # fmt: skip
_RECORD_COLUMNS = ("device_id", "ring", "seq", "boot", "record", "pulled_at_s")
_CONFLICT_COLUMNS = ("device_id", "ring", "seq", "record", "pulled_at_s")
_AT_ONCE = 500  # values of one IN
_CONFLICTS_MAX = 1000  # of a ring: enough to show that its controller lies
_SPREAD = 4  # a page whose numbers lie closer together than this is looked up as one range


@dataclass(frozen=True)
class Counts:
    """What became of one page or head; fields as in pull.PullResult."""

    new: int = 0
    already_had: int = 0
    overwritten: int = 0
    conflicting: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.new + other.new,
            self.already_had + other.already_had,
            self.overwritten + other.overwritten,
            self.conflicting + other.conflicting,
        )


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

    page: any number of records, in one transaction: thousands are cheaper than forty.
    ``overwritten`` counts what is missing before the head's oldest record and was not missing at
    the head before. after_head: `newest_head_id` when the head was asked for; a head that another
    pull overtook says nothing new and would look like a controller that fell back: it is left out.
    Raises DeviceError for what has not the shape of a page or head.
    """
    if not is_page(page) or (head is not None and not is_head(head, ring)):
        raise DeviceError(
            t("{device} sent a journal page of a wrong shape", device=device.name),
            t("Pull again; if it stays so, the firmware is not ours"),
        )
    site.unlock()
    with site.registry.writing() as session:
        counts = _store(site, session, device, ring, page)
        if head is None or nonce is None:
            return counts
        session.flush()
        if _overtaken(session, device.id, ring, head[1], after_head):
            return counts
        _note(site, session, device, ring, head[1])
        overwritten = _store_head(session, device.id, ring, head, nonce)
        return replace(counts, overwritten=overwritten)


def append_sectors(site: Site, device: Device, ring: int, headers: bytes) -> int:
    """Store sector headers of 64 bytes each; returns how many were new.

    Their tags are not judged here. Raises DeviceError for what has not the shape of headers.
    """
    size = SECTOR_HEADER_BYTES
    taken = [headers[at : at + size] for at in range(0, len(headers), size)]
    found = [sector_header.unpack(one) if len(one) == size else None for one in taken]
    if any(fields is None or fields.ring != ring for fields in found):
        raise DeviceError(
            t("{device} sent journal sector headers of a wrong shape", device=device.name),
            t("Pull again; if it stays so, the firmware is not ours"),
        )
    new = {one: fields.first_seq for one, fields in zip(taken, found, strict=True) if fields}
    with site.registry.writing() as session:
        held = select(JournalSector.header).where(
            JournalSector.device_id == device.id, JournalSector.ring == ring
        )
        for header in session.scalars(held):
            new.pop(header, None)
        session.add_all(
            JournalSector(
                device_id=device.id, ring=ring, first_seq=first, header=one, pulled_at_s=now_s()
            )
            for one, first in new.items()
        )
    return len(new)


def _store(site: Site, session: Session, device: Device, ring: int, page: bytes) -> Counts:
    taken = [page[at : at + RECORD_BYTES] for at in range(0, len(page), RECORD_BYTES)]
    if not taken:
        return Counts()
    numbered = [(int.from_bytes(record[:4], "big"), record) for record in taken]
    held = _held(session, device.id, ring, [seq for seq, _ in numbered])
    new: dict[int, bytes] = {}
    conflicting: list[tuple[int, bytes]] = []
    for seq, record in numbered:
        first = held[seq] if seq in held else new.setdefault(seq, record)
        if first != record:
            conflicting.append((seq, record))
    at_s = now_s()
    made = [
        (device.id, ring, seq, record[4] << 8 | record[5], record, at_s)
        for seq, record in new.items()
    ]
    insert_rows(session, JournalRecord, _RECORD_COLUMNS, made)
    room = _CONFLICTS_MAX - _conflicts_held(session, device.id, ring) if conflicting else 0
    beside = [(device.id, ring, seq, record, at_s) for seq, record in conflicting[: max(0, room)]]
    insert_rows(session, JournalConflict, _CONFLICT_COLUMNS, beside)
    journal_index.add(site, session, device, ring, list(new.items()))
    had = len(taken) - len(new) - len(conflicting)
    return Counts(len(new), had, 0, len(conflicting))


def _held(session: Session, device_id: str, ring: int, seqs: list[int]) -> dict[int, bytes]:
    """Records that are stored under these numbers."""
    first, last = min(seqs), max(seqs)
    if first >= next_seq_of(session, device_id, ring):
        return {}
    columns = (JournalRecord.seq, JournalRecord.record)
    query = of(JournalRecord, device_id, ring).with_only_columns(*columns)
    if last - first < _SPREAD * len(seqs):
        whole = query.where(JournalRecord.seq >= first, JournalRecord.seq <= last)
        return {seq: record for seq, record in session.execute(whole)}  # noqa: C416 - rows are no pairs to mypy
    return {
        seq: record
        for at in range(0, len(seqs), _AT_ONCE)
        for seq, record in session.execute(
            query.where(JournalRecord.seq.in_(seqs[at : at + _AT_ONCE]))
        )
    }


def _conflicts_held(session: Session, device_id: str, ring: int) -> int:
    of_ring = JournalConflict.device_id == device_id, JournalConflict.ring == ring
    return session.scalar(select(func.count()).select_from(JournalConflict).where(*of_ring)) or 0


def _overtaken(
    session: Session, device_id: str, ring: int, next_seq: int, after_head: int | None
) -> bool:
    """Whether a later head was stored since the one with this number was asked for."""
    if after_head is None:
        return False
    since = of(JournalHead, device_id, ring).where(
        JournalHead.id > after_head, JournalHead.next_seq >= next_seq
    )
    return session.scalar(since.limit(1)) is not None


def _note(site: Site, session: Session, device: Device, ring: int, next_seq: int) -> None:
    if next_seq > noted_seq(session, device.id, ring):
        audit.append(session, site.operator, NOTED, device=device.id, ring=ring, next_seq=next_seq)


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
    return seq - stored(session, device_id, ring, 0, seq)
