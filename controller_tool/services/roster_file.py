"""Judges each field of a roster by itself, whatever kind of file it came in (host).

One judge for rosters of cards alone (`card import`) and of people in houses (`tenant import`).
How files are read is in desk.sheets. Stays are local days, the last one included.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from controller_tool import credentials, date_forms, id_number
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.rules import contact, words
from controller_tool.services import people, roster_documents
from controller_tool.services.desk import card_reader, sheet_cells, sheets
from controller_tool.services.desk.sheet_cells import Cell, Fault
from controller_tool.services.desk.sheets import Columns, LeftOut, Line
from controller_tool.services.people import BED_MAX, NAME_MAX, ROOM_MAX
from protocol.constants import TIME_END_MIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.credentials import Credential
    from controller_tool.services.site_time import SiteTime

# field: its column names; the first is the one that is printed. `note` is read and not kept.
COLUMNS = {
    "name": ("姓名", "名字", "员工姓名", "租客姓名", "name"),
    **roster_documents.COLUMNS,
    "document": ("证件类型", "证件种类", "证件名称", "document type", "document", "ID type"),
    "room": ("房间", "房间号", "房号", "室号", "宿舍号", "寝室号", "room"),
    "card": ("卡号", "门禁卡号", "门禁卡", "IC卡号", "card", "card number", "card no"),
    "from": (
        "入住日期", "起租日期", "开始日期", "入住时间", "起始日期", "from", "start date", "start",
    ),
    "until": (
        "到期日期", "退租日期", "结束日期", "到期时间", "截止日期", "until", "end date", "end",
    ),
    "phone": ("手机号", "联系电话", "手机", "手机号码", "电话", "联系方式", "phone", "mobile"),
    "note": ("备注", "说明", "note", "remarks"),
}  # fmt: skip
DESK_COLUMNS = {
    **COLUMNS,
    "house": ("房屋", "房屋编号", "地址编码", "楼栋", "house"),
    "bed": ("床位", "床号", "床位号", "bed"),
    "sex": ("性别", "sex", "gender"),
    "origin": ("户籍", "籍贯", "户籍地", "户籍地址", "户籍所在地", "origin"),
    "employer": ("单位", "公司", "工厂", "工作单位", "用人单位", "employer", "company"),
    "contract": ("合同号", "合同编号", "contract"),
}
CARDS = Columns(COLUMNS, ("name", "id_number", "room", "card", "from", "until"), "id_number",
                strict=True)  # fmt: skip
DESK = Columns(DESK_COLUMNS, ("name", "id_number", "room", "until"), "id_number")
_PRINTED_DIGITS = 10  # of an EM4100 card
_SEXES = {"男": "M", "女": "F", "M": "M", "F": "F", "MALE": "M", "FEMALE": "F"}
_NO_TIME = re.compile(r"[T ]+0?0:00(:00)?(\.0+)?$")
_WHICH_IS_WHICH = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}")
_SERIAL_DAY_ZERO = date(1899, 12, 30)  # day 0 of spreadsheets after February 1900
_SECRET = (*roster_documents.NUMBERS, "phone")


@dataclass(frozen=True)
class Row:
    """One person, every field good by itself; minutes since 2020.

    credential, from_min: None where the file says none; so are texts empty. document: a
    code of rules.words; sex: "M", "F" or empty; number_column: the one of roster_documents.NUMBERS
    that holds id_number.
    """

    line: int
    name: str
    id_number: str
    room: str
    phone: str
    credential: Credential | None
    from_min: int | None
    until_min: int
    house: str = ""
    origin: str = ""
    employer: str = ""
    contract: str = ""
    document: str = words.ID_CARD
    sex: str = ""
    bed: str = ""
    number_column: str = "id_number"


@dataclass(frozen=True)
class Roster:
    """Good rows and all faults; names: the column names as this file has them; ignored: others.

    left_out: rows that are totals or notes.
    """

    rows: list[Row]
    faults: list[Fault]
    names: dict[str, str]
    ignored: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def fault(self, row: Row, field: str, what: str, value: str = "") -> Fault:
        """A fault of a row that only the registry knows of; ``value`` is masked here."""
        field = row.number_column if field == "id_number" else field
        return Fault(row.line, self.names.get(field, DESK_COLUMNS[field][0]), what,
                     sheet_cells.shown(value, field in _SECRET))  # fmt: skip


@dataclass(frozen=True)
class Judge:
    """What fields are judged by: the version of EM4100 cards, the day, the site's time.

    midnights: minutes since 2020 that were asked for; a roster has the same few days all over.
    """

    em4100_version: int
    today: date
    local: SiteTime
    midnights: dict[date, int] = dataclasses.field(default_factory=dict)

    def midnight_min(self, day: date) -> int:
        """As SiteTime.midnight_min."""
        if day not in self.midnights:
            self.midnights[day] = self.local.midnight_min(day)
        return self.midnights[day]

    def read(self, raw: bytes, name: str, columns: Columns, sheet: str | None = None) -> Roster:
        """Every row of the file's bytes; OperatorError when it is no such file."""
        table = sheets.read(raw, name, columns, sheet)
        rows = []
        faults = list(table.faults)
        read: list[_Reader] = []
        for line in table.lines:
            row = _Reader(line, table.names, columns.required, self)
            good = row.read()
            faults += row.faults
            read.append(row)
            if good is not None:
                rows.append(good)
        faults += _doubles(read, table.names)
        return Roster(rows, faults, table.names, table.ignored, tuple(table.left_out))


