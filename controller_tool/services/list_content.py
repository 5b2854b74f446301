"""What a controller's list should say by the registry: records, profiles, schedules (host).

Rules for one card that is granted on, or was ever signed for, a controller:

- issued: its record with its own dates, also when they are over (the reason is then *expired*)
- collected or lost: the same record with FLAG_REVOKED, unless the credential was issued anew
- over, handed in or lost for KEPT_MIN: no record
- more than the controller holds: what ended leaves first, the longest ago of it; then what it was
  never sent, the newest of it. What has no record opens nothing either, so that no card can stand
  in the way of another one's end.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import (
    STATE_ISSUED,
    Card,
    Device,
    Grant,
    Profile,
    Schedule,
    Setting,
)
from controller_tool.registry.records import SentCard
from protocol import cards as layout
from protocol.constants import FLAG_REVOKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

KEPT_MIN = 90 * 1440


@dataclass(frozen=True)
class Content:
    """A list before it is signed.

    owners: ids of the cards that open something by it, by their keys; contested: keys of
    credentials that were issued more than once; left_out: cards that should and have no room.
    """

    payload: bytes
    count: int
    owners: dict[bytes, str] = field(repr=False)
    contested: frozenset[bytes] = field(repr=False)
    profiles: list[list[int]]
    schedules: list[list[int]]
    policy: list[int]
    utc_offsets: list[int]
    holidays: list[int]
    refresh_h: int
    left_out: int

    @property
    def live(self) -> frozenset[str]:
        """Ids of the cards that open something by it."""
        return frozenset(self.owners.values())

    def hash(self) -> bytes:
        """Equal for lists that say the same of the same cards, whenever they are signed.

        A card that is issued anew at once leaves the bytes as they were; its former issue is
        proven dead by a list of its own all the same.
        """
        frame = [self.profiles, self.schedules, self.policy, self.utc_offsets, self.holidays]
        text = json.dumps([*frame, self.refresh_h, sorted(self.live)])
        return sha256(text.encode() + self.payload).digest()


def collect(site: Site, session: Session, device: Device) -> Content:
    """The content for one controller as the registry stands now."""
    found = _records(site, session, device)
    return Content(
        payload=b"".join(found.records[key] for key in sorted(found.records)),
        count=len(found.records),
        owners=found.owners,
        contested=frozenset(found.contested),
        profiles=[
            [p.id, p.points_mask, p.schedule_id, p.unlock_ds, p.flags, p.quota_wh, p.quota_min]
            for p in session.scalars(select(Profile).order_by(Profile.id))
        ],
        schedules=[
            [s.id, *(number for window in json.loads(s.windows) for number in window)]
            for s in session.scalars(select(Schedule).order_by(Schedule.id))
        ],
        policy=[number(session, "stale_policy"), number(session, "grace_min")],
        utc_offsets=json.loads(setting(session, "utc_offsets")),
        holidays=json.loads(setting(session, "holidays")),
        refresh_h=number(session, "refresh_h"),
        left_out=found.left_out,
    )


def require_room(session: Session, devices: Sequence[Device]) -> None:
    """OperatorError when one of them would get more live cards than it holds."""
    session.flush()
    for device in devices:
        live = (
            select(func.count())
            .select_from(Grant)
            .join(Card, Card.id == Grant.card_id)
            .where(
                Grant.device_id == device.id,
                Card.state == STATE_ISSUED,
                Card.until_min >= _oldest_min(),
            )
        )
        count = session.execute(live).scalar() or 0
        if count > device.cards_max:
            raise OperatorError(
                t("{device} holds {max} cards and would get {count}",
                  device=device.name, max=device.cards_max, count=count),
                t("Collect cards, or use a board with more room"),
            )  # fmt: skip


def setting(session: Session, name: str) -> str:
    """A site-wide value as text."""
    return session.get_one(Setting, name).value


def number(session: Session, name: str) -> int:
    """A site-wide value that is one number."""
    return int(setting(session, name))


@dataclass
class _Records:
    """Records by card key, and what is known of them; see `Content`."""

    records: dict[bytes, bytes] = field(default_factory=dict)
    owners: dict[bytes, str] = field(default_factory=dict)
    contested: set[bytes] = field(default_factory=set)
    left_out: int = 0


def _records(site: Site, session: Session, device: Device) -> _Records:
    card_key = site.secret(device, "card_key")
    vault = site.vault
    oldest_min = _oldest_min()
    found = _Records()
    cards = _cards(session, device)
    issues = Counter(card.credential_index for card in cards)
    for card in sorted(cards, key=_rank):
        if min(card.until_min, (card.ended_at_s or 2**62) // 60) < oldest_min:
            continue
        issued = card.state == STATE_ISSUED
        if len(found.records) >= device.cards_max and not (issued and card.was_sent):
            found.left_out += issued
            continue
        credential = vault.open("cards", card.id, "credential", card.credential_sealed)
        key = layout.card_key(card_key, card.credential_type, credential)
        if key in found.records:  # the former issue of a credential that was issued anew
            continue
        flags = card.flags
        if issued:
            found.owners[key] = card.id
        else:
            flags |= FLAG_REVOKED
        if issues[card.credential_index] > 1:
            found.contested.add(key)
        found.records[key] = layout.pack(key, card.from_min, card.until_min, card.profile_id, flags)
    return found


def _rank(card: Row[Any]) -> tuple[int, int, str]:
    """The order in which cards get their room: sent and live, live, then what ended last."""
    if card.state == STATE_ISSUED:
        return (0 if card.was_sent else 1, 0, card.ref)
    return (2, -(card.ended_at_s or 0), card.ref)


def _oldest_min() -> int:
    return now_s() // 60 - KEPT_MIN


def _cards(session: Session, device: Device) -> list[Row[Any]]:
    """Plain rows, not objects: lists of 20 000 cards are common."""
    granted = select(Grant.card_id).where(Grant.device_id == device.id)
    signed = select(SentCard.card_id).where(SentCard.device_id == device.id)
    sent = signed.where(SentCard.first_version <= device.list_version_sent)
    wanted = or_(
        Card.id.in_(granted) & (Card.state == STATE_ISSUED),
        Card.id.in_(signed),
    )
    columns = (
        Card.id, Card.ref, Card.state, Card.flags, Card.profile_id, Card.from_min, Card.until_min,
        Card.ended_at_s, Card.credential_type, Card.credential_sealed, Card.credential_index,
        Card.id.in_(sent).label("was_sent"),
    )  # fmt: skip
    return list(session.execute(select(*columns).where(wanted)))
