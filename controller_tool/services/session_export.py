"""Charging sessions as files: .csv, .ndjson or .jsonl, .xlsx (host).

As with journals, spreadsheets are for people (their language, ports from 1) and NDJSON is for
programs (English keys, ports as records have them). A file is its owner's alone.
"""

from __future__ import annotations

from dataclasses import fields
from typing import IO, TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import audit, journal_export, journal_read, journal_sheet
from controller_tool.services.charge_sessions import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from controller_tool.services.site import Site

_FOR_PROGRAMS = ("began_s", "ended_s")
COLUMNS = [one.name for one in fields(Session)]
SHEET_COLUMNS = [name for name in COLUMNS if name not in _FOR_PROGRAMS]


def export(site: Site, found: Sequence[Session], path: Path, force: bool = False) -> int:
    """Write them to ``path``; returns how many. Raises OperatorError."""
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise OperatorError(
            t("{name} is neither .csv nor .ndjson nor .xlsx", name=path.name),
            t("Give a file name with one of these endings, such as log.xlsx"),
        )
    with journal_export.new_file(path, force) as file:
        audit.export_begun(site, "sessions", ["session"], len(found))
        write(file, found)
    return len(found)


def _headers() -> list[str]:
    return [name_of("column", name) for name in SHEET_COLUMNS]


def _row(one: Session) -> list[object]:
    values = {**vars(one), "point": journal_read.door_of(one.point)}
    return [journal_export.safe(values[name]) for name in SHEET_COLUMNS]


def _csv(file: IO[bytes], found: Sequence[Session]) -> None:
    writer, stream = journal_export.csv_writer(file)
    writer.writerow(_headers())
    writer.writerows(map(_row, found))
    stream.detach()


def _ndjson(file: IO[bytes], found: Sequence[Session]) -> None:
    for one in found:
        file.write(journal_export.json_line(vars(one)).encode())


def _xlsx(file: IO[bytes], found: Sequence[Session]) -> None:
    journal_sheet.write(file, _headers(), map(_row, found), t("charging sessions"))


_WRITERS: dict[str, Callable[[IO[bytes], Sequence[Session]], None]] = {
    ".csv": _csv, ".ndjson": _ndjson, ".jsonl": _ndjson, ".xlsx": _xlsx,
}  # fmt: skip
