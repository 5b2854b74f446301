"""Minutes that people wrote, in the site's local time (host)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t

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


def _day_after(text: str) -> str:
    """The day after a date in any of its spellings; what names a time stays as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return (day + timedelta(days=1)).isoformat()
