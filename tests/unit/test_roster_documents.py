"""Passports and beds on rosters, and at the desk (host)."""

from __future__ import annotations

from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.registry.models import Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import people, roster
from controller_tool.services.desk import (
    change_stay,
    check_in,
    dialogue,
    people_view,
    roster_template,
    tenant_import,
)
from controller_tool.services.desk.form import Form
from controller_tool.services.desk.tenant_import import Wish
from tests.unit.house_support import add_areas, add_house, day
from tests.unit.registry_support import Board
from tests.unit.roster_support import HEADER, csv_bytes, person, xlsx_bytes
from tests.unit.test_dialogue import Clerk
from tests.unit.test_stays import LI, request

WIDE = (*HEADER, "证件类型", "性别", "床位")


@pytest.fixture(autouse=True)
def house(site, monkeypatch):
    monkeypatch.setattr("controller_tool.messages._current", {"language": "en"})
    Board(site, "door-1")
    add_areas(site)
    return add_house(site, rooms={"101": 2, "102": 3})


def row(place: int, document: str = "身份证", sex: str = "", bed: str = "", **other) -> list[Any]:
    """A good row under WIDE."""
    return [*person(place, other.pop("room", "101"), **other), document, sex, bed]


@pytest.fixture
def take(site, tmp_path):
    """Imports these rows into the house."""

    def do(*rows, header=WIDE, dry_run: bool = False, **wish) -> tenant_import.Imported:
        path = tmp_path / "roster.xlsx"
        path.write_bytes(xlsx_bytes(*rows, header=header))
        return tenant_import.import_tenants(site, path, Wish("H00001", **wish), dry_run)

    return do


def refused(take, *rows, **how) -> list[tuple[int, str, str]]:
    with pytest.raises(roster.RosterRefused) as told:
        take(*rows, **how)
    return [(fault.row, fault.field, fault.what) for fault in told.value.faults]


def beds(site) -> dict[str, str]:
    """Name and bed of who stays."""
    query = select(Person.name, Lease.bed).join(Lease, Lease.person_id == Person.id)
    with site.registry.session() as session:
        found = session.execute(query.where(Lease.ended_at_s.is_(None))).all()
    return {str(name): str(bed) for name, bed in found}


@pytest.mark.parametrize("document", ["护照", "外国护照", "Passport"])
def test_a_passport_on_a_roster_is_known_at_the_desk_and_on_the_next_roster(
    site, take, document
) -> None:
    guest = row(1, document, "女", 姓名="Anna Li", 身份证号="e1234 5678")
    assert take(guest).counts[words.NEW] == 1
    seen = people_view.show(site, "E12345678")
    assert (seen.name, seen.document, seen.sex) == ("Anna Li", "passport", "F")
    assert take(guest).counts[words.UNCHANGED] == 1
    with site.registry.session() as session:
        assert len(list(session.scalars(select(Person)))) == 1


def test_the_same_characters_on_a_permit_and_a_passport_are_two_people(take) -> None:
    permit = row(1, "通行证", "男", 身份证号="H12345678")
    done = take(permit, row(2, "护照", "男", 身份证号="H12345678"))
    assert done.counts[words.NEW] == 2
    assert refused(take, row(3, "护照", 身份证号="E12345678", room="102"),
                   row(4, "护照", 身份证号="E12345678", room="102")) == [
        (3, "身份证号", "the same as in row 2"),
    ]  # fmt: skip


@pytest.mark.parametrize("number_", [person(1)[1], "33019919900101234x", "330199900101234"])
@pytest.mark.parametrize("kind", ["护照", "通行证"])
def test_an_id_number_is_no_passports(site, take, number_, kind) -> None:
    """Whether its check digit is right or not: one person would have two entries."""
    [(line, column, what)] = refused(take, row(1, kind, "男", 身份证号=number_))
    assert (line, column) == (2, "身份证号")
    assert "number of an ID card" in what
    code = words.PASSPORT if kind == "护照" else words.TRAVEL_PERMIT
    holder = people.Holder("李四", number_, document=code, sex="M")
    with pytest.raises(OperatorError, match="number of an ID card"):
        people.good_number(holder)
    assert people.good_number(people.Holder("李四", "E1234567890", document=words.PASSPORT))
    assert site


