"""Tables as offices really send them: .xlsx or CSV, read into rows under known columns (host).

- .xlsx; or text in UTF-8 (with or without mark) or GB 18030, with commas, semicolons or tabs
- the header is the row near the top that names most known columns; a title may stand above it
- of several sheets the named one, else the only one with such a header
- rows without any text are no rows; a header that is repeated on each page is none either
- totals and notes of whoever made the table are left out and named: rows that begin with such a
  word and have nothing in the key column but that word or a count

Bounds: FILE_MAX_BYTES, ROWS_MAX rows, COLUMNS_MAX columns, CELL_MAX characters in a cell.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services.desk import sheet_xlsx
from controller_tool.services.desk.sheet_cells import Cell, Fault, of_text, shown
from controller_tool.services.desk.sheet_xlsx import COLUMNS_MAX, ROWS_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from controller_tool.services.desk.sheet_xlsx import Grid

FILE_MAX_BYTES = 16 * 1024 * 1024
_HEADER_WITHIN = 20
_SEPARATORS = ",;\t"
_COUNT = re.compile(r"[0-9]{1,6} ?[人名户间张个]?")
_TOTAL = re.compile(
    r"(?:本页|全部)?(?:合|总|小|共|累) ?计(?:人数|户数)?[:,]? ?(?:[0-9]{1,6} ?[人名户间张个]?)?"
    r"|(?:sub|grand )?totals?[:,]? ?[0-9]{0,6}", re.IGNORECASE,
)  # fmt: skip
_NOTE = re.compile(r"(?:制表|填表|填报|审核|经办|负责)人?[:]|(?:注|备注|说明|单位盖章)[:]")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Columns:
    """field: its names, the first is the one that is printed; required: fields that must be there.

    key: the field without which a row is no entry; strict: a column of another name is a fault;
    else it is not read, and named.
    """

    names: Mapping[str, Sequence[str]]
    required: Sequence[str]
    key: str
    strict: bool = False


@dataclass(frozen=True)
class Line:
    """One row of the file. number: as the spreadsheet counts; extra: it has more than columns."""

    number: int
    cells: dict[str, Cell]
    extra: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A row that is no entry, and how it begins."""

    row: int
    text: str


@dataclass(frozen=True)
class Table:
    """names: field to its column's name in this file, in their order; ignored: other columns."""

    names: dict[str, str]
    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class _Header:
    place: int  # among the rows that have text
    row: int
    columns: dict[int, str]
    titles: list[str]


def read(raw: bytes, name: str, columns: Columns, sheet: str | None = None) -> Table:
    """The table of a file's bytes; OperatorError when there is none in it."""
    if not raw.strip():
        raise OperatorError(t("{path} is empty", path=name), _give())
    grid = _grid(raw, name, columns, sheet)
    header = _header(grid, columns)
    if header is None:
        raise OperatorError(
            t("{path} has no row with names of columns", path=name),
            t("Name at least these: {names}",
              names=", ".join(columns.names[one][0] for one in columns.required)),
        )  # fmt: skip
    made = _head(header, columns)
    if made.faults:
        return made
    for number, cells in grid[header.place + 1 :]:
        texts = [cell.text for cell in cells]
        if not any(one.text or one.fault for one in cells) or texts == header.titles:
            continue
        if len(made.lines) >= ROWS_MAX:
            raise OperatorError(
                t("{path} has more than {n} rows", path=name, n=ROWS_MAX), t("Split it")
            )
        line = _line(number, cells, header)
        word = _no_entry(cells, line.cells.get(columns.key, Cell()))
        if word:
            made.left_out.append(LeftOut(number, shown(word)))
        else:
            made.lines.append(line)
    if not made.lines:
        raise OperatorError(t("{path} names nobody", path=name), _give())
    return made


def _no_entry(cells: Sequence[Cell], key: Cell) -> str:
    """How a total or a note begins; "" for an entry, which has something in the key column."""
    word = next((one.text for one in cells if one.text), "")
    if not (_TOTAL.fullmatch(word) or _NOTE.match(word)):
        return ""
    return word if key.text in ("", word) or _COUNT.fullmatch(key.text) else ""


