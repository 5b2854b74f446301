"""The site's local time: IANA time zones as the UTC offsets that controllers go by (host).

A controller knows no zone, only [from_s, offset_min, ...] pairs (protocol/policy/schedule.py).
They are worked out here for ZONE_YEARS ahead and kept as a setting; `site policy` renews them.
"""

from __future__ import annotations

import json
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import list_content
from protocol import calendar
from protocol.constants import EPOCH_2020_UNIX_S, TIME_END_S

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

DEFAULT_ZONE = "Asia/Shanghai"
ZONE_YEARS = 10  # two changes a year are some 160 bytes of the 2048 that a list's head may have
DAY_ZERO = date(2020, 1, 1)
_DAY_S = 86400


@dataclass(frozen=True)
class SiteTime:
    """Local time by UTC offsets as lists carry them: [from_s, offset_min, ...] flat pairs."""

    utc_offsets: list[int]

    def offset_min(self, time_s: int) -> int:
        """Minutes that local time is ahead of UTC at that moment."""
        return calendar.local_minute(self.utc_offsets, time_s) - time_s // 60

    def text(self, time_s: int) -> str:
        """Local date and minute, 2030-03-31 18:00, for files and columns (else date_forms)."""
        return minute_text(calendar.local_minute(self.utc_offsets, time_s))

    def parse(self, text: str) -> int:
        """Local time as people write it (or with its offset) to seconds since 2020.

        Raises ValueError when it is none. Of an hour that occurs twice, the first.
        """
        guess_s = clock.parse_local(text, self.offset_min(0))
        before = clock.parse_local(text, self.offset_min(guess_s - _DAY_S))
        if self.offset_min(before) == self.offset_min(guess_s - _DAY_S):
            return before
        return clock.parse_local(text, self.offset_min(guess_s + _DAY_S))

    def midnight_min(self, day: date) -> int:
        """Minute since 2020 (UTC) at which the local day begins; may be negative."""
        return self.parse(day.isoformat()) // 60


def of(site: Site) -> SiteTime:
    """Local time of a site; OperatorError in a folder without cards: it has no settings."""
    site.require_cards()
    with site.registry.session() as session:
        return read(session)


def read(session: Session) -> SiteTime:
    """Local time as the registry has it."""
    return SiteTime(json.loads(list_content.setting(session, "utc_offsets")))


def minute_text(local_min: int) -> str:
    """A minute of local time since 2020, as SiteTime.text has it."""
    year, month, day, hour, minute, _, _ = calendar.to_civil(max(local_min, 0) * 60)
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"


def day_number(day: date) -> int:
    """Local day since 2020-01-01, as lists name holidays."""
    return (day - DAY_ZERO).days


def day_of(number: int) -> date:
    """The local day of that number."""
    return DAY_ZERO + timedelta(days=number)


def utc_offsets(zone_name: str, from_s: int) -> list[int]:
    """The pairs of a zone from ``from_s`` on, for ZONE_YEARS; OperatorError when there is none."""
    zone = _zone(zone_name)
    if zone is None:
        return [0, clock.LOCAL_OFFSET_MIN]
    until_s = min(from_s + ZONE_YEARS * 366 * _DAY_S, TIME_END_S)
    offset_min = _offset_min(zone, from_s)
    pairs = [0, offset_min]
    for day_s in range(from_s, until_s, _DAY_S):
        if _offset_min(zone, day_s + _DAY_S) != offset_min:
            pairs += _change(zone, day_s, offset_min)
            offset_min = pairs[-1]
    return pairs


def _change(zone: zoneinfo.ZoneInfo, day_s: int, before_min: int) -> list[int]:
    """The second of that day, and the offset from it on."""
    low, high = day_s, day_s + _DAY_S  # the old offset counts at low, another at high
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_min(zone, middle) == before_min:
            low = middle
        else:
            high = middle
    return [high, _offset_min(zone, high)]


def _offset_min(zone: zoneinfo.ZoneInfo, time_s: int) -> int:
    offset = datetime.fromtimestamp(time_s + EPOCH_2020_UNIX_S, tz=UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    """None for the default zone on a system without the database: its offset has one value."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    if name == DEFAULT_ZONE:
        return None
    if not zoneinfo.available_timezones():
        raise OperatorError(
            t("This computer has no time zone data, so {zone} is not known here", zone=name),
            t("Install the Python package tzdata, or do this on another computer"),
        )
    raise OperatorError(
        t("There is no time zone {zone}", zone=name),
        t("Write it as Asia/Shanghai or Europe/Berlin"),
    )
