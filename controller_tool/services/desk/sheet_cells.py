"""What a cell of somebody's spreadsheet says, cleaned of how it was typed (host, pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from controller_tool.messages import t

CELL_MAX = 200
_SHORT = 10
_EXACT_BELOW = 10**15  # a spreadsheet keeps 15 digits of a number and writes zeros for the rest
_ROUNDED = re.compile(r"[0-9]+(\.[0-9]+)?E\+?[0-9]{2,}", re.IGNORECASE)
_DOCUMENT = re.compile(r"[0-9]{6}[0-9]{8,11}[0-9Xx]")
_SPACES = "\t\n\r\v\f\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"
_CLEAN: dict[int, str | int | None] = {ord(space): " " for space in _SPACES}
_CLEAN |= dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u202a\u202c\u202d"))
_CLEAN |= {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}  # full-width ASCII


@dataclass(frozen=True)
class Cell:
    """text: cleaned; fault: why it cannot be read; number: it was typed as one, not as text."""

    text: str = ""
    fault: str | None = None
    number: bool = False


@dataclass(frozen=True)
class Fault:
    """One wrong field. row: its line in the file; field: the column as it is named; value: masked.

    A whole file's fault has row 0.
    """

    row: int
    field: str
    what: str
    value: str = ""


def cell(value: object, error: bool = False) -> Cell:
    """A cell as a reader of spreadsheets gives it: text, number, date, truth value or None."""
    if value is None:
        return Cell()
    if error:
        return Cell(str(value)[:CELL_MAX], t("the spreadsheet shows an error here"))
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE")
    if isinstance(value, (int, float)):
        return _of_number(value)
    if isinstance(value, date):  # a datetime too
        day = value.date() if isinstance(value, datetime) else value
        return Cell(day.isoformat())
    return of_text(str(value))


def of_text(text: str) -> Cell:
    """A cell that was typed as text, or stands in a CSV file."""
    if len(text) > CELL_MAX:
        return Cell(text[:CELL_MAX], t("longer than {n} characters", n=CELL_MAX))
    clean = re.sub(" {2,}", " ", text.translate(_CLEAN)).strip()
    if re.fullmatch(r"['’`]+[0-9].*", clean):
        clean = clean.lstrip("'’`")  # how a number is kept as text
    return Cell(clean, lost_digits() if _ROUNDED.fullmatch(clean) else None)


def lost_digits() -> str:
    """Why a long number cannot be read."""
    return t("the spreadsheet has lost its last digits: format the column as text, type it anew")


def shown(text: str, secret: bool = False) -> str:
    """A value for a list of faults: short, printable, masked if it is or holds a document number.

    secret: all but its ends are masked, whatever it looks like.
    """
    safe = "".join(sign if sign.isprintable() else "?" for sign in text[:40])
    if secret:
        return _masked(safe)
    return _DOCUMENT.sub(lambda found: _masked(found[0]), safe)


def _masked(text: str) -> str:
    """As id_number.masked; of something short the first character alone."""
    if len(text) <= _SHORT:
        return text[:1] + "*" * (len(text) - 1)
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"


def _of_number(value: float) -> Cell:
    if value != value or abs(value) >= _EXACT_BELOW:  # noqa: PLR0124 - what is no number
        return Cell(str(value)[:CELL_MAX], lost_digits(), number=True)
    whole = int(value) if float(value).is_integer() else None
    return Cell(str(value if whole is None else whole), number=True)
