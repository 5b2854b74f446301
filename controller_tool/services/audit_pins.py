"""Which sealed audit key of each ring this folder has seen, by its SHA-256 (host).

A controller makes its audit keys once, at its first start, and seals them to the auditor. Who
keeps the registry could seal keys of their own to the auditor, and remake a whole journal with
them. So every folder remembers what it has seen; a second one is evidence, for good. What came
from the controller itself, over the channel, weighs more than what a registry or bundle says.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.records import AuditPin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Judged:
    """changed: more than one key was ever seen; at_controller: it was seen at the controller."""

    changed: bool
    at_controller: bool


def note(site: Site, device: Device, ring: int, sealed: bytes, from_controller: bool) -> None:
    """Remember the sealed key of a ring; from_controller: it came over the channel."""
    with site.registry.writing() as session:
        add(session, device.id, ring, digest(sealed), from_controller)


def add(session: Session, device_id: str, ring: int, seen: bytes, from_controller: bool) -> None:
    """The same in the caller's transaction, by digest; what is known already is left."""
    if session.get(AuditPin, (device_id, ring, seen, from_controller)) is None:
        session.add(
            AuditPin(
                device_id=device_id, ring=ring, digest=seen, from_controller=from_controller,
                seen_at_s=now_s(),
            )
        )  # fmt: skip
        session.flush()


def copy(source: Session, target: Session) -> None:
    """Hand all that one folder has seen to a new one, for which it is hearsay."""
    seen = select(AuditPin.device_id, AuditPin.ring, AuditPin.digest).distinct()
    for device_id, ring, known in source.execute(seen):
        add(target, device_id, ring, known, False)


def digest(sealed: bytes) -> bytes:
    """What stands for a sealed key, 32 bytes."""
    return sha256(sealed).digest()


def judge(session: Session, device_id: str, ring: int, shown: Iterable[bytes | None]) -> Judged:
    """Compare the sealed keys that are shown now (by a registry, a bundle) with what was seen."""
    query = select(AuditPin.digest, AuditPin.from_controller).where(
        AuditPin.device_id == device_id, AuditPin.ring == ring
    )
    seen = session.execute(query).all()
    known = {row.digest for row in seen} | {digest(sealed) for sealed in shown if sealed}
    return Judged(len(known) > 1, any(row.from_controller for row in seen))