def test_what_is_wrong_with_a_document_is_said_in_its_column(take) -> None:
    odd = row(2, "护照", 身份证号="???")
    told = refused(take, row(1, "驾驶证"), odd, row(3, "", 身份证号="E12345678"))
    assert told == [
        (2, "证件类型", "none of: 身份证, 护照, 通行证"),
        (3, "身份证号", "no number of a passport: 5 to 20 letters and digits"),
        (4, "身份证号",
         "no ID number; if it is a passport's, say so in a column 证件类型"),
    ]  # fmt: skip


def test_a_roster_of_cards_carries_passports_too(site, tmp_path) -> None:
    path = tmp_path / "cards.csv"
    guest = [*person(1, 姓名="Anna Li", 身份证号="E12345678"), "护照"]
    path.write_bytes(csv_bytes(guest, header=(*HEADER, "证件类型")))
    assert roster.import_roster(site, path).new_people == 1
    assert people_view.show(site, "E12345678").document == "passport"
    assert roster.import_roster(site, path).unchanged == 1


BESIDE = (*HEADER, "护照号", "台胞证", "性别")


def beside(place: int, number: str = "", passport: str = "", permit: str = "") -> list[Any]:
    """A good row under BESIDE, its numbers in columns of their own."""
    return [*person(place, "101", 身份证号=number), passport, permit, "女"]


def test_each_kind_of_document_may_have_a_column_of_its_own(site, take) -> None:
    rows = (
        beside(1, person(3)[1]),
        beside(2, "无", "E12345678", "/"),
        beside(4, "", "-", "01234567"),
    )
    assert take(*rows[1:], header=BESIDE).counts[words.NEW] == 2
    assert take(rows[1], rows[2], header=BESIDE).counts[words.UNCHANGED] == 2
    seen = [people_view.show(site, number) for number in ("E12345678", "01234567")]
    assert [one.document for one in seen] == [words.PASSPORT, words.TRAVEL_PERMIT]


def test_two_documents_of_one_row_and_one_of_two_rows_are_named_in_their_columns(take) -> None:
    rows = (
        beside(1, person(3)[1], "E12345678"), beside(2, "", "E12345678"),
        beside(3, "", "E12345678"), beside(4), beside(5, "", "", "X1"),
    )  # fmt: skip
    permit = "no number of a travel permit: H or M and 8 digits, or 8 digits alone"
    assert refused(take, *rows, header=BESIDE) == [
        (2, "护照号", "a second document; leave the one that the person is known by"),
        (4, "护照号", "the same as in row 3"),
        (5, "身份证号", "empty"),
        (6, "台胞证", permit),
    ]


def test_a_kind_that_is_not_its_columns_is_named(take) -> None:
    header = (*BESIDE, "证件类型")
    assert take([*beside(1, "", "E12345678"), "护照"], header=header).counts[words.NEW] == 1
    told = refused(take, [*beside(2, "", "E1234567"), "身份证"], header=header)
    assert told == [(2, "证件类型", "the number stands in the column 护照号")]


@pytest.mark.parametrize(
    ("number", "good"),
    [("H12345678", True), ("M1234567801", True), ("01234567", True), ("1234567890A", True),
     ("E12345678", False), ("H1234567", False), ("123456789", False)],
)  # fmt: skip
def test_a_travel_permit_has_the_form_of_its_region(take, number, good) -> None:
    if good:
        assert take(row(1, "回乡证", "男", 身份证号=number)).counts[words.NEW] == 1
    else:
        assert refused(take, row(1, "回乡证", "男", 身份证号=number))[0][1] == "身份证号"