class _Reader:
    """One line: takes its fields one by one and keeps what is wrong with them."""

    def __init__(
        self, line: Line, names: dict[str, str], required: Sequence[str], judge: Judge
    ) -> None:
        self.faults: list[Fault] = []
        self.once: list[tuple[str, object, str]] = []  # that no other row may repeat; its column
        self.line = line.number
        self._extra = line.extra
        self._cells = line.cells
        self._names = names
        self._required = required
        self._judge = judge

    def read(self) -> Row | None:
        if self._extra:
            self._wrong("name", t("more fields than columns"))
        for field, cell in self._cells.items():
            if cell.fault and field != "note":
                self._wrong(field, cell.fault)
                self._cells = {**self._cells, field: replace(cell, text="")}
        name, room = self._short("name", NAME_MAX), self._short("room", ROOM_MAX)
        column = self._number_column()
        document = self._document(column)
        number, phone = self._number(column, document), self._phone()
        credential = self._card()
        begin, end = self._date("from"), self._date("until")
        if begin and end and end < begin:
            self._wrong("until", t("the lease ends before it begins"))
        house = self._short("house", NAME_MAX)
        origin, employer, contract = map(self._optional, ("origin", "employer", "contract"))
        sex = self._sex(document, number)
        bed = self._fitting("bed", self._text("bed"), BED_MAX)
        if self.faults or end is None:
            return None
        midnight_min = self._judge.midnight_min
        return Row(
            self.line, name, number, room, phone, credential,
            None if begin is None else midnight_min(begin),
            midnight_min(end + timedelta(days=1)), house, origin, employer, contract,
            document, sex, bed, column,
        )  # fmt: skip

    def _text(self, field: str) -> str:
        return self._cells.get(field, Cell()).text

    def _wrong(self, field: str, what: str) -> None:
        """The first fault of a field is told."""
        name = self._names.get(field, field)
        if all(fault.field != name for fault in self.faults):
            value = sheet_cells.shown(self._text(field), field in _SECRET)
            self.faults.append(Fault(self.line, name, what, value))

    def _needed(self, field: str) -> str:
        """The text of a field, which is there where nobody can do without it."""
        text = self._text(field)
        if not text and field in (*self._required, *roster_documents.NUMBERS):
            self._wrong(field, t("empty"))
        return text

    def _short(self, field: str, longest: int) -> str:
        return self._fitting(field, self._needed(field), longest)

    def _optional(self, field: str) -> str:
        return self._fitting(field, self._text(field), NAME_MAX)

    def _fitting(self, field: str, text: str, longest: int) -> str:
        if text and not people.is_short(text, longest):
            self._wrong(field, t("longer than {n} characters, or unprintable", n=longest))
        return text

    def _number_column(self) -> str:
        """Which column of numbers this row fills; the first one where it fills none."""
        filled = [
            field for field in roster_documents.NUMBERS
            if roster_documents.filled(self._text(field))
        ]  # fmt: skip
        for more in filled[1:]:
            self._wrong(more, t("a second document; leave the one that the person is known by"))
        there = [field for field in roster_documents.NUMBERS if field in self._names]
        return (filled or there)[0]

    def _document(self, column: str) -> str:
        """Its kind; one that the desk does not take is a fault."""
        code, fault = roster_documents.kind(self._text("document"), column)
        if fault:
            self._wrong("document", fault)
        return code

    def _number(self, column: str, document: str) -> str:
        number = id_number.normalise(self._needed(column))
        fault = number and roster_documents.number_fault(document, number, self._judge.today)
        if fault:
            self._wrong(column, fault)
        self._once("id_number", people.indexed(document, number), column)
        return number

    def _sex(self, document: str, number: str) -> str:
        """An ID number says it itself; a column that says otherwise shows a slip of the pen."""
        text = self._text("sex").upper()
        if text and text not in _SEXES:
            self._wrong("sex", t("neither 男 nor 女"))
            return ""
        by_number = document == words.ID_CARD and bool(text) and not self.faults
        if by_number and id_number.sex(number) != _SEXES[text]:
            self._wrong("sex", t("the ID number says otherwise"))
        return _SEXES[text] if text else ""

    def _phone(self) -> str:
        phone = contact.phone(self._text("phone"))
        if phone is None:
            self._wrong("phone", t(contact.NO_PHONE))
        return phone or ""

    def _card(self) -> Credential | None:
        text = self._needed("card")
        lost_zeros = self._cells.get("card", Cell()).number  # a number has none in front
        parse = card_reader.typed if lost_zeros else credentials.parse
        try:
            credential = parse(text, self._judge.em4100_version) if text else None
        except OperatorError:
            # a CSV that a spreadsheet wrote has lost its zeros too
            unclear = lost_zeros or (text.isdecimal() and len(text) < _PRINTED_DIGITS)
            self._wrong("card", t("not clear as a number: type all ten digits, as text")
                        if unclear else t("not a card number"))  # fmt: skip
            return None
        self._once("card", credential)
        return credential

    def _once(self, field: str, value: object, column: str = "") -> None:
        if value:
            self.once.append((field, value, column or field))

    def _date(self, field: str) -> date | None:
        text = self._needed(field)
        if not text:
            return None
        try:
            day = self._day(text, self._cells[field].number)
        except (ValueError, OverflowError):
            if _WHICH_IS_WHICH.fullmatch(text):
                self._wrong(field, t("which is the year, the month, the day? Write 2025-03-31"))
            else:
                self._wrong(field, t("not a date such as 2025-03-31"))
            return None
        if not 0 <= self._judge.midnight_min(day) < TIME_END_MIN - 1440:
            self._wrong(field, t("not between 2020 and 2051"))
            return None
        return day

    @staticmethod
    def _day(text: str, number: bool) -> date:
        if number and len(text) != len("20250331"):
            return _SERIAL_DAY_ZERO + timedelta(days=int(float(text)))
        return date_forms.day(_NO_TIME.sub("", text))


def _doubles(rows: list[_Reader], names: dict[str, str]) -> list[Fault]:
    """Cards and persons that stand in the file twice: the later row is at fault, whatever else."""
    faults = []
    first: dict[tuple[str, object], int] = {}
    for row in rows:
        for field, value, column in row.once:
            line = first.setdefault((field, value), row.line)
            if line != row.line:
                what = t("the same as in row {row}", row=line)
                faults.append(Fault(row.line, names[column], what))
    return faults
