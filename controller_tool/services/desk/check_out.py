"""Check-out: the cards end first, then the stay; deregistered is what receipts prove (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import STATE_COLLECTED, STATE_LOST
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, words
from controller_tool.services import audit
from controller_tool.services.desk import check_in, operators, places

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.services.desk.check_in import Stay
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class CheckedOut:
    """The stay that ended, and the visits to it that ended with it.

    visitors: their references; pending: names of controllers that have not proven a card dead.
    """

    stay: Stay
    visitors: tuple[str, ...]
    pending: tuple[str, ...]

    @property
    def deregistered(self) -> bool:
        """Whether every card of it is proven dead wherever it was ever sent."""
        return not self.pending


def check_out(
    site: Site, text: str, lost: bool = False, reason: str | None = None, dry_run: bool = False
) -> CheckedOut:
    """End a stay by its reference or a card of it; ``lost``: its cards were not handed in.

    Doing it twice changes nothing. reason: code of rules.words; by the dates when it is None.
    """
    site.require_cards()
    operators.require(site, duty.CHECK_OUT)
    if reason == words.EVICTED:
        raise OperatorError(
            t("An eviction takes two operators and a document"), t("Ask for it: tenant evict")
        )
    site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        lease = places.lease(site, session, text)
        places.require_not_moved(session, lease)
        state = STATE_LOST if lost else STATE_COLLECTED
        ended = [] if lease.ended_at_s is not None else move_out(session, lease, state, reason)
        if ended:
            audit.append(
                session, site.operator, "tenant.check_out", stay=lease.ref,
                reason=lease.end_reason, visitors=[visit.ref for visit in ended[1:]], lost=lost,
            )  # fmt: skip
        done = _result(site, session, lease, ended[1:])
        if dry_run:
            trial.rollback()
    return done


def move_out(
    session: Session, lease: Lease, state: str = STATE_COLLECTED, reason: str | None = None
) -> list[Lease]:
    """End a stay, its cards and the visits to it in the caller's transaction; all that ended."""
    if reason is not None and reason not in words.ENDS:
        raise OperatorError(t("{word} is no reason", word=reason), ", ".join(words.ENDS))
    visits = list(session.scalars(_visits(lease)))
    at_s = now_s()
    for one in (lease, *visits):
        for card in places.live_cards(session, one):
            card.state, card.ended_at_s = state, at_s
        one.ended_at_s = at_s
        one.end_reason = reason or (words.EARLY if at_s // 60 < one.until_min else words.LEFT)
    session.flush()
    return [lease, *visits]


def _visits(lease: Lease) -> Select[Lease]:
    return select(Lease).where(Lease.host_lease_id == lease.id, Lease.ended_at_s.is_(None))


def _result(site: Site, session: Session, lease: Lease, visits: list[Lease]) -> CheckedOut:
    stay = check_in.view(site, session, lease)
    shown = [stay, *(check_in.view(site, session, visit) for visit in visits)]
    waiting = {name for one in shown for card in one.cards for name in card.pending}
    return CheckedOut(stay, tuple(one.ref for one in visits), tuple(sorted(waiting)))
