"""What a clerk finds wrong and puts right: entries, former stays, orders, workbooks (host)."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest

from controller_tool import cli
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Operator, Person
from controller_tool.rules import words
from controller_tool.rules.holds import Order
from controller_tool.services import cards, journal_sheet
from controller_tool.services.desk import (
    change_stay,
    check_in,
    correct,
    holds,
    people_view,
    rates,
    verify,
)
from controller_tool.services.desk.correct import Wish
from controller_tool.services.people import Holder
from tests.unit.house_support import add_areas, add_house
from tests.unit.registry_support import Board
from tests.unit.test_stays import WANG, request

GUEST = Holder("Ann Li", "E12345678", document=words.PASSPORT)


@pytest.fixture(autouse=True)
def house(site, monkeypatch):
    monkeypatch.setattr("controller_tool.messages._current", {"language": "en"})
    Board(site, "door-1")
    add_areas(site)
    return add_house(site)


@pytest.fixture
def run(site, capsys, at_the_desk):
    del at_the_desk

    def run_(*asked: str) -> tuple[int, str, str]:
        code = cli.run([*asked, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


def test_what_is_missing_of_a_passports_holder_is_put_right_and_checked_anew(site) -> None:
    stay = check_in.check_in(site, request(GUEST, cards=()))
    verify.verify(site, stay.ref, right=True)
    [gap] = rates.report(site).gaps["accuracy"]
    assert (gap.reason, gap.detail) == ("fields_missing", "sex,origin,phone")
    done = correct.correct(
        site, stay.ref, Wish("Anna Li", "", "+852 2345 6789", "F", "香港", "甲厂")
    )
    assert done.fields == ("name", "phone", "sex", "origin", "employer")
    assert (done.person.name, done.person.sex) == ("Anna Li", "F")
    [gap] = rates.report(site).gaps["accuracy"]
    assert gap.reason == "never_verified", "the check was of what stood there before"


def test_a_correction_that_changes_nothing_keeps_the_check(site) -> None:
    stay = check_in.check_in(site, request(cards=()))
    verify.verify(site, stay.ref, right=True)
    with pytest.raises(OperatorError, match="Nothing of it is otherwise"):
        correct.correct(site, stay.ref, Wish(name="王伟"))
    correct.correct(site, stay.ref, Wish(origin="安徽"), dry_run=True)
    with site.registry.session() as session:
        person = session.get_one(Person, stay.person_id)
        assert (person.verified_good, person.origin) == (True, "")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(), "Nothing of it is otherwise"), (Wish(phone="138"), "no phone number"),
        (Wish(sex="F"), "The ID number says otherwise"), (Wish(name="x" * 65), "longer than 64"),
    ],
)  # fmt: skip
def test_a_correction_that_cannot_be_is_told(site, wish, said) -> None:
    check_in.check_in(site, request(cards=()))
    with pytest.raises(OperatorError, match=said):
        correct.correct(site, WANG.id_number, wish)


def test_the_log_of_a_correction_names_fields_and_no_value(site, run) -> None:
    check_in.check_in(site, request(cards=()))
    code, out, _ = run("person", "correct", "L000001", "--phone", "13912345678")
    assert (code, "Corrected: phone" in out, "139****5678" in out) == (0, True, True)
    code, out, _ = run(
        "person", "correct", "L000001", "--origin", "安徽", "--lang", "zh", "--dry-run"
    )
    assert (code, "已更正：户籍地；未作任何改动" in out) == (0, True)
    out = run("audit", "show", "--act", "person.correct", "--json")[1]
    assert ("phone" in out, "1391" in out, "安徽" in out) == (True, False, False)


def test_who_moved_is_found_under_the_new_reference(site) -> None:
    check_in.check_in(site, request())
    change_stay.move(site, "L000001", "H00001", "102")
    with pytest.raises(OperatorError, match="L000001 has moved on and is L000002 now") as told:
        change_stay.move(site, "L000001", "H00001", "101")
    assert "L000002" in told.value.next_step


def test_a_former_issue_of_a_card_that_goes_on_is_replaced_and_not_deregistered(site) -> None:
    stay = check_in.check_in(site, request())
    change_stay.move(site, stay.ref, "H00001", "102")
    shown = {one.ref: one.word for one in cards.list_cards(site)}
    assert shown == {"K000001": "replaced", "K000002": "issued"}
    assert cards.collect(site, "K000002").word == "deregistered"


def test_orders_of_the_police_show_whom_they_keep(site, run) -> None:
    check_in.check_in(site, request(cards=()))
    holds.add(site, Order("公安2026-1", "派出所", now_s(), None), person="L000001")
    assert "王伟" in run("hold", "list")[1]
    with site.registry.writing() as session:
        session.add(Operator(name="审计", role=words.AUDITOR, created_at_s=now_s()))
    out = run("hold", "list", "--operator", "审计")[1]
    assert ("王伟" in out, "王*" in out) == (False, True)
    assert json.loads(run("hold", "list", "--json")[1])[0]["name"] == "王伟"


def test_gaps_on_the_screen_have_no_column_in_which_nothing_stands(site, run) -> None:
    check_in.check_in(site, request(cards=()))
    header = run("kpi", "gaps", "accuracy")[1].splitlines()[2].split()
    assert "due" not in header
    assert {"room", "why"} <= set(header)
    assert people_view.show(site, "L000001").name == "王伟"


def test_workbooks_have_headers_that_stay_and_columns_that_are_wide_enough() -> None:
    out = io.BytesIO()
    rows: list[list[object]] = [["H00001", "江东村一网格江东路一号"], [None, "x" * 300]]
    journal_sheet.write_sheets(out, [("甲", ["房屋", "地址"], rows), ("空", ["a"], [])])
    out.seek(0)
    book = openpyxl.load_workbook(out)
    sheet = book["甲"]
    assert (sheet.freeze_panes, sheet["A1"].font.b, sheet["A2"].font.b) == ("A2", True, False)
    assert (sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width) == (8, 60)
    assert [cell.value for cell in book["空"][1]] == ["a"]
