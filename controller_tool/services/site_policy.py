"""Site policy: for how long a list counts, what happens then, and which time is local (host).

STRICT is for houses under strict supervision (严管): a list counts for 12 hours and has 12
powered hours of grace, instead of 72 and 72.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import audit, list_content, rules_room, site_time
from protocol.codes import STALE_DENY, STALE_GRACE

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

POLICIES = {"deny": STALE_DENY, "grace": STALE_GRACE}
_NAMES = {code: name for name, code in POLICIES.items()}
_HOURS_MAX = 720  # 43 200 minutes is the longest grace that a list can state
_ZONE = "time_zone"


@dataclass(frozen=True)
class Policy:
    """stale: "deny" or "grace"; grace_h: powered hours that a stale list still counts for.

    offsets_until: local time of the last change of offset that lists know of, None without any.
    """

    refresh_by_h: int
    stale: str
    grace_h: float
    time_zone: str
    utc_offsets: tuple[int, ...]
    offsets_until: str | None


@dataclass(frozen=True)
class Wish:
    """What is asked for; None leaves it as it is."""

    refresh_by_h: int | None = None
    stale: str | None = None
    grace_h: int | None = None
    time_zone: str | None = None


STRICT = Wish(refresh_by_h=12, stale="grace", grace_h=12)


def show(site: Site) -> Policy:
    """The policy that the next lists state."""
    site.require_cards()
    with site.registry.session() as session:
        return _policy(session)


def change(site: Site, wish: Wish, dry_run: bool = False) -> Policy:
    """Set what is wished and work the offsets of the time zone out anew; OperatorError if wrong."""
    with rules_room.changing(site, dry_run) as session:
        before = _policy(session)
        _put_hours(session, "refresh_h", wish.refresh_by_h, 1, 1)
        _put_hours(session, "grace_min", wish.grace_h, 0, 60)
        if wish.stale is not None:
            rules_room.put_setting(session, "stale_policy", str(POLICIES[wish.stale]))
        zone = wish.time_zone or before.time_zone
        offsets = site_time.utc_offsets(zone, now_s())
        rules_room.put_setting(session, _ZONE, zone)
        rules_room.put_setting(session, "utc_offsets", json.dumps(offsets))
        session.flush()
        made = _policy(session)
        if made != before:
            audit.append(
                session, site.operator, "site.policy", before=_facts(before), **_facts(made)
            )
    return made


def _put_hours(session: Session, name: str, hours: int | None, least: int, factor: int) -> None:
    if hours is None:
        return
    if not least <= hours <= _HOURS_MAX:
        raise OperatorError(
            t("{hours} hours are not possible", hours=hours),
            t("Between {least} and {most}", least=least, most=_HOURS_MAX),
        )
    rules_room.put_setting(session, name, str(hours * factor))


def _policy(session: Session) -> Policy:
    offsets: list[int] = json.loads(list_content.setting(session, "utc_offsets"))
    return Policy(
        refresh_by_h=list_content.number(session, "refresh_h"),
        stale=_NAMES[list_content.number(session, "stale_policy")],
        grace_h=list_content.number(session, "grace_min") / 60,
        time_zone=rules_room.get_setting(session, _ZONE, site_time.DEFAULT_ZONE),
        utc_offsets=tuple(offsets),
        offsets_until=site_time.SiteTime(offsets).text(offsets[-2]) if offsets[2:] else None,
    )


def _facts(policy: Policy) -> dict[str, object]:
    return {
        "refresh_by_h": policy.refresh_by_h, "stale": policy.stale, "grace_h": policy.grace_h,
        "time_zone": policy.time_zone,
    }  # fmt: skip
