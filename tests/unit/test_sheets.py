"""Tables as offices send them: what is read, and what is refused by name (host)."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_tool import clock, credentials
from controller_tool.errors import OperatorError
from controller_tool.services import roster_file
from controller_tool.services.desk import sheet_cells, sheet_xlsx, sheets
from controller_tool.services.site_time import SiteTime
from tests.unit.roster_support import HEADER, csv_bytes, person, xlsx_bytes

JUDGE = roster_file.Judge(0, date(2026, 6, 1), SiteTime([0, clock.LOCAL_OFFSET_MIN]))
WANG = ["王伟", "330199199001010011", "101", "0012345678", "2026-03-01", "2026-08-31"]


def read(raw: bytes, sheet: str | None = None) -> roster_file.Roster:
    return JUDGE.read(raw, "roster", roster_file.DESK, sheet)


def the_row(raw: bytes) -> roster_file.Row:
    found = read(raw)
    assert found.faults == []
    [row] = found.rows
    return row


def faults(raw: bytes) -> list[tuple[int, str, str]]:
    return [(one.row, one.field, one.what) for one in read(raw).faults]


GOOD = the_row(csv_bytes(WANG))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text_in_every_encoding_with_every_separator(encoding, separator) -> None:
    assert the_row(csv_bytes(WANG, encoding=encoding, separator=separator)) == GOOD


def test_a_workbook_says_the_same() -> None:
    assert the_row(xlsx_bytes(WANG)) == GOOD


@pytest.mark.parametrize(
    ("place", "typed"),
    [
        (0, " 王伟\u00a0"), (0, "\u3000王伟 "), (0, "王\u200b伟"),
        (1, "３３０１９９１９９００１０１００１１"), (1, "'330199199001010011"),
        (1, "330199 19900101 0011"), (2, 101), (2, 101.0), (2, "１０１"),
        (4, date(2026, 3, 1)), (4, datetime(2026, 3, 1, 9, 30)), (4, 46082), (4, "2026/3/1"),  # noqa: DTZ001
        (4, "2026.3.1"), (4, "20260301"), (4, 20260301), (4, "2026年3月1日"),
        (4, "2026-03-01 00:00:00"), (5, "２０２６－８－３１"),
    ],
)  # fmt: skip
def test_however_it_was_typed_it_is_read_alike(place, typed) -> None:
    row = list(WANG)
    row[place] = typed
    assert the_row(xlsx_bytes(row)) == GOOD


@pytest.mark.parametrize(
    "title", ["证件号码", "公民身份号码", "身份证号（必填）", "*身份证号", "ID number"]
)
def test_a_column_has_many_names(title) -> None:
    header = tuple(title if name == "身份证号" else name for name in HEADER)
    assert the_row(xlsx_bytes(WANG, header=header)) == GOOD


def test_a_title_above_the_header_and_blank_rows_are_passed_by() -> None:
    def edit(sheet) -> None:
        sheet.insert_rows(1, 2)
        sheet["A1"] = "新湾工业园宿舍人员名册"
        sheet.merge_cells("A1:F1")
        sheet.insert_rows(4)

    row = the_row(xlsx_bytes(WANG, edit=edit))
    assert (row.line, row.name) == (5, "王伟")


def test_one_room_beside_several_people_is_the_room_of_each() -> None:
    rows = [person(1, "101"), person(2, ""), person(3, "")]
    found = read(xlsx_bytes(*rows, edit=lambda sheet: sheet.merge_cells("C2:C4")))
    assert [row.room for row in found.rows] == ["101"] * 3


def test_columns_that_nobody_knows_are_named_and_not_read() -> None:
    found = read(xlsx_bytes(["1", *WANG], header=("序号", *HEADER)))
    assert (found.ignored, found.faults) == (("序号",), [])


LOST = sheet_cells.lost_digits()
FORMULA = "a formula without its value: open the file in the spreadsheet program and save it"


@pytest.mark.parametrize(
    ("place", "typed", "what"),
    [
        (1, 330199199001010011, LOST), (1, 3.3e17, LOST), (1, "3.30199E+17", LOST),
        (4, "1/3/2026", "which is the year, the month, the day? Write 2025-03-31"),
        (5, "31.8.26", "which is the year, the month, the day? Write 2025-03-31"),
        (5, "长期", "not a date such as 2025-03-31"),
        (0, "#N/A", "the spreadsheet shows an error here"),
        (2, "=1+100", FORMULA), (0, "王" * 300, "longer than 200 characters"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_is_named(place, typed, what) -> None:
    row = list(WANG)
    row[place] = typed
    assert faults(xlsx_bytes(row)) == [(2, HEADER[place], what)]


def test_a_card_that_is_a_number_gets_its_zeros_back_unless_it_could_be_another() -> None:
    row: list[object] = [*WANG]
    row[3] = 123456789
    assert the_row(xlsx_bytes(row)).credential == credentials.parse("0123456789")
    row[3] = 12345678
    assert faults(xlsx_bytes(row)) == [
        (2, "卡号", "not clear as a number: type all ten digits, as text")
    ]


def test_a_value_is_shown_with_its_fault_but_no_document_number() -> None:
    wrong = ["330199199001010011 王", "330199199001010012", *WANG[2:]]
    wrong[2] = "5" * 40
    shown = {one.field: one.value for one in read(xlsx_bytes(wrong)).faults}
    assert shown["身份证号"] == "330***********0012"
    assert "19900101" not in "".join(shown.values())


def test_a_hidden_row_is_refused_and_not_passed_by() -> None:
    def edit(sheet) -> None:
        sheet.row_dimensions[3].hidden = True

    named = faults(xlsx_bytes(WANG, person(1), edit=edit))
    assert {(row, what) for row, _, what in named} == {
        (3, "the row is hidden: show it, or delete it")
    }


def _flat(sheet) -> None:
    sheet.row_dimensions[3].height = 0.1


def _flat_by_default(sheet) -> None:
    sheet.sheet_format.zeroHeight = True
    sheet.row_dimensions[1].height = sheet.row_dimensions[2].height = 15


@pytest.mark.parametrize("edit", [_flat, _flat_by_default])
def test_a_row_of_no_height_is_a_hidden_row(edit) -> None:
    named = faults(xlsx_bytes(WANG, person(1), edit=edit))
    assert {(row, what) for row, _, what in named} == {
        (3, "the row is hidden: show it, or delete it")
    }


def test_a_row_whose_height_is_nought_is_hidden_too() -> None:
    """openpyxl writes no such height; spreadsheet programs do."""
    flat = renamed(
        xlsx_bytes(WANG, person(1)), ".xml",
        lambda xml: xml.replace(b'<row r="3"', b'<row ht="0" customHeight="1" r="3"'),
    )  # fmt: skip
    assert {row for row, _, _ in faults(flat)} == {3}


@pytest.mark.parametrize("how", [{"hidden": True}, {"width": 0.1}])
def test_a_hidden_column_is_refused_where_it_would_be_read(how) -> None:
    def edit(sheet) -> None:
        for name, value in how.items():
            setattr(sheet.column_dimensions["D"], name, value)

    assert faults(xlsx_bytes(WANG, edit=edit)) == [
        (2, HEADER[3], "the column is hidden: show it, or delete it")
    ]
    header = (*HEADER[:3], "序号", *HEADER[4:])
    assert faults(xlsx_bytes([*WANG[:3], "1", *WANG[4:]], header=header, edit=edit)) == []


def test_of_several_sheets_the_one_with_the_columns_is_read() -> None:
    def edit(sheet) -> None:
        sheet.parent.create_sheet("说明").append(["请填写"])

    assert the_row(xlsx_bytes(WANG, edit=edit)) == GOOD


def test_of_two_such_sheets_one_must_be_named() -> None:
    def edit(sheet) -> None:
        sheet.title = "一月"
        second = sheet.parent.create_sheet("二月")
        for row in (HEADER, person(1)):
            second.append(row)

    raw = xlsx_bytes(WANG, edit=edit)
    with pytest.raises(OperatorError, match="several sheets") as refused:
        read(raw)
    assert "一月, 二月" in refused.value.next_step
    assert [row.name for row in read(raw, "二月").rows] == ["工人乙"]
    with pytest.raises(OperatorError, match="no sheet 三月"):
        read(raw, "三月")


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "is empty"), (b"\xd0\xcf\x11\xe0" + bytes(600), r"old \.xls"),
        (b"PK\x03\x04" + bytes(60), "no workbook"), (b"\xff\xfe\x00", "neither UTF-8"),
        ("第一行\n第二行".encode(), "no row with names"), (csv_bytes(), "names nobody"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told_in_one_line(raw, what) -> None:
    with pytest.raises(OperatorError, match=what):
        read(raw)


def repacked(raw: bytes, part: str, change) -> bytes:
    """The workbook with one part of its zip changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for one in old.infolist():
            data = old.read(one)
            new.writestr(one.filename, change(data) if one.filename == part else data)
    return out.getvalue()


