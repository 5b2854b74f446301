"""The rules of a decision, one by one and in their order (both)."""

from protocol import codes
from protocol.constants import (
    FLAG_EMERGENCY,
    FLAG_MASTER,
    FLAG_REVOKED,
    PROFILE_DURESS,
    PROFILE_FIRST_CARD,
    PROFILE_IGNORES_PASSBACK,
    PROFILE_NEEDS_ESCORT,
    PROFILE_NEEDS_PIN,
    PROFILE_OPENS_CLOSED,
    TIME_END_MIN,
)
from protocol.policy.decide import (
    ALWAYS,
    FRESH,
    INSIDE,
    NO_LIST,
    NO_PROFILE,
    NOT_LISTED,
    OUTSIDE,
    RULE_CLOSED,
    RULE_ESCORTED,
    RULE_FIRST_CARD,
    RULE_FIRST_ONLY,
    RULE_INTERLOCK,
    RULE_LOCKED_OUT,
    RULE_PASSBACK,
    RULE_PASSBACK_SOFT,
    RULE_PIN,
    STALE,
    STALE_IN_GRACE,
    decide,
)

# flags, from, until, points, schedule, point, now, clock quality, freshness, lockdown, fire, door's
# rules, profile flags
GOOD = (0, 100, 200, 0b1, ALWAYS, 0, 150, codes.CLOCK_SYNCED, FRESH, False, False, 0, 0)
NAMES = (
    "flags", "from_min", "until_min", "points", "schedule", "point", "now_min", "clock",
    "freshness", "lockdown", "fire", "rules", "profile_flags",
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


# rule, the flag that fits it, the reason without that flag; in the order of the rules
DOOR_RULES = (
    (RULE_CLOSED, PROFILE_OPENS_CLOSED, codes.REASON_NORMALLY_CLOSED),
    (RULE_FIRST_ONLY, PROFILE_FIRST_CARD, codes.REASON_FIRST_CARD_MISSING),
    (RULE_INTERLOCK, 0, codes.REASON_INTERLOCK),
    (RULE_PASSBACK, PROFILE_IGNORES_PASSBACK, codes.REASON_ANTI_PASSBACK),
)  # fmt: skip
ALL_RULES = RULE_CLOSED | RULE_FIRST_ONLY | RULE_INTERLOCK | RULE_PASSBACK | RULE_LOCKED_OUT


def test_each_rule_of_a_door_denies_unless_the_profile_is_above_it() -> None:
    for rule, flag, reason in DOOR_RULES:
        assert denied(reason, rules=rule)
        if flag:
            assert outcome(rules=rule, profile_flags=flag)[0]
        assert denied(reason, rules=rule, profile_flags=0x7F & ~flag)


def test_the_rules_of_a_door_are_asked_in_their_order() -> None:
    rules = RULE_CLOSED | RULE_FIRST_ONLY | RULE_INTERLOCK | RULE_PASSBACK
    needs = PROFILE_NEEDS_ESCORT | PROFILE_NEEDS_PIN
    for rule, _, reason in DOOR_RULES:
        assert denied(reason, rules=rules, profile_flags=needs)
        rules &= ~rule
    assert denied(codes.REASON_ESCORT_MISSING, profile_flags=needs)
    assert denied(codes.REASON_PIN_MISSING, rules=RULE_ESCORTED, profile_flags=needs)
    assert outcome(rules=RULE_ESCORTED | RULE_PIN, profile_flags=needs)[0]


def test_a_lock_out_stops_all_but_emergency_cards() -> None:
    assert denied(codes.REASON_LOCKED_OUT, rules=RULE_LOCKED_OUT)
    assert denied(codes.REASON_LOCKED_OUT, rules=RULE_LOCKED_OUT, profile_flags=0x7F)
    assert denied(codes.REASON_UNKNOWN_CARD, rules=RULE_LOCKED_OUT, flags=NOT_LISTED)
    assert denied(codes.REASON_REVOKED, rules=RULE_LOCKED_OUT, flags=FLAG_REVOKED)
    assert denied(codes.REASON_LOCKED_OUT, rules=RULE_LOCKED_OUT, lockdown=True)


def test_an_emergency_card_passes_every_rule_of_a_door() -> None:
    granted = (True, codes.REASON_EMERGENCY_CARD)
    assert outcome(flags=FLAG_EMERGENCY, rules=ALL_RULES) == granted
    assert outcome(flags=FLAG_EMERGENCY, profile_flags=PROFILE_NEEDS_PIN) == granted


def test_a_pin_that_nobody_has_is_told_apart() -> None:
    assert denied(codes.REASON_PIN_WRONG, rules=RULE_PIN, flags=NOT_LISTED)
    assert denied(codes.REASON_NO_LIST, rules=RULE_PIN, flags=NO_LIST)


def test_a_pin_is_asked_only_of_who_would_come_in_with_it() -> None:
    needs = PROFILE_NEEDS_PIN
    assert denied(codes.REASON_PIN_MISSING, profile_flags=needs)
    assert denied(codes.REASON_SCHEDULE, profile_flags=needs, schedule=OUTSIDE)
    assert denied(codes.REASON_POINT, profile_flags=needs, points=0b10)


def test_a_grant_says_what_is_special_about_it() -> None:
    soft, first = RULE_PASSBACK_SOFT, RULE_FIRST_CARD
    assert outcome(rules=soft) == (True, codes.REASON_PASSBACK_SOFT)
    assert outcome(rules=soft, profile_flags=PROFILE_IGNORES_PASSBACK) == (True, codes.REASON_CARD)
    assert outcome(rules=first, profile_flags=PROFILE_FIRST_CARD) == (True, codes.REASON_FIRST_CARD)
    assert outcome(rules=first) == (True, codes.REASON_CARD)
    duress = outcome(rules=soft | first, profile_flags=PROFILE_DURESS | PROFILE_FIRST_CARD)
    assert duress == (True, codes.REASON_DURESS)


def test_an_unset_clock_keeps_the_rules_of_a_door() -> None:
    lost = {"clock": codes.CLOCK_UNSET, "freshness": STALE_IN_GRACE, "now_min": 0}
    assert denied(codes.REASON_INTERLOCK, rules=RULE_INTERLOCK, **lost)


def test_no_rule_or_flag_ever_lets_in_who_is_denied_without_it() -> None:
    denied_anyhow: "tuple[dict[str, int | bool], ...]" = (
        {"flags": NOT_LISTED}, {"flags": FLAG_REVOKED}, {"lockdown": True}, {"points": 0},
        {"freshness": STALE}, {"now_min": 500}, {"schedule": OUTSIDE},
    )  # fmt: skip
    for bad in denied_anyhow:
        for rules in range(512):
            assert not outcome(rules=rules, profile_flags=0x7F, **bad)[0]


def test_no_combination_of_a_denied_record_is_ever_granted() -> None:
    for flags in (NO_LIST, NOT_LISTED, FLAG_REVOKED, FLAG_REVOKED | FLAG_MASTER):
        for clock in range(4):
            for freshness in (FRESH, STALE_IN_GRACE, STALE):
                for lockdown in (False, True):
                    assert not outcome(
                        flags=flags, clock=clock, freshness=freshness, lockdown=lockdown
                    )[0]
