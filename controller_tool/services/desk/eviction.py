"""Somebody is put out: two operators and a document with a number (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import STATE_ISSUED, STATE_LOST, Card
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit
from controller_tool.services.desk import pair_acts

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.desk.pair_acts import Asked, PairView
    from controller_tool.services.site import Site


def ask(site: Site, text: str, document: str, dry_run: bool = False) -> PairView:
    """Ask for a stay, by its reference, to be ended; document: the order it rests on."""
    site.require_cards()
    with site.registry.session() as session:
        lease = session.scalar(select(Lease).where(Lease.ref == text.strip().upper()))
    if lease is None:
        raise OperatorError(
            t("There is no stay {stay}", stay=text), t("See them with: tenant list")
        )
    return pair_acts.ask(site, words.EVICTION, lease.ref, document, {"lease_id": lease.id}, dry_run)


def check(site: Site, session: Session, asked: Asked) -> Lease:  # noqa: ARG001 - of pair_work.Work
    """The stay; RuleRefused when it has ended."""
    lease = session.get_one(Lease, asked.facts["lease_id"])
    if lease.ended_at_s is not None:
        require_rules(
            Refusal("over", t("The stay {stay} has ended", stay=lease.ref),
                    t("See them with: tenant list"))
        )  # fmt: skip
    return lease


def carry_out(site: Site, session: Session, asked: Asked) -> dict[str, Any]:
    """Its cards end first, as lost, for they were not handed in; then the stay and visits to it."""
    lease = check(site, session, asked)
    ended, cards = _move_out(session, lease)
    audit.append(
        session, site.operator, "tenant.evict", stay=lease.ref, document=asked.document,
        visitors=ended[1:], cards=cards,
    )  # fmt: skip
    return {"stay": lease.ref, "visitors": ended[1:], "cards": cards}


def _move_out(session: Session, lease: Lease) -> tuple[list[str], list[str]]:
    """References of the stays and of the cards that ended."""
    visits = select(Lease).where(Lease.host_lease_id == lease.id, Lease.ended_at_s.is_(None))
    stays, at_s = [lease, *session.scalars(visits)], now_s()
    out = select(Card).where(
        Card.lease_id.in_([one.id for one in stays]), Card.state == STATE_ISSUED
    )
    cards = list(session.scalars(out.order_by(Card.ref)))
    for card in cards:
        card.state, card.ended_at_s = STATE_LOST, at_s
    session.flush()
    for one in stays:
        one.ended_at_s, one.end_reason = at_s, words.EVICTED
    session.flush()
    return [one.ref for one in stays], [card.ref for card in cards]