# --- beds -----------------------------------------------------------------------------------


def test_beds_come_with_the_roster_and_change_with_the_next(site, take) -> None:
    take(row(1, bed="1"), row(2, bed="2"))
    assert beds(site) == {"工人乙": "1", "工人丙": "2"}
    swapped = take(row(1, bed="2"), row(2, bed="1"))
    assert swapped.counts[words.OTHER_BED] == 2
    assert beds(site) == {"工人乙": "2", "工人丙": "1"}
    take(row(1), row(2, bed="1"))
    assert beds(site)["工人乙"] == "2", "a roster that does not say it changes no bed"


def test_a_dry_run_shows_who_will_have_which_bed(take) -> None:
    take(row(1, bed="1"), row(2, bed="2"))
    shown = take(row(1), row(2, bed="3"), row(3, room="102"), dry_run=True).changes
    assert {one.name: one.bed for one in shown} == {"工人乙": "1", "工人丙": "3", "工人丁": ""}


def test_one_bed_is_not_given_to_two(site, take) -> None:
    assert refused(take, row(1, bed="1"), row(2, bed="1")) == [
        (3, "床位", "the same as in row 2"),
    ]
    take(row(1, bed="1"))
    told = refused(take, row(3, bed="1"), source="other")
    assert told == [(2, "床位", "Bed 1 of room 101 is taken (L000001)")]
    assert take(row(3, bed="1"), leavers=words.END).counts[words.CHECKED_OUT] == 1
    assert beds(site) == {"工人丁": "1"}


def test_a_bed_that_is_taken_is_refused_at_the_desk_by_name(site) -> None:
    check_in.check_in(site, request(bed="上铺1"))
    with pytest.raises(RuleRefused, match=r"Bed 上铺1 of room 101 is taken \(L000001\)") as told:
        check_in.check_in(site, request(LI, cards=(), bed="上铺1"))
    assert (told.value.refusal.rule, "L000001" in told.value.next_step) == ("bed", True)
    made = check_in.check_in(site, request(LI, cards=(), bed="上铺2"))
    assert made.bed == "上铺2"
    assert change_stay.move(site, made.ref, "H00001", "102", bed="3").bed == "3"


def test_the_dialogue_asks_for_a_bed_where_beds_have_names(site) -> None:
    check_in.check_in(site, request(bed="1"))
    clerk = Clerk("H00001", "", "101", "1", "2", "", LI.id_number, "李娜", "", "", day(60), "")
    wanted = dialogue.fill(site, Form(), clerk)
    assert clerk.asked[2:6] == ["room", "bed", "bed", "document"]
    assert "taken: 1" in clerk.questions[3].hint
    assert ("Bed 1" in clerk.faults[0], wanted and wanted.bed) == (True, "2")


def test_the_dialogue_asks_a_passports_holder_for_the_sex(site) -> None:
    clerk = Clerk("H00001", "", "101", "passport", "E12345678", "x", "f", "Anna Li",
                  "+852 2345 6789", "香港", day(60), "")  # fmt: skip
    wanted = dialogue.fill(site, Form(), clerk)
    assert wanted is not None
    check_in.check_in(site, wanted)
    seen = people_view.show(site, "E12345678")
    assert (seen.sex, seen.origin, seen.document) == ("F", "香港", "passport")


def test_the_template_has_columns_for_documents_and_beds(site, take, tmp_path) -> None:
    path = tmp_path / "empty.xlsx"
    roster_template.write(path)
    names = [cell.value for cell in load_workbook(path).active[2]]
    assert {"证件类型", "性别", "床位"} <= set(names)
    values = dict(zip(WIDE, row(1, "护照", "男", "1", 身份证号="E12345678"), strict=True))
    filled = [values.get(name, "") for name in names if name != "房屋"]
    assert take(filled, header=tuple(n for n in names if n != "房屋")).counts[words.NEW] == 1
    assert beds(site) == {"工人乙": "1"}
