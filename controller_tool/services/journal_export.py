"""Stored journals as files: .csv, .ndjson or .jsonl, .xlsx (host).

A file is its owner's alone, for it holds names. Entries go through one by one, so that it does not
matter how many there are. Spreadsheets (.csv, .xlsx) are for people: headers in their language, and
doors count from 1. NDJSON is for programs: English keys, doors as records have them.
"""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import contextmanager
from dataclasses import fields
from typing import IO, TYPE_CHECKING, Any

from controller_tool import disk
from controller_tool.errors import OperatorError
from controller_tool.keys.files import FILE_MODE
from controller_tool.messages import name_of, t
from controller_tool.services import audit, journal_read, journal_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from controller_tool.services.journal_filter import Filter
    from controller_tool.services.journal_index import Progress
    from controller_tool.services.journal_read import Entry, Flaws
    from controller_tool.services.site import Site

# full-width ones too: a Chinese spreadsheet takes them for the narrow ones
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
COLUMNS = [field.name for field in fields(journal_read.Entry)]
DETAILS = "details"  # of `extra` in words, in spreadsheets


def export(
    site: Site,
    wanted: Filter,
    path: Path,
    force: bool = False,
    progress: Progress | None = None,
    flaws: Flaws | None = None,
) -> int:
    """Write all wanted entries to ``path``, by time; returns how many. flaws: are told there.

    A file that is there already is left alone without ``force``, and never written through a
    link. Raises OperatorError.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise OperatorError(
            t("{name} is neither .csv nor .ndjson nor .xlsx", name=path.name),
            t("Give a file name with one of these endings, such as log.xlsx"),
        )
    with new_file(path, force) as file:
        audit.export_begun(site, "journal", ["access", "alarm"])
        return write(file, journal_read.walk(site, wanted, progress, flaws))


@contextmanager
def new_file(path: Path, force: bool = False) -> Iterator[IO[bytes]]:
    """A new file of the owner's alone; it does not stay when writing it fails."""
    try:
        if force:
            path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, FILE_MODE)
    except FileExistsError:
        raise OperatorError(
            t("{path} is there already", path=path), t("Name a new file, or add --force")
        ) from None
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unwritable(path, error) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends


def unwritable(path: Path, error: OSError) -> OperatorError:
    """What to say when the disk does not take it."""
    if disk.is_full(error):
        return OperatorError(t("No space left to write {path}", path=path), disk.next_step(error))
    return OperatorError(t("{path} cannot be written", path=path), disk.next_step(error))


def safe(value: object) -> object:
    """As a spreadsheet takes it: text that it would calculate with gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def json_line(fields: dict[str, Any]) -> str:
    """One line of NDJSON."""
    return json.dumps(fields, ensure_ascii=False) + "\n"


def csv_writer(file: IO[bytes]) -> tuple[Any, io.TextIOWrapper]:
    """A writer of rows, and the text stream to detach at the end."""
    # spreadsheets take a CSV file for UTF-8 by its mark only
    stream = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    return csv.writer(stream), stream


def _csv(file: IO[bytes], entries: Iterable[Entry]) -> int:
    writer, stream = csv_writer(file)
    writer.writerow(_headers())
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 - the last one counts
        writer.writerow(_for_people(entry))
    stream.detach()
    return count


def _headers() -> list[str]:
    """The columns in the language of whoever exports."""
    return [name_of("column", name) for name in (*COLUMNS, DETAILS)]


def _for_people(entry: Entry) -> list[object]:
    """A row of a spreadsheet: doors count from 1, empty for the controller itself."""
    values = {**vars(entry), "point": journal_read.door_of(entry.point)}
    return [safe(value) for value in (*values.values(), entry.details)]


def _ndjson(file: IO[bytes], entries: Iterable[Entry]) -> int:
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 - as above
        file.write(json_line(vars(entry)).encode())
    return count


def _xlsx(file: IO[bytes], entries: Iterable[Entry]) -> int:
    return journal_sheet.write(file, _headers(), map(_for_people, entries))


_WRITERS: dict[str, Callable[[IO[bytes], Iterable[Entry]], int]] = {
    ".csv": _csv, ".ndjson": _ndjson, ".jsonl": _ndjson, ".xlsx": _xlsx,
}  # fmt: skip
