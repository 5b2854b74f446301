"""Which window of a schedule applies at a moment, or which is the next to begin (host).

Whether a minute lies inside is always asked of protocol.policy.schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.services import site_time, windows
from protocol.calendar import MINUTES_PER_DAY, local_minute
from protocol.policy.schedule import inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.windows import Window

_AHEAD_DAYS = 400  # a schedule of holidays alone may have to wait for the next year's
_WINDOW_NUMBERS = 3


@dataclass(frozen=True)
class Hours:
    """What a schedule says at a moment, in local time.

    window: the one that applies, or the next to begin, as `windows.text` writes it, None when none
    ever does; mask: the same as numbers; inside: whether it applies; edge: local minute at which
    that ends or the next begins, None when it has no end in a year; holiday: whether that day is.
    """

    window: str | None
    mask: Window | None
    inside: bool
    edge: str | None
    holiday: bool


def at(flat: list[int], holidays: list[int], utc_offsets: list[int], time_s: int) -> Hours:
    """flat: triples as lists carry them."""
    now = local_minute(utc_offsets, time_s)
    triples = list(_triples(flat))
    holiday = now // MINUTES_PER_DAY in holidays
    for triple in triples:
        if inside(list(triple), holidays, now):
            return Hours(windows.text(triple), triple, True, _end(flat, holidays, now), holiday)
    for day in range(now // MINUTES_PER_DAY, now // MINUTES_PER_DAY + _AHEAD_DAYS):
        starts = sorted((day * MINUTES_PER_DAY + triple[1], triple) for triple in triples)
        for start, triple in starts:
            if start > now and inside(list(triple), holidays, start):
                return Hours(
                    windows.text(triple), triple, False, site_time.minute_text(start), holiday
                )
    return Hours(None, None, False, None, holiday)


def _end(flat: list[int], holidays: list[int], now: int) -> str | None:
    """The first minute after now that no window covers: it begins where one of them ends."""
    ends = {end % MINUTES_PER_DAY for _, _, end in _triples(flat)} | {0}
    first = now // MINUTES_PER_DAY
    for day in range(first, first + _AHEAD_DAYS):
        for end in sorted(ends):
            minute = day * MINUTES_PER_DAY + end
            if minute > now and not inside(flat, holidays, minute):
                return site_time.minute_text(minute)
    return None


def _triples(flat: list[int]) -> Iterator[Window]:
    for i in range(0, len(flat), _WINDOW_NUMBERS):
        yield flat[i], flat[i + 1], flat[i + 2]
