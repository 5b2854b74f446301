"""A lost card that was found goes on, once a second operator says so (host).

It goes on as a new grant with a reference of its own, like a card with other dates
(services.card_change): receipts prove the former one gone and the new one there. Where its stay or
its dates are over it is taken back instead, as one that was handed in, and may be issued anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.houses import House
from controller_tool.registry.models import STATE_COLLECTED, STATE_LOST, Card, Device, Grant, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import found as rules
from controller_tool.rules import words
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit, card_terms, cards, list_content
from controller_tool.services.desk import pair_acts, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from controller_tool.services.desk.pair_acts import Asked, PairView
    from controller_tool.services.site import Site


def ask(site: Site, text: str, document: str, dry_run: bool = False) -> PairView:
    """Ask for a lost card, by reference or number, to go on; document: number of the report."""
    site.require_cards()
    site.unlock()
    with site.registry.session() as session:
        card = cards.find(site, session, text)
    return pair_acts.ask(site, words.FOUND, card.ref, document, {"card_id": card.id}, dry_run)


def check(site: Site, session: Session, asked: Asked) -> tuple[Card, bool]:
    """The card, and whether it goes on; RuleRefused when it can neither that nor be taken back."""
    card = session.get_one(Card, asked.facts["card_id"])
    live = cards.live_card(site, session, cards.credential_of(site, card))
    lease = session.get(Lease, card.lease_id) if card.lease_id else None
    house = session.get_one(House, lease.house_id) if lease else None
    facts = rules.Facts(
        ref=card.ref,
        lost=card.state == STATE_LOST,
        until_min=_end_min(card, lease),
        taken_by=live.ref if live else None,
        stay_over=lease is not None and lease.ended_at_s is not None,
        house=places.facts(house) if house else None,
    )
    now_min = now_s() // 60
    require_rules(rules.refuse(facts, now_min))
    return card, rules.goes_on(facts, now_min)


def carry_out(site: Site, session: Session, asked: Asked) -> dict[str, Any]:
    """Issue it anew for the rest of its dates, on the controllers that are still in use."""
    old, goes_on = check(site, session, asked)
    if not goes_on:
        old.state = STATE_COLLECTED
        audit.append(
            session, site.operator, "card.found_back", ref=old.ref, document=asked.document
        )
        return {"back": old.ref}
    query = (
        select(Grant, Device)
        .join(Device, Device.id == Grant.device_id)
        .where(Grant.card_id == old.id, Device.ended_how.is_(None))
        .order_by(Device.name)
    )
    granted = [(grant.points_mask, device) for grant, device in session.execute(query)]
    lease = session.get(Lease, old.lease_id) if old.lease_id else None
    if lease is not None:
        granted = list(_still_its(session, lease, granted))
    devices = [device for _, device in granted]
    names = [device.name for device in devices]
    terms = cards.Terms(
        old.from_min, _end_min(old, lease), tuple(names), flags=old.flags, profile_id=old.profile_id
    )
    if lease is None:
        card_terms.check(session, terms)
    person = session.get(Person, old.person_id) if old.person_id else None
    new = cards.add(site, session, cards.credential_of(site, old), terms, person, found=True)
    new.lease_id = old.lease_id
    session.add_all(
        Grant(card_id=new.id, device_id=device.id, points_mask=mask) for mask, device in granted
    )
    list_content.require_room(session, devices)
    audit.append(
        session, site.operator, "card.found", ref=new.ref, before=old.ref, devices=names,
        document=asked.document,
    )  # fmt: skip
    return {"card": new.ref, "before": old.ref, "devices": names}


def _end_min(card: Card, lease: Lease | None) -> int:
    """A stay that became shorter meanwhile takes its lost cards along."""
    return card.until_min if lease is None else min(card.until_min, lease.until_min)


def _still_its(
    session: Session, lease: Lease, granted: list[tuple[int | None, Device]]
) -> Iterator[tuple[int | None, Device]]:
    """Of what it opened before it was lost: what is still a door of its house or room."""
    now = places.doors_of(session, lease)
    for had, device in granted:
        if device not in now:
            continue
        its = now[device]
        mask = had if its is None else its if had is None else had & its
        if mask != 0:
            yield mask, device
