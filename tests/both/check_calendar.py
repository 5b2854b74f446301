"""Civil dates: every month boundary to the end of the format, and beyond 2038 (both)."""

from protocol import calendar
from protocol.constants import TIME_END_S
from tests.both.support import raises


def test_first_and_last_second_of_the_format() -> None:
    assert calendar.to_civil(0) == (2020, 1, 1, 0, 0, 0, 2)
    assert calendar.to_civil(TIME_END_S - 1) == (2051, 11, 24, 20, 14, 59, 4)
    assert calendar.from_civil(2051, 11, 24, 20, 15, 0) == TIME_END_S


def test_known_days() -> None:
    for civil, days, weekday in (
        ((2020, 2, 29), 59, 5),
        ((2020, 3, 1), 60, 6),
        ((2021, 2, 28), 424, 6),
        ((2024, 2, 29), 1520, 3),
        ((2026, 11, 22), 2517, 6),
        ((2038, 1, 19), 6593, 1),
        ((2100, 2, 28), 29278, 6),
        ((2100, 3, 1), 29279, 0),
    ):
        assert calendar.from_civil(civil[0], civil[1], civil[2], 0, 0, 0) == days * 86400
        assert calendar.to_civil(days * 86400)[:3] == civil
        assert calendar.to_civil(days * 86400)[3:] == (0, 0, 0, weekday)


def test_every_day_until_2105_follows_the_one_before() -> None:
    days = 0
    weekday = 2
    for year in range(2020, 2105):
        for month in range(1, 13):
            for day in range(1, calendar.days_of_month(year, month) + 1):
                if day == 1 or day >= 28 or year < 2022:
                    assert calendar.to_civil(days * 86400) == (year, month, day, 0, 0, 0, weekday)
                    assert calendar.from_civil(year, month, day, 0, 0, 0) == days * 86400
                days += 1
                weekday = (weekday + 1) % 7
    assert days == 31046


def test_every_second_of_a_day_is_its_own() -> None:
    start = calendar.from_civil(2024, 2, 29, 0, 0, 0)
    for second in range(0, 86400, 37):
        civil = calendar.to_civil(start + second)
        assert civil[:3] == (2024, 2, 29)
        assert civil[3] * 3600 + civil[4] * 60 + civil[5] == second
        assert calendar.from_civil(civil[0], civil[1], civil[2], *civil[3:6]) == start + second


def test_dates_that_do_not_exist_are_refused() -> None:
    for civil in (
        (2019, 12, 31, 23, 59, 59),
        (2023, 2, 29, 0, 0, 0),
        (2100, 2, 29, 0, 0, 0),
        (2024, 2, 30, 0, 0, 0),
        (2024, 4, 31, 0, 0, 0),
        (2024, 0, 1, 0, 0, 0),
        (2024, 13, 1, 0, 0, 0),
        (2024, 1, 0, 0, 0, 0),
        (2024, 1, 32, 0, 0, 0),
        (2024, 1, 1, 24, 0, 0),
        (2024, 1, 1, -1, 0, 0),
        (2024, 1, 1, 0, 60, 0),
        (2024, 1, 1, 0, 0, 60),
    ):
        raises(ValueError, calendar.from_civil, *civil)
