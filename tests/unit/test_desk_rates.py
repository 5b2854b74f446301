"""The rates of a registry: houses, grids, villages, districts, and what is missing (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, update

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import Area, House
from controller_tool.registry.models import ENDED_STOLEN, ENDED_WIPED, Device
from controller_tool.rules import rates as rules
from controller_tool.rules import words
from controller_tool.services.desk import rates
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.rate_support import (
    DAY_S,
    add_card,
    add_case,
    add_hazard,
    add_stay,
    add_visit,
)
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from controller_tool.services.site import Site

VILLAGE, DISTRICT = GRID[:9], GRID[:6]
SEEN: dict[str, Any] = {"verified_at_s": 1, "verified_good": True}


@pytest.fixture
def house(site) -> House:
    """An admitted house with one door, in which three people were counted."""
    Board(site, "door-1")
    add_areas(site)
    return add_house(site, people_surveyed=3)


def change(site: Site, model: Any, key: str, **values: Any) -> None:
    with site.registry.writing() as session:
        session.execute(update(model).where(model.__mapper__.primary_key[0] == key).values(values))


def rate(site: Site, name: str, **scope: Any) -> tuple[int, int, int]:
    found = rates.report(site, **scope).whole.rates[name]
    return found.numerator, found.denominator, found.uncounted


def gaps(site: Site, name: str, **scope: Any) -> list[tuple[str, str, int]]:
    return [(gap.subject, gap.reason, gap.count) for gap in rates.report(site, **scope).gaps[name]]


def test_an_empty_registry_has_no_rate_and_no_gap(site) -> None:
    found = rates.report(site, by="district")
    assert {one.percent for one in found.whole.rates.values()} == {"n/a"}
    assert (found.units, list(filter(None, found.gaps.values()))) == ([], [])


# --- houses --------------------------------------------------------------------------------


@pytest.mark.usefixtures("house")
def test_houses_are_measured_against_those_counted_on_foot(site) -> None:
    add_house(site, "H00002", doors=(), state=words.KNOWN)
    assert rate(site, rules.HOUSES) == (1, 2, 1)
    assert gaps(site, rules.HOUSES) == [("H00002", "not_admitted", 1), (GRID, "not_surveyed", 0)]
    change(site, Area, GRID, houses_surveyed=5)
    assert rate(site, rules.HOUSES) == (1, 5, 0)
    assert gaps(site, rules.HOUSES) == [("H00002", "not_admitted", 1), (GRID, "not_registered", 3)]


@pytest.mark.usefixtures("house")
def test_a_village_that_was_counted_needs_no_count_of_its_grids(site) -> None:
    change(site, Area, VILLAGE, houses_surveyed=2)
    assert rate(site, rules.HOUSES) == rate(site, rules.HOUSES, area=VILLAGE) == (1, 2, 0)
    assert gaps(site, rules.HOUSES) == [(VILLAGE, "not_registered", 1)]
    assert rate(site, rules.HOUSES, area=GRID) == (1, 1, 1)
    assert gaps(site, rules.HOUSES, area=GRID) == [(GRID, "not_surveyed", 0)]


@pytest.mark.usefixtures("house")
def test_a_closed_house_counts_while_somebody_stays_in_it(site) -> None:
    closed = add_house(site, "H00002", doors=(), state=words.CLOSED)
    assert rate(site, rules.HOUSES) == (1, 1, 1)
    add_stay(site, closed)
    assert rate(site, rules.HOUSES) == (1, 2, 1)
    assert ("H00002", "let_though_closed", 1) in gaps(site, rules.HOUSES)


# --- people and their entries ---------------------------------------------------------------


def test_people_are_measured_against_those_counted_in_their_house(site, house) -> None:
    full = add_house(site, "H00002", doors=(), people_surveyed=1)
    for _ in range(2):
        add_stay(site, full)
    add_stay(site, house)
    assert rate(site, rules.PEOPLE) == (3, 5, 0)  # two more than counted fill no gap elsewhere
    assert gaps(site, rules.PEOPLE) == [("H00001", "not_registered", 2)]


def test_visitors_leavers_and_second_rooms_are_no_more_people(site, house) -> None:
    _, person = add_stay(site, house)
    add_stay(site, house, "102", person)
    add_stay(site, house, kind=words.VISITOR)
    add_stay(site, house, ended_s=now_s())
    assert rate(site, rules.PEOPLE) == (1, 3, 0)
    assert rate(site, rules.ACCURACY)[1] == 1


@pytest.mark.usefixtures("house")
def test_people_whom_no_house_has_are_missing_in_their_area(site) -> None:
    add_house(site, "H00002", doors=())
    assert rate(site, rules.PEOPLE) == (0, 3, 1)
    assert ("H00002", "not_surveyed", 0) in gaps(site, rules.PEOPLE)
    change(site, Area, DISTRICT, migrants_surveyed=10)
    assert rate(site, rules.PEOPLE) == (0, 10, 0)
    assert gaps(site, rules.PEOPLE) == [
        ("H00001", "not_registered", 3), (DISTRICT, "not_registered", 7),
    ]  # fmt: skip


def test_an_entry_counts_when_it_was_seen_and_has_all_its_fields(site, house) -> None:
    add_stay(site, house, **SEEN)
    never, _ = add_stay(site, house)
    wrong, _ = add_stay(site, house, verified_at_s=1, verified_good=False)
    bare, _ = add_stay(site, house, number=b"", phone=b"", sex="", origin="", **SEEN)
    none, _ = add_stay(site, house, document=words.NO_DOCUMENT, **SEEN)
    assert rate(site, rules.ACCURACY) == (1, 5, 0)
    found = {gap.subject: gap for gap in rates.report(site).gaps[rules.ACCURACY]}
    assert {ref: gap.reason for ref, gap in found.items()} == {
        never: "never_verified", wrong: "wrong", bare: "fields_missing", none: "fields_missing",
    }  # fmt: skip
    assert found[bare].detail == "document,sex,origin,phone"
    assert (found[none].detail, found[none].room, found[none].place) == ("document", "101", GRID)


def test_records_have_an_age_from_when_they_were_last_looked_at(site, house) -> None:
    now = now_s()
    add_stay(site, house, created_at_s=now - 90 * DAY_S)
    add_stay(site, house, created_at_s=now - 90 * DAY_S, verified_at_s=now - DAY_S)
    add_house(site, "H00002", doors=(), surveyed_at_s=now - 7 * DAY_S)
    found = rates.report(site)
    assert found.entries == rules.Ages(2, 1, 90, 90)
    assert found.surveys == rules.Ages(1, 7, 7, 7)
    assert rates.report(site, house="H00002").entries is None


# --- hazards and breaches -------------------------------------------------------------------


def test_a_hazard_is_mended_when_a_later_visit_saw_it(site, house) -> None:
    now = now_s()
    first, second = add_visit(site, house, now - 9), add_visit(site, house, now - 5)
    add_hazard(site, house, "Z1", first, now + DAY_S, second)
    add_hazard(site, house, "Z2", first, now + DAY_S)
    add_hazard(site, house, "Z3", first, now - 1)
    add_hazard(site, house, "Z4", second, now - 2, second)
    assert rate(site, rules.HAZARDS) == (1, 4, 0)
    assert rate(site, rules.DUE) == (1, 3, 0)
    assert gaps(site, rules.HAZARDS) == [
        ("Z4", "no_later_visit", 1), ("Z3", "overdue", 1), ("Z2", "not_mended", 1),
    ]  # fmt: skip


def test_a_breach_wants_a_sanction_or_an_end(site, house) -> None:
    add_case(site, house, "C1")
    add_case(site, house, "C2", sanction=words.FINE)
    add_case(site, house, "C3", closed_s=now_s())
    assert rate(site, rules.BREACHES) == (2, 3, 0)
    assert gaps(site, rules.BREACHES) == [("C1", "no_sanction", 1)]


# --- departures -----------------------------------------------------------------------------


def test_who_has_left_is_deregistered_when_all_doors_have_said_so(site, house) -> None:
    Board(site, "door-2")
    gone, _ = add_stay(site, house, ended_s=now_s())
    add_card(site, gone, "collected", {"door-1": (4, 4), "door-2": (4, 3)})
    found = rates.report(site).gaps[rules.CARDS]
    assert rate(site, rules.CARDS) == (0, 1, 0)
    assert [(gap.subject, gap.proven, gap.of, gap.devices) for gap in found] == [
        (gone, 1, 2, ("door-2",)),
    ]  # fmt: skip
    with site.registry.writing() as session:
        session.execute(update(Device).values(list_version_receipted=4))
    assert rate(site, rules.CARDS) == (1, 1, 0)
    assert gaps(site, rules.CARDS) == []


def test_a_stay_with_two_cards_is_one_departure(site, house) -> None:
    gone, _ = add_stay(site, house, ended_s=now_s())
    add_card(site, gone, "collected", {"door-1": (4, 4)})
    add_card(site, gone, "replaced", {"door-1": (None, 4)})
    [gap] = rates.report(site).gaps[rules.CARDS]
    assert rate(site, rules.CARDS) == (0, 1, 0)
    assert (gap.proven, gap.of, gap.devices) == (0, 1, ("door-1",))


def test_a_card_that_stayed_out_when_its_holder_left_is_a_gap(site, house) -> None:
    gone, _ = add_stay(site, house, ended_s=now_s())
    add_card(site, gone)
    assert gaps(site, rules.CARDS) == [(gone, "still_issued", 1)]
    assert rate(site, rules.CARDS) == (0, 1, 0)


def test_cards_that_ended_by_themselves_count_and_replaced_ones_do_not(site, house) -> None:
    here, _ = add_stay(site, house)
    add_card(site, here)
    add_card(site, here, "replaced", {"door-1": (None, 4)})
    add_stay(site, house, ended_s=now_s())  # had no card: nothing is to be proven of it
    lost = add_card(site, here, "lost", {"door-1": (None, 4)})
    stray = add_card(site, None, "collected", {"door-1": (None, 4)})
    assert gaps(site, rules.CARDS) == [(lost, "not_proven_dead", 1), (stray, "not_proven_dead", 1)]
    assert rate(site, rules.CARDS) == (0, 2, 0)
    assert rate(site, rules.CARDS, area=DISTRICT) == (0, 1, 0)
    units = rates.report(site, by="grid").units
    assert [(one.kind, one.rates[rules.CARDS].denominator) for one in units] == [
        ("grid", 1), ("nowhere", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("ended", "numerator"), [(ENDED_WIPED, 1), (ENDED_STOLEN, 0)])
def test_a_wiped_controller_needs_no_receipt_and_a_stolen_one_does(
    site, house, ended: str, numerator: int
) -> None:
    gone, _ = add_stay(site, house, ended_s=now_s())
    add_card(site, gone, "collected", {"door-1": (None, 4)})
    change(site, Device, site.device("door-1").id, ended_how=ended)
    assert rate(site, rules.CARDS) == (numerator, 1, 0)


# --- places ---------------------------------------------------------------------------------


def test_units_add_up_to_the_whole(site, house) -> None:
    add_stay(site, house)
    for by in ("house", "grid", "village", "district"):
        [unit] = rates.report(site, by=by).units
        assert unit.rates[rules.PEOPLE] == rules.Rate(1, 3)
    [unit] = rates.report(site, by="house", house="h00001").units
    assert (unit.kind, unit.code, unit.name) == ("house", "H00001", "新湾街1号")


@pytest.mark.usefixtures("house")
def test_another_grid_is_not_in_the_scope(site) -> None:
    with site.registry.writing() as session:
        session.add(Area(code="other", kind=words.GRID, name="第二网格", parent_code=VILLAGE))
    assert rate(site, rules.PEOPLE, area="other") == (0, 0, 0)
    assert gaps(site, rules.PEOPLE, area="other") == []
    assert [unit.code for unit in rates.report(site, "grid", area="other").units] == ["other"]


@pytest.mark.usefixtures("house")
def test_a_place_that_is_none_is_refused_with_where_to_look(site) -> None:
    with pytest.raises(OperatorError, match="area list"):
        rates.report(site, area="nowhere")
    with pytest.raises(OperatorError, match="no house"):
        rates.report(site, house="H99999")


@pytest.mark.usefixtures("house")
def test_grids_are_ranked(site) -> None:
    with site.registry.writing() as session:
        session.add(Area(code="other", kind=words.GRID, name="第二网格", parent_code=VILLAGE,
                         houses_surveyed=0))  # fmt: skip
    found = rates.standings(site, words.GRID)
    assert [(unit.code, one.place) for unit, one in found] == [(GRID, 1), ("other", None)]


@pytest.mark.usefixtures("house")
def test_the_count_of_queries_does_not_grow_with_the_houses(site) -> None:
    asked: list[str] = []
    event.listen(
        site.registry._engine, "before_cursor_execute", lambda *args: asked.append(args[2])
    )
    counts = []
    for number in range(2, 7):
        more = add_house(site, f"H{number:05d}", doors=())
        gone, _ = add_stay(site, more, ended_s=now_s())
        add_card(site, gone, "collected", {"door-1": (None, 1)})
        asked.clear()
        rates.report(site, by="house")
        counts.append(len(asked))
    assert len(set(counts)) == 1, counts
