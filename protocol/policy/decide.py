"""The decision about a presented card, as a pure function (both).

The rules, in the order in which they are applied; the first that fits decides:

- no list in force: denied, no_list
- a charger whose fire input is latched: denied, fire_latched (a door stands open then)
- the card is not listed: denied, unknown_card
- the card is listed as collected: denied, revoked (also when it was an emergency card)
- an emergency card: granted, emergency_card, at every point, in lockdown, with a stale list and
  with a lost clock; only its own dates still bind, and only while the clock is set
- locked out after wrong attempts: denied, locked_out
- lockdown: denied, lockdown
- its profile is not in the manifest: denied, profile_unknown
- its profile does not name this door or port: denied, point
- the list is stale and no grace is left: denied, stale; clock_unset when a lost clock is why
- before its first minute: denied, not_yet_valid (not judged while the clock is unset)
- at or after its last minute: denied, expired (against the time floor while the clock is unset)
- a time profile, and the clock is unset: denied, clock_unset
- outside its time profile: denied, schedule
- the door's own rules, in this order; `rules` says what holds at this door at this moment:
  - normally closed, and its profile may not unlock that: denied, normally_closed
  - the hours wait for a first card, it is none, and others have to wait: denied, first_card_missing
  - another door of an interlock is open or unlocked: denied, interlock
  - hard anti-passback says that it cannot be on this side: denied, anti_passback
  - its profile needs an escort, and none was here within the time: denied, escort_missing
  - its profile needs a PIN, and the card came alone: denied, pin_missing (the last of all, so that
    a PIN is asked only of who would come in with it)
- else granted: duress; passback_soft; first_card where the hours wait for one; card

An emergency card passes lock-out, lockdown and the door's own rules. A PIN that nobody has is told
apart (pin_wrong) from a card that nobody has.

Nothing here may turn a denial into a grant later: callers journal exactly what is returned.
"""

from protocol.codes import (
    CLOCK_UNSET,
    REASON_ANTI_PASSBACK,
    REASON_CARD,
    REASON_CLOCK_UNSET,
    REASON_DURESS,
    REASON_EMERGENCY_CARD,
    REASON_ESCORT_MISSING,
    REASON_EXPIRED,
    REASON_FIRE_LATCHED,
    REASON_FIRST_CARD,
    REASON_FIRST_CARD_MISSING,
    REASON_INTERLOCK,
    REASON_LOCKDOWN,
    REASON_LOCKED_OUT,
    REASON_NO_LIST,
    REASON_NORMALLY_CLOSED,
    REASON_NOT_YET_VALID,
    REASON_PASSBACK_SOFT,
    REASON_PIN_MISSING,
    REASON_PIN_WRONG,
    REASON_POINT,
    REASON_PROFILE_UNKNOWN,
    REASON_REVOKED,
    REASON_SCHEDULE,
    REASON_STALE,
    REASON_UNKNOWN_CARD,
)
from protocol.constants import (
    FLAG_EMERGENCY,
    FLAG_REVOKED,
    PROFILE_DURESS,
    PROFILE_FIRST_CARD,
    PROFILE_IGNORES_PASSBACK,
    PROFILE_NEEDS_ESCORT,
    PROFILE_NEEDS_PIN,
    PROFILE_OPENS_CLOSED,
    TIME_END_MIN,
)

NO_LIST = -2  # in place of a record's flags: no list is in force
NOT_LISTED = -1  # in place of a record's flags: the list does not hold the card
NO_PROFILE = -1  # in place of a profile's points mask: the manifest has no such profile

ALWAYS = -1  # in place of a schedule's answer: the profile has no time profile
OUTSIDE = 0
INSIDE = 1

FRESH = 0
STALE_IN_GRACE = 1
STALE = 2

