"""Dates and minutes as people write and read them, in the site's local time (host)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from controller_tool import date_forms
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.constants import TIME_END_MIN

if TYPE_CHECKING:
    from controller_tool.services.site_time import SiteTime


def minute(local: SiteTime, text: str, last_day: bool = False) -> int:
    """A day or a minute since 2020; of a last day the minute after it."""
    try:
        return local.parse(_day_after(text) if last_day else text) // 60
    except (ValueError, OverflowError):
        raise OperatorError(
            t("{text} is not a date", text=text), t("Write 2030-03-31 or 2030-03-31T18:00")
        ) from None


def span(local: SiteTime, since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """Seconds since 2020 of --since and --until; what begins at the second is not within."""
    begin_s, end_s = (
        None if words is None else minute(local, words, last_day=last_day) * 60
        for words, last_day in ((since, False), (until, True))
    )
    if begin_s is not None and end_s is not None and begin_s >= end_s:
        raise click.UsageError(
            t("--since {since} is after --until {until}: nothing lies between them",
              since=since, until=until)
        )  # fmt: skip
    return begin_s, end_s


def text(local: SiteTime, minute: int) -> str:
    """A minute for a column; TIME_END_MIN is no end."""
    return t("no end") if minute == TIME_END_MIN else local.text(minute * 60)


def told(local: SiteTime, minute: int) -> str:
    """The same for a sentence, in the form of the language."""
    return t("no end") if minute == TIME_END_MIN else date_forms.shown(local.text(minute * 60))


def _day_after(text: str) -> str:
    """The day after a date in any of its spellings; what names a time stays as it is."""
    try:
        day = date_forms.day(text)
    except ValueError:
        return text
    return (day + timedelta(days=1)).isoformat()