def test_a_workbook_that_names_entities_is_not_opened() -> None:
    def change(xml: bytes) -> bytes:
        head = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
        return head + xml.removeprefix(b'<?xml version="1.0"?>')

    with pytest.raises(OperatorError, match="no workbook"):
        read(repacked(xlsx_bytes(WANG), "xl/worksheets/sheet1.xml", change))


SHEET = "xl/worksheets/sheet1.xml"


def renamed(raw: bytes, ending: str, change=lambda xml: xml) -> bytes:
    """The same workbook, its sheet in a part of another ending, which everything points to."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for one in old.infolist():
            data = old.read(one)
            if one.filename == SHEET:
                new.writestr(SHEET.replace(".xml", ending), change(data))
            else:
                new.writestr(one.filename, data.replace(b"sheet1.xml", b"sheet1" + ending.encode()))
    return out.getvalue()


@pytest.mark.parametrize("ending", [".dat", ".bin", ".XMLX", ""])
def test_a_part_by_another_name_hides_nothing_from_the_reading(ending) -> None:
    """openpyxl finds parts by what refers to them: entities, sizes and hidden rows are its own."""

    def entity(xml: bytes) -> bytes:
        head = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "999">]>'
        return head + xml.removeprefix(b'<?xml version="1.0"?>').replace(b"101", b"&b;")

    for change in (entity, lambda xml: xml):
        with pytest.raises(OperatorError, match="has no row with names"):
            read(renamed(xlsx_bytes(WANG), ending, change))
    assert read(renamed(xlsx_bytes(WANG), ".XML")).rows


def test_a_part_that_lies_about_its_size_is_not_unpacked_at_once() -> None:
    """The zip says 10 bytes, the stream holds 256 MB: no more than what is said is kept."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", 8) as packed:
        packed.writestr("xl/a.xml", bytes(1 << 28))
    raw = bytearray(out.getvalue())
    size = (1 << 28).to_bytes(4, "little")
    while (at := raw.find(size)) >= 0:
        raw[at : at + 4] = (10).to_bytes(4, "little")
    tracemalloc.start()
    try:
        with pytest.raises(OperatorError, match="no workbook"):
            read(bytes(raw))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_a_workbook_with_a_part_twice_is_not_opened() -> None:
    raw = io.BytesIO(xlsx_bytes(WANG))
    with zipfile.ZipFile(raw, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr(SHEET, b"<worksheet/>")
    with pytest.raises(OperatorError, match="no workbook"):
        read(raw.getvalue())


def test_a_bomb_is_not_unpacked(monkeypatch) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", 8) as packed:
        packed.writestr("xl/workbook.xml", bytes(sheet_xlsx.UNPACKED_MAX_BYTES + 1))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(OperatorError, match="unpacks to more than"):
        read(bomb.getvalue())


def test_more_rows_than_the_bound_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(sheets, "ROWS_MAX", 2)
    with pytest.raises(OperatorError, match="more than 2 rows"):
        read(csv_bytes(person(1), person(2), person(3)))


BOOK = xlsx_bytes(WANG)


@settings(max_examples=150, deadline=None)
@given(st.one_of(
    st.binary(max_size=300),
    st.tuples(st.integers(0, len(BOOK) - 1), st.binary(min_size=1, max_size=8)).map(
        lambda at: BOOK[: at[0]] + at[1] + BOOK[at[0] + len(at[1]) :]
    ),
    st.integers(0, len(BOOK)).map(lambda end: BOOK[:end]),
    st.text(max_size=200).map(lambda text: (",".join(HEADER) + "\n" + text).encode()),
))  # fmt: skip
def test_bytes_of_any_kind_are_read_or_refused_in_words(raw) -> None:
    with suppress(OperatorError):
        read(raw)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=30))
