"""The decision about a presented card, as a pure function (both).

The rules, in the order in which they are applied; the first that fits decides:

- no list in force: denied, no_list
- a charger whose fire input is latched: denied, fire_latched (a door stands open then)
- the card is not listed: denied, unknown_card
- the card is listed as collected: denied, revoked (also when it was an emergency card)
- an emergency card: granted, emergency_card, at every point, in lockdown, with a stale list and
  with a lost clock; only its own dates still bind, and only while the clock is set
- lockdown: denied, lockdown
- its profile is not in the manifest: denied, profile_unknown
- its profile does not name this door or port: denied, point
- the list is stale and no grace is left: denied, stale; clock_unset when a lost clock is why
- before its first minute: denied, not_yet_valid (not judged while the clock is unset)
- at or after its last minute: denied, expired (against the time floor while the clock is unset)
- a time profile, and the clock is unset: denied, clock_unset
- outside its time profile: denied, schedule
- else granted, card

Nothing here may turn a denial into a grant later: callers journal exactly what is returned.
"""

from protocol.codes import (
    CLOCK_UNSET,
    REASON_CARD,
    REASON_CLOCK_UNSET,
    REASON_EMERGENCY_CARD,
    REASON_EXPIRED,
    REASON_FIRE_LATCHED,
    REASON_LOCKDOWN,
    REASON_NO_LIST,
    REASON_NOT_YET_VALID,
    REASON_POINT,
    REASON_PROFILE_UNKNOWN,
    REASON_REVOKED,
    REASON_SCHEDULE,
    REASON_STALE,
    REASON_UNKNOWN_CARD,
)
from protocol.constants import FLAG_EMERGENCY, FLAG_REVOKED, TIME_END_MIN

NO_LIST = -2  # in place of a record's flags: no list is in force
NOT_LISTED = -1  # in place of a record's flags: the list does not hold the card
NO_PROFILE = -1  # in place of a profile's points mask: the manifest has no such profile

ALWAYS = -1  # in place of a schedule's answer: the profile has no time profile
OUTSIDE = 0
INSIDE = 1

FRESH = 0
STALE_IN_GRACE = 1
STALE = 2

_DENIED_NO_LIST = (False, REASON_NO_LIST)
_DENIED_FIRE = (False, REASON_FIRE_LATCHED)
_DENIED_UNKNOWN = (False, REASON_UNKNOWN_CARD)
_DENIED_REVOKED = (False, REASON_REVOKED)
_DENIED_LOCKDOWN = (False, REASON_LOCKDOWN)
_DENIED_PROFILE = (False, REASON_PROFILE_UNKNOWN)
_DENIED_POINT = (False, REASON_POINT)
_DENIED_STALE = (False, REASON_STALE)
_DENIED_CLOCK = (False, REASON_CLOCK_UNSET)
_DENIED_EARLY = (False, REASON_NOT_YET_VALID)
_DENIED_EXPIRED = (False, REASON_EXPIRED)
_DENIED_SCHEDULE = (False, REASON_SCHEDULE)
_GRANTED_EMERGENCY = (True, REASON_EMERGENCY_CARD)
_GRANTED_CARD = (True, REASON_CARD)


def decide(
    flags: int,
    from_min: int,
    until_min: int,
    points_mask: int,
    schedule: int,
    point: int,
    now_min: int,
    clock_quality: int,
    freshness: int,
    lockdown: bool,
    fire: bool,
) -> "tuple[bool, int]":
    """Decide about one card at one point.

    flags, from_min, until_min: the card record (NO_LIST, NOT_LISTED for the flags when there is
    none); until_min is exclusive and TIME_END_MIN means no end. points_mask: that of its profile,
    or NO_PROFILE. schedule: ALWAYS, INSIDE or OUTSIDE. point: door or port number, from 0.
    now_min: minutes since 2020; with an unset clock the minute of the time floor. freshness:
    FRESH, STALE_IN_GRACE or STALE. fire: a latched fire that denies (chargers).

    Returns (granted, reason), one of a few constant tuples: a decision allocates nothing.
    """
    if flags == NO_LIST:
        return _DENIED_NO_LIST
    if fire:
        return _DENIED_FIRE
    if flags == NOT_LISTED:
        return _DENIED_UNKNOWN
    if flags & FLAG_REVOKED:
        return _DENIED_REVOKED
    unset = clock_quality == CLOCK_UNSET
    expired = until_min != TIME_END_MIN and now_min >= until_min
    if flags & FLAG_EMERGENCY:
        if unset:
            return _GRANTED_EMERGENCY
        if now_min < from_min:
            return _DENIED_EARLY
        return _DENIED_EXPIRED if expired else _GRANTED_EMERGENCY
    if lockdown:
        return _DENIED_LOCKDOWN
    if points_mask == NO_PROFILE:
        return _DENIED_PROFILE
    if not points_mask >> point & 1:
        return _DENIED_POINT
    if freshness == STALE:
        return _DENIED_CLOCK if unset else _DENIED_STALE
    if expired:
        return _DENIED_EXPIRED
    if unset:
        return _GRANTED_CARD if schedule == ALWAYS else _DENIED_CLOCK
    if now_min < from_min:
        return _DENIED_EARLY
    if schedule == OUTSIDE:
        return _DENIED_SCHEDULE
    return _GRANTED_CARD
