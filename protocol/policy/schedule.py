"""Weekly time profiles: windows across midnight, holidays (both, pure).

Rules:

- local time is that of protocol/calendar.py `local_minute`
- a window is (weekday mask, from minute, to minute); Monday is bit 0, bit 7 is "holiday"
- on a holiday only windows with bit 7 count, whatever the weekday; on other days bit 7 is idle
- from < to: inside when from <= minute < to of a day that the mask names
- to < from: the window crosses midnight and belongs to the day on which it begins
- from == to: an empty window, never inside; the whole day is (0, 1440)
"""

from protocol.calendar import MINUTES_PER_DAY

_WEEKDAY_OF_DAY_0 = 2  # 2020-01-01 was a Wednesday
_HOLIDAY_BIT = 7


def _day_bit(day: int, holidays: "list[int]") -> int:
    if day in holidays:
        return 1 << _HOLIDAY_BIT
    return 1 << (day + _WEEKDAY_OF_DAY_0) % 7


def inside(windows: "list[int]", holidays: "list[int]", local_min: int) -> bool:
    """Whether local_min lies in one of the windows.

    windows: flat triples mask, from_min, to_min. holidays: local day numbers since 2020-01-01.
    """
    day = local_min // MINUTES_PER_DAY
    minute = local_min % MINUTES_PER_DAY
    today = _day_bit(day, holidays)
    yesterday = _day_bit(day - 1, holidays)
    for i in range(0, len(windows), 3):
        mask, begin, end = windows[i], windows[i + 1], windows[i + 2]
        if begin < end:
            if mask & today and begin <= minute < end:
                return True
        elif end < begin and (
            (mask & today and minute >= begin) or (mask & yesterday and minute < end)
        ):
            return True
    return False
