"""Why a card opens or does not: the firmware's own decision on the registry's data (host).

Two answers for each controller: by the list that its last receipt proves (or, live, by the list
that it says it holds, which must be one that was signed here), and by what the registry says now,
which counts after the next push.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Profile, Schedule
from controller_tool.registry.records import ListVersion
from controller_tool.services import (
    cards,
    explain_hours,
    explain_rules,
    list_content,
    profiles,
    standing,
)
from controller_tool.services.explain_rules import Moment, Verdict
from protocol import cards as layout
from protocol.codes import CLOCK_SYNCED, CLOCK_UNSET
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER
from protocol.names import CLOCK_NAMES
from protocol.policy.decide import FRESH, STALE_IN_GRACE

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.registry.models import Card, Device
    from controller_tool.services.explain_hours import Hours
    from controller_tool.services.explain_rules import Asked, Record, Rules
    from controller_tool.services.site import Site

__all__ = ["Explanation", "Verdict", "explain", "live"]


@dataclass(frozen=True)
class ProfileFacts:
    """The profile of the card's record. name, schedule: as the registry calls them today.

    flags: names of PROFILE_FLAG_NAMES; none at a charger, where they say nothing. Limits of
    charging: as in profiles.ProfileView; 0 at a door, where they say nothing.
    """

    id: int
    name: str
    points: tuple[int, ...] | None
    schedule: str | None
    flags: tuple[str, ...]
    quota_wh: int
    quota_min: int
    day_wh: int
    day_min: int


@dataclass(frozen=True)
class Explanation:
    """One controller and point (from 0).

    version: of the list that decided, 0 for none; receipted_at_s: when its receipt came; live: the
    controller was asked. time_s, clock: its time and the clock's quality, assumed unless live.
    freshness: "fresh", "grace", "stale" or None without a list; grace_left_min: at least so much.
    """

    device: str
    point: int
    version: int
    now: Verdict
    after_push: Verdict
    card: cards.CardStatus | None
    live: bool
    time_s: int
    clock: str
    receipted_at_s: int | None
    freshness: str | None
    refresh_by_s: int | None
    grace_left_min: int
    from_min: int | None
    until_min: int | None
    emergency: bool
    master: bool
    profile: ProfileFacts | None
    hours: Hours | None


@dataclass(frozen=True)
class _Held:
    """The list and the moment that a controller goes by."""

    list_version: ListVersion | None
    moment: Moment
    live: bool


def explain(
    site: Site, text: str, device: str | None = None, point: int = 0, at_s: int | None = None
) -> list[Explanation]:
    """What each controller (or the named one) decides about a card at ``at_s`` (None: now).

    ``text``: reference or number of a card, which need not be known here. A synced clock is
    assumed.
    """
    site.require_cards()
    moment = Moment(now_s() if at_s is None else at_s, CLOCK_SYNCED)
    chosen = [site.device(name) for name in site.chosen([device] if device else None)]
    with site.registry.session() as session:
        found = []
        for row in chosen:
            held = session.get(ListVersion, (row.id, row.list_version_receipted))
            found.append(_explain(site, session, row, text, point, _Held(held, moment, False)))
    return found


def live(
    site: Site,
    text: str,
    device: str,
    point: int = 0,
    way: Way | None = None,
    notice: Notice | None = None,
) -> Explanation:
    """What the controller would decide now, by the list and the clock that it says it has.

    Raises OperatorError or DeviceError when it holds a list whose cards are not known here.
    """
    site.require_cards()
    row = site.device(device)
    with dial(site, row, way, notice=notice) as client:
        state, clock = client.state(), client.time()
    with site.registry.session() as session:
        held = standing.known(session, row, state.epoch, state.version, state.digest)
        if held is None and state.version:
            raise standing.foreign_list(row)
        if held is not None and held.version < row.list_version_receipted:
            raise OperatorError(
                t("{device} holds list {version}, older than one that it has proven",
                  device=row.name, version=held.version),
                t("Push again"),
            )  # fmt: skip
        unset = state.clock_quality == CLOCK_UNSET
        moment = Moment(
            now_s() if unset else state.time_s, state.clock_quality, clock.floor_s,
            (held.receipted_at_s or held.signed_at_s) if held else 0,
        )  # fmt: skip
        return _explain(site, session, row, text, point, _Held(held, moment, True))


def _explain(
    site: Site, session: Session, row: Device, text: str, point: int, held: _Held
) -> Explanation:
    credential, card = _which(site, session, text)
    key = layout.card_key(site.secret(row, "card_key"), credential.type, credential.data)
    moment, signed = held.moment, held.list_version
    rules = explain_rules.of_list(signed)
    after = explain_rules.of_content(list_content.collect(site, session, row))
    # what the desk wants to know of a card that is not in force there yet is what will be
    source = rules if rules and explain_rules.record(rules, key) else after
    record = explain_rules.record(source, key)
    flags = record.flags if record else 0
    asked = explain_rules.Asked(key, point, row.kind == "door", credential.type)
    return Explanation(
        device=row.name,
        point=point,
        version=signed.version if signed else 0,
        now=explain_rules.judge(rules, asked, moment),
        after_push=explain_rules.judge(after, asked, _after_push(moment)),
        card=cards.status_of(site, session, card) if card else None,
        live=held.live,
        time_s=moment.time_s,
        clock=CLOCK_NAMES.get(moment.quality, "?"),
        receipted_at_s=signed.receipted_at_s if signed else None,
        freshness=_freshness(rules, moment),
        refresh_by_s=rules.refresh_by_s if rules else None,
        grace_left_min=rules.grace_left_min(moment) if rules else 0,
        from_min=record.from_min if record else None,
        until_min=record.until_min if record else None,
        emergency=bool(flags & FLAG_EMERGENCY),
        master=bool(flags & FLAG_MASTER),
        profile=_profile(session, source, record, asked, card),
        hours=_hours(source, record, moment),
    )


def _which(site: Site, session: Session, text: str) -> tuple[Credential, Card | None]:
    by_ref = cards.by_ref(session, text)
    credential = (
        cards.credential_of(site, by_ref) if by_ref is not None else cards.parse(session, text)
    )
    return credential, cards.newest_with(site, session, credential)


def _after_push(moment: Moment) -> Moment:
    """A push brings the clock in step, too."""
    return Moment(moment.time_s, CLOCK_SYNCED)


def _freshness(rules: Rules | None, moment: Moment) -> str | None:
    if rules is None:
        return None
    found = rules.freshness(moment)
    return {FRESH: "fresh", STALE_IN_GRACE: "grace"}.get(found, "stale")


def _profile(
    session: Session, rules: Rules, record: Record | None, asked: Asked, card: Card | None
) -> ProfileFacts | None:
    if record is None or record.profile not in rules.profiles:
        return None
    mask, number, flags = rules.profiles[record.profile]
    row, plan = session.get(Profile, record.profile), session.get(Schedule, number)
    if row is None and card is not None:  # narrowed to points, by a number of this list alone
        row = session.get(Profile, card.profile_id)
    return ProfileFacts(
        record.profile,
        row.name if row else f"#{record.profile}",
        profiles.points_of(mask),
        None if not number else plan.name if plan else f"#{number}",
        profiles.flag_names(flags if asked.is_door else 0),
        *((0, 0, 0, 0) if asked.is_door else rules.quotas[record.profile]),
    )


def _hours(rules: Rules, record: Record | None, moment: Moment) -> Hours | None:
    """None for a card without a schedule, or where the time is not known."""
    number = rules.profiles.get(record.profile, (0, 0, 0))[1] if record else 0
    if not number:
        return None
    windows = rules.schedules.get(number, [])
    return explain_hours.at(windows, rules.holidays, rules.utc_offsets, moment.time_s)
