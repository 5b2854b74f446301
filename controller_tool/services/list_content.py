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
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, HousePoint
from controller_tool.registry.models import (
    STATE_ISSUED,
    Card,
    Device,
    Grant,
    Profile,
    Schedule,
    Setting,
)
from controller_tool.rules import classes
from controller_tool.services.list_records import NEVER_MIN, PROFILE_MAX, Builder, oldest_min
from protocol.constants import CARD_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


_NAMED_MAX = 50


@dataclass(frozen=True)
class Content:
    """A list before it is signed.

    owners, contested, left_out, first_end_min: as of list_records.Records.
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
    first_end_min: int = NEVER_MIN

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


class Collector:
    """The contents for these controllers as the registry stands in one transaction."""

    def __init__(self, site: Site, session: Session, devices: Sequence[Device]) -> None:
        self._builder = Builder(site, session, devices)
        self._rules = _rules(session)
        self._profiles = {p.id: p for p in session.scalars(select(Profile).order_by(Profile.id))}
        self._classes = _classes(session)

    def content(self, device: Device) -> Content:
        """The content for one of them."""
        made = self._builder.build(device)
        refresh_h, grace_min = classes.list_windows(
            self._classes.get(device.id, set()), self._rules["refresh_h"], self._rules["grace_min"]
        )
        return Content(
            payload=made.payload,
            count=len(made.payload) // CARD_RECORD_BYTES,
            owners=made.owners,
            contested=made.contested,
            left_out=made.left_out,
            first_end_min=made.first_end_min,
            profiles=self._profile_rows(made.narrowed),
            schedules=self._rules["schedules"],
            policy=[self._rules["stale_policy"], grace_min],
            utc_offsets=self._rules["utc_offsets"],
            holidays=self._rules["holidays"],
            refresh_h=refresh_h,
        )

    def _profile_rows(self, narrowed: dict[int, tuple[int, int]]) -> list[list[int]]:
        """The site's profiles, then those that narrow one of them to points of this controller."""
        rows = [profile_row(profile) for profile in self._profiles.values()]
        taken = max(self._profiles, default=0)
        for number in sorted(narrowed):
            if number <= taken:
                raise OperatorError(
                    t("A controller's list would need more than {n} profiles", n=PROFILE_MAX),
                    t("Remove profiles that nobody goes by: profile remove"),
                )
            profile_id, mask = narrowed[number]
            row = profile_row(self._profiles[profile_id])
            rows.append([number, row[1] & mask, *row[2:]])
        return rows


def collect(site: Site, session: Session, device: Device) -> Content:
    """The content for one controller as the registry stands now."""
    return Collector(site, session, [device]).content(device)


def _rules(session: Session) -> dict[str, Any]:
    """What every list of the site says besides its records."""
    return {
        "schedules": [
            [s.id, *(number for window in json.loads(s.windows) for number in window)]
            for s in session.scalars(select(Schedule).order_by(Schedule.id))
        ],
        "stale_policy": number(session, "stale_policy"),
        "grace_min": number(session, "grace_min"),
        "utc_offsets": json.loads(setting(session, "utc_offsets")),
        "holidays": json.loads(setting(session, "holidays")),
        "refresh_h": number(session, "refresh_h"),
    }


def _classes(session: Session) -> dict[str, set[str]]:
    """Classes of the houses that each controller serves, by its id."""
    found: dict[str, set[str]] = {}
    served = select(HousePoint.device_id, House.class4).join(House).distinct()
    for device_id, class4 in session.execute(served):
        found.setdefault(device_id, set()).add(class4)
    return found


def profile_row(p: Profile) -> list[int]:
    """A profile as lists say it: manifest key 14 of docs/protocol.md section 3."""
    return [
        p.id, p.points_mask, p.schedule_id, p.unlock_ds, p.flags,
        p.quota_wh, p.quota_min, p.day_wh, p.day_min,
    ]  # fmt: skip


def require_room(session: Session, devices: Sequence[Device]) -> None:
    """OperatorError when one of them would get more live cards than it holds."""
    session.flush()
    grants = select(Grant.device_id, func.count()).group_by(Grant.device_id)
    if len(devices) <= _NAMED_MAX:  # of many, all are counted in one go
        grants = grants.where(Grant.device_id.in_([device.id for device in devices]))
    most = {row[0]: row[1] for row in session.execute(grants)}
    for device in devices:
        if most.get(device.id, 0) <= device.cards_max:
            continue  # however many of them are live
        live = (
            select(func.count())
            .select_from(Grant)
            .join(Card, Card.id == Grant.card_id)
            .where(
                Grant.device_id == device.id,
                Card.state == STATE_ISSUED,
                Card.until_min >= oldest_min(),
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
