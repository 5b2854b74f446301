"""Rows of an .xlsx workbook that somebody else made: bounded, and without trust (host).

A workbook is a zip of XML. Sizes are bounded by what is really unpacked, whatever the zip says of
itself, and each part is read once by expat, which refuses document types, so that no entity is ever
expanded. openpyxl gets a zip made anew of what was read so, and nothing else: a part by any other
ending (a picture, or a sheet that hides from this) is not in it. That reading also finds what
openpyxl's fast mode does not tell: hidden rows and columns, merged cells, formulas without a
value. Hidden is whatever nobody sees: marked so, of no height or width, or by the sheet's default.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any
from xml.parsers import expat

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services.desk.sheet_cells import Cell, cell

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS_MAX = 20_000
COLUMNS_MAX = 64
UNPACKED_MAX_BYTES = 64 * 1024 * 1024
_PARTS_MAX = 1000
_READ_BYTES = 1 << 16
_XML = (".xml", ".rels")
_MERGED_MAX = 50_000  # merged ranges, and cells that one value fills
_TRUE = frozenset({"1", "true"})
_SEEN = 0.75  # points of a row, characters of a column: a pixel at least
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Grid = list[tuple[int, list[Cell]]]  # row number from 1, its cells


@dataclass
class _Marks:
    """What one sheet's XML says beside values; rows and columns from 1."""

    hidden: set[int] = field(default_factory=set)
    shut: set[int] = field(default_factory=set)  # hidden columns
    no_value: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def read(raw: bytes, name: str) -> dict[str, Grid]:
    """Rows of each sheet that people see, by its name; OperatorError for what is no workbook."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and checks that are not read
            parts = _parts(raw, name)
            marks = {part: _Part().read(xml) for part, xml in parts.items()}
            return _sheets(_packed(parts), marks)
    except OperatorError:
        raise
    except Exception:  # noqa: BLE001 - openpyxl raises whatever a wrong part makes of it
        raise _unreadable(name) from None


def _unreadable(name: str) -> OperatorError:
    return OperatorError(
        t("{path} is no workbook that can be read", path=name),
        t("Open it in the spreadsheet program and save it as .xlsx"),
    )


def _parts(raw: bytes, name: str) -> dict[str, bytes]:
    """The XML of a workbook by name; ValueError for one that is there twice."""
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        parts = packed.infolist()
        left = UNPACKED_MAX_BYTES
        if len(parts) > _PARTS_MAX or sum(part.file_size for part in parts) > left:
            raise _too_much(name)
        for part in parts:
            if not part.filename.lower().endswith(_XML):
                continue
            if part.filename in found:
                raise ValueError
            with packed.open(part) as file:
                # a bound for each read: of a part that lies about its size the zip module would
                # unpack a gigabyte at once and throw most of it away
                xml = b"".join(iter(lambda: file.read(_READ_BYTES), b""))
            left -= len(xml)
            if left < 0:
                raise _too_much(name)
            found[part.filename] = xml
    return found


def _too_much(name: str) -> OperatorError:
    return OperatorError(
        t("{path} unpacks to more than {n} MB", path=name, n=UNPACKED_MAX_BYTES >> 20),
        t("Copy the table alone into a new workbook"),
    )


def _packed(parts: dict[str, bytes]) -> IO[bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        for part, xml in parts.items():
            packed.writestr(part, xml)
    return made


class _Part:
    """Reads one XML part; ValueError for a document type."""

    def __init__(self) -> None:
        self.marks = _Marks()
        self._row = self._column = 0
        self._formula = self._value = self._within = False
        self._zero_height = False  # of rows that do not say otherwise
        self._expat = expat.ParserCreate()
        self._expat.StartDoctypeDeclHandler = _refuse
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._characters

    def read(self, xml: bytes) -> _Marks:
        self._expat.Parse(xml, True)
        return self.marks

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._column = 0
                if _unseen(attributes, "ht", self._zero_height):
                    self.marks.hidden.add(self._row)
            case "sheetFormatPr":
                self._zero_height = attributes.get("zeroHeight") in _TRUE
            case "col" if _unseen(attributes, "width", by_default=False):
                last = min(int(attributes["max"]), COLUMNS_MAX)
                self.marks.shut.update(range(int(attributes["min"]), last + 1))
            case "c":
                found = _REFERENCE.fullmatch(attributes.get("r", ""))
                self._column = _number(found[1]) if found else self._column + 1
                self._formula = False
                self._value = attributes.get("t") == "str"  # which may be an empty text
            case "f":
                self._formula = True
            case "v":
                self._within = True
            case "mergeCell" if len(self.marks.merged) < _MERGED_MAX:
                ends = [_REFERENCE.fullmatch(e) for e in attributes.get("ref", "").split(":")]
                if len(ends) == 2 and ends[0] and ends[1]:  # noqa: PLR2004 - a range's corners
                    (one, two) = ends[0], ends[1]
                    self.marks.merged.append(
                        (int(one[2]), _number(one[1]), int(two[2]), _number(two[1]))
                    )

    def _characters(self, _text: str) -> None:
        self._value = self._value or self._within

    def _end(self, tag: str) -> None:
        self._within = False
        if tag.rpartition(":")[2] == "c" and self._formula and not self._value:
            self.marks.no_value.add((self._row, self._column))


def _unseen(attributes: dict[str, str], size: str, by_default: bool) -> bool:
    """Whether nobody sees a row or column; size: the name of its height or width."""
    said = attributes.get(size)
    if attributes.get("hidden") in _TRUE or (said is not None and float(said) < _SEEN):
        return True
    return by_default and said is None and attributes.get("hidden") is None


def _refuse(*_: object) -> None:
    raise ValueError


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _sheets(packed: IO[bytes], marks: dict[str, _Marks]) -> dict[str, Grid]:
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, seldom asked for

    book = load_workbook(packed, read_only=True, data_only=True, keep_links=False)
    try:
        return {
            sheet.title: _grid(sheet, marks.get(_path(sheet), _Marks()))
            for sheet in book.worksheets
            if sheet.sheet_state == "visible"
        }
    finally:
        book.close()


def _path(sheet: Any) -> str:
    return str(sheet._worksheet_path).lstrip("/")  # noqa: SLF001 - where its XML lies in the zip


def _grid(sheet: Any, marks: _Marks) -> Grid:
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    rows: dict[int, list[Cell]] = {}
    for number, cells in enumerate(sheet.iter_rows(max_row=ROWS_MAX + 100), 1):
        made = [cell(one.value, one.data_type == "e") for one in cells[: COLUMNS_MAX + 1]]
        while made and made[-1] == Cell():
            made.pop()
        if made:
            rows[number] = made
    _no_values(rows, marks)
    _fill(rows, marks.merged)
    fault = t("the row is hidden: show it, or delete it")
    for number in marks.hidden & rows.keys():
        rows[number] = [Cell(one.text, one.fault or fault, one.number) for one in rows[number]]
    _shut(rows, marks)
    return sorted(rows.items())


def _shut(rows: dict[int, list[Cell]], marks: _Marks) -> None:
    """A hidden column's values are faults; the header keeps its words, so that it is known."""
    fault = t("the column is hidden: show it, or delete it")
    for cells in rows.values():
        for at, one in enumerate(cells):
            if at + 1 in marks.shut and one.text:
                cells[at] = Cell(one.text, one.fault or fault, one.number)


def _no_values(rows: dict[int, list[Cell]], marks: _Marks) -> None:
    fault = t("a formula without its value: open the file in the spreadsheet program and save it")
    for row, column in marks.no_value:
        if row <= ROWS_MAX and column <= COLUMNS_MAX:
            _put(rows, row, column, Cell("", fault))


def _fill(rows: dict[int, list[Cell]], merged: Sequence[tuple[int, int, int, int]]) -> None:
    """What several cells say together is what each of them says: one room beside six workers."""
    left = _MERGED_MAX
    for top, first, bottom, last in merged:
        cells = rows.get(top, [])
        if not 0 < first <= len(cells) or cells[first - 1] == Cell():
            continue
        for row in range(top, min(bottom, ROWS_MAX) + 1):
            for column in range(first, min(last, COLUMNS_MAX) + 1):
                left -= 1
                if left > 0 and (row == top or row in rows):
                    _put(rows, row, column, cells[first - 1])


def _put(rows: dict[int, list[Cell]], row: int, column: int, value: Cell) -> None:
    cells = rows.setdefault(row, [])
    cells += [Cell()] * (column - len(cells))
    cells[column - 1] = value
