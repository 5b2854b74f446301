"""From a credential to a decision: card key, list, profile, policy (device).

A door holds it for good; a charger, at which cards are rare, loads it with charge_card.py.
"""

from firmware.access import NO_PROFILE_ROW
from protocol import calendar, cards
from protocol.codes import CLOCK_UNSET, CREDENTIAL_PIN
from protocol.policy import schedule
from protocol.policy.decide import (
    ALWAYS,
    INSIDE,
    NO_LIST,
    NOT_LISTED,
    OUTSIDE,
    RULE_PIN,
    STALE,
    decide,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access import Access

_FLAGS_AT = 4  # in a profile


def judge(
    access: "Access", kind: int, credential: "bytes | memoryview | None", point: int, fire: bool
) -> "tuple[bool, int]":
    """Decide about a credential at a point; returns (granted, reason). OSError: the flash does.

    None in place of the credential: `access.key` is the card already.
    """
    whitelist = access.whitelist
    clock = access.clock
    clock.tick()
    access.kind = kind
    if credential is not None:
        access.credential = credential
        access.key = cards.card_key(access.card_key, kind, credential)
    access.profile = NO_PROFILE_ROW
    if whitelist.prover is not None:
        whitelist.prover(access.key[0])
    if whitelist.manifest is None:
        access.flags = NO_LIST
    elif whitelist.find(access.key):
        access.flags = whitelist.found_flags
        access.profile = access.profile_of(whitelist.found_profile)
    else:
        access.flags = NOT_LISTED
    rules = profile_flags = 0
    if access.rules is not None:
        rules = access.rules(point)
        profile_flags = access.profile[_FLAGS_AT]
    if kind >= CREDENTIAL_PIN:
        rules |= RULE_PIN
    return decide(
        access.flags,
        whitelist.found_from_min,
        whitelist.found_until_min,
        access.profile[1],
        _hours(access, access.profile[2]),
        point,
        clock.judged_min(),
        clock.quality,
        access.freshness(),
        access.lockdown,
        fire,
        rules,
        profile_flags,
    )


def within(access: "Access", number: int) -> bool:
    """Whether the time lies in a schedule of the list; never without a clock or that schedule.

    A list that is too old to open by card opens by its hours no more.
    """
    if number == 0 or access.clock.quality == CLOCK_UNSET or access.freshness() == STALE:
        return False
    return _hours(access, number) == INSIDE


def _hours(access: "Access", number: int) -> int:
    held = access.whitelist.manifest
    if number == 0 or held is None:
        return ALWAYS
    for entry in held.schedules:
        if entry[0] == number:
            minute = calendar.local_minute(held.utc_offsets, access.clock.time_s)
            return INSIDE if schedule.inside(entry[1:], held.holidays, minute) else OUTSIDE
    return OUTSIDE
