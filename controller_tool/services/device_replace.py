"""A new controller takes the place of an old one in the registry (host).

Rules, in this order:

- both are known, of the same kind, and the new one is in service: provisioned and enrolled
- the cards of the old one are granted to the new one for the same doors, which must have room for
  them; it serves the houses and rooms of the old one, and none of its own before
- the newest configuration that was signed for the old one is signed anew for the new one; what
  its board does not have is left out and named
- the old one leaves service: it steps aside under another name and its addresses are forgotten.
  It stays on the books: what it was sent is not proven dead by being replaced, so its receipts stay
  outstanding until a wipe receipt or a loss statement of two operators
- the new one gets the old one's name

The list and the configuration go out with the next push.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.registry.houses import HousePoint
from controller_tool.registry.models import Device, Grant
from controller_tool.registry.records import SentCard
from controller_tool.services import audit, device_config, devices, list_content

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

_KEY = "ticket"


@dataclass(frozen=True)
class Replaced:
    """What it came to. cards: that the new one did not have; config_version: signed for it, 0
    without one; left_out: settings that its board does not have; kept_as: the old one's name now;
    outstanding: cards that the old one was sent and that it could still open for."""

    old: str
    new: str
    cards: int
    config_version: int
    left_out: tuple[str, ...]
    kept_as: str
    outstanding: int


def replace(site: Site, old_name: str, new_name: str, *, dry_run: bool = False) -> Replaced:
    """Do it, or with ``dry_run`` say what it would come to; raises OperatorError."""
    old, new = site.device(old_name), site.device(new_name)
    _require_fit(old, new)
    signed = device_config.newest(site, old)
    settings = dict(signed.settings) if signed else {}
    left_out = tuple(device_config.unfit(new, settings))
    if settings:
        site.require(_KEY)
        settings = device_config.fitting(new, settings)
    with site.registry.session() as session:
        _require_unplaced(session, new)
        done = _plan(session, old, new)
    version = device_config.version_for(site, new) if settings else 0
    kept_as = devices.aside(old)
    result = Replaced(old_name, new_name, done[0], version, left_out, kept_as, done[1])
    if dry_run:
        return result
    with site.registry.writing() as session:
        held, coming = session.get_one(Device, old.id), session.get_one(Device, new.id)
        devices.take_over_grants(session, held, coming)
        list_content.require_room(session, [coming])
        devices.step_aside(session, held)
        coming.name = old_name
        audit.append(
            session, site.operator, "device.replace", name=old_name, old=old.id, new=new.id,
            was_named=new_name,
        )  # fmt: skip
    if settings:
        device_config.sign(site, site.device(old_name), version, settings)
    return result


def _plan(session: Session, old: Device, new: Device) -> tuple[int, int]:
    """Cards that come, and cards that the old one was sent and has not proven dead."""
    there = select(Grant.card_id).where(Grant.device_id == new.id)
    coming = select(func.count()).where(Grant.device_id == old.id, Grant.card_id.not_in(there))
    dead = SentCard.dead_from_version
    proven = dead.is_not(None) & (dead <= old.list_version_receipted)
    sent = select(func.count()).where(SentCard.device_id == old.id, ~proven | dead.is_(None))
    return session.scalar(coming) or 0, session.scalar(sent) or 0


def _require_unplaced(session: Session, new: Device) -> None:
    """What it serves already would mix with what it takes over, and rooms' doors with others'."""
    if session.scalar(select(func.count()).where(HousePoint.device_id == new.id)):
        raise OperatorError(
            t("{device} serves a house of its own", device=new.name),
            t("Take its doors away first: house door remove"),
        )


def _require_fit(old: Device, new: Device) -> None:
    if old.id == new.id:
        raise OperatorError(
            t("A controller does not replace itself"), t("Name the old one, then the new one")
        )
    if new.enrolled_at_s is None:
        raise OperatorError(
            t("{device} is not in service", device=new.name),
            t("Provision it first: device provision {device}", device=new.name),
        )
    if old.kind != new.kind:
        raise OperatorError(
            t("{old} is a {kind}, and {new} is none", old=old.name,
              kind=name_of("kind", old.kind), new=new.name),
            t("Take a board of the same kind"),
        )  # fmt: skip
