"""A list of houses as villages keep it: one row a house, each field judged by itself (host).

Rooms stand in one cell: ``101:2, 102:2, 201~210:4`` is the number on the door and its beds, with
``~`` for all numbers of a floor. What is not said of a house that is known stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from controller_tool import id_number
from controller_tool.messages import chinese, t
from controller_tool.rules import contact, landlords, words
from controller_tool.services import people
from controller_tool.services.desk import roster_template, sheet_cells, sheets
from controller_tool.services.desk.areas import CODE_MAX as GRID_MAX
from controller_tool.services.desk.houses import ADDRESS_MAX, CODE_MAX
from controller_tool.services.desk.sheet_cells import Cell, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from controller_tool.services.desk.sheets import Line, Table

# field: its column names; the first is the one that is printed. `note` is read and not kept.
COLUMNS = {
    "address_code": ("地址编码", "统一地址编码", "标准地址编码", "房屋编码", "address code"),
    "address": ("地址", "房屋地址", "详细地址", "标准地址", "房屋坐落", "address"),
    "grid": ("网格", "网格编码", "网格代码", "所属网格", "grid"),
    "type5": ("类型", "房屋类型", "出租房类型", "type"),
    "class4": ("类别", "房屋类别", "分类", "等级", "class"),
    "rooms": ("房间数", "间数", "出租间数", "出租房间数", "rooms"),
    "beds": ("床位数", "出租床位数", "beds"),
    "landlord": ("房东", "房东姓名", "出租人", "landlord"),
    "phone": ("电话", "房东电话", "联系电话", "手机号", "手机", "联系方式", "phone"),
    "document": ("证件", "证件号", "证件号码", "房东证件号", "身份证号", "身份证号码", "document"),
    "room_beds": ("房间床位", "房间明细", "房间", "room beds"),
    "note": ("备注", "说明", "note", "remarks"),
}  # fmt: skip
HOUSES = sheets.Columns(
    COLUMNS, ("address_code", "address", "grid", "type5", "rooms", "beds"), "address_code"
)
_SECRET = ("phone", "document")
_COUNT_MAX = 9999
_ROOMS_MAX = 500
_ROOM = re.compile(r"(?P<first>[^:*×=~]+)(~(?P<last>[0-9]+))?[:*×=](?P<beds>[0-9]{1,3})")


@dataclass
class Row:
    """One house; texts are empty and class4 is None where the file does not say.

    room_beds: beds by number of the room; faults: of this row alone.
    """

    line: int
    address_code: str
    address: str
    grid: str
    type5: str
    class4: str | None
    rooms: int
    beds: int
    landlord: str
    phone: str
    document: str
    room_beds: dict[str, int]
    faults: list[Fault] = field(default_factory=list)


def read(raw: bytes, name: str, sheet: str | None = None) -> tuple[Table, list[Row]]:
    """The file's table and all its rows, good or not; OperatorError when it is no such file."""
    table = sheets.read(raw, name, HOUSES, sheet)
    rows = [_Reader(line, table.names).read() for line in table.lines]
    first: dict[str, int] = {}
    for row in rows:
        line = first.setdefault(row.address_code, row.line)
        if row.address_code and line != row.line:
            row.faults.append(fault(table, row, "address_code", row.address_code,
                                    t("the same as in row {row}", row=line)))  # fmt: skip
    return table, rows


def fault(table: Table, row: Row, column: str, value: str, what: str) -> Fault:
    """A fault that only the registry or another row knows of; ``value`` is masked here."""
    return Fault(row.line, table.names.get(column, COLUMNS[column][0]), what,
                 sheet_cells.shown(value, column in _SECRET))  # fmt: skip


def write_template(path: Path) -> None:
    """Write an empty list to fill in; OSError when it is there."""
    note = t("One row a house. The grid by its code. Rooms and their beds as 101:2, 102:2,"
             " 201~210:4. Class, landlord, phone, document and rooms may stay empty.")  # fmt: skip
    names = [names[0] for column, names in COLUMNS.items() if column != "note"]
    roster_template.write_table(path, t("houses"), note, names)


