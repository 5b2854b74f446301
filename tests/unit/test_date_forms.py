"""Dates in the form of the language, and read in either form (host)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from babel import dates

from controller_tool import clock, date_forms, messages

MOMENT = "2026-03-31T14:05:09+08:00"


@pytest.fixture(autouse=True)
def by_locale() -> object:
    yield
    messages.set_language(None)


@pytest.mark.parametrize(
    ("language", "moment", "wanted"),
    [
        ("en", MOMENT, "2026-03-31 14:05"),
        ("zh", MOMENT, "2026年3月31日 14:05"),
        ("zh", "2026-11-02 00:00", "2026年11月2日 00:00"),
        ("zh", "2026-11-02", "2026年11月2日"),
        ("en", "2026-11-02", "2026-11-02"),
        ("zh", "", ""),
        ("en", "", ""),
    ],
)
def test_sentences_have_the_form_of_the_language(language: str, moment: str, wanted: str) -> None:
    messages.set_language(language)
    assert date_forms.shown(moment) == wanted
    assert date_forms.in_column(moment) == moment[:16].replace("T", " ")


@pytest.mark.parametrize("month", range(1, 13))
def test_the_chinese_form_is_the_one_of_cldr(month: int) -> None:
    messages.set_language("zh")
    moment = datetime(2026, month, 9 + month, 9, 5, tzinfo=UTC)
    day = dates.format_date(moment, "long", locale="zh_CN")
    time = dates.format_time(moment, "short", locale="zh_CN")
    assert date_forms.shown(moment.isoformat()) == f"{day} {time}"


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-31T14:05", "2026-03-31 14:05", "2026-3-31 14:05", "2026/3/31 14:05",
        "2026年3月31日 14:05", "2026年3月31日14:05", "2026年03月31日 14时05分",
        "2026年3月31日14点05分",
        "２０２６年３月３１日　１４：０５", "２０２６－０３－３１ １４：０５", " 2026-03-31 14:05 ",
        "2026-03-31T14:05+08:00", "2026年3月31日 06:05Z", "20260331T140500",
    ],
)  # fmt: skip
def test_a_minute_is_read_in_either_form(written: str) -> None:
    assert clock.parse_local(written) == clock.parse_local("2026-03-31T14:05:00+08:00")


@pytest.mark.parametrize(
    "written", ["2026年3月31日", "2026-3-31", "２０２６／３／３１", "20260331"]
)
def test_a_day_is_read_in_either_form(written: str) -> None:
    assert date_forms.day(written) == date(2026, 3, 31)
    assert clock.parse_local(written) == clock.parse_local("2026-03-31")


@pytest.mark.parametrize(
    "written",
    [
        "2026年2月30日", "2026-13-01", "2026-3-3112", "3月31日", "2026年3月31日 25:00",
        "2026年3月31日 下午", "", "昨天",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever datetime says
        clock.parse_local(written)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_shown_can_be_written(language: str) -> None:
    messages.set_language(language)
    assert clock.parse_local(date_forms.shown(MOMENT)) == clock.parse_local("2026-03-31T14:05")
