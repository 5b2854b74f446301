"""A list of another registry is replaced: what was ended there is ended here first (host).

A fork is a controller that holds a list which this registry never signed: this one is a restored
backup, or another folder pushes too. Before this registry's list replaces it, in this order:

- the two are compared
- a card that the controller holds as revoked and this registry as issued is ended here: as lost,
  for nobody here knows whether it was handed in; else the new list would bring it back to life
- every card of this registry that the other one has put there counts as sent, and one that is
  ended so wherever it was granted: dead is what a receipt proves, not what this registry forgot
- cards that this registry lacks are simply not in the new list
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.models import STATE_ISSUED, STATE_LOST, Card, Device, Grant
from controller_tool.registry.records import SentCard
from controller_tool.services import audit, compare, standing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.client import Client, DeviceState
    from controller_tool.services.compare import Comparison, Difference
    from controller_tool.services.site import Site


def accept(site: Site, device: Device, client: Client, state: DeviceState) -> list[Difference]:
    """A person says that this registry's list may replace that one; returns what was ended.

    ``state`` was noted as a fork (services.standing). Raises a ToolError when the controller
    cannot be compared: then nothing is accepted.
    """
    site.require_cards()
    comparison = compare.compare_open(site, device, client, state, standing.FORK)
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        ended = _end_what_was_ended(site, session, row, comparison)
        standing.accept(site, session, row)
    return ended


def _end_what_was_ended(
    site: Site, session: Session, row: Device, comparison: Comparison
) -> list[Difference]:
    there = {d.key: d for d in comparison.differences if d.there != compare.ABSENT}
    ended = []
    for key, cards in compare.cards_by_key(site, session, row, there).items():
        for card in cards:
            _count_as_sent(session, card, [row])
        if there[key].there == compare.REVOKED and cards[0].state == STATE_ISSUED:
            _end(site, session, row, cards[0], comparison.version)
            ended.append(there[key])
    return sorted(ended, key=lambda difference: difference.card)


def _end(site: Site, session: Session, row: Device, card: Card, version: int) -> None:
    card.state, card.ended_at_s = STATE_LOST, now_s()
    granted = select(Device).join(Grant, Grant.device_id == Device.id)
    _count_as_sent(session, card, list(session.scalars(granted.where(Grant.card_id == card.id))))
    audit.append(
        session, site.operator, "card.lost", ref=card.ref, device=row.name, version=version,
        why="revoked on the controller by another registry",
    )  # fmt: skip


def _count_as_sent(session: Session, card: Card, devices: list[Device]) -> None:
    """Each must prove that it is dead there; the list that is signed next says so."""
    for device in devices:
        if session.get(SentCard, (card.id, device.id)) is None:
            newest = standing.newest(session, device)
            version = max(newest.version if newest else 0, device.version_floor) + 1
            session.add(SentCard(card_id=card.id, device_id=device.id, first_version=version))
            session.flush()
