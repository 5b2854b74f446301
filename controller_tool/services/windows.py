"""Weekly windows as people write them, and as schedules hold them (host).

A window is days, then hours: "Mon-Fri 06:00-22:00", "Sat,Sun 08:00-02:00" (across midnight, it
belongs to the day on which it begins), "daily 00:00-24:00", "holiday 09:00-18:00"; 周一至周五,
周末, 每天, 节假日 as well. Rules:

- "daily" is every day and holidays too, unless another window of the same schedule names
  holidays: then it is Mon-Sun, for who gives holidays hours of their own means them alone
- Mon-Sun names no holidays: on those nobody comes in by it
- an end of 00:00 is the midnight that follows; equal hours are no window
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Window = tuple[int, int, int]  # weekday mask, from_min, to_min: docs/protocol.md section 3, key 15

HOLIDAY = 0x80
_WEEK = 0x7F
_DAILY = 0xFF
_DAY_MIN = 1440
_HOUR_MIN = 60
_RUN_DAYS = 3  # so many days in a row are written first-last
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SETS = {
    _DAILY: ("daily", "everyday", "每天", "每日"),
    0x1F: ("weekdays", "workdays", "工作日"),
    0x60: ("weekend", "weekends", "周末", "双休日"),
    HOLIDAY: ("holiday", "holidays", "节假日", "假日", "节日"),
}
_HOURS = re.compile(r"(.*?)\s*([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")


class _Wrong(ValueError):
    """What is wrong with one window, in the reader's language."""


def read(texts: Iterable[str]) -> list[Window]:
    """The windows that the texts stand for; OperatorError that names every wrong one."""
    windows: list[Window] = []
    faults: list[str] = []
    for text in _whole(texts):
        try:
            windows.append(_window(text))
        except _Wrong as wrong:
            faults.append(f"{text} ({wrong})")
    if faults:
        raise OperatorError(
            t("{n} wrong windows: {faults}", n=len(faults), faults="; ".join(faults)),
            t('Write days and hours such as "Mon-Fri 06:00-22:00" or "holiday 09:00-18:00"'),
        )
    if not windows:
        raise OperatorError(
            t("A schedule needs a window"), t('Write one such as "daily 06:00-22:00"')
        )
    if any(mask & HOLIDAY and mask != _DAILY for mask, _, _ in windows):
        windows = [(_WEEK if mask == _DAILY else mask, a, b) for mask, a, b in windows]
    return list(dict.fromkeys(windows))


def text(window: Sequence[int], local: bool = False) -> str:
    """The window as `read` takes it; ``local``: days in the reader's language."""
    mask, begin, end = window
    return f"{_days_text(mask, local)} {_hour(begin)}-{_hour(end)}"


def names_holidays(windows: Iterable[Sequence[int]]) -> bool:
    """Whether anybody comes in on a holiday."""
    return any(window[0] & HOLIDAY for window in windows)


def _whole(texts: Iterable[str]) -> list[str]:
    """A shell may have parted days from hours: days alone go with what follows."""
    whole: list[str] = []
    held = ""
    for part in texts:
        held = f"{held} {part.strip()}".strip()
        if any(sign.isdigit() for sign in held):
            whole.append(held)
            held = ""
    return [*whole, held] if held else whole


def _window(written: str) -> Window:
    plain = unicodedata.normalize("NFKC", written).replace("、", ",").strip().lower()
    plain = re.sub(r"\s*[~–—至到]\s*", "-", plain)
    found = _HOURS.fullmatch(plain)
    if found is None:
        raise _Wrong(t("not days and hours"))
    mask = 0
    for days in found[1].replace(" ", ",").split(","):
        mask |= _mask(days) if days else 0
    if not mask:
        raise _Wrong(t("no day is named"))
    begin, end = _minute(found[2], found[3]), _minute(found[4], found[5])
    if begin == _DAY_MIN:
        raise _Wrong(t("no such hour: {hour}", hour=f"{found[2]}:{found[3]}"))
    end = end or _DAY_MIN
    if begin == end:
        raise _Wrong(t("it ends when it begins; the whole day is 00:00-24:00"))
    return mask, begin, end


def _mask(days: str) -> int:
    for mask, names in _SETS.items():
        if days in names:
            return mask
    first, dash, last = days.partition("-")
    begin, end = _day(first), _day(last if dash else first)
    count = (end - begin) % len(_DAYS) + 1
    return sum(1 << (begin + i) % len(_DAYS) for i in range(count))


def _day(name: str) -> int:
    chinese = re.fullmatch("(?:周|星期|礼拜)([一二三四五六日天])", name)
    if chinese:
        return "一二三四五六日".index(chinese[1].replace("天", "日"))
    for number, (short, long) in enumerate(zip(_DAYS, _LONG, strict=True)):
        if name in (short.lower(), long):
            return number
    raise _Wrong(t("no such day: {day}", day=name or "-"))


def _minute(hour: str, minute: str) -> int:
    found = int(hour) * _HOUR_MIN + int(minute)
    if int(minute) >= _HOUR_MIN or found > _DAY_MIN:
        raise _Wrong(t("no such hour: {hour}", hour=f"{hour}:{minute}"))
    return found


def _hour(minute: int) -> str:
    return f"{minute // _HOUR_MIN:02d}:{minute % _HOUR_MIN:02d}"


def _days_text(mask: int, local: bool) -> str:
    if mask == _DAILY:
        return t("daily") if local else "daily"
    parts: list[str] = []
    day = 0
    while day < len(_DAYS):
        end = day
        while mask >> end & 1 and end < len(_DAYS):
            end += 1
        names = [t(name) if local else name for name in _DAYS[day:end]]
        if len(names) >= _RUN_DAYS:
            joined = t("{first}-{last}") if local else "{first}-{last}"
            names = [joined.format(first=names[0], last=names[-1])]
        parts += names
        day = max(end, day + 1)
    if mask & HOLIDAY:
        parts.append(t("holiday") if local else "holiday")
    return ",".join(parts)
