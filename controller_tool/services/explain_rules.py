"""One controller's rules and moment, judged by the firmware's own code (host).

`judge` gathers for protocol.policy.decide what firmware/access.py gathers, rule by rule:

- the profile's schedule is asked in local time, by the list's own UTC offsets and holidays
- with an unset clock dates are judged by the time floor, and the list is fresh no more
- grace is counted in powered minutes, which the controller alone knows: here it is what must be
  left of it if it was powered all the time
- lockdown, a latched fire and the door's own rules of the moment (mode, interlock, anti-passback,
  escort, lock-out) are states of the controller that it does not tell: none is assumed. So a card
  whose profile needs an escort or a PIN is explained as it stands alone
- flags of a profile count at doors only
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protocol import calendar, cose, manifest
from protocol import cards as layout
from protocol.codes import CLOCK_UNSET, CREDENTIAL_PIN, STALE_GRACE
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
    RULE_PIN,
    STALE,
    STALE_IN_GRACE,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.registry.records import ListVersion
    from controller_tool.services.list_content import Content


@dataclass(frozen=True)
class Verdict:
    """A decision and its reason by the name that the journal shows."""

    granted: bool
    reason: str


@dataclass(frozen=True)
class Moment:
    """When a controller is asked, and what it knows of the time.

    time_s: of its clock; quality: CLOCK_*; floor_s: its time floor; synced_s: when it last can
    have been brought in step, before which no grace was used.
    """

    time_s: int
    quality: int
    floor_s: int = 0
    synced_s: int = 0

    @property
    def judged_min(self) -> int:
        """The minute to judge dates by."""
        return (self.floor_s if self.quality == CLOCK_UNSET else self.time_s) // 60


@dataclass(frozen=True)
class Rules:
    """A list, as far as decisions ask for it. refresh_by_s None: as fresh as after a push."""

    payload: bytes
    profiles: dict[int, tuple[int, int, int]]  # id: points mask, schedule, flags
    quotas: dict[int, tuple[int, ...]]  # id: Wh and minutes of a session, of a day
    schedules: dict[int, list[int]]
    utc_offsets: list[int]
    holidays: list[int]
    policy: tuple[int, int]  # stale policy, grace_min
    refresh_by_s: int | None

    def grace_left_min(self, moment: Moment) -> int:
        """Powered minutes of grace that must be left; the whole of it while the list is fresh."""
        stale_policy, grace_min = self.policy
        if stale_policy != STALE_GRACE:
            return 0
        if self.refresh_by_s is None:
            return grace_min
        unset = moment.quality == CLOCK_UNSET
        used_s = moment.time_s - (moment.synced_s if unset else self.refresh_by_s)
        return max(0, grace_min - max(0, used_s) // 60)

    def freshness(self, moment: Moment) -> int:
        """FRESH, STALE_IN_GRACE or STALE."""
        if self.refresh_by_s is None:
            return FRESH
        if moment.quality != CLOCK_UNSET and moment.time_s < self.refresh_by_s:
            return FRESH
        return STALE_IN_GRACE if self.grace_left_min(moment) else STALE


@dataclass(frozen=True)
class Record:
    """A card's record in a list."""

    from_min: int
    until_min: int
    profile: int
    flags: int


def of_list(held: ListVersion | None) -> Rules | None:
    """The rules of a signed list; None for no list."""
    if held is None:
        return None
    m = manifest.parse(bytes(cose.open_envelope(held.envelope).payload))
    return Rules(
        held.payload, _profiles(m.profiles), _quotas(m.profiles), _by_id(m.schedules),
        m.utc_offsets, m.holidays, m.policy, m.refresh_by_s,
    )  # fmt: skip


def of_content(content: Content) -> Rules:
    """The rules as the registry has them now, in force after a push."""
    return Rules(
        content.payload, _profiles(content.profiles), _quotas(content.profiles),
        _by_id(content.schedules), content.utc_offsets, content.holidays,
        (content.policy[0], content.policy[1]), None,
    )  # fmt: skip


def record(rules: Rules | None, key: bytes) -> Record | None:
    """The record with this card key."""
    if rules is None:
        return None
    payload = rules.payload
    starts = range(0, len(payload), CARD_RECORD_BYTES)
    place = bisect_left(starts, key, key=lambda at: payload[at : at + CARD_KEY_BYTES])
    if place == len(starts) or payload[starts[place] : starts[place] + CARD_KEY_BYTES] != key:
        return None
    at = starts[place]
    return Record(
        layout.from_min(payload, at), layout.until_min(payload, at),
        layout.profile(payload, at), layout.flags(payload, at),
    )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A card at a point, from 0, of a controller with doors or with ports.

    credential_type: CREDENTIAL_*, for a PIN is told apart.
    """

    key: bytes
    point: int
    is_door: bool
    credential_type: int


def judge(rules: Rules | None, asked: Asked, moment: Moment) -> Verdict:
    """What the controller decides."""
    key = asked.key
    found = record(rules, key)
    flags, begin, end, mask, plan, profile_flags = NO_LIST, 0, 0, NO_PROFILE, ALWAYS, 0
    freshness = STALE
    if rules is not None:
        flags, freshness = NOT_LISTED, rules.freshness(moment)
    if rules is not None and found is not None:
        flags, begin, end = found.flags, found.from_min, found.until_min
        mask, number, profile_flags = rules.profiles.get(found.profile, (NO_PROFILE, 0, 0))
        plan = _schedule(rules, number, moment)
    granted, reason = decide(
        flags, begin, end, mask, plan, asked.point, moment.judged_min, moment.quality, freshness,
        False, False, RULE_PIN if asked.credential_type >= CREDENTIAL_PIN else 0,
        profile_flags if asked.is_door else 0,
    )  # fmt: skip
    return Verdict(granted, REASON_NAMES[reason])


def _schedule(rules: Rules, number: int, moment: Moment) -> int:
    if number == 0:
        return ALWAYS
    minute = calendar.local_minute(rules.utc_offsets, moment.time_s)
    windows = rules.schedules.get(number, [])
    return INSIDE if schedule.inside(windows, rules.holidays, minute) else OUTSIDE


def _profiles(rows: Sequence[Sequence[int]]) -> dict[int, tuple[int, int, int]]:
    return {row[0]: (row[1], row[2], row[4]) for row in rows}


def _quotas(rows: Sequence[Sequence[int]]) -> dict[int, tuple[int, ...]]:
    return {row[0]: tuple(row[5:9]) for row in rows}


def _by_id(rows: list[list[int]]) -> dict[int, list[int]]:
    return {row[0]: row[1:] for row in rows}
