"""Rosters: all rows or none, every fault with its row and field (host)."""

from __future__ import annotations

from datetime import date

import pytest

from controller_tool import id_number, resources, sample_roster
from controller_tool.clock import parse_local
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Card, Device, Person
from controller_tool.registry.records import AuditEntry
from controller_tool.services import cards, roster
from tests.unit.registry_support import Board

LOST = "the spreadsheet has lost its last digits: format the column as text, type it anew"
HEADER = "姓名,身份证号,房间,卡号,入住日期,到期日期"
WANG = "王伟,330199199001010011,A-101,0012345678,2026-03-01,2026-08-31"
LI = "李娜,330199199202020021,A-102,0012345679,2026-03-01,2026-08-31"


@pytest.fixture
def file(tmp_path):
    """Writes a roster of these lines and returns its path."""

    def write(*lines: str, header: str = HEADER, encoding: str = "utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes("\r\n".join((header, *lines)).encode(encoding))
        return path

    return write


def contents(site) -> tuple[int, int]:
    with site.registry.session() as session:
        return session.query(Person).count(), session.query(Card).count()


def faults(site, path) -> list[tuple[int, str, str]]:
    """What the refusal names; nothing may have been imported."""
    before = contents(site)
    with pytest.raises(roster.RosterRefused) as refused:
        roster.import_roster(site, path)
    assert contents(site) == before
    return [(fault.row, fault.field, fault.what) for fault in refused.value.faults]


def test_people_and_cards_are_imported_and_granted_everywhere(site, file) -> None:
    Board(site, "door-1")
    Board(site, "door-2")
    done = roster.import_roster(site, file(WANG, LI))
    assert (done.new_people, done.new_cards, done.devices) == (2, 2, ("door-1", "door-2"))
    status = cards.card_status(site, "0012345678")
    assert (status.holder, status.room, status.devices) == ("王伟", "A-101", ("door-1", "door-2"))


def test_a_lease_includes_its_last_local_day(site, file) -> None:
    roster.import_roster(site, file(WANG))
    status = cards.card_status(site, "0012345678")
    assert status.from_min == parse_local("2026-03-01") // 60
    assert status.until_min == parse_local("2026-09-01") // 60


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_roster_that_a_board_cannot_hold_is_refused(site, file, board, dry_run) -> None:
    with site.registry.writing() as session:
        session.get_one(Device, board.device.id).cards_max = 1
    living = [row.replace("2026-08-31", "2049-08-31") for row in (WANG, LI)]  # whatever the date is
    assert living[0] != WANG
    with pytest.raises(OperatorError, match="holds 1 cards and would get 2"):
        roster.import_roster(site, file(*living), dry_run=dry_run)
    assert contents(site) == (0, 0)


def test_what_is_no_csv_is_told_in_one_line(site, file) -> None:
    with pytest.raises(OperatorError, match="no CSV file"):
        roster.import_roster(site, file("x" * 200_000))


def test_a_dry_run_changes_nothing(site, file) -> None:
    done = roster.import_roster(site, file(WANG, LI), dry_run=True)
    assert (done.new_cards, done.dry_run) == (2, True)
    assert contents(site) == (0, 0)


def test_importing_twice_changes_nothing_more(site, file) -> None:
    roster.import_roster(site, file(WANG, LI))
    done = roster.import_roster(site, file(WANG, LI))
    assert (done.new_people, done.new_cards, done.unchanged) == (0, 0, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_as_spreadsheets_save_them(site, file, encoding) -> None:
    assert roster.import_roster(site, file(WANG, "", ",,,,,", encoding=encoding)).new_cards == 1
    assert cards.card_status(site, "0012345678").holder == "王伟"


def test_columns_come_in_any_order_and_either_language(site, file) -> None:
    line = "0012345678,A-101,2026/3/1,2026年8月31日,330199199001010011,王伟,13800000000"
    path = file(line, header="card,room,from,until,ID_number,name,手机号")
    assert roster.import_roster(site, path).new_cards == 1


@pytest.mark.parametrize(
    ("place", "value", "field", "what"),
    [
        (0, "", "姓名", "empty"),
        (0, "王" * 65, "姓名", "longer than 64 characters, or unprintable"),
        (1, "330199199001010012", "身份证号", "its check digit is wrong"),
        (1, "330199199002300017", "身份证号", "its birth date does not exist"),
        (1, "330199209001010017", "身份证号", "its birth date does not exist"),
        (1, "990199199001010010", "身份证号", "its first two digits name no region"),
        (1, "3.30199E+17", "身份证号", LOST),
        (1, "33019919900101001", "身份证号", "not 18 characters: 17 digits, then a digit or X"),
        (1, "", "身份证号", "empty"),
        (2, "", "房间", "empty"),
        (3, "12345678", "卡号", "not clear as a number: type all ten digits, as text"),
        (3, "9912345678", "卡号", "not a card number"),
        (3, "", "卡号", "empty"),
        (4, "2026-02-30", "入住日期", "not a date such as 2025-03-31"),
        (4, "soon", "入住日期", "not a date such as 2025-03-31"),
        (4, "2019-12-31", "入住日期", "not between 2020 and 2051"),
        (5, "2026-02-28", "到期日期", "the lease ends before it begins"),
        (5, "2052-01-01", "到期日期", "not between 2020 and 2051"),
    ],
)
def test_a_wrong_field_is_named(site, file, place, value, field, what) -> None:
    cells = LI.split(",")
    cells[place] = value
    assert faults(site, file(WANG, ",".join(cells))) == [(3, field, what)]


def test_every_fault_of_every_row_is_named_at_once(site, file) -> None:
    rows = ["x,1,,2,3,4", WANG, "李娜,330199199202020029,A-102,0012345679,2026-03-01,2026-02-01"]
    named = [(row, field) for row, field, _ in faults(site, file(*rows))]
    assert named == [
        (2, "身份证号"), (2, "房间"), (2, "卡号"), (2, "入住日期"), (2, "到期日期"),
        (4, "身份证号"), (4, "到期日期"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (HEADER + ",房租", [(1, "房租", "unknown column")]),
        (HEADER + ",姓名", [(1, "姓名", "column twice")]),
        (HEADER.replace("房间,", ""), [(1, "房间", "column missing")]),
    ],
)
def test_wrong_columns_are_named(site, file, header, named) -> None:
    assert faults(site, file(WANG, header=header)) == named


def test_more_fields_than_columns_are_named(site, file) -> None:
    assert faults(site, file(WANG + ",x")) == [(2, "姓名", "more fields than columns")]


def test_a_card_that_stands_twice_is_named(site, file) -> None:
    double = LI.replace("0012345679", "0012345678")
    assert faults(site, file(WANG, double)) == [(3, "卡号", "the same as in row 2")]


def test_a_card_that_stands_twice_is_named_beside_other_faults(site, file) -> None:
    double = LI.replace("0012345679", "0012345678").replace("李娜", "")
    assert faults(site, file(WANG, double)) == [
        (3, "姓名", "empty"),
        (3, "卡号", "the same as in row 2"),
    ]
    assert faults(site, file(double, WANG))[-1] == (3, "卡号", "the same as in row 2")


def test_a_person_that_stands_twice_is_named(site, file) -> None:
    double = WANG.replace("0012345678", "0012345679")
    assert faults(site, file(WANG, double)) == [(3, "身份证号", "the same as in row 2")]


def test_what_contradicts_the_registry_is_named(site, file) -> None:
    roster.import_roster(site, file(WANG))
    taken = LI.replace("0012345679", "0012345678")
    assert faults(site, file(taken))[0][:2] == (2, "卡号")
    longer = WANG.replace("2026-08-31", "2026-12-31")
    assert faults(site, file(longer))[0][:2] == (2, "到期日期")
    other_name = WANG.replace("王伟", "王军").replace("0012345678", "0012345680")
    assert faults(site, file(other_name))[0][:2] == (2, "姓名")


def test_a_lost_card_is_a_fault_of_its_row(site, file) -> None:
    roster.import_roster(site, file(WANG))
    cards.lost(site, "0012345678")
    [(row, column, what)] = faults(site, file(WANG))
    assert (row, column) == (2, "卡号")
    assert "lost (王伟 A-101 K000001)" in what


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", HEADER.encode()])
def test_what_is_no_roster_is_refused(site, tmp_path, content) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(OperatorError):
        roster.import_roster(site, path)


def test_an_unknown_controller_refuses_the_whole_import(site, file) -> None:
    with pytest.raises(OperatorError, match="No controller is named nowhere"):
        roster.import_roster(site, file(WANG), ("nowhere",))
    assert contents(site) == (0, 0)


def test_the_refusal_holds_no_personal_data(site, file) -> None:
    with pytest.raises(roster.RosterRefused) as refused:
        roster.import_roster(site, file(LI.replace("0021,", "0029,")))
    text = str(refused.value) + str(refused.value.faults)
    assert not any(secret in text for secret in ("李娜", "330199199202020029", "0012345679"))


def test_the_operators_log_counts_and_names_no_person(site, file) -> None:
    roster.import_roster(site, file(WANG, LI))
    with site.registry.session() as session:
        entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert entry.act == "card.import"
    assert '"rows": 2' in entry.details
    assert "王伟" not in entry.details


def test_the_demonstrations_roster_is_what_its_maker_makes(site) -> None:
    path = resources.demo_roster()
    assert path.read_text(encoding="utf-8") == sample_roster.make()
    done = roster.import_roster(site, path)
    assert (done.new_people, done.new_cards) == (300, 300)


def test_the_demonstrations_people_are_marked_as_invented() -> None:
    lines = sample_roster.make().splitlines()[1:]
    assert len(lines) == 300
    assert all(line.endswith("虚构人员") for line in lines)
    # no county has this number, so no ID number can be anybody's
    assert {line.split(",")[1][:6] for line in lines} == {"330199"}


@pytest.mark.parametrize("number", ["11010519491231002X", "330199199001010011"])
def test_good_id_numbers(number) -> None:
    assert id_number.fault(number, date(2026, 1, 1)) is None


def test_any_single_wrong_digit_of_an_id_number_is_found() -> None:
    """ISO 7064 MOD 11-2 finds every single wrong character."""
    good = "11010519491231002X"
    for place in range(17):
        for digit in "0123456789":
            if digit != good[place]:
                wrong = good[:place] + digit + good[place + 1 :]
                assert id_number.fault(wrong, date(2026, 1, 1)) is not None


def test_id_numbers_are_shown_masked() -> None:
    assert id_number.masked("11010519491231002X") == "110***********002X"