class _Reader:
    """One line: takes its fields one by one and keeps what is wrong with them."""

    def __init__(self, line: Line, names: dict[str, str]) -> None:
        self._line, self._names = line, names
        self._faults: list[Fault] = []

    def read(self) -> Row:
        if self._line.extra:
            self._wrong("address_code", t("more fields than columns"))
        for column, cell in self._line.cells.items():
            if cell.fault and column != "note":
                self._wrong(column, cell.fault)
        return Row(
            self._line.number, self._short("address_code", CODE_MAX),
            self._short("address", ADDRESS_MAX), self._short("grid", GRID_MAX),
            self._code("type5", words.TYPES) or "", self._code("class4", words.CLASSES),
            self._count("rooms"), self._count("beds"),
            self._short("landlord", people.NAME_MAX), self._phone(), self._document(),
            self._room_beds(), self._faults,
        )  # fmt: skip

    def _text(self, column: str) -> str:
        text = self._line.cells.get(column, Cell()).text
        if not text and column in HOUSES.required:
            self._wrong(column, t("empty"))
        return text

    def _wrong(self, column: str, what: str) -> None:
        """The first fault of a field is told."""
        name = self._names.get(column, column)
        if all(one.field != name for one in self._faults):
            value = sheet_cells.shown(self._line.cells.get(column, Cell()).text, column in _SECRET)
            self._faults.append(Fault(self._line.number, name, what, value))

    def _short(self, column: str, longest: int) -> str:
        text = self._text(column)
        if not people.is_short(text, longest):
            self._wrong(column, t("longer than {n} characters, or unprintable", n=longest))
        return text

    def _phone(self) -> str:
        phone = contact.phone(self._text("phone"))
        if phone is None:
            self._wrong("phone", t(contact.NO_PHONE))
        return phone or ""

    def _document(self) -> str:
        number = id_number.normalise(self._text("document"))
        fault = landlords.document_fault(number, date.today())  # noqa: DTZ011 - a birth date
        if fault:
            self._wrong("document", fault)
        return number

    def _code(self, column: str, codes: Sequence[str]) -> str | None:
        """A code of rules.words, written as such or in Chinese with 类 or without."""
        text = self._text(column)
        for code in codes:
            named = chinese(column, code)
            if text and text.lower() in (code, named, named.removesuffix("类")):
                return code
        if text:
            known = ", ".join(f"{code} ({chinese(column, code)})" for code in codes)
            self._wrong(column, t("none of: {names}", names=known))
        return None

    def _count(self, column: str) -> int:
        text = self._text(column)
        if text and not (text.isascii() and text.isdigit() and int(text) <= _COUNT_MAX):
            self._wrong(column, t("not a number from 0 to {n}", n=_COUNT_MAX))
            return 0
        return int(text or 0)

    def _room_beds(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in re.split(r"[,;、]", self._text("room_beds")):
            for number, beds in _rooms(part.replace(" ", "")):
                if number in found or not people.is_short(number, people.ROOM_MAX):
                    self._wrong("room_beds", t("room {room} twice, or too long", room=number))
                found[number] = beds
            if part.strip() and not _rooms(part.replace(" ", "")):
                self._wrong("room_beds", t("not rooms with beds such as 101:2, 201~210:4"))
        return found


def _rooms(part: str) -> list[tuple[str, int]]:
    """Rooms and beds of ``101:2`` or ``101~110:2``; none for what is neither."""
    found = _ROOM.fullmatch(part)
    if found is None:
        return []
    first, last, beds = found["first"], found["last"], int(found["beds"])
    if last is None:
        return [(first, beds)]
    if not (first.isascii() and first.isdigit() and len(first) == len(last)):
        return []
    numbers = range(int(first), int(last) + 1)
    if len(numbers) > _ROOMS_MAX:
        return []
    return [(str(number).zfill(len(last)), beds) for number in numbers]
