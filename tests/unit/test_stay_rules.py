"""The desk's rules of a stay, in the words of mission.md (host, pure)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller_tool.rules import classes, stay, visits, words

NOW = 3_000_000
DAY = 1440
HOUSE = stay.House("H00001", words.TRUSTED, words.ADMITTED)
ROOM = stay.Room("101", beds=2, taken=1)
WISH = stay.Wish(words.TENANT, words.ID_CARD, NOW, NOW + 90 * DAY)
HOST = stay.Host("L000001", NOW + 90 * DAY, here=True)
VISIT = stay.Wish(words.VISITOR, words.ID_CARD, NOW, NOW + 24 * 60, HOST)


def rule(house: stay.House = HOUSE, room: stay.Room = ROOM, wish: stay.Wish = WISH) -> str | None:
    refused = stay.check_in(house, room, wish, NOW)
    if refused is None:
        return None
    assert refused.what
    assert refused.way_out, "a refusal names the way out"
    return refused.rule


def test_a_good_stay_is_allowed() -> None:
    assert rule() is None
    assert rule(wish=VISIT) is None


@pytest.mark.parametrize("state", [words.KNOWN, words.SUSPENDED, words.CLOSED])
def test_no_admission_no_card(state) -> None:
    assert rule(replace(HOUSE, state=state)) == "admission"


def test_a_barred_house_issues_nothing_even_when_it_was_admitted() -> None:
    assert rule(replace(HOUSE, class4=words.BARRED)) == "barred"


def test_nobody_is_checked_in_without_a_document() -> None:
    assert rule(wish=replace(WISH, document=words.NO_DOCUMENT)) == "document"
    assert rule(wish=replace(WISH, numbered=False)) == "document", "without its number neither"


def test_a_room_takes_as_many_as_it_has_beds() -> None:
    assert rule(room=stay.Room("101", 2, 2)) == "capacity"
    assert rule(room=stay.Room("101", 2, 1)) is None
    assert rule(room=stay.Room("101", 0, 0)) == "capacity"


def test_a_visitor_takes_no_bed() -> None:
    assert rule(room=stay.Room("101", 2, 2), wish=VISIT) is None


def test_nobody_stays_in_one_room_twice() -> None:
    assert rule(wish=replace(WISH, there_already="L000007")) == "duplicate"


@pytest.mark.parametrize(
    ("begins_days", "ends_days", "allowed"),
    [(-30, 60, False), (-30, -1, False), (-30, 0, False), (60, 90, False), (90, 120, True)],
)
def test_nobody_lives_in_two_rooms_at_once(begins_days, ends_days, allowed) -> None:
    """A stay that is over goes on until somebody checks the person out."""
    other = stay.Living("L000007", "H00002", "9", NOW + begins_days * DAY, NOW + ends_days * DAY)
    expected = None if allowed else "elsewhere"
    assert rule(wish=replace(WISH, living=(other,))) == expected
    later = replace(WISH, until_min=WISH.until_min + DAY, living=(other,))
    refused = stay.extension(HOUSE, later, WISH.until_min, NOW)
    assert (refused is None) == (begins_days > 90)
    assert rule(wish=replace(VISIT, living=(other,))) is None, "a visit is no living there"


def test_who_moves_on_one_day_may_be_checked_in_for_it_before() -> None:
    here = stay.Living("L000007", "H00002", "9", NOW - 30 * DAY, NOW + 5 * DAY)
    later = replace(WISH, from_min=NOW + 5 * DAY, living=(here,))
    assert rule(wish=later) is None
    refused = stay.check_in(HOUSE, ROOM, replace(later, from_min=NOW + 5 * DAY - 1), NOW)
    assert refused is not None
    assert "H00002" in refused.what
    assert "tenant move L000007" in refused.way_out


@pytest.mark.parametrize(
    ("class4", "days"), [(words.TRUSTED, 365), (words.WATCHED, 180), (words.STRICT, 30)]
)
def test_a_stay_ends_within_the_ceiling_of_the_class(class4, days) -> None:
    house = replace(HOUSE, class4=class4)
    latest = NOW + days * DAY
    assert rule(house, wish=replace(WISH, until_min=latest)) is None
    assert rule(house, wish=replace(WISH, until_min=latest + 1)) == "ceiling"


def test_an_old_begin_lends_no_longer_end() -> None:
    house = replace(HOUSE, class4=words.STRICT)
    wish = replace(WISH, from_min=NOW - 300 * DAY, until_min=NOW + 32 * DAY)
    assert rule(house, wish=wish) == "ceiling"


@pytest.mark.parametrize(
    ("begin", "end"),
    [(NOW, NOW), (NOW + 5, NOW), (NOW - DAY, NOW), (NOW + 61 * DAY, NOW + 99 * DAY)],
)  # fmt: skip
def test_dates_make_sense(begin, end) -> None:
    assert rule(wish=replace(WISH, from_min=begin, until_min=end)) == "dates"


@pytest.mark.parametrize(("class4", "hours"), [(words.TRUSTED, 24), (words.STRICT, 8)])
def test_a_visit_lasts_hours_not_days(class4, hours) -> None:
    house = replace(HOUSE, class4=class4)
    assert rule(house, wish=replace(VISIT, until_min=NOW + hours * 60)) is None
    assert rule(house, wish=replace(VISIT, until_min=NOW + hours * 60 + 1)) == "visit"


def test_a_visitor_names_a_host_who_lives_there_and_leaves_no_later() -> None:
    assert rule(wish=replace(VISIT, host=None)) == "host"
    assert rule(wish=replace(VISIT, host=replace(HOST, here=False))) == "host"
    assert rule(wish=replace(VISIT, host=replace(HOST, until_min=NOW + 60))) == "visit"
    assert rule(wish=replace(WISH, host=HOST)) == "host"


def extended(until_min: int, house: stay.House = HOUSE, wish: stay.Wish = WISH) -> str | None:
    refused = stay.extension(house, replace(wish, until_min=until_min), wish.until_min, NOW)
    return None if refused is None else refused.rule


def test_an_extension_is_a_new_decision_by_the_same_rules() -> None:
    assert extended(NOW + 120 * DAY) is None
    assert extended(WISH.until_min) == "extension"
    assert extended(NOW + 120 * DAY, replace(HOUSE, state=words.SUSPENDED)) == "admission"
    assert extended(NOW + 120 * DAY, replace(HOUSE, class4=words.STRICT)) == "ceiling"
    assert extended(NOW + 30 * 60, wish=VISIT) == "visit"


def test_the_strictest_house_decides_how_long_a_list_counts() -> None:
    assert classes.list_windows(set(), 72, 4320) == (72, 4320)
    assert classes.list_windows({words.TRUSTED}, 72, 4320) == (72, 4320)
    assert classes.list_windows({words.TRUSTED, words.STRICT}, 72, 4320) == (12, 720)
    assert classes.list_windows({words.STRICT}, 6, 60) == (6, 60), "the site may be stricter"
    assert set(classes.BY_CLASS) == set(words.CLASSES)


def test_a_card_without_a_stay_is_held_to_the_strictest_house_that_its_doors_serve() -> None:
    strict = stay.House("H00002", words.STRICT, words.ADMITTED)

    def refused(*served: stay.House, days: int = 30, excepted: bool = False) -> str | None:
        found = stay.card_without_stay(served, NOW, NOW + days * DAY, NOW, excepted)
        return found.rule if found else None

    assert refused(days=9999) is None, "a site without houses works as it did"
    assert refused(HOUSE, days=365) is None
    assert refused(HOUSE, days=366) == "ceiling"
    assert refused(HOUSE, strict) is None
    assert refused(HOUSE, strict, days=31) == "ceiling"
    assert refused(HOUSE, replace(strict, state=words.SUSPENDED)) == "admission"
    barred = replace(strict, class4=words.BARRED)
    assert refused(barred, days=1) == "barred"
    assert refused(barred, days=9999, excepted=True) is None


def test_a_visit_that_ends_before_it_begins_is_told_by_its_dates() -> None:
    for until_min in (NOW - 60, NOW):
        assert rule(wish=replace(VISIT, until_min=until_min)) == "dates"


def seen(house: str, *hours: tuple[float, float], over: bool = True) -> tuple[visits.Visit, ...]:
    """Visits in this house, each from and until so many hours from NOW."""
    return tuple(
        visits.Visit(f"L{n:06}", house, NOW + round(60 * begin), NOW + round(60 * end), over)
        for n, (begin, end) in enumerate(hours, 1)
    )


def test_one_person_has_one_visit_at_a_time() -> None:
    there = seen("H00009", (-1, 3), over=False)
    assert rule(wish=replace(VISIT, visits=there)) == "visit_twice"
    refused = stay.check_in(HOUSE, ROOM, replace(VISIT, visits=there), NOW)
    assert refused is not None
    assert "L000001" in refused.what + refused.way_out
    assert rule(wish=replace(VISIT, visits=seen("H00009", (-1, 3)))) is None, "they left"
    assert rule(wish=replace(VISIT, visits=seen("H00009", (24, 30), over=False))) is None


@pytest.mark.parametrize(("class4", "hours"), [(words.TRUSTED, 24), (words.STRICT, 8)])
def test_visits_in_a_row_end_after_three(class4, hours) -> None:
    house = replace(HOUSE, class4=class4)
    wish = replace(VISIT, until_min=NOW + hours * 60)
    row = [(-hours * n, -hours * (n - 1)) for n in range(1, 4)]
    assert rule(house, wish=replace(wish, visits=seen(house.ref, *row[:2]))) is None
    assert rule(house, wish=replace(wish, visits=seen(house.ref, *row))) == "visit_often"
    assert rule(house, wish=replace(wish, visits=seen("H00009", *row))) is None, "another house"
    later = [(begin - 168, end - 168) for begin, end in row]
    assert rule(house, wish=replace(wish, visits=seen(house.ref, *later))) is None
    # what was booked ahead counts for the week that it lies in
    ahead = [(begin + 4 * hours, end + 4 * hours) for begin, end in row]
    assert rule(house, wish=replace(wish, visits=seen(house.ref, *ahead))) == "visit_often"


@pytest.mark.parametrize("class4", [words.TRUSTED, words.STRICT])
def test_who_comes_each_evening_for_three_hours_is_let_in(class4) -> None:
    evenings = seen(HOUSE.ref, *((-24 * n, -24 * n + 3) for n in range(1, 30)))
    wish = replace(VISIT, until_min=NOW + 180, visits=evenings)
    assert rule(replace(HOUSE, class4=class4), wish=wish) is None


def test_a_host_has_ten_visitors_at_once() -> None:
    assert rule(wish=replace(VISIT, guests=visits.GUESTS_MAX - 1)) is None
    assert rule(wish=replace(VISIT, guests=visits.GUESTS_MAX)) == "guests"
