"""An empty roster to fill in: columns under their printed names, all of them text (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.services import endings
from controller_tool.services.roster_file import DESK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FIELDS = (
    "name", "document", "id_number", "sex", "house", "room", "bed", "card", "from", "until",
    "phone", "origin", "employer", "note",
)  # fmt: skip
_WIDTH = 20
_ROWS = 500  # that are text already, so that no digit of a document is lost
_TEXT = "@"


def write(path: Path) -> None:
    """Write a new workbook; OSError when it is there. Its note stands above the header."""
    note = t("One row a person. Dates as 2026-03-31, the last day counts. Document: 身份证,"
             " 护照 or 通行证; empty is 身份证. The house only where the file has several;"
             " house, bed, card, first day and what you do not know may stay empty, or be left"
             " out as whole columns. All cells are text: keep them so, or ID numbers lose"
             " digits.")  # fmt: skip
    write_table(path, t("roster"), note, [DESK_COLUMNS[field][0] for field in FIELDS])


def write_table(path: Path, title: str, note: str, names: Sequence[str]) -> None:
    """As write, of any table: the note, then the names of its columns, then rows of text cells."""
    endings.require(path, ".xlsx")
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, seldom asked for

    book = Workbook()
    sheet = book.active
    sheet.title = title
    sheet.append([note])
    sheet.append(list(names))
    for place in range(1, len(names) + 1):
        sheet.column_dimensions[sheet.cell(2, place).column_letter].width = _WIDTH
        for row in range(3, _ROWS + 3):
            sheet.cell(row, place).number_format = _TEXT
    sheet.freeze_panes = "A3"
    with path.open("xb") as file:
        book.save(file)
