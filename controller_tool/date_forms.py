"""Dates and minutes as people write and read them, in either language (host).

Files, JSON and audit records have ISO 8601 alone. So have the columns of tables, cut to the
minute: there one date stands under the other, to be compared, and is copied into --since.
Sentences and lists of facts have the language's own form.
"""

import re
import unicodedata
from datetime import date

from controller_tool import messages

_WRITTEN = re.compile(
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})(?:日|(?=[T\s])|$)"
    r"\s*T?\s*(?P<time>.*)",
    re.ASCII,
)
_TIME = re.compile(r"(\d{1,2})[:时点](\d{2})分?(.*)", re.ASCII)


def iso(written: str) -> str:
    """A date, or date and time, that a person wrote, as ISO 8601; what is none as it is.

    2026-3-31, 2026/03/31 and 2026年3月31日, then 14:05 or 14时05分 and whatever ISO has after it;
    full-width digits and signs as well.
    """
    text = unicodedata.normalize("NFKC", written).strip()
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return text
    day = f"{found['year']}-{int(found['month']):02d}-{int(found['day']):02d}"
    clock = _TIME.fullmatch(found["time"])
    if clock is None:
        return f"{day}T{found['time']}" if found["time"] else day
    hour, minute, rest = clock.groups()
    return f"{day}T{int(hour):02d}:{minute}{rest}"


def day(written: str) -> date:
    """The date that a person wrote; ValueError when it is none."""
    return date.fromisoformat(iso(written))


def shown(moment: str) -> str:
    """An ISO 8601 date, or date and time, to the minute in the language in force; "" stays "".

    2026年3月31日 14:05 or 2026-03-31 14:05; seconds and offset are left out.
    """
    if not moment or messages.language() != "zh":
        return in_column(moment)
    year, month, number = (int(part) for part in moment[:10].split("-"))
    return f"{year}年{month}月{number}日 {moment[11:16]}".rstrip()


def in_column(moment: str) -> str:
    """The same for a table: 2026-03-31 14:05 in every language."""
    return moment[:16].replace("T", " ")
