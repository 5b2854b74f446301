"""Dates as people write them on a command line (host)."""

from __future__ import annotations

from datetime import date

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.messages import t

_MINUTE_S = 60
_DAY_MIN = 1440


def minute(text: str, last_day: bool) -> int:
    """A day or a minute, local, as minutes since 2020; of a last day the minute after it."""
    try:
        found = clock.parse_local(text) // _MINUTE_S
    except ValueError:
        raise OperatorError(
            t("{text} is not a date", text=text), t("Write 2030-03-31 or 2030-03-31T18:00")
        ) from None
    return found + _DAY_MIN if last_day and _is_day(text) else found


def _is_day(text: str) -> bool:
    """A date in any of its spellings, without a time."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