def test_xml_of_any_kind_within_a_workbook_too(at, put) -> None:
    raw = repacked(BOOK, "xl/worksheets/sheet1.xml", lambda xml: xml[:at] + put + xml[at:])
    with suppress(OperatorError):
        read(raw)


TOTALS = [
    ["合计", "", "", "", "", ""], ["总计：", "1", "", "", "", ""], ["小 计", "1人", "", "", "", ""],
    ["本页合计 1 人"], ["合计人数：1"], ["Total", 1], ["Grand total: 1"], ["subtotal"],
    ["", "", "合计"], ["合计", "合计", "合计"], ["制表人：陈静"], ["备注：以上人员均已核对"],
]  # fmt: skip


@pytest.mark.parametrize("total", TOTALS, ids=str)
def test_a_total_or_a_note_is_no_person_and_is_named(total) -> None:
    for raw in (csv_bytes(WANG, total), xlsx_bytes(WANG, total)):
        found = read(raw)
        assert (len(found.rows), found.faults) == (1, [])
        assert [one.row for one in found.left_out] == [3]


def test_a_subtotal_may_stand_between_and_a_merged_total_at_the_end() -> None:
    def merge(sheet) -> None:
        sheet.append(["合计"])
        sheet.merge_cells("A5:D5")

    other = ["李娜", *WANG[1:]]
    found = read(xlsx_bytes(WANG, ["小计", "", "", "1"], other, edit=merge))
    assert [(one.row, one.text) for one in found.left_out] == [(3, "小计"), (5, "合计")]
    assert [row.line for row in found.rows] == [2, 4]


@pytest.mark.parametrize(
    "row",
    [
        ["合计", WANG[1], *WANG[2:]],  # somebody of that name
        ["王伟", "", "101", "", "", "2026-08-31"],  # an entry that lacks its number
        ["总计划", "", "101", "", "", "2026-08-31"], ["合计", "33019919900101001", "", "", "", ""],
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_is_never_taken_for_a_total(row) -> None:
    assert read(csv_bytes(row)).left_out == ()


def test_a_file_with_nothing_but_a_total_names_nobody() -> None:
    with pytest.raises(OperatorError, match="names nobody"):
        read(csv_bytes(["合计", "0"]))
