"""Civil dates from seconds since 2020-01-01T00:00:00Z and back, by arithmetic alone (both).

Proleptic Gregorian, no leap seconds, no table of the platform: a controller's own gmtime ends in
2038 and its epoch differs from port to port. Nothing wraps; callers hold what comes out against
TIME_END_S. Local time is UTC and the offset of the last transition that has begun; before the first
one its offset counts.
"""

MINUTES_PER_DAY = 1440
_DAY_S = 86400
# Years are counted from March, so that the leap day is the last one; days there before 2020-01-01.
_DAYS_TO_2020 = 737730
_WEEKDAY_OF_DAY_0 = 2  # 2020-01-01 was a Wednesday
_MONTH_DAYS = b"\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"


def to_civil(time_s: int) -> "tuple[int, int, int, int, int, int, int]":
    """(year, month, day, hour, minute, second, weekday with Monday = 0); time_s >= 0."""
    days = time_s // _DAY_S
    rest = time_s % _DAY_S
    shifted = days + _DAYS_TO_2020
    era = shifted // 146097
    of_era = shifted % 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year += 400 * era + (month < 3)
    weekday = (days + _WEEKDAY_OF_DAY_0) % 7
    return year, month, day, rest // 3600, rest // 60 % 60, rest % 60, weekday


def from_civil(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Seconds since 2020; raises ValueError for a date that does not exist or lies before 2020."""
    if (
        year < 2020
        or not 1 <= month <= 12
        or not 1 <= day <= days_of_month(year, month)
        or not 0 <= hour < 24
        or not 0 <= minute < 60
        or not 0 <= second < 60
    ):
        raise ValueError("no such date")
    if month < 3:
        year -= 1
        month += 12
    days = 365 * year + year // 4 - year // 100 + year // 400
    days += (153 * (month - 3) + 2) // 5 + day - 1 - _DAYS_TO_2020
    return days * _DAY_S + hour * 3600 + minute * 60 + second


def days_of_month(year: int, month: int) -> int:
    """28 to 31."""
    if month == 2 and (year % 4 or (year % 100 == 0 and year % 400)):
        return 28
    return _MONTH_DAYS[month - 1]


def local_minute(utc_offsets: "list[int]", time_s: int) -> int:
    """Minutes of local time since 2020-01-01T00:00 local.

    utc_offsets: [from_s, offset_min, ...] flat pairs, ascending; empty means UTC.
    """
    offset_min = utc_offsets[1] if utc_offsets else 0
    i = 2
    while i < len(utc_offsets) and utc_offsets[i] <= time_s:
        offset_min = utc_offsets[i + 1]
        i += 2
    return time_s // 60 + offset_min
