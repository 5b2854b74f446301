"""Dates and minutes as people write and read them, in the site's local time (host)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from controller_tool import date_forms
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.constants import TIME_END_MIN

if TYPE_CHECKING:
    from controller_tool.services.site_time import SiteTime

_MIDNIGHT = " 00:00"


def minute(local: SiteTime, text: str, last_day: bool = False) -> int:
    """A day or a minute since 2020; of a last day the minute after it."""
    try:
        return local.parse(_day_after(text) if last_day else text) // 60
    except (ValueError, OverflowError):
        raise OperatorError(
            t("{text} is not a date", text=text), t("Write 2030-03-31 or 2030-03-31T18:00")
        ) from None


def text(local: SiteTime, minute: int) -> str:
    """A minute for a column; TIME_END_MIN is no end."""
    return t("no end") if minute == TIME_END_MIN else local.text(minute * 60)


def told(local: SiteTime, minute: int) -> str:
    """The same for a sentence, in the form of the language."""
    return t("no end") if minute == TIME_END_MIN else date_forms.shown(local.text(minute * 60))


def last(local: SiteTime, until_min: int) -> str:
    """An end for a sentence: the last day where whole days count, else the minute of the end."""
    return t("no end") if until_min == TIME_END_MIN else date_forms.shown(_end(local, until_min))


def last_text(local: SiteTime, until_min: int) -> str:
    """The same for a column."""
    return t("no end") if until_min == TIME_END_MIN else _end(local, until_min)


def midnight_before(local: SiteTime, minute: int) -> int:
    """The local midnight at or before a minute: of an end, where its last whole day ends."""
    return local.midnight_min(date.fromisoformat(local.text(minute * 60)[:10]))


def _end(local: SiteTime, until_min: int) -> str:
    """The last day of whole days, as the desk wrote it; else the minute."""
    end = local.text(until_min * 60)
    return local.text((until_min - 1) * 60)[: -len(_MIDNIGHT)] if end.endswith(_MIDNIGHT) else end


def _day_after(text: str) -> str:
    """The day after a date in any of its spellings; what names a time stays as it is."""
    try:
        day = date_forms.day(text)
    except ValueError:
        return text
    return (day + timedelta(days=1)).isoformat()
