"""What is shown of a person, how long it is kept, what keeps it (host)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from controller_tool.rules import duty, found, holds, masking, retention, stay, words
from controller_tool.rules.holds import Order

DAY_S = 86_400
ID = "330199199001010011"
GONE = retention.Facts(last_end_s=0)


def rule(refusal) -> str | None:
    return None if refusal is None else refusal.rule


@pytest.mark.parametrize("role", [words.CLERK, words.SUPERVISOR, words.POLICE, words.HEAD])
def test_numbers_are_masked_on_every_screen(role) -> None:
    assert masking.document(ID, role) == "330***********0011"
    assert masking.phone("13812345678", role) == "138****5678"
    assert masking.name("王伟", role) == "王伟"


def test_an_auditor_sees_no_number_and_no_whole_name() -> None:
    seen = [
        masking.document(ID, words.AUDITOR), masking.phone("13812345678", words.AUDITOR),
        masking.name("欧阳娜娜", words.AUDITOR),
    ]  # fmt: skip
    assert seen == ["****", "****", "欧***"]


@pytest.mark.parametrize("number", ["E12345678", "12345", "1", "AB"])
def test_a_short_number_is_not_given_away_by_its_ends(number) -> None:
    shown = masking.document(number, words.CLERK)
    assert len(shown) == len(number)
    assert sum(a == b for a, b in zip(shown, number, strict=True)) <= len(number) // 4
    assert masking.document("", words.CLERK) == ""


def test_whole_numbers_take_a_role_and_a_reason() -> None:
    assert rule(duty.refuse(duty.Who("李明"), duty.SEE_DOCUMENTS)) == "role"
    assert rule(duty.refuse(duty.Who("周强", words.AUDITOR), duty.SEE_DOCUMENTS)) == "role"
    for reason in ("", "   ", "x" * 201, "a\nb"):
        assert rule(masking.refuse_reveal(reason)) == "reason"
    assert masking.refuse_reveal("报警核查") is None


def test_data_is_deleted_after_a_configured_time() -> None:
    assert retention.keeps(GONE, 365, 365 * DAY_S) is None
    assert rule(retention.keeps(GONE, 365, 365 * DAY_S - 1)) == "early"
    assert retention.keeps(GONE, 30, 30 * DAY_S) is None
    assert [rule(retention.refuse_days(days)) for days in (0, 3651)] == ["days"] * 2


@pytest.mark.parametrize(
    ("what", "named"),
    [("stays", "stay"), ("cards_out", "card_out"), ("unproven", "unproven"), ("holds", "hold"),
     ("cases", "case")],
)  # fmt: skip
def test_never_while_something_keeps_it(what, named) -> None:
    named_in: dict[str, Any] = {what: ("X000001",)}
    kept = dataclasses.replace(GONE, **named_in)
    refusal = retention.keeps(kept, 1, 9999 * DAY_S)
    assert refusal is not None
    assert rule(refusal) == named
    assert "X000001" in refusal.what
    assert refusal.way_out


def test_what_is_deleted_is_not_deleted_again() -> None:
    erased = dataclasses.replace(GONE, erased=True)
    assert rule(retention.keeps(erased, 1, 9999 * DAY_S)) == "erased"


def test_an_order_stands_from_its_begin_to_its_end_or_until_it_is_released() -> None:
    standing = [now for now in (9, 10, 19, 20) if holds.stands(10, 20, None, now)]
    assert standing == [10, 19]
    assert holds.stands(10, None, None, 10**9)
    assert not holds.stands(10, None, 15, 16)


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (Order("", "公安", 0), "number"),
        (Order("17", " ", 0), "number"),
        (Order("x" * 65, "公安", 0), "number"),
        (Order("17", "公安", 10, 10), "end"),
    ],
)
def test_an_order_has_a_number_an_authority_and_an_end_after_its_begin(order, named) -> None:
    assert rule(holds.refuse(order, there_already=False)) == named


def test_the_same_order_stands_once() -> None:
    assert rule(holds.refuse(Order("17", "公安", 0), there_already=True)) == "twice"
    assert holds.refuse(Order("17", "公安", 0), there_already=False) is None


LOST = found.Facts("K000001", lost=True, until_min=100)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"lost": False}, "not_lost"),
        ({"taken_by": "K000002"}, "taken"),
        ({"house": stay.House("H00001", words.BARRED, words.ADMITTED)}, "barred"),
        ({"house": stay.House("H00001", words.TRUSTED, words.SUSPENDED)}, "admission"),
        ({"house": stay.House("H00001", words.TRUSTED, words.ADMITTED)}, None),
        ({}, None),
    ],
)
def test_a_found_card_goes_on_only_where_a_new_one_could(changed, named) -> None:
    assert rule(found.refuse(dataclasses.replace(LOST, **changed), 50)) == named


@pytest.mark.parametrize("over", [{"until_min": 50}, {"stay_over": True}])
def test_a_found_card_without_a_time_left_is_taken_back_whatever_its_house_is(over) -> None:
    barred = stay.House("H00001", words.BARRED, words.ADMITTED)
    card = dataclasses.replace(LOST, house=barred, **over)
    assert (found.refuse(card, 50), found.goes_on(card, 50)) == (None, False)
    assert found.goes_on(LOST, 50)
