"""What a controller's list should say by the registry: records, profiles, schedules (host).

Rules for one card that is granted on, or was ever signed for, a controller:

- issued: its record with its own dates, also when they are over (the reason is then *expired*)
- collected or lost: the same record with FLAG_REVOKED, unless the credential was issued anew
- over, handed in or lost for KEPT_MIN: no record
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from controller_tool.clock import now_s
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
    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

KEPT_MIN = 90 * 1440


@dataclass(frozen=True)
class Content:
    """A list before it is signed. ``live``: ids of the cards that open something by it."""

    payload: bytes
    count: int
    live: frozenset[str] = field(repr=False)
    profiles: list[list[int]]
    schedules: list[list[int]]
    policy: list[int]
    utc_offsets: list[int]
    holidays: list[int]
    refresh_h: int

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
    records, live = _records(site, session, device)
    return Content(
        payload=b"".join(records[key] for key in sorted(records)),
        count=len(records),
        live=frozenset(live),
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
    )


def setting(session: Session, name: str) -> str:
    """A site-wide value as text."""
    return session.get_one(Setting, name).value


def number(session: Session, name: str) -> int:
    """A site-wide value that is one number."""
    return int(setting(session, name))


def _records(site: Site, session: Session, device: Device) -> tuple[dict[bytes, bytes], set[str]]:
    """Records by card key, and the ids of the live cards among them."""
    card_key = site.secret(device, "card_key")
    vault = site.vault
    oldest_min = now_s() // 60 - KEPT_MIN
    records: dict[bytes, bytes] = {}
    live: set[str] = set()
    # ended cards first: a credential that was issued anew takes the place of its former issue
    for card in sorted(_cards(session, device), key=lambda card: card.state == STATE_ISSUED):
        if min(card.until_min, (card.ended_at_s or 2**62) // 60) < oldest_min:
            continue
        credential = vault.open("cards", card.id, "credential", card.credential_sealed)
        key = layout.card_key(card_key, card.credential_type, credential)
        flags = card.flags
        if card.state == STATE_ISSUED:
            live.add(card.id)
        else:
            flags |= FLAG_REVOKED
        records[key] = layout.pack(key, card.from_min, card.until_min, card.profile_id, flags)
    return records, live


def _cards(session: Session, device: Device) -> list[Row[tuple[object, ...]]]:
    """Plain rows, not objects: lists of 20 000 cards are common."""
    granted = select(Grant.card_id).where(Grant.device_id == device.id)
    sent = select(SentCard.card_id).where(
        SentCard.device_id == device.id,
        # what was signed but never sent needs no tombstone: the controller never saw it
        SentCard.first_version <= device.list_version_sent,
    )
    wanted = or_(
        Card.id.in_(granted) & (Card.state == STATE_ISSUED),
        Card.id.in_(sent),
    )
    columns = (
        Card.id, Card.state, Card.flags, Card.profile_id, Card.from_min, Card.until_min,
        Card.ended_at_s, Card.credential_type, Card.credential_sealed,
    )  # fmt: skip
    return list(session.execute(select(*columns).where(wanted)))
