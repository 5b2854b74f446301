"""Texts that would act where they are shown: at a terminal, in a spreadsheet, on a page (host)."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

import openpyxl
import pytest

from controller_tool.cli.printable import printable
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import Area, House, HousePoint
from controller_tool.registry.models import Operator, Person
from controller_tool.registry.records import AuditEntry
from controller_tool.registry.stays import DeliveryReject, Duty, Lease
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import record_page
from controller_tool.services.city import delivery
from controller_tool.services.desk import (
    check_in,
    clips,
    duty_sheets,
    house_view,
    houses,
    operators,
    rate_sheet,
    rates,
    residents,
    slip,
)
from controller_tool.services.people import Holder
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.roster_support import HEADER, csv_bytes, person
from tests.unit.test_journal import pens, pull  # noqa: F401 - a fixture
from tests.unit.test_stays import LI, card, request
from tests.unit.test_tenant_cli import desk  # noqa: F401 - a fixture

ESCAPE = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202e"
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARKUP = "<script>alert(1)</script>\"'&"


# --- terminals ------------------------------------------------------------------------------------


def test_what_acts_or_hides_is_shown_as_a_mark() -> None:
    assert printable("王伟 101\t你好\nＡ·é—😀") == "王伟 101\t你好\nＡ·é—😀"
    shown = printable(ESCAPE + "\u200b\u2066\ufeff")
    assert not any(unicodedata.category(sign) in {"Cc", "Cf"} for sign in shown)


def test_a_roster_cannot_write_to_the_terminal(desk, tmp_path) -> None:  # noqa: F811
    """Headers that nobody knows, and wrong cells, are told as they are: without their escapes."""
    path = tmp_path / "roster.csv"
    header = (*HEADER, f"备注2{ESCAPE}")
    path.write_bytes(csv_bytes([*person(1, 入住日期=ESCAPE), "x"], header=header))
    shown = desk.run("tenant", "import", str(path), "--house", "H00001", "--dry-run", code=1)
    for text in (shown, desk.err):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert "备注2" in shown + desk.err


def test_what_a_platform_answers_cannot_either(desk) -> None:  # noqa: F811
    with desk.site.registry.writing() as session:
        session.add(DeliveryReject(target="x", kind="person", event_id="a-1-b", at_s=1,
                                   reason=f"no {ESCAPE}"))  # fmt: skip
    assert "\x1b" not in desk.run("export", "rejects", "list")
    assert desk.json("export", "rejects", "list")[0]["reason"] == f"no {ESCAPE}"


# --- names that look like another -----------------------------------------------------------------


@pytest.mark.both_registries
@pytest.mark.parametrize(
    "name", ["王芳\u200b", "王 芳", "王芳 ", "王芳\u3164", "x\x1b[2J", "\u202e芳王", "a" * 65]
)
def test_nobody_writes_under_a_name_that_reads_as_another_one(site, open_site, name) -> None:
    """王芳 is the head: the log would name her, and the log is for ever."""
    add_areas(site)
    add_house(site, doors=())
    with pytest.raises(RuleRefused) as refused:
        houses.add_rooms(open_site(site.path, operator=name), "H00001", ["103"], 2)
    assert refused.value.refusal.rule == "name"
    with pytest.raises(OperatorError):
        operators.add(site, name, words.CLERK)
    with site.registry.session() as session:
        assert {entry.operator for entry in session.query(AuditEntry)} == {"王芳"}


@pytest.mark.usefixtures("board")
def test_one_room_is_one_room_however_its_number_was_typed(site) -> None:
    """Else full-width digits make a second room with beds of its own."""
    add_areas(site)
    add_house(site, rooms={"101": 1})
    houses.add_rooms(site, "Ｈ00001", ["１０１"], 1)
    assert [room.number for room in house_view.show(site, "H00001").rooms] == ["101"]
    check_in.check_in(site, request(room="１０１"))
    with pytest.raises(RuleRefused) as refused:
        check_in.check_in(site, request(LI, cards=(card("0012345679"),)))
    assert refused.value.refusal.rule == "capacity"
    with pytest.raises(OperatorError, match="already"):
        houses.add(site, houses.NewHouse("Ａ－H00001", "x", GRID, words.RURAL, 1, 1))


@pytest.mark.usefixtures("board")
def test_one_id_number_is_one_person_however_it_was_typed(site) -> None:
    add_areas(site)
    add_house(site)
    check_in.check_in(site, request(days=10))
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in "330199199001010011")
    with pytest.raises(RuleRefused) as refused:
        check_in.check_in(site, request(Holder("王伟", f" {wide[:6]} {wide[6:]}"), room="102"))
    assert refused.value.refusal.rule == "elsewhere"
    for unseen in ("王\u3164伟", "\u115f", "王\ufe00伟"):
        with pytest.raises(OperatorError, match="unprintable"):
            check_in.check_in(site, request(Holder(unseen, LI.id_number)))


# --- spreadsheets ---------------------------------------------------------------------------------


@pytest.fixture
def poisoned(site, board, pens):  # noqa: F811
    """Every text that somebody types is a formula; the registry got it before it was refused."""
    add_areas(site)
    house = add_house(site)
    check_in.check_in(site, request())
    with site.registry.writing() as session:
        formula = '=HYPERLINK("http://x","y")'
        one = session.get_one(House, house.id)
        one.address, one.landlord_name, one.address_code = formula, "@SUM(1)", "+1+1"
        who = session.query(Person).one()
        who.name, who.origin, who.employer = formula, "-2+3", "＝1+1"
        session.query(Lease).one().contract = formula
        session.query(HousePoint).one().camera = "\t=1+1"
        session.get_one(Area, GRID).name = "＋1"
        session.flush()
        operator = session.query(Operator).one()
        session.add(Duty(operator_id=operator.id, duty=next(iter(words.DUTIES)), area_code=GRID))
    pull(site, board, pens[0])
    return site


def cells_of(path) -> list[str]:
    if path.suffix == ".csv":
        rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        return [cell for row in rows for cell in row]
    found = []
    for sheet in openpyxl.load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            assert not any(cell.data_type == "f" for cell in row)
            found += [cell.value for cell in row if isinstance(cell.value, str)]
    return found


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_file_for_other_people_holds_a_formula(poisoned, tmp_path, form) -> None:
    residents.export(poisoned, "province", tmp_path / f"residents.{form}")
    duty_sheets.export(poisoned, tmp_path / "duties", form)
    clips.export(poisoned, clips.Wish(), tmp_path / f"clips.{form}")
    rate_sheet.save(poisoned, rates.report(poisoned), tmp_path / "rates.xlsx")
    delivery.to_folder(poisoned, tmp_path / "city")
    paths = [*tmp_path.rglob("*.csv"), *tmp_path.rglob("*.xlsx")]
    assert len(paths) > 10
    text = ""
    for path in paths:
        for cell in cells_of(path):
            assert not cell.startswith(FORMULAS), (path.name, cell)
            text += cell
    for poison in ("=HYPERLINK", "@SUM", "+1+1", "-2+3", "＝1+1", "\t=1+1"):
        assert f"'{poison}" in text, poison


# --- pages ----------------------------------------------------------------------------------------


def test_a_slip_and_a_record_are_text_and_no_markup(site, board) -> None:
    add_areas(site)
    add_house(site)
    stay = check_in.check_in(site, request(Holder(MARKUP, LI.id_number)))
    with site.registry.writing() as session:
        session.query(House).one().address = MARKUP
    words_ = ("chip", "mac", "image_version", "installer", "tool", "role", "clock", "firmware",
              "firmware_sha256", "image_sha256")  # fmt: skip
    facts: dict[str, Any] = dict.fromkeys(words_, MARKUP)
    facts["first_list"] = {"ok": False, "what": MARKUP}
    facts["self_test"] = {MARKUP: False}
    record = record_page.render(site, board.device, facts)
    for page in (slip.of_stay(site, stay.ref).page(), record):
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "default-src 'none'" in page


def test_a_slip_is_its_owners_alone(site, board, tmp_path) -> None:
    assert board
    add_areas(site)
    add_house(site)
    stay = check_in.check_in(site, request())
    path = slip.write(slip.of_stay(site, stay.ref), stay.ref, tmp_path / "slips")
    assert path.stat().st_mode & 0o077 == 0
    assert slip.write(slip.of_stay(site, stay.ref), stay.ref, tmp_path / "slips") == path


def test_an_export_throws_away_no_folder_of_somebody_else(site, board, tmp_path) -> None:
    """It is made under NAME.part first: what else lies there is not its own."""
    assert board
    theirs = tmp_path / "city.part"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(OperatorError, match=r"city\.part is there already"):
        delivery.to_folder(site, tmp_path / "city")
    assert (theirs / "thesis.txt").exists()
    (theirs / "thesis.txt").rename(theirs / "manifest.json")
    delivery.to_folder(site, tmp_path / "city")
    assert not theirs.exists()
