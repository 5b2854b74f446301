"""Profiles: which doors or ports, when, for how long and how much, kept by the desk (host).

Points (doors or ports) count from 1 here, as people count them, and from 0 in lists. The number
of a profile is never given to another one while a list may say it (services/rules_room.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import STATE_ISSUED, Card, Profile, Schedule
from controller_tool.services import audit, rules_room
from controller_tool.services.site_init import RESIDENT_PROFILE
from protocol.constants import FLAG_MASTER
from protocol.names import PROFILE_FLAG_NAMES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

ALWAYS = ("always", "始终")
_ALL = ("all", "全部")
ALL_POINTS = 0xFFFF
NO_FLAGS = "none"
_POINTS_MAX = 30  # a points mask is a small number on a controller
_UNLOCK_MAX_S = 3600
_QUOTA_MAX = 0xFFFF
_NAMED = 5  # references in one line
_QUOTAS = ("quota_wh", "quota_min", "day_wh", "day_min")


@dataclass(frozen=True)
class ProfileView:
    """points: from 1, None for all; schedule: None for always; unlock_s: 0 is the door's own.

    quota_wh, quota_min: of a session, 0 is no limit; day_wh, day_min: of a card's sessions of one
    local day; flags: names of PROFILE_FLAG_NAMES, for doors; cards: how
    many that are issued go by it.
    """

    id: int
    name: str
    points: tuple[int, ...] | None
    schedule: str | None
    unlock_s: float
    quota_wh: int
    quota_min: int
    day_wh: int
    day_min: int
    flags: tuple[str, ...]
    cards: int


@dataclass(frozen=True)
class Wish:
    """What is asked for; None leaves as it is, or as a new profile begins. As in ProfileView.

    points: "1,3-4" or "all"; schedule: its name, or "always"; flags: all that it is to have, or
    "none" alone.
    """

    name: str | None = None
    points: str | None = None
    schedule: str | None = None
    unlock_s: float | None = None
    quota_wh: int | None = None
    quota_min: int | None = None
    day_wh: int | None = None
    day_min: int | None = None
    flags: tuple[str, ...] | None = None


def list_profiles(site: Site) -> list[ProfileView]:
    """All, by number."""
    site.require_cards()
    with site.registry.session() as session:
        return [view(session, row) for row in session.scalars(select(Profile).order_by(Profile.id))]


def add(site: Site, name: str, wish: Wish, dry_run: bool = False) -> ProfileView:
    """A new profile; OperatorError when it cannot be, or no longer fits into a list."""
    with rules_room.changing(site, dry_run) as session:
        row = Profile(
            id=rules_room.free_id(session, Profile),
            name=rules_room.require_name(session, Profile, name),
            points_mask=ALL_POINTS, schedule_id=0, unlock_ds=0, flags=0, quota_wh=0, quota_min=0,
            day_wh=0, day_min=0,
        )  # fmt: skip
        _fill(session, row, wish)
        session.add(row)
        session.flush()
        made = view(session, row)
        audit.append(session, site.operator, "profile.add", **_facts(made))
    return made


def change(site: Site, name: str, wish: Wish, dry_run: bool = False) -> ProfileView:
    """Change what is wished; it counts for every card of the profile after the next push."""
    with rules_room.changing(site, dry_run) as session:
        row = find(session, name)
        before = _facts(view(session, row))
        if wish.name is not None and wish.name.strip() != row.name:
            row.name = rules_room.require_name(session, Profile, wish.name)
        _fill(session, row, wish)
        session.flush()
        _require_hours(session, row)
        made = view(session, row)
        audit.append(session, site.operator, "profile.change", before=before, **_facts(made))
    return made


def remove(site: Site, name: str, dry_run: bool = False) -> ProfileView:
    """Remove a profile that no card names; OperatorError while one does."""
    with rules_room.changing(site, dry_run) as session:
        row = find(session, name)
        gone = view(session, row)
        _require_unused(session, row, gone.cards)
        session.delete(row)
        audit.append(session, site.operator, "profile.remove", **_facts(gone))
    return gone


def find(session: Session, name: str) -> Profile:
    """The profile of that name; OperatorError when there is none."""
    found = session.scalar(select(Profile).where(Profile.name == name.strip()))
    if found is None:
        raise OperatorError(
            t("There is no profile {name}", name=name), t("See them with: profile list")
        )
    return found


def view(session: Session, row: Profile) -> ProfileView:
    """A row as people see it."""
    plan = session.get(Schedule, row.schedule_id) if row.schedule_id else None
    used = select(func.count()).select_from(Card)
    live = used.where(Card.profile_id == row.id, Card.state == STATE_ISSUED)
    return ProfileView(
        id=row.id,
        name=row.name,
        points=points_of(row.points_mask),
        schedule=plan.name if plan else None,
        unlock_s=row.unlock_ds / 10,
        quota_wh=row.quota_wh,
        quota_min=row.quota_min,
        day_wh=row.day_wh,
        day_min=row.day_min,
        flags=flag_names(row.flags),
        cards=session.execute(live).scalar() or 0,
    )


def points_of(mask: int) -> tuple[int, ...] | None:
    """Points of a mask, from 1; None for all."""
    if mask & ALL_POINTS == ALL_POINTS:
        return None
    return tuple(point + 1 for point in range(_POINTS_MAX) if mask >> point & 1)


def flag_names(flags: int) -> tuple[str, ...]:
    """Names of PROFILE_… flags."""
    return tuple(name for flag, name in PROFILE_FLAG_NAMES.items() if flags & flag)


def _fill(session: Session, row: Profile, wish: Wish) -> None:
    if wish.points is not None:
        row.points_mask = _mask(wish.points)
    if wish.schedule is not None:
        row.schedule_id = _schedule_id(session, wish.schedule)
    if wish.unlock_s is not None:
        row.unlock_ds = round(_within(wish.unlock_s, _UNLOCK_MAX_S, t("Unlock seconds")) * 10)
    for name in _QUOTAS:
        asked = getattr(wish, name)
        if asked is not None:
            setattr(row, name, round(_within(asked, _QUOTA_MAX, t("The quota"))))
    if wish.flags is not None:
        row.flags = _flags(wish.flags)


def _within(value: float, most: int, what: str) -> float:
    if 0 <= value <= most:
        return value
    raise OperatorError(
        t("{what} must lie between 0 and {most}", what=what, most=most), t("Correct it")
    )


def _schedule_id(session: Session, name: str) -> int:
    if name.strip().lower() in ALWAYS:
        return 0
    found = session.scalar(select(Schedule).where(Schedule.name == name.strip()))
    if found is None:
        raise OperatorError(
            t("There is no schedule {name}", name=name), t("See them with: schedule list")
        )
    return found.id


def _flags(names: tuple[str, ...]) -> int:
    if names == (NO_FLAGS,):
        return 0
    known = {name: flag for flag, name in PROFILE_FLAG_NAMES.items()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OperatorError(
            t("{text} is no flag of a profile", text=unknown[0]),
            t("Flags are {flags}; none takes all away", flags=", ".join(known)),
        )
    return sum({known[name] for name in names})


def _mask(text: str) -> int:
    if text.strip().lower() in _ALL:
        return ALL_POINTS
    mask = 0
    for part in text.replace("，", ",").replace("、", ",").split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        try:
            begin, end = int(first), int(last if dash else first)
        except ValueError:
            begin = end = 0
        if not 1 <= begin <= end <= _POINTS_MAX:
            raise OperatorError(
                t("{text} names no doors or ports", text=text),
                t("Write numbers from 1 to {max} such as 1,2 or 1-4, or all", max=_POINTS_MAX),
            )
        mask |= sum(1 << point - 1 for point in range(begin, end + 1))
    return mask


def _require_hours(session: Session, row: Profile) -> None:
    """Master cards that are out keep a schedule, as when they were issued (card_terms)."""
    if row.schedule_id:
        return
    master = Card.flags.bitwise_and(FLAG_MASTER) != 0
    query = select(Card.ref).where(Card.profile_id == row.id, Card.state == STATE_ISSUED, master)
    out = list(session.scalars(query.order_by(Card.ref)))
    if out:
        raise OperatorError(
            t("Master cards go by profile {name} and keep its hours: {cards}", name=row.name,
              cards=", ".join(out[:_NAMED]) + (" …" if out[_NAMED:] else "")),
            t("Give it another --schedule, or take them back first: card collect"),
        )  # fmt: skip


def _require_unused(session: Session, row: Profile, live: int) -> None:
    if row.id == RESIDENT_PROFILE:
        raise OperatorError(
            t("{name} is the profile of cards that name none", name=row.name),
            t("Keep it; it may be changed: profile change"),
        )
    if live:
        raise OperatorError(
            t("{n} issued cards go by profile {name}", n=live, name=row.name),
            t("Give them another one first: card change CARD --profile NAME"),
        )
    ended = session.scalar(select(Card.ref).where(Card.profile_id == row.id).limit(1))
    if ended is not None:
        raise OperatorError(
            t("Cards that have ended went by profile {name} ({ref} …)", name=row.name, ref=ended),
            t("Keep it as long as they are on record; no card has to name it"),
        )


def _facts(seen: ProfileView) -> dict[str, object]:
    """What the operators' log says of a profile."""
    return {
        "id": seen.id, "name": seen.name, "points": list(seen.points) if seen.points else "all",
        "schedule": seen.schedule or "always", "unlock_s": seen.unlock_s,
        **{name: getattr(seen, name) for name in _QUOTAS}, "flags": list(seen.flags),
    }  # fmt: skip