def read_bytes(path: Path) -> bytes:
    """What the file holds; OperatorError when it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_MAX_BYTES + 1)
    except OSError:
        raise OperatorError(
            t("{path} cannot be read", path=path.name), t("Check the name of the file")
        ) from None
    if len(raw) > FILE_MAX_BYTES:
        raise OperatorError(
            t("{path} is larger than {n} MB", path=path.name, n=FILE_MAX_BYTES >> 20),
            t("Copy the table alone into a new workbook"),
        )
    return raw


def _give() -> str:
    return t("Give the table as .xlsx or CSV, names of columns in its first row")


def _grid(raw: bytes, name: str, columns: Columns, sheet: str | None) -> Grid:
    if raw.startswith(_OLE):
        raise OperatorError(
            t("{path} is an old .xls file, or has a password", path=name),
            t("Save it from the spreadsheet program as .xlsx without a password"),
        )
    if not raw.startswith(_ZIP):
        return _csv(text(raw, name), name, columns)
    found = sheet_xlsx.read(raw, name)
    if sheet is not None:
        if sheet not in found:
            raise _which(t("{path} has no sheet {sheet}", path=name, sheet=sheet), found)
        return found[sheet]
    fitting = [title for title, grid in found.items() if _fits(grid, columns)]
    if len(fitting) > 1:
        raise _which(t("{path} has several sheets that could be meant", path=name), fitting)
    named = fitting or [title for title, grid in found.items() if _header(grid, columns)]
    return found[named[0]] if named else []


def _which(what: str, sheets: Mapping[str, Grid] | Sequence[str]) -> OperatorError:
    return OperatorError(what, t("Name one with --sheet: {names}", names=", ".join(sheets)))


def _fits(grid: Grid, columns: Columns) -> bool:
    header = _header(grid, columns)
    return header is not None and set(columns.required) <= set(header.columns.values())


def text(raw: bytes, name: str) -> str:
    """A text file's text, whichever of the two encodings it has; OperatorError."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OperatorError(
        t("{path} is neither UTF-8 nor GB 18030 text", path=name),
        t("Save it from the spreadsheet as CSV UTF-8"),
    )


def _csv(whole: str, name: str, columns: Columns) -> Grid:
    """Rows by the separator under which the header names most columns."""
    head = "".join(whole.splitlines(keepends=True)[:_HEADER_WITHIN])
    try:
        separator = max(_SEPARATORS, key=lambda one: _score(_rows(head, one), columns))
        return _rows(whole, separator)
    except csv.Error:
        raise OperatorError(t("{path} is no CSV file", path=name), _give()) from None


def _rows(whole: str, separator: str) -> Grid:
    """Numbered by records: a cell may hold line ends, and a spreadsheet counts it as one row."""
    lines = csv.reader(io.StringIO(whole, newline=""), delimiter=separator)
    return [(number, [of_text(one) for one in cells]) for number, cells in enumerate(lines, 1)]


def _score(grid: Grid, columns: Columns) -> int:
    header = _header(grid, columns)
    return len(header.columns) if header else 0


def _header(grid: Grid, columns: Columns) -> _Header | None:
    """Of the first rows the one that names most; the lower one of a header in two rows."""
    known = {_bare(name): one for one, names in columns.names.items() for name in names}
    best: _Header | None = None
    for place, (row, cells) in enumerate(grid[:_HEADER_WITHIN]):
        found = {at: known[_bare(c.text)] for at, c in enumerate(cells) if _bare(c.text) in known}
        if found and len(found) >= (len(best.columns) if best else 2):
            best = _Header(place, row, found, [cell.text for cell in cells])
    return best


def _bare(name: str) -> str:
    """A column's name without blanks, stars and what stands in brackets."""
    return re.sub(r"\(.*?\)|[\s*:_/]", "", name).lower()


def _head(header: _Header, columns: Columns) -> Table:
    names: dict[str, str] = {}
    faults = []
    other = []
    for place, title in enumerate(header.titles):
        found = header.columns.get(place)
        if place >= COLUMNS_MAX:
            faults.append(Fault(header.row, title, t("more than {n} columns", n=COLUMNS_MAX)))
            break
        if found is not None and found in names:
            faults.append(Fault(header.row, title, t("column twice")))
        elif found is not None:
            names[found] = title
        elif columns.strict:
            faults.append(Fault(header.row, title or str(place + 1), t("unknown column")))
        elif title:
            other.append(title)
    faults += [
        Fault(header.row, columns.names[one][0], t("column missing"))
        for one in columns.required if one not in names
    ]  # fmt: skip
    return Table(names, faults=faults, ignored=tuple(other))


def _line(number: int, cells: list[Cell], header: _Header) -> Line:
    found = {
        one: cells[place] if place < len(cells) else Cell() for place, one in header.columns.items()
    }
    beyond = cells[len(header.titles) :]
    return Line(number, found, any(one.text for one in beyond))
