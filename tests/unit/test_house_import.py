"""Lists of houses: all or none, every fault by row and column, as often as they come (host)."""

from __future__ import annotations

import json

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from controller_tool.cli import run
from controller_tool.registry.houses import House, Room
from controller_tool.registry.records import AuditEntry
from controller_tool.rules import words
from controller_tool.services.desk import house_file, house_import, house_view, houses
from controller_tool.services.roster import RosterRefused
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.registry_support import PASSPHRASE
from tests.unit.roster_support import csv_bytes, xlsx_bytes
from tests.unit.test_houses import move_in

HEADER = ("地址编码", "地址", "网格", "类型", "类别", "房间数", "床位数", "房东", "电话", "证件",
          "房间床位")  # fmt: skip
FIRST = ["A-1", "新湾街1号", GRID, "农居房类", "放心类", "2", "4", "陈建国", "13800000000",
         "331082199001011231", "101:2、102:2"]  # fmt: skip
SECOND = ["A-2", "新湾街2号", GRID, "enterprise", "", "12", "48", "", "", "", "201~212:4"]


@pytest.fixture
def take(site, tmp_path):
    """Imports these rows."""
    add_areas(site)

    def do(*rows, dry_run: bool = False) -> house_import.Imported:
        path = tmp_path / "houses.xlsx"
        path.write_bytes(xlsx_bytes(*rows, header=HEADER))
        return house_import.import_houses(site, path, dry_run=dry_run)

    return do


def contents(site) -> list[tuple[object, ...]]:
    with site.registry.session() as session:
        return [
            tuple(row)
            for table in (House, Room, AuditEntry)
            for row in session.execute(select(table.__table__).order_by(table.id))
        ]


def counts(done) -> dict[str, int]:
    return {word: count for word, count in done.counts.items() if count}


def with_cells(row: list[str], **cells: str) -> list[str]:
    return list({**dict(zip(HEADER, row, strict=True)), **cells}.values())


def test_houses_are_known_with_their_rooms_and_not_yet_admitted(site, take) -> None:
    done = take(FIRST, SECOND)
    assert counts(done) == {words.NEW: 2}
    one, two = houses.list_houses(site)
    assert (one.type5, one.class4, one.state) == (words.RURAL, words.TRUSTED, words.KNOWN)
    assert (two.type5, two.class4) == (words.ENTERPRISE, words.WATCHED)
    rooms = house_view.show(site, "A-2").rooms
    assert [(room.number, room.beds) for room in rooms][::11] == [("201", 4), ("212", 4)]
    assert houses.contact(site, "A-1").document == "331082199001011231"


def test_the_same_list_again_changes_nothing_and_a_newer_one_what_differs(site, take) -> None:
    take(FIRST, SECOND)
    assert counts(take(FIRST, SECOND)) == {words.UNCHANGED: 2}
    newer = with_cells(FIRST, 电话="13900000000", 房间床位="102:3, 103:1", 房东="", 床位数="6")
    done = take(newer, SECOND)
    assert counts(done) == {words.CHANGED: 1, words.UNCHANGED: 1}
    assert set(done.changes[0].columns) == {"电话", "房间床位", "床位数"}
    seen = house_view.show(site, "A-1")
    assert [(room.number, room.beds) for room in seen.rooms] == [("101", 2), ("102", 3), ("103", 1)]
    assert (seen.landlord, seen.beds_declared) == ("陈建国", 6)
    assert houses.contact(site, "A-1").phone == "13900000000"


def test_an_import_is_one_act_without_personal_data(site, take) -> None:
    take(FIRST, SECOND)
    with site.registry.session() as session:
        newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert newest.act == "house.import"
    assert json.loads(newest.details)["houses"] == ["H00001", "H00002"]
    assert "陈建国" not in newest.details
    assert "13800000000" not in newest.details


def test_a_dry_run_says_the_same_and_changes_nothing(site, take) -> None:
    before = contents(site)
    done = take(FIRST, SECOND, dry_run=True)
    assert contents(site) == before
    assert done.changes == take(FIRST, SECOND).changes


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"网格": "330114-01"}, "网格", "area add"),
        ({"类型": "别墅"}, "类型", "农居房类"),
        ({"类别": "很好"}, "类别", "放心类"),
        ({"房间数": "-1"}, "房间数", "not a number"),
        ({"床位数": ""}, "床位数", "empty"),
        ({"房间床位": "101"}, "房间床位", "101:2"),
        ({"房间床位": "101:2,101:3"}, "房间床位", "twice"),
        ({"房间床位": "1~99999:2"}, "房间床位", "101:2"),
        ({"地址编码": "A-1"}, "地址编码", "row 2"),
        ({"证件": "3" * 65}, "证件", "5 to 20 letters and digits"),
        ({"证件": "333"}, "证件", "5 to 20 letters and digits"),
        ({"证件": "330106199001011233"}, "证件", "check digit"),
        ({"电话": "没有电话"}, "电话", "not a phone number"),
    ],
)
def test_one_wrong_cell_is_named_and_nothing_is_imported(site, take, cells, column, reason) -> None:
    with pytest.raises(RosterRefused) as refused:
        take(FIRST, with_cells(SECOND, **cells))
    (fault,) = refused.value.faults
    assert (fault.row, fault.field) == (3, column)
    assert reason in fault.what
    assert "33333" not in fault.value
    assert houses.list_houses(site) == []


def test_a_class_is_given_once_and_then_changes_by_house_classify(take) -> None:
    take(FIRST)
    assert counts(take(with_cells(FIRST, 类别=""))) == {words.UNCHANGED: 1}
    with pytest.raises(RosterRefused, match="house classify"):
        take(with_cells(FIRST, 类别="严管"))


@pytest.mark.usefixtures("board")
def test_no_room_gets_fewer_beds_than_people_stay_in_it(site, take) -> None:
    add_house(site, rooms={"101": 2})
    move_in(site)
    row = with_cells(FIRST, 地址编码="A-H00001")
    assert counts(take(with_cells(row, 房间床位="101:1"))) == {words.CHANGED: 1}
    with pytest.raises(RosterRefused, match="1 people stay in room 101"):
        take(with_cells(row, 房间床位="101:0"))


def test_the_template_is_a_list_that_can_be_filled_in(site, tmp_path) -> None:
    add_areas(site)
    path = tmp_path / "list.xlsx"
    house_file.write_template(path)
    book = load_workbook(path)
    names = [cell.value for cell in book.active[2]]
    assert names == list(HEADER)
    for place, value in enumerate(FIRST, 1):
        book.active.cell(3, place).value = value
    book.save(path)
    assert counts(house_import.import_houses(site, path)) == {words.NEW: 1}


def test_the_command_shows_what_would_be_and_every_wrong_cell(
    site, tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    add_areas(site)
    path = tmp_path / "houses.csv"
    words_ = ["house", "import", str(path), "--site", str(site.path)]
    path.write_bytes(csv_bytes(FIRST, ["合计", "1户"], header=HEADER, encoding="gb18030"))
    assert run([*words_, "--dry-run"]) == 0
    out, said = capsys.readouterr()
    assert "new 1; nothing was changed" in out
    assert "left out: 3 (合计)" in said
    path.write_bytes(csv_bytes(FIRST, with_cells(SECOND, 网格="X"), header=HEADER))
    assert run([*words_, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"][0]["field"] == "网格"
    assert run([*words_, "--dry-run"]) == 1
    assert "area add" in " ".join(capsys.readouterr().out.split())
