"""Why a card opens or does not: the firmware's own decision on the registry's data (host).

Two answers for each controller: by the list that its last receipt proves, and by what the
registry says now, which counts after the next push. Lockdown and fire are states of a controller
and not known here.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.registry.records import ListVersion
from controller_tool.services import cards, list_content
from protocol import cards as layout
from protocol import cose, manifest
from protocol.codes import CLOCK_SYNCED, STALE_GRACE
from protocol.constants import CARD_KEY_BYTES, CARD_RECORD_BYTES
from protocol.names import REASON_NAMES
from protocol.policy import schedule
from protocol.policy.decide import (
    ALWAYS,
    FRESH,
    INSIDE,
    NO_LIST,
    NO_PROFILE,
    NOT_LISTED,
    OUTSIDE,
    STALE,
    STALE_IN_GRACE,
    decide,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.registry.models import Card
    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Verdict:
    """A decision and its reason by the name that the journal shows."""

    granted: bool
    reason: str


@dataclass(frozen=True)
class Explanation:
    """One controller and point. version: of the list that is proven to lie there, 0 for none."""

    device: str
    point: int
    version: int
    now: Verdict
    after_push: Verdict
    card: cards.CardStatus | None


@dataclass(frozen=True)
class _Rules:
    """A list in force, as far as decisions ask for it."""

    payload: bytes
    profiles: dict[int, tuple[int, int]]  # id: points mask, schedule
    schedules: dict[int, list[int]]
    utc_offsets: list[int]
    holidays: list[int]
    freshness: int


def explain(
    site: Site, text: str, device: str | None = None, point: int = 0, at_s: int | None = None
) -> list[Explanation]:
    """What each controller (or the named one) decides about a card at ``at_s`` (None: now).

    ``text``: reference or number of a card, which need not be known here.
    """
    site.require_cards()
    moment_s = now_s() if at_s is None else at_s
    chosen = [site.device(name) for name in site.chosen([device] if device else None)]
    with site.registry.session() as session:
        credential, card = _which(site, session, text)
        status = cards.card_status(site, card.ref) if card else None
        found = []
        for row in chosen:
            key = layout.card_key(site.secret(row, "card_key"), credential.type, credential.data)
            held = session.get(ListVersion, (row.id, row.list_version_receipted))
            content = list_content.collect(site, session, row)
            found.append(
                Explanation(
                    row.name, point, row.list_version_receipted,
                    _judge(_rules_of(held, moment_s), key, point, moment_s),
                    _judge(_rules_after(content), key, point, moment_s),
                    status,
                )
            )  # fmt: skip
    return found


def _which(site: Site, session: Session, text: str) -> tuple[Credential, Card | None]:
    by_ref = cards.by_ref(session, text)
    credential = (
        cards.credential_of(site, by_ref) if by_ref is not None else cards.parse(session, text)
    )
    return credential, by_ref or cards.newest_with(site, session, credential)


def _judge(rules: _Rules | None, key: bytes, point: int, moment_s: int) -> Verdict:
    """As firmware/access.py does it, with a synced clock."""
    flags, begin, end, mask, plan = NO_LIST, 0, 0, NO_PROFILE, ALWAYS
    if rules is not None:
        at = _find(rules.payload, key)
        flags = NOT_LISTED if at is None else layout.flags(rules.payload, at)
        if at is not None:
            begin, end = layout.from_min(rules.payload, at), layout.until_min(rules.payload, at)
            mask, number = rules.profiles.get(layout.profile(rules.payload, at), (NO_PROFILE, 0))
            plan = _schedule(rules, number, moment_s)
    freshness = STALE if rules is None else rules.freshness
    granted, reason = decide(
        flags, begin, end, mask, plan, point, moment_s // 60, CLOCK_SYNCED, freshness, False, False
    )
    return Verdict(granted, REASON_NAMES[reason])


def _schedule(rules: _Rules, number: int, moment_s: int) -> int:
    if number == 0:
        return ALWAYS
    minute = schedule.local_minute(rules.utc_offsets, moment_s)
    windows = rules.schedules.get(number, [])
    return INSIDE if schedule.inside(windows, rules.holidays, minute) else OUTSIDE


def _find(payload: bytes, key: bytes) -> int | None:
    """Offset of the record with this key."""
    starts = range(0, len(payload), CARD_RECORD_BYTES)
    place = bisect_left(starts, key, key=lambda at: payload[at : at + CARD_KEY_BYTES])
    if place == len(starts) or payload[starts[place] : starts[place] + CARD_KEY_BYTES] != key:
        return None
    return starts[place]


def _rules_of(held: ListVersion | None, moment_s: int) -> _Rules | None:
    if held is None:
        return None
    m = manifest.parse(bytes(cose.open_envelope(held.envelope).payload))
    return _Rules(
        held.payload, _profiles([list(row) for row in m.profiles]), _by_id(m.schedules),
        m.utc_offsets, m.holidays, _freshness(m, moment_s),
    )  # fmt: skip


def _freshness(m: manifest.Manifest, moment_s: int) -> int:
    """Grace is counted in powered minutes; as if it had been powered ever since."""
    if moment_s < m.refresh_by_s:
        return FRESH
    in_grace = moment_s < m.refresh_by_s + m.grace_min * 60
    return STALE_IN_GRACE if m.stale_policy == STALE_GRACE and in_grace else STALE


def _rules_after(content: Content) -> _Rules:
    return _Rules(
        content.payload, _profiles(content.profiles), _by_id(content.schedules),
        content.utc_offsets, content.holidays, FRESH,
    )  # fmt: skip


def _profiles(rows: list[list[int]]) -> dict[int, tuple[int, int]]:
    return {row[0]: (row[1], row[2]) for row in rows}


def _by_id(rows: list[list[int]]) -> dict[int, list[int]]:
    return {row[0]: row[1:] for row in rows}
