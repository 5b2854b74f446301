"""Lists for residence systems, duty holders and video: enough, and nothing more (host)."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import Hazard, House, HousePoint, Inspection
from controller_tool.registry.models import Operator, Person
from controller_tool.registry.stays import Duty, Lease
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services.city import rejects
from controller_tool.services.desk import clips, duty_sheets, residents, residents_receipt
from protocol import codes
from tests.unit.house_support import GRID, add_house
from tests.unit.test_city import NUMBER, house  # noqa: F401 - a fixture
from tests.unit.test_journal import pull
from tests.unit.test_sheets import renamed


def rows_of(path) -> list[list[str]]:
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        return [["" if c is None else str(c) for c in row] for row in sheet.values]
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def leave(site) -> None:
    with site.registry.writing() as session:
        session.query(Lease).one().ended_at_s = now_s()


# --- residence systems ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.usefixtures("house")
def test_who_came_is_listed_once_for_each_system(site, tmp_path, suffix) -> None:
    path = tmp_path / f"in.{suffix}"
    assert residents.export(site, "province", path, dry_run=True).came == 1
    done = residents.export(site, "province", path)
    assert (done.came, done.left) == (1, 0)
    header, row = rows_of(path)
    assert tuple(header) == residents.COLUMNS
    assert row[1:3] + row[5:6] == ["入住登记", "张伟", NUMBER]
    again = residents.export(site, "province", tmp_path / f"none.{suffix}")
    assert (again.came, again.left) == (0, 0)
    assert residents.export(site, "hotel", tmp_path / f"hotel.{suffix}").came == 1
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("house")
def test_leaving_and_a_correction_make_rows_of_their_own(site, tmp_path) -> None:
    residents.export(site, "province", tmp_path / "a.csv")
    leave(site)
    done = residents.export(site, "province", tmp_path / "b.csv")
    assert (done.came, done.left) == (0, 1)
    with site.registry.writing() as session:
        session.query(Person).one().origin = "安徽省阜阳市"
    done = residents.export(site, "province", tmp_path / "c.csv")
    assert (done.came, done.left) == (1, 1)


@pytest.mark.usefixtures("house")
def test_a_receipt_is_reconciled_with_the_list(site, tmp_path) -> None:
    residents.export(site, "province", tmp_path / "a.csv")
    leave(site)
    residents.export(site, "province", tmp_path / "b.csv")
    numbers = [rows_of(tmp_path / name)[1][0] for name in ("a.csv", "b.csv")]
    receipt = tmp_path / "receipt.csv"
    receipt.write_text(f"登记编号,结果,原因\n{numbers[0]},失败,证件号不符\n", encoding="gb18030")
    done = residents_receipt.reconcile(site, "province", receipt)
    assert (done.accepted, done.refused, done.unanswered) == (0, 1, 1)
    assert [one.reason for one in rejects.list_rejects(site)] == ["证件号不符"]
    receipt.write_text(f"登记编号,结果\n{numbers[0]},成功\n{numbers[1]},成功\n", encoding="utf-8")
    done = residents_receipt.reconcile(site, "province", receipt)
    assert (done.accepted, done.refused, done.unanswered) == (2, 0, 0)
    assert rejects.list_rejects(site) == []


@pytest.mark.usefixtures("house")
def test_a_receipt_that_is_wrong_is_named_field_by_field_and_counts_for_nothing(
    site, tmp_path
) -> None:
    residents.export(site, "province", tmp_path / "a.csv")
    number = rows_of(tmp_path / "a.csv")[1][0]
    receipt = tmp_path / "receipt.csv"
    receipt.write_text(
        f"登记编号,结果\n{number},失败\nL9-in-1-00,成功\n{number},成功\n,成功\n{number},maybe\n",
        encoding="utf-8",
    )
    with pytest.raises(residents_receipt.ReceiptRefused) as refused:
        residents_receipt.reconcile(site, "province", receipt)
    assert [(fault.row, fault.field) for fault in refused.value.faults] == [
        (3, "登记编号"), (4, "登记编号"), (5, "登记编号"), (6, "登记编号")
    ]  # fmt: skip
    assert rejects.list_rejects(site) == []
    receipt.write_text("姓名\n张伟\n", encoding="utf-8")
    with pytest.raises(residents_receipt.ReceiptRefused):
        residents_receipt.reconcile(site, "province", receipt)


@pytest.mark.usefixtures("house")
def test_a_receipt_as_a_workbook_is_read_like_any_other_that_somebody_made(site, tmp_path) -> None:
    """A sheet that hides behind another ending, with entities, is not opened."""
    residents.export(site, "province", tmp_path / "a.csv")
    number = rows_of(tmp_path / "a.csv")[1][0]
    book = openpyxl.Workbook()
    book.worksheets[0].append(["登记编号", "结果", "原因"])
    book.worksheets[0].append([])
    book.worksheets[0].append([number, "失败", "证件号不符"])
    book.save(tmp_path / "good.xlsx")
    (tmp_path / "bad.xlsx").write_bytes(
        renamed((tmp_path / "good.xlsx").read_bytes(), ".dat",
                lambda xml: b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + xml)
    )  # fmt: skip
    with pytest.raises(residents_receipt.ReceiptRefused):
        residents_receipt.reconcile(site, "province", tmp_path / "bad.xlsx")
    assert residents_receipt.reconcile(site, "province", tmp_path / "good.xlsx").refused == 1


@pytest.mark.usefixtures("house")
def test_a_clerk_takes_no_receipt_and_settles_no_reject(site, open_site, tmp_path) -> None:
    residents.export(site, "province", tmp_path / "a.csv")
    number = rows_of(tmp_path / "a.csv")[1][0]
    receipt = tmp_path / "receipt.csv"
    receipt.write_text(f"登记编号,结果\n{number},失败\n", encoding="utf-8")
    clerk = open_site(site.path, operator="李明")
    with pytest.raises(RuleRefused):
        residents_receipt.reconcile(clerk, "province", receipt)
    residents_receipt.reconcile(site, "province", receipt)
    with pytest.raises(RuleRefused):
        rejects.resolve(clerk, 1)


def test_what_is_no_receipt_is_refused_in_one_line(site, tmp_path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK nonsense")
    (tmp_path / "a.csv").write_bytes(b"\xff\xff\xff")
    for name in ("a.xlsx", "a.csv", "none.csv"):
        with pytest.raises(OperatorError):
            residents_receipt.reconcile(site, "province", tmp_path / name)
    with pytest.raises(OperatorError, match="no residence system"):
        residents.export(site, "moon", tmp_path / "b.csv")
    with pytest.raises(OperatorError, match="neither"):
        residents.export(site, "hotel", tmp_path / "b.pdf")


# --- duty holders ---------------------------------------------------------------------------------


@pytest.fixture
def holders(site, house):  # noqa: F811
    """李静 keeps the grid with both houses, 赵强 heads one of them; 孙丽 has ended."""
    other = add_house(site, "H00002", doors=())
    with site.registry.writing() as session:
        for name in ("李静", "赵强/4", "孙丽"):
            session.add(Operator(name=name, created_at_s=now_s()))
        session.flush()
        ids = {o.name: o.id for o in session.query(Operator)}
        session.add(Duty(operator_id=ids["李静"], duty="grid_keeper", area_code="330114"))
        session.add(Duty(operator_id=ids["赵强/4"], duty="building_head", house_id=other.id))
        session.add(Duty(operator_id=ids["孙丽"], duty="patrol", area_code=GRID, ended_at_s=1))
        visit = Inspection(house_id=house.id, kind=words.PERIODIC, passed=False, at_s=now_s(),
                           operator="李静", note="")  # fmt: skip
        session.add(visit)
        session.flush()
        for ref, due_s in (("D1", 200_000_000), ("D2", 190_000_000)):
            session.add(Hazard(ref=ref, house_id=house.id, inspection_id=visit.id, what="电线",
                               grade=words.MAJOR, due_s=due_s))  # fmt: skip
    return other


def test_where_nobody_answers_for_a_house_no_folder_stands_in_the_way_of_the_next_run(
    site, tmp_path, request
) -> None:
    assert duty_sheets.export(site, tmp_path / "duties") == []
    request.getfixturevalue("holders")
    assert len(duty_sheets.export(site, tmp_path / "duties")) == 2


@pytest.mark.usefixtures("holders")
def test_each_duty_holder_gets_their_houses_and_no_name(site, tmp_path) -> None:
    made = duty_sheets.export(site, tmp_path / "duties", "csv")
    assert [(one.operator, one.houses) for one in made] == [("李静", 2), ("赵强/4", 1)]
    whole = rows_of(made[0].path)
    assert [row[0] for row in whole[1:]] == ["H00001", "H00002"]
    assert whole[1][4:] == ["2", "1", "2", "2026-01-08"]
    [_, row] = rows_of(made[1].path)
    assert (row[0], row[5:]) == ("H00002", ["0", "0", ""])
    for path in (tmp_path / "duties").iterdir():
        text = path.read_text(encoding="utf-8-sig")
        assert not [s for s in ("张伟", NUMBER, "13800000001", "陈建国") if s in text]
        assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(OperatorError, match="cannot be made"):
        duty_sheets.export(site, tmp_path / "duties")


# --- clips ----------------------------------------------------------------------------------------


@pytest.fixture
def filmed(site, house):  # noqa: F811
    with site.registry.writing() as session:
        session.query(HousePoint).one().camera = "CAM-07"
    return house


@pytest.mark.usefixtures("filmed")
def test_a_clip_has_its_camera_and_the_exact_time(site, board, tmp_path) -> None:
    pen = board.pens[0]
    pen.write(codes.EVENT_REX, codes.REASON_REX, quality=codes.CLOCK_UNSET, point=0)
    pen.write(codes.EVENT_REX, codes.REASON_REX, point=1)
    pull(site, board, pen)
    found = clips.find(site, clips.Wish())
    assert {(one.event, one.clock) for one in found} == {
        ("granted", "synced"), ("door_opened", "synced"), ("forced_open", "synced"),
        ("denied", "synced"), ("request_to_exit", "unset"),
    }  # fmt: skip
    assert {one.camera for one in found} == {"CAM-07"}, "door 2 is seen by no camera"
    first = found[0]
    assert first.time == "2026-05-04T03:33:20.005+08:00"
    assert first.begin == "2026-05-04T03:33:15.005+08:00"
    assert first.end == "2026-05-04T03:33:30.005+08:00"
    assert first.event_id == f"{board.device.id}-1-0-0"
    assert clips.export(site, clips.Wish(), tmp_path / "clips.csv") == 5
    assert len(rows_of(tmp_path / "clips.csv")) == 6
    text = (tmp_path / "clips.csv").read_text(encoding="utf-8-sig")
    assert "张伟" not in text
    assert "K000001" not in text


@pytest.mark.usefixtures("filmed")
def test_clips_are_narrowed_and_bounded(site) -> None:
    wish = clips.Wish(events=frozenset(["denied"]), before_s=0, after_s=0)
    [one] = clips.find(site, wish)
    assert one.begin == one.end == one.time
    with pytest.raises(OperatorError, match="within 600 seconds"):
        clips.find(site, clips.Wish(before_s=601))
    with pytest.raises(OperatorError, match="No door tells of boot"):
        clips.find(site, clips.Wish(events=frozenset(["boot"])))


@pytest.mark.usefixtures("house")
def test_where_no_camera_is_there_are_no_clips(site) -> None:
    assert clips.find(site, clips.Wish()) == []
    with site.registry.session() as session:
        assert session.query(House).count() == 1
