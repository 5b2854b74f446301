"""The rules of a decision, one by one and in their order (both)."""

from protocol import codes
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER, FLAG_REVOKED, TIME_END_MIN
from protocol.policy.decide import (
    ALWAYS,
    FRESH,
    INSIDE,
    NO_LIST,
    NO_PROFILE,
    NOT_LISTED,
    OUTSIDE,
    STALE,
    STALE_IN_GRACE,
    decide,
)

# flags, from, until, points, schedule, point, now, clock quality, freshness, lockdown, fire
GOOD = (0, 100, 200, 0b1, ALWAYS, 0, 150, codes.CLOCK_SYNCED, FRESH, False, False)
NAMES = (
    "flags", "from_min", "until_min", "points", "schedule", "point", "now_min", "clock",
    "freshness", "lockdown", "fire",
)  # fmt: skip


def outcome(**changed: "int | bool") -> "tuple[bool, int]":
    """The decision about a good card with something changed."""
    assert all(name in NAMES for name in changed)
    values = [changed.get(name, value) for name, value in zip(NAMES, GOOD)]  # noqa: B905
    return decide(*values)  # type: ignore[arg-type]  # numbers and flags, in their order


def denied(reason: int, **changed: "int | bool") -> bool:
    return outcome(**changed) == (False, reason)


def test_a_good_card_is_granted() -> None:
    assert outcome() == (True, codes.REASON_CARD)


def test_without_a_list_nobody_comes_in() -> None:
    assert denied(codes.REASON_NO_LIST, flags=NO_LIST)


def test_an_unknown_card_is_told_apart_from_a_collected_one() -> None:
    assert denied(codes.REASON_UNKNOWN_CARD, flags=NOT_LISTED)
    assert denied(codes.REASON_REVOKED, flags=FLAG_REVOKED)


def test_a_collected_emergency_card_is_dead() -> None:
    assert denied(codes.REASON_REVOKED, flags=FLAG_REVOKED | FLAG_EMERGENCY)


def test_an_emergency_card_passes_what_stops_others() -> None:
    granted = (True, codes.REASON_EMERGENCY_CARD)
    assert outcome(flags=FLAG_EMERGENCY, lockdown=True) == granted
    assert outcome(flags=FLAG_EMERGENCY, freshness=STALE) == granted
    assert outcome(flags=FLAG_EMERGENCY, points=0) == granted
    assert outcome(flags=FLAG_EMERGENCY, schedule=OUTSIDE) == granted
    assert outcome(flags=FLAG_EMERGENCY, clock=codes.CLOCK_UNSET, now_min=0) == granted


def test_its_own_dates_bind_an_emergency_card_while_the_clock_is_set() -> None:
    assert denied(codes.REASON_EXPIRED, flags=FLAG_EMERGENCY, now_min=200)
    assert denied(codes.REASON_NOT_YET_VALID, flags=FLAG_EMERGENCY, now_min=99)


def test_a_latched_fire_denies_even_emergency_cards() -> None:
    assert denied(codes.REASON_FIRE_LATCHED, fire=True)
    assert denied(codes.REASON_FIRE_LATCHED, fire=True, flags=FLAG_EMERGENCY)


def test_lockdown_stops_ordinary_and_master_cards() -> None:
    assert denied(codes.REASON_LOCKDOWN, lockdown=True)
    assert denied(codes.REASON_LOCKDOWN, lockdown=True, flags=FLAG_MASTER)


def test_profile_and_point_must_fit() -> None:
    assert denied(codes.REASON_PROFILE_UNKNOWN, points=NO_PROFILE)
    assert denied(codes.REASON_POINT, points=0b10)
    assert outcome(points=0b10, point=1)[0]


def test_dates_are_from_inclusive_until_exclusive() -> None:
    assert outcome(now_min=100)[0]
    assert outcome(now_min=199)[0]
    assert denied(codes.REASON_NOT_YET_VALID, now_min=99)
    assert denied(codes.REASON_EXPIRED, now_min=200)
    assert outcome(until_min=TIME_END_MIN, now_min=TIME_END_MIN)[0]


def test_a_stale_list_denies_unless_grace_is_left() -> None:
    assert denied(codes.REASON_STALE, freshness=STALE)
    assert outcome(freshness=STALE_IN_GRACE)[0]


def test_a_lost_clock_never_extends_a_card() -> None:
    unset = codes.CLOCK_UNSET
    assert denied(codes.REASON_CLOCK_UNSET, clock=unset, freshness=STALE)
    assert outcome(clock=unset, freshness=STALE_IN_GRACE, now_min=0)[0]
    assert denied(codes.REASON_EXPIRED, clock=unset, freshness=STALE_IN_GRACE, now_min=200)
    assert denied(codes.REASON_CLOCK_UNSET, clock=unset, freshness=STALE_IN_GRACE, schedule=INSIDE)


def test_a_time_profile_is_kept() -> None:
    assert outcome(schedule=INSIDE)[0]
    assert denied(codes.REASON_SCHEDULE, schedule=OUTSIDE)


def test_the_first_rule_that_fits_gives_the_reason() -> None:
    worst = {
        "lockdown": True, "points": NO_PROFILE, "freshness": STALE, "now_min": 500,
        "schedule": OUTSIDE,
    }  # fmt: skip
    order = (
        ("lockdown", codes.REASON_LOCKDOWN), ("points", codes.REASON_PROFILE_UNKNOWN),
        ("freshness", codes.REASON_STALE), ("now_min", codes.REASON_EXPIRED),
        ("schedule", codes.REASON_SCHEDULE),
    )  # fmt: skip
    for name, reason in order:
        assert denied(reason, **worst), name
        del worst[name]
    assert outcome(**worst)[0]


def test_no_combination_of_a_denied_record_is_ever_granted() -> None:
    for flags in (NO_LIST, NOT_LISTED, FLAG_REVOKED, FLAG_REVOKED | FLAG_MASTER):
        for clock in range(4):
            for freshness in (FRESH, STALE_IN_GRACE, STALE):
                for lockdown in (False, True):
                    assert not outcome(
                        flags=flags, clock=clock, freshness=freshness, lockdown=lockdown
                    )[0]
