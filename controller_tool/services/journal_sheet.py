"""Rows as an .xlsx workbook, however many there are (host).

openpyxl keeps each sheet in a temporary file and packs them at the end. When one of these writes
fails, what it left half done would complain once more when it is let go of: it is let go of here.

Headers are bold and stay in sight; columns are as wide as their headers and first rows want.
"""

from __future__ import annotations

import errno
import itertools
import tempfile
import unicodedata
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openpyxl import Workbook

SHEET_ROWS = 1_000_000  # a sheet has 1 048 576
_LOOKED_AT = 200
_WIDTH_AROUND, _WIDTH_MAX = 2, 60


def write(
    file: IO[bytes],
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str = "journal",
) -> int:
    """Write the workbook; returns how many rows it has. Raises OSError when the disk is full.

    title: of its sheets, with their numbers.
    """
    return _write(file, lambda book: _fill(book, headers, rows, title))


def write_sheets(
    file: IO[bytes], sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[object]]]]
) -> None:
    """Write a workbook of short sheets: title, headers, rows of each. Raises OSError as `write`."""

    def fill(book: Workbook) -> int:
        for title, headers, rows in sheets:
            _fill_sheet(book, title, headers, rows)
        return 0

    _write(file, fill)


def _write(file: IO[bytes], fill: Callable[[Workbook], int]) -> int:
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, seldom asked for

    _require_temporary()
    book = Workbook(write_only=True)
    sink = _Sink(file)
    try:
        count = fill(book)
        book.save(sink)
    except BaseException:
        sink.given_up = True
        _let_go(book)
        raise
    return count


def _require_temporary() -> None:
    """On a disk that is quite full there is no folder at all that would take one."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise OSError(errno.ENOSPC, str(error.strerror)) from None


def _fill(
    book: Workbook, headers: Sequence[str], rows: Iterable[Sequence[object]], title: str
) -> int:
    count = 0
    rest = iter(rows)
    for number in itertools.count(1):
        some = list(itertools.islice(rest, 1))
        if not some and number > 1:
            break
        some_more = itertools.islice(rest, SHEET_ROWS - 1)
        count += _fill_sheet(book, f"{title} {number}", headers, itertools.chain(some, some_more))
    return count


def _fill_sheet(
    book: Workbook, title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    """One sheet; how many rows it has."""
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - slow to import, seldom asked for
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    rest = iter(rows)
    first = [list(row) for row in itertools.islice(rest, _LOOKED_AT)]
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, header in enumerate(headers):
        texts = [header, *(row[place] for row in first if place < len(row))]
        wanted = max(_cells_wide(text) for text in texts) + _WIDTH_AROUND
        letter = get_column_letter(place + 1)
        sheet.column_dimensions[letter].width = min(wanted, _WIDTH_MAX)
    bold = [WriteOnlyCell(sheet, header) for header in headers]
    for cell in bold:
        cell.font = Font(bold=True)
    sheet.append(bold)
    count = 0
    for row in itertools.chain(first, rest):
        sheet.append(list(row))
        count += 1
    return count


def _cells_wide(value: object) -> int:
    """Columns of a screen that a text takes: a Chinese character takes two."""
    text = "" if value is None else str(value)[:_WIDTH_MAX]
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


def _let_go(book: Workbook) -> None:
    """Close the temporary files of the sheets; whether they take their ends does not matter."""
    for sheet in book.worksheets:
        writer: Any = getattr(sheet, "_writer", None)
        parts: tuple[Any, ...] = (getattr(sheet, "_rows", None), getattr(writer, "xf", None))
        for part in parts:
            with suppress(Exception):
                part.close()
        with suppress(Exception):
            writer.cleanup()  # they may be what fills the disk


class _Sink:
    """The file as ZipFile takes one; once given up it takes everything and keeps nothing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._at = 0
        self.given_up = False

    def write(self, data: bytes) -> int:
        """As of a file."""
        if not self.given_up:
            self._file.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """As of a file."""
        return self._at

    def seek(self, at: int) -> int:
        """As of a file, from its beginning."""
        if not self.given_up:
            self._file.seek(at)
        self._at = at
        return at

    def flush(self) -> None:
        """As of a file."""
        if not self.given_up:
            self._file.flush()
