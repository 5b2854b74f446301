"""What the number beside a record's event means, in words (host).

Folded records (docs/protocol.md section 5) have point 255 and say how many there were. Of a
charger's station 255 is the point, too: what reads like a temperature there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from protocol import codes as c
from protocol.constants import CHARGE_WH_SHIFT
from protocol.names import INPUT_NAMES, LATCH_NAMES
from protocol.version import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

_NOBODYS_POINT = 255
_WARM_DC = 400  # no warning is set lower; so many records in one window are no habit
_ANY = 1 << 32
# kinds that fold though they have a number of their own, and from where on it is that
_FOLDED = {
    c.EVENT_DENIED: _ANY, c.EVENT_READER_DOUBTFUL: _ANY, c.EVENT_RELAY_WELD: _ANY,
    c.EVENT_OVER_POWER: _ANY, c.EVENT_TEMPERATURE_WARNING: _WARM_DC,
    c.EVENT_OVER_TEMPERATURE: _WARM_DC,
}  # fmt: skip


def details(event: int, reason: int, point: int, extra: int) -> str:
    """In words, empty where it says nothing."""
    if point == _NOBODYS_POINT and extra in range(1, _FOLDED.get(event, 0)):
        return t("{n} times", n=extra)
    if event == c.EVENT_TICKET_EXECUTED:
        is_start = reason == c.TICKET_CHARGE_START
        return limits(*divmod(extra, 1 << CHARGE_WH_SHIFT)) if is_start else ""
    say = _WORDS.get(event)
    return "" if say is None else say(extra)


def limits(wh: int, minutes: int) -> str:
    """What a session may come to; 0: no limit of that kind."""
    said = [t("{n} min at most", n=minutes)] if minutes else []
    return ", ".join(said + ([t("{n} Wh at most", n=wh)] if wh else []))


def bits(names: dict[int, str], value: int) -> tuple[str, ...]:
    """Names of the bits that are set; what has no name by its number."""
    known = [name for bit, name in names.items() if value & bit]
    rest = value & ~sum(names)
    return (*known, str(rest)) if rest else tuple(known)


def minutes_wh(extra: int) -> tuple[int, int]:
    """Minutes and watt hours of a session's records."""
    return extra >> 16, extra & 0xFFFF


def _quota(extra: int) -> str:
    minutes, wh = minutes_wh(extra)
    return limits(wh, minutes)


def _account(extra: int) -> str:
    minutes, wh = minutes_wh(extra)
    return f"{t('{n} min', n=minutes)}, {t('{n} Wh', n=wh)}"


def _input(extra: int) -> str:
    return name_of("input", INPUT_NAMES[extra]) if extra in INPUT_NAMES else ""


def _degrees(extra: int) -> str:
    return f"{extra / 10:.1f} °C"


def _tenths_of_watts(extra: int) -> str:
    return f"{extra / 10:.1f} W"


_WORDS: dict[int, Callable[[int], str]] = {
    c.EVENT_CHARGE_STARTED: _quota,
    c.EVENT_CHARGE_ENDED: _account,
    c.EVENT_CHARGE_CHOOSES: lambda extra: t("reader {n}", n=extra + 1),
    c.EVENT_INPUT_FAULT: _input,
    c.EVENT_TEMPERATURE_WARNING: _degrees,
    c.EVENT_OVER_TEMPERATURE: _degrees,
    c.EVENT_RELAY_WELD: _tenths_of_watts,
    c.EVENT_OVER_POWER: _tenths_of_watts,
    c.EVENT_STATION_LIMIT: lambda extra: f"{extra} W",
    c.EVENT_RESET_ON_SITE: lambda extra: ", ".join(
        name_of("latch", one) for one in bits(LATCH_NAMES, extra)
    ),
    **dict.fromkeys(
        (c.EVENT_FIRMWARE_TAKEN, c.EVENT_FIRMWARE_CONFIRMED, c.EVENT_FIRMWARE_ROLLED_BACK), text_of
    ),
    c.EVENT_SUPPLY_LOW: lambda extra: f"{extra / 1000:.2f} V",
    c.EVENT_MODE_CHANGED: lambda extra: t("{n} min", n=extra) if extra else "",
    c.EVENT_REFUSED_ATTEMPTS: lambda extra: t("{n} times", n=extra),
}
