"""All that is not yet proven or done at a desk, in one look (host).

- cards that ended, and which controllers owe the proof that they are dead there
- cards that are out and not yet in a controller's list
- stays that are over while nobody was checked out
- leases that end within ENDING_DAYS
- acts that wait for a second operator
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from controller_tool.clock import now_s
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Grant
from controller_tool.registry.records import SentCard
from controller_tool.rules import words
from controller_tool.services import cards
from controller_tool.services.desk import pair_acts, stays

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.services.cards import CardStatus
    from controller_tool.services.desk.stays import Line
    from controller_tool.services.site import Site

ENDING_DAYS = 7


@dataclass(frozen=True)
class Owing:
    """A controller that owes a receipt; heard_s: when it was last heard, None for never."""

    device: str
    heard_s: int | None


@dataclass(frozen=True)
class Unproven:
    """A card whose receipts are missing, and since when: it ended, or was issued.

    n of m controllers have proved it.
    """

    card: str
    holder: str
    room: str
    since_s: int
    n: int
    m: int
    owing: tuple[Owing, ...]


@dataclass(frozen=True)
class PairWaiting:
    """An act that waits for a second operator. act: code of rules.words."""

    id: int
    act: str
    subject: str
    asked_by: str
    asked_at_s: int


@dataclass(frozen=True)
class Pending:
    """What is open now."""

    ended: tuple[Unproven, ...]
    unlisted: tuple[Unproven, ...]
    over: tuple[Line, ...]
    ending: tuple[Line, ...]
    pairs: tuple[PairWaiting, ...]

    @property
    def proven(self) -> bool:
        """Whether no controller owes a receipt."""
        return not self.ended and not self.unlisted


def look(site: Site) -> Pending:
    """What is open as the registry has it now."""
    ended = cards.unproven(site)
    with site.registry.session() as session:
        issued = [cards.status_of(site, session, card) for card in _cards(session)]
        since = _since(session)
        heard = _heard(session)
    waiting = tuple(
        PairWaiting(one.id, one.act, one.subject, one.asked_by, one.asked_at_s)
        for one in reversed(pair_acts.list_acts(site, words.ASKED))
    )
    return Pending(
        tuple(_unproven(one, since, heard, one.proven, one.of) for one in ended),
        tuple(
            _unproven(one, since, heard, len(one.devices) - len(one.pending), len(one.devices))
            for one in issued
        ),
        tuple(stays.listed(site, stays.Wish(over=True))),
        tuple(stays.listed(site, stays.Wish(ending_days=ENDING_DAYS))),
        waiting,
    )


def _unlisted() -> Select[str]:
    """Ids of cards that are out, and that a controller has not proven to have in its list."""
    listed = and_(SentCard.card_id == Grant.card_id, SentCard.device_id == Grant.device_id)
    return (
        select(Card.id)
        .join(Grant, Grant.card_id == Card.id)
        .join(Device, Device.id == Grant.device_id)
        .outerjoin(SentCard, listed)
        .where(
            Card.state == STATE_ISSUED,
            Card.until_min > now_s() // 60,
            cards.counts(),
            or_(
                SentCard.card_id.is_(None),
                SentCard.dead_from_version.is_not(None),
                Device.list_version_receipted < SentCard.first_version,
            ),
        )
    )


def _cards(session: Session) -> list[Card]:
    return list(session.scalars(select(Card).where(Card.id.in_(_unlisted())).order_by(Card.ref)))


def _since(session: Session) -> dict[str, int]:
    """When each card that waits for a receipt ended, or was issued."""
    query = select(Card.ref, Card.ended_at_s, Card.issued_at_s).where(
        or_(Card.id.in_(cards.waiting()), Card.id.in_(_unlisted()))
    )
    return {
        ref: issued_s if ended_s is None else ended_s
        for ref, ended_s, issued_s in session.execute(query)
    }


def _heard(session: Session) -> dict[str, int | None]:
    rows = session.execute(select(Device.name, Device.last_heard_s))
    return {row.name: row.last_heard_s for row in rows}


def _unproven(
    one: CardStatus, since: dict[str, int], heard: dict[str, int | None], n: int, m: int
) -> Unproven:
    owing = tuple(Owing(name, heard.get(name)) for name in one.pending)
    return Unproven(one.ref, one.holder, one.room, since.get(one.ref, 0), n, m, owing)
