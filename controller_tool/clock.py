"""The host's clock in the protocol's time scale (host).

The one place where Unix seconds become seconds since 2020.
"""

import time
from datetime import UTC, datetime, timedelta, timezone

from controller_tool import date_forms
from protocol.constants import EPOCH_2020_UNIX_S

LOCAL_OFFSET_MIN = 480  # Asia/Shanghai: no daylight saving since 1991, so an offset is the zone


def now_s() -> int:
    """Seconds since 2020-01-01T00:00:00Z."""
    return int(time.time()) - EPOCH_2020_UNIX_S


def local_text(time_s: int, offset_min: int = LOCAL_OFFSET_MIN) -> str:
    """``time_s`` since 2020 as local ISO 8601 text with its offset."""
    zone = timezone(timedelta(minutes=offset_min))
    return datetime.fromtimestamp(time_s + EPOCH_2020_UNIX_S, tz=UTC).astimezone(zone).isoformat()


def parse_local(text: str, offset_min: int = LOCAL_OFFSET_MIN) -> int:
    """A date and time as people write it (date_forms) to seconds since 2020.

    Local unless it names an offset. Raises ValueError when it is not a date or date and time.
    """
    moment = datetime.fromisoformat(date_forms.iso(text))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    return int(moment.timestamp()) - EPOCH_2020_UNIX_S
