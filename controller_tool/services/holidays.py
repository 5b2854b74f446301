"""Holidays: local days on which only windows that name holidays count (host).

Lists carry the day numbers alone; notes stay in the registry.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool import date_forms
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import audit, list_content, people, rules_room, site_time
from protocol.calendar import MINUTES_PER_DAY, local_minute
from protocol.constants import TIME_END_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

NOTE_MAX = 64
_NOTES = "holiday_notes"
_RANGE_MAX_DAYS = 366


@dataclass(frozen=True)
class Holiday:
    """Consecutive days with one note; ``last`` is a holiday too."""

    first: str
    last: str
    days: int
    note: str


@dataclass(frozen=True)
class Changed:
    """days: how many came or went; same: how many needed nothing; total: how many there are."""

    days: int
    same: int
    total: int


def list_holidays(site: Site) -> list[Holiday]:
    """All, by date."""
    site.require_cards()
    with site.registry.session() as session:
        notes = _load(session)
    runs: list[list[int]] = []
    for day in sorted(notes):
        if runs and runs[-1][-1] == day - 1 and notes[runs[-1][-1]] == notes[day]:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [Holiday(_iso(run[0]), _iso(run[-1]), len(run), notes[run[0]]) for run in runs]


def add(site: Site, texts: Sequence[str], note: str = "", dry_run: bool = False) -> Changed:
    """Add dates and DATE..DATE ranges; OperatorError names every wrong one."""
    return _add(site, dict.fromkeys(_days(texts), _good(note)), dry_run)


def import_file(site: Site, path: Path, note: str = "", dry_run: bool = False) -> Changed:
    """Add the dates of a file, one ISO date or range a line, perhaps with a note behind it.

    Empty lines and what follows a # are passed over; all lines are taken or none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise OperatorError(
            t("{path} cannot be read as UTF-8 text", path=path.name),
            t("Check the name of the file"),
        ) from None
    found: dict[int, str] = {}
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        text, _, behind = line.partition("#")[0].replace(",", " ").strip().partition(" ")
        try:
            days = _range(text) if text else ()
        except ValueError:
            wrong.append(t("line {n}: {text}", n=number, text=text))
            continue
        found.update(dict.fromkeys(days, _good(behind.strip() or note)))
    if wrong:
        raise _refused(wrong)
    return _add(site, found, dry_run)


def remove(site: Site, texts: Sequence[str], past: bool = False, dry_run: bool = False) -> Changed:
    """Remove dates and ranges; ``past``: also all before today."""
    asked = set(_days(texts))
    with rules_room.changing(site, dry_run) as session:
        notes = _load(session)
        if past:
            offsets = json.loads(list_content.setting(session, "utc_offsets"))
            today = local_minute(offsets, now_s()) // MINUTES_PER_DAY
            asked |= {day for day in notes if day < today}
        gone = sorted(asked & notes.keys())
        if not gone and not past:
            raise OperatorError(
                t("None of these days is a holiday"), t("See them with: holiday list")
            )
        for day in gone:
            del notes[day]
        _store(session, notes)
        if gone:
            audit.append(session, site.operator, "holiday.remove", days=[_iso(d) for d in gone])
    return Changed(len(gone), len(asked) - len(gone), len(notes))


def note_of(session: Session, day: int) -> str | None:
    """The note of a holiday, perhaps empty; None on other days."""
    return _load(session).get(day)


def _add(site: Site, wanted: dict[int, str], dry_run: bool) -> Changed:
    with rules_room.changing(site, dry_run) as session:
        notes = _load(session)
        new = {day: note for day, note in wanted.items() if notes.get(day) != note}
        notes.update(new)
        _store(session, notes)
        if new:
            days = {_iso(day): new[day] for day in sorted(new)}
            audit.append(session, site.operator, "holiday.add", days=days)
    return Changed(len(new), len(wanted) - len(new), len(notes))


def _load(session: Session) -> dict[int, str]:
    days: list[int] = json.loads(list_content.setting(session, "holidays"))
    notes = json.loads(rules_room.get_setting(session, _NOTES, "{}"))
    return {day: notes.get(str(day), "") for day in days}


def _store(session: Session, notes: dict[int, str]) -> None:
    rules_room.put_setting(session, "holidays", json.dumps(sorted(notes)))
    told = {str(day): note for day, note in sorted(notes.items()) if note}
    rules_room.put_setting(session, _NOTES, json.dumps(told, ensure_ascii=False))


def _days(texts: Iterable[str]) -> list[int]:
    days: list[int] = []
    wrong: list[str] = []
    for text in texts:
        try:
            days += _range(text)
        except ValueError:
            wrong.append(text)
    if wrong:
        raise _refused(wrong)
    return days


def _range(text: str) -> range:
    """Day numbers of a date or DATE..DATE; ValueError when it is none, or not in the format."""
    first_text, dots, last_text = text.strip().partition("..")
    first = site_time.day_number(date_forms.day(first_text))
    last = site_time.day_number(date_forms.day(last_text)) if dots else first
    if not 0 <= first <= last <= TIME_END_S // 86400 or last - first >= _RANGE_MAX_DAYS:
        raise ValueError(text)
    return range(first, last + 1)


def _refused(wrong: list[str]) -> OperatorError:
    return OperatorError(
        t("{n} wrong dates: {dates}", n=len(wrong), dates="; ".join(wrong)),
        t("Write 2030-10-01, or 2030-10-01..2030-10-07 for a range of at most a year"),
    )


def _good(note: str) -> str:
    if not people.is_short(note.strip(), NOTE_MAX):
        raise OperatorError(
            t("The note is longer than {n} characters, or unprintable", n=NOTE_MAX), t("Correct it")
        )
    return note.strip()


def _iso(day: int) -> str:
    return site_time.day_of(day).isoformat()
