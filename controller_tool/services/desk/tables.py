"""Rows for other people's spreadsheets: .csv or .xlsx, its owner's alone (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import journal_export, journal_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUFFIXES = (".csv", ".xlsx")


def require_suffix(path: Path) -> None:
    """OperatorError for a file that is neither of the two."""
    if path.suffix.lower() not in SUFFIXES:
        raise OperatorError(
            t("{name} is neither .csv nor .xlsx", name=path.name),
            t("Give a file name with one of these endings, such as list.xlsx"),
        )


def write(
    path: Path, headers: Sequence[str], rows: Sequence[Sequence[object]], title: str,
    force: bool = False,
) -> int:  # fmt: skip
    """Write the file; returns how many rows it has. Raises OperatorError."""
    require_suffix(path)
    safe = [[journal_export.safe(cell) for cell in row] for row in rows]
    with journal_export.new_file(path, force) as file:
        if path.suffix.lower() == ".xlsx":
            return journal_sheet.write(file, headers, safe, title)
        writer, stream = journal_export.csv_writer(file)
        writer.writerow(headers)
        writer.writerows(safe)
        stream.detach()
    return len(safe)
