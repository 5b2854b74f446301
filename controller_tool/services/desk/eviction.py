"""Somebody is put out: two operators and a document with a number (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.messages import t
from controller_tool.registry.models import STATE_LOST, Card
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit
from controller_tool.services.desk import check_out, pair_acts, places

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.desk.pair_acts import Asked, PairView
    from controller_tool.services.site import Site


def ask(site: Site, text: str, document: str, dry_run: bool = False) -> PairView:
    """Ask for a stay to be ended, by its reference or a card; document: the order it rests on."""
    site.require_cards()
    with site.registry.session() as session:
        lease = places.lease(site, session, text)
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
    ended = check_out.move_out(session, lease, STATE_LOST, words.EVICTED)
    stays = [one.ref for one in ended]
    out = select(Card.ref).where(
        Card.lease_id.in_([one.id for one in ended]), Card.ended_at_s == lease.ended_at_s
    )
    cards = list(session.scalars(out.order_by(Card.ref)))
    audit.append(
        session, site.operator, "tenant.evict", stay=lease.ref, document=asked.document,
        visitors=stays[1:], cards=cards,
    )  # fmt: skip
    return {"stay": lease.ref, "visitors": stays[1:], "cards": cards}
