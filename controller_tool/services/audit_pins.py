"""Which sealed audit key of each ring this folder has seen, by its SHA-256 (host).

A controller makes its audit keys once, at its first start, and seals them to the auditor. Who
keeps the registry could seal keys of their own to the auditor, and remake a whole journal with
them. So every folder remembers what it has seen; a second one is evidence, for good. Rules:

- what came from the controller itself, over the channel, decides where there is any: two of them,
  and the controller's key *changed*. Another key that is shown by a registry or bundle is *foreign*
  there: a fault of that registry or bundle, and none of the controller
- else, of what was only told, two keys are a change
- a bundle tells a folder nothing that has neither a key nor a pin: who comes first must not decide
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
    """changed: a second key was seen; at_controller: one was seen at the controller.

    foreign: the key that is shown is not the controller's; disputed: nor is one that was told.
    """

    changed: bool
    at_controller: bool
    foreign: bool = False
    disputed: bool = False


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
    """Hand what one folder has seen to a new one, for which it is hearsay.

    What was only told is left out where the controller itself has shown its key.
    """
    places = select(AuditPin.device_id, AuditPin.ring).distinct()
    for device_id, ring in source.execute(places).all():
        shown, told = _seen(source, device_id, ring)
        for known in shown or told:
            add(target, device_id, ring, known, False)


def digest(sealed: bytes) -> bytes:
    """What stands for a sealed key, 32 bytes."""
    return sha256(sealed).digest()


def judge(
    session: Session, device_id: str, ring: int, shown: bytes | None, held: bytes | None = None
) -> Judged:
    """Compare the sealed key that is shown now with what was seen.

    shown: by the registry or bundle that is judged; held: by this registry, where it is a bundle.
    """
    own, told = _seen(session, device_id, ring)
    said = {digest(shown)} if shown else set()
    told |= {digest(held)} if held else set()
    if own:
        return Judged(len(own) > 1, True, bool(said - own), bool(told - own))
    return Judged(len(told | said) > 1, False)


def is_known(session: Session, device_id: str, ring: int) -> bool:
    """Whether this folder has seen any."""
    return any(_seen(session, device_id, ring))


def best(
    session: Session, device_id: str, ring: int, sealed: Iterable[bytes | None]
) -> bytes | None:
    """The first of these that the controller itself has shown, else the first that there is."""
    there = [each for each in sealed if each]
    own, _ = _seen(session, device_id, ring)
    return next((each for each in there if digest(each) in own), there[0] if there else None)


def _seen(session: Session, device_id: str, ring: int) -> tuple[set[bytes], set[bytes]]:
    """Digests that came from the controller, and those that were told."""
    query = select(AuditPin.digest, AuditPin.from_controller).where(
        AuditPin.device_id == device_id, AuditPin.ring == ring
    )
    rows = session.execute(query).all()
    own = {row.digest for row in rows if row.from_controller}
    return own, {row.digest for row in rows if not row.from_controller}
