"""Houses at the desk: registered, inspected, admitted, classified, closed; their doors (host)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import event, select

from controller_tool import clock, credentials
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import Hazard, House
from controller_tool.registry.models import Card, Grant
from controller_tool.registry.records import AuditEntry
from controller_tool.rules import inspections as inspection_rules
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import export, list_content, people
from controller_tool.services.desk import (
    areas,
    cases,
    check_in,
    house_points,
    house_view,
    houses,
    inspections,
)
from controller_tool.services.desk.house_points import NewPoint
from controller_tool.services.desk.houses import NewHouse, Wish
from controller_tool.services.desk.inspections import Found, Written
from tests.unit.house_support import GRID, add_areas, add_house, number
from tests.unit.registry_support import Board

NEW = NewHouse("330114001", "新湾街1号", GRID, words.RURAL, rooms=2, beds=4, landlord="陈建国",
               phone="13800000000", document="331082199001011231")  # fmt: skip
NOW_MIN = clock.now_s() // 60


@pytest.fixture
def grid(site):
    add_areas(site)
    return site


@pytest.fixture
def desk(grid, board):
    assert board.device.points == 1
    return grid


def acts(site) -> list[tuple[str, dict[str, object]]]:
    with site.registry.session() as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.act, json.loads(entry.details)) for entry in found]


def move_in(site, house: str = "H00001", room: str = "101", card: str = "0012345678", **more):
    its_own = number(f"33019919900101{int(card) % 1000:03d}")  # somebody else with each card
    request = check_in.Request(
        people.Holder("张伟", its_own), house, room, NOW_MIN - 10, NOW_MIN + 20 * 1440,
        cards=(credentials.parse(card),), **more,
    )  # fmt: skip
    return check_in.check_in(site, request)


def masks(site) -> dict[str, dict[str, int | None]]:
    """Masks of live cards by reference and controller."""
    query = select(Card.ref, Grant.device_id, Grant.points_mask).join(Grant)
    names = {device.id: device.name for device in site.devices()}
    found: dict[str, dict[str, int | None]] = {}
    with site.registry.session() as session:
        for ref, device_id, mask in session.execute(query.where(Card.state == "issued")):
            found.setdefault(ref, {})[names[device_id]] = mask
    return found


def test_from_registration_to_admission_everything_that_lacks_is_named(grid) -> None:
    assert houses.add(grid, NEW).ref == "H00001"
    with pytest.raises(RuleRefused) as lacks:
        houses.admit(grid, "H00001")
    assert lacks.value.what.count(";") == 2, "rooms, survey, inspection"
    houses.add_rooms(grid, "330114001", ["101", "102"], beds=2)
    houses.survey(grid, "h00001", rooms=2, beds=4, persons=3)
    inspections.inspect(grid, "H00001", Written(words.ADMISSION, passed=True))
    done = houses.admit(grid, "H00001")
    assert (done.before, done.line.state) == (words.KNOWN, words.ADMITTED)
    assert [act for act, _ in acts(grid) if act.startswith("house.")] == [
        "house.add", "house.rooms", "house.survey", "house.inspect", "house.admit",
    ]  # fmt: skip


def test_a_dry_run_says_the_same_and_changes_nothing(grid) -> None:
    assert houses.add(grid, NEW, dry_run=True).ref == "H00001"
    assert houses.list_houses(grid) == []
    assert acts(grid)[-1][0] != "house.add"


def test_an_address_code_is_one_house_and_lies_in_a_grid(grid) -> None:
    houses.add(grid, NEW)
    with pytest.raises(OperatorError, match="H00001 already"):
        houses.add(grid, NEW)
    with pytest.raises(OperatorError, match="no grid"):
        houses.add(grid, NewHouse("2", "B", "330114-01", words.RURAL, 1, 1))


def test_the_landlords_phone_is_sealed_and_a_look_at_it_is_on_record(grid) -> None:
    houses.add(grid, NEW)
    with grid.registry.session() as session:
        row = session.scalars(select(House)).one()
        assert b"138" not in row.landlord_phone_sealed
    assert houses.contact(grid, "H00001").phone == NEW.phone
    assert acts(grid)[-1] == ("house.contact_seen", {"ref": "H00001"})
    assert NEW.phone not in str(acts(grid))
    assert houses.change(grid, "H00001", Wish(phone="")).has_phone is False


def test_a_landlord_is_reached_by_a_phone_and_known_by_a_document_or_not_written_down(grid) -> None:
    houses.add(grid, NEW)
    for wrong in (
        Wish(phone="没有电话"),
        Wish(document="123"),
        Wish(document=f"{NEW.document[:-1]}2"),
    ):
        with pytest.raises(OperatorError):
            houses.change(grid, "H00001", wrong)
    houses.change(grid, "H00001", Wish(phone="138 0571 1234", document="91330100ma2ce1234x"))
    seen = houses.contact(grid, "H00001")
    assert (seen.phone, seen.document) == ("13805711234", "91330100MA2CE1234X")


def test_a_major_hazard_suspends_and_its_follow_up_opens_the_way_back(grid) -> None:
    add_house(grid, doors=(), surveyed_at_s=1)
    inspections.inspect(grid, "H00001", Written(words.ADMISSION, passed=True))
    found = (Found(words.MAJOR, "煤气瓶在楼道"), Found(words.MINOR, "灭火器过期"))
    seen = inspections.inspect(grid, "H00001", Written(words.PERIODIC, passed=False, found=found))
    assert (seen.suspended, seen.line.state) == (True, words.SUSPENDED)
    assert seen.class_follows == words.STRICT
    assert [one.ref for one in seen.open] == ["Z000001", "Z000002"]
    with pytest.raises(RuleRefused) as no:
        houses.admit(grid, "H00001")
    assert "Z000001" in no.value.what
    written = Written(words.FOLLOW_UP, passed=True, mended=("z000001",))
    assert [one.ref for one in inspections.inspect(grid, "H00001", written).open] == ["Z000002"]
    assert houses.admit(grid, "H00001").line.state == words.ADMITTED
    assert [one.ref for one in inspections.list_hazards(grid)] == ["Z000002"]
    assert len(inspections.list_hazards(grid, mended=True)) == 2


def test_hazards_that_are_due_first_come_first_and_the_overdue_are_told(grid) -> None:
    add_house(grid, doors=())
    found = (Found(words.MINOR, "插座"), Found(words.MAJOR, "煤气瓶"))
    inspections.inspect(grid, "H00001", Written(words.PERIODIC, passed=False, found=found))
    assert [one.grade for one in inspections.list_hazards(grid)] == [words.MAJOR, words.MINOR]
    assert inspections.list_hazards(grid, overdue=True) == []
    with grid.registry.writing() as session:
        for hazard in session.scalars(select(Hazard)):
            hazard.due_s -= 4 * inspection_rules.DAY_S
    assert [one.grade for one in inspections.list_hazards(grid, overdue=True)] == [words.MAJOR]
    assert house_view.show(grid, "H00001").class_follows == words.BARRED


def test_a_barred_house_names_who_still_lives_there_and_ends_no_card(desk) -> None:
    add_house(desk)
    stay = move_in(desk)
    done = houses.classify(desk, "H00001", words.BARRED, "违法建筑")
    assert (done.line.class4, done.line.state) == (words.BARRED, words.SUSPENDED)
    assert [(one.stay, one.cards) for one in done.staying] == [(stay.ref, ("K000001",))]
    with pytest.raises(RuleRefused):
        move_in(desk, card="0012345679")
    assert list(masks(desk)) == ["K000001"], "leaving is by check-out or eviction"


def test_a_stricter_class_shortens_stays_and_says_which(desk) -> None:
    add_house(desk)
    request = check_in.Request(
        people.Holder("张伟", number("33019919900101001")),
        "H00001",
        "101",
        NOW_MIN,
        NOW_MIN + 300 * 1440,
    )
    stay = check_in.check_in(desk, request)
    assert houses.classify(desk, "H00001", words.STRICT, "屡次整改").shortened == (stay.ref,)


def test_closing_names_who_lives_there_and_a_new_inspection_opens_it_again(desk) -> None:
    add_house(desk, surveyed_at_s=1)
    inspections.inspect(desk, "H00001", Written(words.ADMISSION, passed=True))
    with desk.registry.writing() as session:
        session.scalars(select(House)).one().admitted_at_s = 1
    move_in(desk)
    assert len(houses.close(desk, "H00001", "房东不再出租").staying) == 1
    with desk.registry.writing() as session:
        session.scalars(select(House)).one().closed_at_s += 5
    with pytest.raises(RuleRefused) as no:
        houses.admit(desk, "H00001")
    assert no.value.refusal.rule == "inspection", "the one before it was closed counts no more"


def test_rooms_hold_those_who_stay_in_them(desk) -> None:
    add_house(desk, rooms={"101": 2})
    move_in(desk)
    move_in(desk, card="0012345679")
    with pytest.raises(OperatorError, match="2 people stay in room 101"):
        houses.add_rooms(desk, "H00001", ["101"], beds=1)
    [room] = houses.add_rooms(desk, "H00001", ["101"], beds=3).rooms
    assert (room.beds, room.taken) == (3, 2)


def test_a_door_that_is_added_opens_for_those_who_live_there(grid) -> None:
    Board(grid, "door-1")
    Board(grid, "door-2")
    add_house(grid)
    move_in(grid)
    move_in(grid, room="102", card="0012345679")
    assert masks(grid) == {"K000001": {"door-1": None}, "K000002": {"door-1": None}}
    added = house_points.add(grid, "H00001", NewPoint("door-2", room="101", camera="CAM-7"))
    assert added.cards == 1, "the other room's do not open it"
    assert masks(grid)["K000001"] == {"door-1": None, "door-2": None}
    assert house_points.add(grid, "H00001", NewPoint("door-2", room="101")).cards == 0
    taken = house_points.remove(grid, "H00001", "door-2")
    assert taken.cards == 1
    assert masks(grid) == {"K000002": {"door-1": None}, "K000003": {"door-1": None}}


def test_a_point_that_the_controller_lacks_is_refused(desk) -> None:
    add_house(desk, doors=())
    with pytest.raises(RuleRefused, match="there is no 3"):
        house_points.add(desk, "H00001", NewPoint("door-1", door=3))
    with pytest.raises(OperatorError, match="does not serve"):
        house_points.remove(desk, "H00001", "door-1")


def test_houses_that_must_have_a_door_and_have_none(desk) -> None:
    three = {"1": 1, "2": 1, "3": 1}
    add_house(desk, "H00001", rooms=three)
    add_house(desk, "H00002", rooms=three, doors=())
    add_house(desk, "H00003", rooms={"1": 2}, doors=())
    assert [line.ref for line in houses.without_door(desk, GRID)] == ["H00002"]
    with desk.registry.writing() as session:
        session.merge(desk.device("door-1")).last_heard_s = clock.now_s() - 73 * 3600
    gaps = {line.ref: line.door_gap for line in houses.without_door(desk)}
    assert gaps == {"H00001": "silent", "H00002": "no_door"}


def test_lists_ask_the_registry_as_often_for_many_houses_as_for_one(desk) -> None:
    asked: list[str] = []
    engine = desk.registry._engine

    def count(*about):
        asked.append(about[2])

    event.listen(engine, "before_cursor_execute", count)
    add_house(desk, "H00001")
    counts = []
    for more in range(2, 14, 6):
        asked.clear()
        houses.list_houses(desk)
        areas.tree(desk)
        counts.append(len(asked))
        for one in range(more, more + 6):
            add_house(desk, f"H{one:05d}")
            move_in(desk, f"H{one:05d}", card=f"001234{one:04d}")
    assert counts[0] == counts[1]


def test_workers_of_one_enterprise_are_counted_over_its_dormitories(grid) -> None:
    for ref in ("H00001", "H00002"):
        add_house(grid, ref, doors=(), type5=words.ENTERPRISE, people_surveyed=150)
    assert [line.key[0].word for line in houses.list_houses(grid)] == ["dormitory", "dormitory"]
    areas.survey(grid, "330114-01", houses=20, migrants=2000)
    tree = areas.tree(grid)
    assert [(line.depth, line.houses) for line in tree] == [(0, 2), (1, 2), (2, 2)]
    assert tree[1].key
    assert tree[1].key.count == 2000
    assert houses.list_houses(grid)[0].key[0].word == "village"


def test_areas_lie_in_one_another(grid) -> None:
    with pytest.raises(RuleRefused):
        areas.add(grid, "X", words.GRID, "网格", "330114")
    assert areas.add(grid, "330114-01-02", words.GRID, "第二网格", "330114-01").depth == 0
    assert len(areas.tree(grid, "330114-01")) == 3
    with pytest.raises(OperatorError, match="there already"):
        areas.add(grid, "330114", words.DISTRICT, "又一个")


def test_a_case_from_breach_to_decision(grid) -> None:
    add_house(grid, doors=())
    opened = cases.open_case(grid, "H00001", "landlord", "擅自改变房屋结构")
    assert (opened.ref, opened.who) == ("C00001", "陈建国")
    with pytest.raises(RuleRefused):
        cases.close(grid, "C00001")
    with pytest.raises(OperatorError, match="number is missing"):
        cases.sanction(grid, "C00001", words.FINE, " ")
    decided = cases.sanction(grid, "c00001", words.FINE, "钱塘罚〔2026〕7号")
    assert decided.sanctions[0].document == "钱塘罚〔2026〕7号"
    assert cases.close(grid, "C00001").closed_at_s is not None
    assert cases.list_cases(grid) == []
    assert len(cases.list_cases(grid, closed=True)) == 1


def test_a_desks_folder_has_the_houses_and_a_hubs_their_classes_alone(desk, tmp_path, open_site):
    add_house(desk, class4=words.STRICT)
    move_in(desk)
    areas.survey(desk, "330114", houses=1, migrants=1)  # the row moves in its table
    houses.change(desk, "H00001", Wish(phone=NEW.phone))
    for role in ("desk", "hub"):
        export.export(desk, role, tmp_path / role, "another one")
    clerk = open_site(tmp_path / "desk", "another one")
    assert houses.contact(clerk, "H00001").phone == NEW.phone
    assert len(house_view.show(clerk, "H00001").staying) == 1
    hub = open_site(tmp_path / "hub", "another one")
    with hub.registry.session() as session:
        row = session.scalars(select(House)).one()
        assert (row.landlord_name, row.landlord_phone_sealed) == ("", None)
        assert list_content.collect(hub, session, hub.device("door-1")).refresh_h == 12
        assert session.scalars(select(Card)).one().lease_id is None
