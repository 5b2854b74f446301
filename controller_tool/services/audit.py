"""The operators' audit chain: who did what, append-only and hash-chained (host)."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.models import Operator
from controller_tool.registry.records import AuditEntry, ListVersion
from controller_tool.rules import duty, refusal
from protocol import cose, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

START = bytes(32)


def append(session: Session, operator: str, act: str, **details: object) -> None:
    """Add one entry in the caller's transaction. ``details`` must hold no secret.

    An operator who is new to the registry is written down first; one who has ended changes nothing.
    """
    row = session.scalar(select(Operator).where(Operator.name == operator))
    if row is None:
        refusal.require(duty.new_name(operator, session.scalars(select(Operator.name))))
        session.add(Operator(name=operator, created_at_s=now_s()))
        _append(session, operator, "operator.first_seen", {})
    elif row.ended_at_s is not None:
        refusal.require(duty.in_service(duty.Who(operator, row.role, ended=True)))
    _append(session, operator, act, details)


def export_begun(site: Site, target: str, kinds: Iterable[str], records: int | None = None) -> None:
    """Write down that data are about to leave; OperatorError when the log cannot take it.

    In a transaction of its own, before the first byte: a copy that is made and then cut short, by
    a kill or a registry that is busy, has left all the same. target: the kind of place, as the
    registry names it, no file name; records: how many, None where nobody knows before they are all
    read. What did arrive stands in an entry of its own, after it.
    """
    with site.registry.writing() as session:
        append(
            session, site.operator, "export.begun", target=target, kinds=sorted(kinds),
            **({} if records is None else {"records": records}),
        )  # fmt: skip


def head(session: Session) -> bytes:
    """Hash of the newest entry, 32 bytes; zeros before the first."""
    newest = session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1))
    return newest or START


def first_broken(session: Session) -> int | None:
    """Id of the first entry that does not continue the chain; None when the chain is whole."""
    previous = START
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        expected = _hash(previous, entry.at_s, entry.operator, entry.act, entry.details)
        if entry.previous_hash != previous or entry.hash != expected:
            return entry.id
        previous = entry.hash
    return None


def unknown_head(session: Session) -> bool:
    """Whether a signed list names a head of this log that is not in it: the log was cut or remade.

    Only for a folder that holds the log from its beginning on; the hub's lists name the office's.
    """
    heads = {START, *session.scalars(select(AuditEntry.hash))}
    for envelope in session.scalars(select(ListVersion.envelope)):
        if manifest.parse(bytes(cose.open_envelope(envelope).payload)).audit_head not in heads:
            return True
    return False


def _append(session: Session, operator: str, act: str, details: dict[str, object]) -> None:
    previous, at_s = head(session), now_s()
    text = json.dumps(details, ensure_ascii=False, sort_keys=True)
    session.add(
        AuditEntry(
            at_s=at_s,
            operator=operator,
            act=act,
            details=text,
            previous_hash=previous,
            hash=_hash(previous, at_s, operator, act, text),
        )
    )
    session.flush()


def _hash(previous: bytes, at_s: int, operator: str, act: str, details: str) -> bytes:
    entry = json.dumps([at_s, operator, act, details], ensure_ascii=False)
    return sha256(previous + entry.encode()).digest()
