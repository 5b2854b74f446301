"""What a registry has to know about itself once it was restored: reality is newer (host).

Between backup and restore others went on. So, in one transaction with the audit entry:

- the receipts of every controller are pending: what it proved then says nothing of now
- the next list of each gets a number that nothing signed since the backup can have, so no number
  is signed twice with other content; a configuration that is signed unseen, too
- every issued card counts as sent wherever it was granted: the registry that was lost may have sent
  it, and *dead* is what a receipt proves, not what this one forgot

What a controller then reports of itself is compared as ever: a list that is not known here is a
fork (services.standing, services.forks).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, insert, select

from controller_tool.registry.models import STATE_ISSUED, Card, Device, Grant
from controller_tool.registry.records import AuditEntry, ListVersion, SentCard
from controller_tool.services import audit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

ACT = "site.restore"
LIST_JUMP = 4096  # lists for one controller between two backups; it takes 65 536 at a time
CONFIG_JUMP = 64


@dataclass(frozen=True)
class Marked:
    """What was restored. pending: names of the controllers that have to be heard first."""

    controllers: int
    cards_issued: int
    pending: tuple[str, ...]


@dataclass(frozen=True)
class Restore:
    """That this registry was restored: when, and from a backup of when. Seconds since 2020."""

    at_s: int
    made_at_s: int


def mark(site: Site, made_at_s: int) -> Marked:
    """The registry of ``site`` was restored from a backup of that time."""
    with site.registry.writing() as session:
        for device in session.scalars(select(Device)):
            device.version_floor = max(_newest(session, device), device.version_floor) + LIST_JUMP
            device.list_version_receipted = 0
        session.flush()
        _count_as_sent(session)
        names = select(Device.name).where(
            Device.enrolled_at_s.is_not(None), Device.ended_how.is_(None)
        )
        pending = tuple(session.scalars(names.order_by(Device.name)))
        issued = select(func.count()).select_from(Card).where(Card.state == STATE_ISSUED)
        controllers = select(func.count()).select_from(Device)
        marked = Marked(session.scalar(controllers) or 0, session.scalar(issued) or 0, pending)
        audit.append(session, site.operator, ACT, made_at_s=made_at_s, controllers=len(pending))
    return marked


def newest(session: Session) -> Restore | None:
    """The last time that this registry was restored; None when it never was."""
    query = select(AuditEntry).where(AuditEntry.act == ACT).order_by(AuditEntry.id.desc())
    found = session.scalar(query.limit(1))
    if found is None:
        return None
    return Restore(found.at_s, json.loads(found.details)["made_at_s"])


def config_jump(session: Session, signed_at_s: int) -> int:
    """How far a configuration's number goes beyond one of that time, the controller unheard."""
    found = newest(session)
    return CONFIG_JUMP if found is not None and signed_at_s <= found.at_s else 0


def _newest(session: Session, device: Device) -> int:
    numbers = select(func.max(ListVersion.version)).where(ListVersion.device_id == device.id)
    return session.scalar(numbers) or 0


def _count_as_sent(session: Session) -> None:
    sent = exists().where(SentCard.card_id == Grant.card_id, SentCard.device_id == Grant.device_id)
    rows = (
        select(Grant.card_id, Grant.device_id, Device.version_floor + 1)
        .join(Card, and_(Card.id == Grant.card_id, Card.state == STATE_ISSUED))
        .join(Device, Device.id == Grant.device_id)
        .where(~sent, Device.ended_how.is_(None), Device.enrolled_at_s.is_not(None))
    )
    names = ("card_id", "device_id", "first_version")
    session.execute(insert(SentCard).from_select(names, rows))
