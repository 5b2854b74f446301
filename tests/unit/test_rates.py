"""What the five rates and the card rate count, without a registry (host)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_tool.rules import ranking, rates, words
from controller_tool.rules.rates import Rate


def test_a_percentage_is_never_rounded_up() -> None:
    assert Rate(9996, 10_000).percent == "99.9 %"
    assert Rate(1999, 2000).percent == "99.9 %"
    assert Rate(2, 3).percent == "66.6 %"
    assert Rate(3, 3).percent == "100 %"
    assert Rate(0, 5).percent == "0.0 %"


def test_a_rate_of_nothing_is_not_applicable_and_not_reached() -> None:
    assert Rate().percent == "n/a"
    assert Rate(0, 0, 3).percent == "n/a"
    assert not Rate().reached


@given(st.integers(1, 10**9), st.data())
def test_a_hundred_percent_is_all_of_it_and_nothing_less(denominator: int, data) -> None:
    numerator = data.draw(st.integers(0, denominator))
    rate = Rate(numerator, denominator)
    assert rate.reached == (rate.percent == "100 %") == (numerator == denominator)


def test_what_nobody_counted_is_the_most_it_can_be_and_never_reached() -> None:
    unknown = rates.counted(None, Rate(5, 5), is_part=True)
    assert (unknown.percent, unknown.reached) == ("≤ 100 %", False)
    assert (unknown + Rate(5, 10)).percent == "≤ 66.6 %"


def test_a_count_of_the_whole_settles_its_parts_and_is_never_less_than_what_is_known() -> None:
    parts = Rate(8, 9, uncounted=2)
    assert rates.counted(12, parts, is_part=True) == Rate(8, 12)
    assert rates.counted(3, parts, is_part=True) == Rate(8, 9)
    assert rates.counted(None, parts, is_part=False) == parts


def test_a_let_house_that_is_not_admitted_is_a_gap_by_its_state() -> None:
    assert rates.house_reason(words.CLOSED) == "let_though_closed"
    assert rates.house_reason(words.ADMITTED) is None
    assert rates.house_reason(words.SUSPENDED) == "suspended"
    assert rates.house_reason(words.KNOWN) == "not_admitted"


@pytest.mark.parametrize(
    ("good", "missing", "reason"),
    [
        (True, (), None),
        (None, (), "never_verified"),
        (False, (), "wrong"),
        (False, ("phone",), "wrong"),
        (True, ("phone",), "fields_missing"),
        (None, ("phone",), "fields_missing"),
    ],
)
def test_an_entry_is_right_when_somebody_saw_it_and_nothing_is_missing(
    good: bool | None, missing: tuple[str, ...], reason: str | None
) -> None:
    assert rates.entry_reason(good, missing) == reason


def test_a_hazard_is_mended_when_a_later_visit_saw_it() -> None:
    assert rates.hazard_reason(100, None, due_s=200, now_s=199) == "not_mended"
    assert rates.hazard_reason(100, None, due_s=200, now_s=200) == "overdue"
    assert rates.hazard_reason(100, 150, due_s=200, now_s=199) is None
    assert rates.hazard_reason(100, 100, 200, 199, same_visit=True) == "no_later_visit"
    assert rates.hazard_reason(100, 99, due_s=200, now_s=199) == "no_later_visit"


def test_what_has_time_yet_is_not_due_unless_it_was_mended_early() -> None:
    assert not rates.counts_as_due(200, 199, mended=False)
    assert rates.counts_as_due(200, 199, mended=True)
    assert rates.counts_as_due(200, 200, mended=False)


def test_a_breach_is_dealt_with_by_a_sanction_or_an_end() -> None:
    assert rates.breach_reason(sanctioned=False, closed=False) == "no_sanction"
    assert rates.breach_reason(sanctioned=True, closed=False) is None
    assert rates.breach_reason(sanctioned=False, closed=True) is None


def test_a_departure_is_done_when_no_card_is_out_and_no_receipt_is_missing() -> None:
    assert rates.departure_reason(still_issued=True, unproven=0) == "still_issued"
    assert rates.departure_reason(still_issued=False, unproven=1) == "not_proven_dead"
    assert rates.departure_reason(still_issued=False, unproven=0) is None


def test_ages_are_told_by_rank() -> None:
    assert rates.ages([]) is None
    assert rates.ages([7]) == rates.Ages(1, 7, 7, 7)
    assert rates.ages(list(range(100, 0, -1))) == rates.Ages(100, 50, 90, 100)


# --- who stands where ------------------------------------------------------------------------


def of(*parts: Rate) -> dict[str, Rate]:
    """Rates by name, the others of nothing."""
    return dict.fromkeys(rates.RATES, Rate()) | dict(zip(rates.RATES, parts, strict=False))


def test_the_better_mean_stands_first_and_equal_ones_share_a_place() -> None:
    found = ranking.ranked(
        {
            "half": of(Rate(1, 2), Rate(1, 2)),
            "all": of(Rate(3, 3)),
            "other half": of(Rate(1, 2), Rate(1, 2)),
            "worst": of(Rate(0, 1)),
            "empty": of(),
        }
    )
    assert [(one.key, one.place) for one in found] == [
        ("all", 1), ("half", 2), ("other half", 2), ("worst", 4), ("empty", None),
    ]  # fmt: skip
    assert (found[0].reached, found[1].mean_tenths, found[-1].mean_tenths) == (1, 500, None)


def test_whoever_has_not_counted_stands_behind_all_who_have() -> None:
    found = ranking.ranked({"a": of(Rate(5, 5, 1)), "b": of(Rate(1, 5))})
    assert [one.key for one in found] == ["b", "a"]


def test_of_equal_means_the_one_with_less_missing_is_first() -> None:
    found = ranking.ranked({"big": of(Rate(50, 100)), "small": of(Rate(1, 2))})
    assert [(one.key, one.missing) for one in found] == [("small", 1), ("big", 50)]
