"""The rules of houses in the words of the order: 准入, 监督, 整改, key areas, doors (host)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller_tool.rules import (
    admission,
    areas,
    cases,
    classes,
    inspections,
    key_areas,
    points,
    required_doors,
    words,
)
from controller_tool.rules.inspections import DAY_S, Open

NOW_S = 200_000_000
GOOD = admission.House(
    ref="H00001", class4=words.WATCHED, state=words.KNOWN, landlord="陈建国", beds=4, surveyed=True,
    looked_at=True, newest_passed=True, inspected_at_s=NOW_S - DAY_S, open_major=(),
)  # fmt: skip


def rule(refusal) -> str | None:
    return None if refusal is None else refusal.rule


def test_a_house_that_has_all_is_admitted() -> None:
    assert admission.admit(GOOD, NOW_S) is None


@pytest.mark.parametrize(
    ("lacks", "named"),
    [
        ({"landlord": ""}, "landlord"),
        ({"beds": 0}, "rooms"),
        ({"surveyed": False}, "survey"),
        ({"looked_at": False}, "inspection"),
        ({"newest_passed": False}, "inspection"),
        ({"open_major": ("Z000001",)}, "hazard"),
        ({"class4": words.BARRED}, "barred"),
        ({"state": words.ADMITTED}, "state"),
    ],
)
def test_what_lacks_is_refused_by_its_name_with_a_way_out(lacks, named) -> None:
    refusal = admission.admit(replace(GOOD, **lacks), NOW_S)
    assert rule(refusal) == named
    assert refusal
    assert refusal.what
    assert refusal.way_out


def test_all_that_lacks_is_told_at_once() -> None:
    bare = replace(GOOD, landlord="", beds=0, surveyed=False, looked_at=False)
    refusal = admission.admit(bare, NOW_S)
    assert rule(refusal) == admission.ALL_LACKS
    assert refusal
    assert refusal.what.count(";") == 3
    assert refusal.way_out.count(";") == 3


def test_a_barred_house_is_never_admitted_whatever_else_is_good() -> None:
    for state in (words.KNOWN, words.SUSPENDED, words.CLOSED):
        house = replace(GOOD, class4=words.BARRED, state=state)
        assert rule(admission.admit(house, NOW_S)) == "barred"


def test_barring_an_admitted_house_ends_its_admission() -> None:
    assert admission.state_of(words.BARRED, words.ADMITTED) == words.SUSPENDED
    assert admission.state_of(words.BARRED, words.CLOSED) == words.CLOSED
    assert admission.state_of(words.STRICT, words.ADMITTED) == words.ADMITTED


@pytest.mark.parametrize("class4", words.CLASSES[:3])
def test_an_inspection_that_is_too_old_for_the_class_admits_nobody(class4) -> None:
    days = classes.of(class4).inspect_days
    house = replace(GOOD, class4=class4, inspected_at_s=NOW_S - days * DAY_S)
    assert rule(admission.admit(house, NOW_S)) == "inspection", "due on that day"
    assert admission.admit(house, NOW_S - 1) is None


def test_only_an_admitted_house_is_suspended_and_comes_back_by_admission() -> None:
    assert admission.suspend(replace(GOOD, state=words.ADMITTED)) is None
    for state in (words.KNOWN, words.SUSPENDED, words.CLOSED):
        assert rule(admission.suspend(replace(GOOD, state=state))) == "state"
        assert admission.admit(replace(GOOD, state=state), NOW_S) is None


def test_any_house_but_a_closed_one_is_closed() -> None:
    for state in (words.KNOWN, words.ADMITTED, words.SUSPENDED):
        assert admission.close(replace(GOOD, state=state)) is None
    assert rule(admission.close(replace(GOOD, state=words.CLOSED))) == "state"


LET = required_doors.House(
    state=words.ADMITTED, stays=1, rooms=3, beds=2, room_numbers=frozenset({"1", "2", "3"}),
    doors=(),
)  # fmt: skip
HEARD = required_doors.Door(words.ENTRANCE, enrolled=True, heard_at_s=NOW_S)


def own_doors(rooms: str) -> tuple[required_doors.Door, ...]:
    return tuple(replace(HEARD, use=words.ROOM_DOOR, room=number) for number in rooms)


@pytest.mark.parametrize(
    ("rooms", "beds", "must"), [(2, 2, False), (3, 2, True), (2, 3, True), (10, 10, True)]
)
def test_three_rooms_or_three_beds_must_have_a_smart_door(rooms, beds, must) -> None:
    house = replace(LET, rooms=rooms, beds=beds)
    assert required_doors.must_have(house) is must
    assert (required_doors.gap(house, NOW_S) is not None) is must


def test_a_closed_house_is_let_while_somebody_stays_there() -> None:
    assert required_doors.must_have(replace(LET, state=words.CLOSED, stays=1))
    assert not required_doors.must_have(replace(LET, state=words.CLOSED, stays=0))
    assert required_doors.must_have(replace(LET, state=words.KNOWN, stays=0))


@pytest.mark.parametrize(
    ("doors", "gap"),
    [
        ((), required_doors.NO_DOOR),
        ((HEARD,), None),
        ((replace(HEARD, use=words.CHARGER),), required_doors.NO_DOOR),
        ((replace(HEARD, enrolled=False),), required_doors.NOT_ENROLLED),
        ((replace(HEARD, heard_at_s=None),), required_doors.SILENT),
        ((replace(HEARD, heard_at_s=NOW_S - 72 * 3600),), None),
        ((replace(HEARD, heard_at_s=NOW_S - 72 * 3600 - 1),), required_doors.SILENT),
        ((replace(HEARD, heard_at_s=None), HEARD), None),
        (own_doors("123"), None),
        (own_doors("12"), required_doors.SOME_ROOMS),
    ],
)  # fmt: skip
def test_a_door_counts_when_it_is_enrolled_and_was_heard_in_72_hours(doors, gap) -> None:
    assert required_doors.gap(replace(LET, doors=doors), NOW_S) == gap


PLAIN = key_areas.House(
    type5=words.RURAL, people=4, unit_workers=0, village_migrants=0, compound_migrants=None,
    mark=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({}, ()),
        ({"village_migrants": 1999}, ()),
        ({"village_migrants": 2000}, (key_areas.Reason("village", 2000),)),
        ({"type5": words.ENTERPRISE, "unit_workers": 299}, ()),
        ({"type5": words.ENTERPRISE, "unit_workers": 300}, (key_areas.Reason("dormitory", 300),)),
        ({"unit_workers": 300}, ()),
        ({"type5": words.APARTMENT}, (key_areas.Reason("gathering"),)),
        ({"people": 9}, ()),
        ({"people": 10}, (key_areas.Reason("gathering", 10),)),
        ({"compound_migrants": 199}, ()),
        ({"compound_migrants": 200}, (key_areas.Reason("resettlement", 200),)),
        ({"mark": "治安复杂"}, (key_areas.Reason("marked", note="治安复杂"),)),
    ],
)
def test_the_five_key_areas_say_why_and_above_includes_the_number(facts, reasons) -> None:
    assert key_areas.of_house(replace(PLAIN, **facts)) == reasons


def test_all_reasons_are_told_in_the_orders_own_order() -> None:
    house = replace(
        PLAIN, type5=words.APARTMENT, village_migrants=5000, compound_migrants=500, mark="隐患突出"
    )
    assert [reason.word for reason in key_areas.of_house(house)] == [
        "village", "gathering", "resettlement", "marked",
    ]  # fmt: skip


MINOR = Open("Z000001", words.MINOR, NOW_S)
MAJOR = Open("Z000002", words.MAJOR, NOW_S)


def test_a_house_is_inspected_again_by_its_class() -> None:
    days = [(inspections.due_s(c, NOW_S) - NOW_S) // DAY_S for c in words.CLASSES]
    assert days == [180, 90, 30, 30]
    assert inspections.is_due(words.TRUSTED, None, NOW_S), "nobody was ever there"


def test_a_hazard_is_due_by_its_grade_and_overdue_after_that_moment() -> None:
    assert inspections.hazard_due_s(words.MINOR, NOW_S) == NOW_S + 15 * DAY_S
    assert inspections.hazard_due_s(words.MAJOR, NOW_S) == NOW_S + 3 * DAY_S
    assert not inspections.is_overdue(MINOR, NOW_S)
    assert inspections.is_overdue(MINOR, NOW_S + 1)


@pytest.mark.parametrize(
    ("kind", "passed", "found", "mended", "before", "named"),
    [
        (words.PERIODIC, True, [], [], [], None),
        (words.PERIODIC, True, [words.MINOR], [], [], None),
        (words.PERIODIC, False, [words.MAJOR], [], [], None),
        (words.PERIODIC, True, [words.MAJOR], [], [], "passed"),
        (words.FOLLOW_UP, True, [], [], [MAJOR], "passed"),
        (words.FOLLOW_UP, True, [], ["Z000002"], [MAJOR], None),
        (words.FOLLOW_UP, True, [], [], [MINOR], None),
        (words.FOLLOW_UP, False, [], [], [MAJOR], None),
        (words.FOLLOW_UP, True, [], [], [], "follow_up"),
        (words.FOLLOW_UP, True, [], ["Z000009"], [MAJOR], "mended"),
    ],
)
def test_a_visit_does_not_contradict_itself(kind, passed, found, mended, before, named) -> None:
    assert rule(inspections.visit(kind, passed, found, mended, before)) == named


def test_a_major_hazard_ends_the_admission_and_a_minor_one_does_not() -> None:
    assert inspections.suspends(words.ADMITTED, [MINOR, MAJOR])
    assert not inspections.suspends(words.ADMITTED, [MINOR])
    assert not inspections.suspends(words.KNOWN, [MAJOR])


@pytest.mark.parametrize(
    ("class4", "left", "late", "passed", "follows"),
    [
        (words.TRUSTED, [MINOR], False, [True], words.TRUSTED),
        (words.TRUSTED, [MINOR], True, [True], words.WATCHED),
        (words.TRUSTED, [MAJOR], False, [False], words.STRICT),
        (words.WATCHED, [MAJOR, MINOR], True, [False], words.BARRED),
        (words.STRICT, [MINOR], True, [False], words.STRICT),
        (words.STRICT, [], False, [True], words.STRICT),
        (words.STRICT, [], False, [True, False], words.STRICT),
        (words.STRICT, [], False, [True, True], words.WATCHED),
        (words.BARRED, [], False, [True, True, False], words.STRICT),
        (words.BARRED, [MINOR], False, [True, True], words.BARRED),
        (words.TRUSTED, [], False, [True, True], words.TRUSTED),
    ],
)
def test_the_class_that_follows(class4, left, late, passed, follows) -> None:
    assert inspections.class_that_follows(class4, left, passed, NOW_S + late) == follows


def test_nobody_gives_a_better_class_than_the_hazards_allow() -> None:
    assert rule(inspections.classify(words.STRICT, words.WATCHED, [MAJOR], NOW_S)) == "class"
    assert inspections.classify(words.BARRED, words.STRICT, [MAJOR], NOW_S) is None
    assert inspections.classify(words.TRUSTED, words.WATCHED, [MAJOR], NOW_S) is None, "worse goes"
    assert inspections.classify(words.BARRED, words.TRUSTED, [], NOW_S) is None


def test_grids_lie_in_villages_and_villages_in_districts() -> None:
    assert areas.place(words.DISTRICT, None) is None
    assert areas.place(words.VILLAGE, words.DISTRICT) is None
    assert areas.place(words.GRID, words.VILLAGE) is None
    for kind, parent in ((words.DISTRICT, words.DISTRICT), (words.VILLAGE, None),
                         (words.GRID, words.DISTRICT)):  # fmt: skip
        assert rule(areas.place(kind, parent)) == "area"
    assert rule(areas.counted(0, None, -1)) == "survey"


def test_a_point_is_within_its_controller_and_of_its_kind() -> None:
    assert points.usual_use("door", has_room=False) == words.ENTRANCE
    assert points.usual_use("door", has_room=True) == words.ROOM_DOOR
    assert points.usual_use("charger", has_room=False) == words.CHARGER
    assert points.point("d", "door", 2, 2, words.ENTRANCE, None) is None
    for door, use, room, named in (
        (0, words.ENTRANCE, None, "point"), (3, words.ENTRANCE, None, "point"),
        (1, "window", None, "word"), (1, words.CHARGER, None, "use"),
        (1, words.ROOM_DOOR, None, "room"), (1, words.ENTRANCE, "101", "room"),
    ):  # fmt: skip
        assert rule(points.point("d", "door", 2, door, use, room)) == named


def test_a_case_names_who_answers_and_ends_by_a_decision_or_a_reason() -> None:
    assert cases.opened("陈建国", no_stay=True, stays_here=True) is None
    assert cases.opened("", no_stay=False, stays_here=True) is None
    assert rule(cases.opened("", no_stay=True, stays_here=True)) == "party"
    assert rule(cases.opened("", no_stay=False, stays_here=False)) == "party"
    assert rule(cases.closed("C00001", is_closed=False, decided=False, reason="")) == "decision"
    assert cases.closed("C00001", is_closed=False, decided=True, reason="") is None
    assert cases.closed("C00001", is_closed=False, decided=False, reason="查无实据") is None
    assert rule(cases.closed("C00001", is_closed=True, decided=True, reason="")) == "closed"
    assert rule(cases.sanctioned("C00001", is_closed=True)) == "closed"
