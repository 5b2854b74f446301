"""Reads a roster, CSV as dormitories hand it over, and judges each field by itself (host).

UTF-8 (with or without mark) or GB 18030, as spreadsheets in China save it. Column names are
Chinese or English, in any order. Leases are local days, the last one included.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from controller_tool import credentials, date_forms, id_number
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import people
from controller_tool.services.people import NAME_MAX, ROOM_MAX
from protocol.constants import TIME_END_MIN

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.credentials import Credential
    from controller_tool.services.site_time import SiteTime

# field: its column names; the first is the one that is printed. `note` is read and not kept.
COLUMNS = {
    "name": ("姓名", "name"),
    "id_number": ("身份证号", "身份证号码", "id_number"),
    "room": ("房间", "房间号", "room"),
    "card": ("卡号", "card"),
    "from": ("入住日期", "起租日期", "from"),
    "until": ("到期日期", "退租日期", "until"),
    "phone": ("手机号", "联系电话", "phone"),
    "note": ("备注", "note"),
}
REQUIRED = ("name", "id_number", "room", "card", "from", "until")
_PHONE = re.compile(r"1[3-9][0-9]{9}")


@dataclass(frozen=True)
class Fault:
    """One wrong field. row: line of the file, the header is 1; field: the column as it is named."""

    row: int
    field: str
    what: str


@dataclass(frozen=True)
class Row:
    """One worker, every field good by itself; minutes since 2020."""

    line: int
    name: str
    id_number: str
    room: str
    phone: str
    credential: Credential
    from_min: int
    until_min: int


@dataclass(frozen=True)
class Roster:
    """Good rows and all faults; names: the column names as this file has them."""

    rows: list[Row]
    faults: list[Fault]
    names: dict[str, str]


def read(path: Path, em4100_version: int, today: date, local: SiteTime) -> Roster:
    """Every row of the file, its dates by ``local``; OperatorError when it is no such file."""
    try:
        lines = list(csv.reader(io.StringIO(text_of(path), newline="")))
    except csv.Error:
        raise OperatorError(
            t("{path} is no CSV file", path=path.name), t("Give the roster as CSV")
        ) from None
    if not lines:
        raise OperatorError(t("{path} is empty", path=path.name), t("Give the roster as CSV"))
    header = [cell.strip() for cell in lines[0]]
    columns, faults = _columns(header)
    names = {field: header[place] for place, field in columns.items()}
    if faults:
        return Roster([], faults, names)
    rows = []
    read: list[_Reader] = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        row = _Reader(number, names, em4100_version, today, local)
        good = row.read(cells, columns)
        faults += row.faults
        read.append(row)
        if good is not None:
            rows.append(good)
    if not rows and not faults:
        raise OperatorError(t("{path} names nobody", path=path.name), t("Give the roster as CSV"))
    return Roster(rows, faults + _doubles(read, names), names)


def text_of(path: Path) -> str:
    """Its text, whichever of the two encodings it has; OperatorError."""
    try:
        raw = path.read_bytes()
    except OSError:
        raise OperatorError(
            t("{path} cannot be read", path=path.name), t("Check the name of the file")
        ) from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OperatorError(
        t("{path} is neither UTF-8 nor GB 18030 text", path=path.name),
        t("Save it from the spreadsheet as CSV UTF-8"),
    )


def _columns(header: list[str]) -> tuple[dict[int, str], list[Fault]]:
    known = {name: field for field, names in COLUMNS.items() for name in names}
    columns: dict[int, str] = {}
    faults = []
    for place, name in enumerate(header):
        field = known.get(name) or known.get(name.lower())
        if field is None:
            faults.append(Fault(1, name or str(place + 1), t("unknown column")))
        elif field in columns.values():
            faults.append(Fault(1, name, t("column twice")))
        else:
            columns[place] = field
    missing = [field for field in REQUIRED if field not in columns.values()]
    faults += [Fault(1, COLUMNS[field][0], t("column missing")) for field in missing]
    return columns, faults


class _Reader:
    """One line: takes its fields one by one and keeps what is wrong with them."""

    def __init__(
        self,
        line: int,
        names: dict[str, str],
        em4100_version: int,
        today: date,
        local: SiteTime,
    ) -> None:
        self.faults: list[Fault] = []
        self.once: list[tuple[str, object]] = []  # fields that no other row may repeat
        self.line = line
        self._names = names
        self._em4100_version = em4100_version
        self._today = today
        self._local = local
        self._cells: dict[str, str] = {}

    def read(self, cells: list[str], columns: dict[int, str]) -> Row | None:
        if len(cells) > len(columns):
            self._wrong("name", t("more fields than columns"))
        for place, field in columns.items():
            self._cells[field] = cells[place].strip() if place < len(cells) else ""
        name, room = self._short("name", NAME_MAX), self._short("room", ROOM_MAX)
        number, phone = self._id_number(), self._phone()
        credential = self._card()
        begin, end = self._date("from"), self._date("until")
        if begin and end and end < begin:
            self._wrong("until", t("the lease ends before it begins"))
        if self.faults or credential is None or begin is None or end is None:
            return None
        until_min = self._local.midnight_min(end + timedelta(days=1))
        from_min = self._local.midnight_min(begin)
        return Row(self.line, name, number, room, phone, credential, from_min, until_min)

    def _wrong(self, field: str, what: str) -> None:
        self.faults.append(Fault(self.line, self._names.get(field, field), what))

    def _needed(self, field: str) -> str:
        text = self._cells[field]
        if not text:
            self._wrong(field, t("empty"))
        return text

    def _short(self, field: str, longest: int) -> str:
        text = self._needed(field)
        if text and not people.is_short(text, longest):
            self._wrong(field, t("longer than {n} characters, or unprintable", n=longest))
        return text

    def _id_number(self) -> str:
        number = id_number.normalise(self._needed("id_number"))
        fault = id_number.fault(number, self._today) if number else None
        if fault is not None:
            self._wrong("id_number", t(id_number.FAULTS[fault]))
        self._once("id_number", number)
        return number

    def _phone(self) -> str:
        phone = re.sub(r"[ -]", "", self._cells.get("phone", ""))
        if phone and not _PHONE.fullmatch(phone):
            self._wrong("phone", t("not a mobile number of 11 digits"))
        return phone

    def _card(self) -> Credential | None:
        text = self._needed("card")
        try:
            credential = credentials.parse(text, self._em4100_version) if text else None
        except OperatorError:
            self._wrong("card", t("not a card number"))
            return None
        self._once("card", credential)
        return credential

    def _once(self, field: str, value: object) -> None:
        if value:
            self.once.append((field, value))

    def _date(self, field: str) -> date | None:
        text = self._needed(field)
        try:
            day = date_forms.day(text)
        except ValueError:
            if text:
                self._wrong(field, t("not a date such as 2025-03-31"))
            return None
        end_min = self._local.midnight_min(day)
        if not 0 <= end_min < TIME_END_MIN - 1440:
            self._wrong(field, t("not between 2020 and 2051"))
            return None
        return day


def _doubles(rows: list[_Reader], names: dict[str, str]) -> list[Fault]:
    """Cards and persons that stand in the file twice: the later row is at fault, whatever else."""
    faults = []
    first: dict[tuple[str, object], int] = {}
    for row in rows:
        for field, value in row.once:
            line = first.setdefault((field, value), row.line)
            if line != row.line:
                what = t("the same as in row {row}", row=line)
                faults.append(Fault(row.line, names[field], what))
    return faults