RULE_PIN = 1  # what is judged was typed, alone or after a card
RULE_LOCKED_OUT = 2
RULE_CLOSED = 4
RULE_FIRST_CARD = 8  # the hours of this door wait for a first card
RULE_FIRST_ONLY = 16  # ... and so have all others to
RULE_INTERLOCK = 32
RULE_PASSBACK = 64
RULE_PASSBACK_SOFT = 128
RULE_ESCORTED = 256


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
    rules: int = 0,
    profile_flags: int = 0,
) -> "tuple[bool, int]":
    """Decide about one card at one point.

    flags, from_min, until_min: the card record (NO_LIST, NOT_LISTED for the flags when there is
    none); until_min is exclusive and TIME_END_MIN means no end. points_mask: that of its profile,
    or NO_PROFILE. schedule: ALWAYS, INSIDE or OUTSIDE. point: door or port number, from 0.
    now_min: minutes since 2020; with an unset clock the minute of the time floor. freshness:
    FRESH, STALE_IN_GRACE or STALE. fire: a latched fire that denies (chargers). rules: RULE_… that
    hold; profile_flags: PROFILE_… of its profile (both 0 at a charger).

    Returns (granted, reason), in a pack one of a few constant tuples: a decision allocates nothing.
    """
    if flags == NO_LIST:
        return False, REASON_NO_LIST
    if fire:
        return False, REASON_FIRE_LATCHED
    if flags == NOT_LISTED:
        if rules & RULE_PIN:
            return False, REASON_PIN_WRONG
        return False, REASON_UNKNOWN_CARD
    if flags & FLAG_REVOKED:
        return False, REASON_REVOKED
    unset = clock_quality == CLOCK_UNSET
    expired = until_min != TIME_END_MIN and now_min >= until_min
    if flags & FLAG_EMERGENCY:
        if unset:
            return True, REASON_EMERGENCY_CARD
        if now_min < from_min:
            return False, REASON_NOT_YET_VALID
        return (False, REASON_EXPIRED) if expired else (True, REASON_EMERGENCY_CARD)
    if rules & RULE_LOCKED_OUT:
        return False, REASON_LOCKED_OUT
    if lockdown:
        return False, REASON_LOCKDOWN
    if points_mask == NO_PROFILE:
        return False, REASON_PROFILE_UNKNOWN
    if not points_mask >> point & 1:
        return False, REASON_POINT
    if freshness == STALE:
        return (False, REASON_CLOCK_UNSET) if unset else (False, REASON_STALE)
    if expired:
        return False, REASON_EXPIRED
    if unset:
        if schedule != ALWAYS:
            return False, REASON_CLOCK_UNSET
    elif now_min < from_min:
        return False, REASON_NOT_YET_VALID
    elif schedule == OUTSIDE:
        return False, REASON_SCHEDULE
    return _at_door(rules, profile_flags) if rules | profile_flags else (True, REASON_CARD)


def _at_door(rules: int, flags: int) -> "tuple[bool, int]":
    if rules & RULE_CLOSED and not flags & PROFILE_OPENS_CLOSED:
        return False, REASON_NORMALLY_CLOSED
    if rules & RULE_FIRST_ONLY and not flags & PROFILE_FIRST_CARD:
        return False, REASON_FIRST_CARD_MISSING
    if rules & RULE_INTERLOCK:
        return False, REASON_INTERLOCK
    if flags & PROFILE_IGNORES_PASSBACK:
        rules &= ~(RULE_PASSBACK | RULE_PASSBACK_SOFT)
    if rules & RULE_PASSBACK:
        return False, REASON_ANTI_PASSBACK
    if flags & PROFILE_NEEDS_ESCORT and not rules & RULE_ESCORTED:
        return False, REASON_ESCORT_MISSING
    if flags & PROFILE_NEEDS_PIN and not rules & RULE_PIN:
        return False, REASON_PIN_MISSING
    if flags & PROFILE_DURESS:
        return True, REASON_DURESS
    if rules & RULE_PASSBACK_SOFT:
        return True, REASON_PASSBACK_SOFT
    if rules & RULE_FIRST_CARD and flags & PROFILE_FIRST_CARD:
        return True, REASON_FIRST_CARD
    return True, REASON_CARD
