"""Settings as people write and read them: names, units, words, lists (host).

``NAME=VALUE``; NAME in English or Chinese, or a number; VALUE a number with or without its unit, a
word, text, or one of these for each door with commas between. An empty VALUE goes back to the
default. Numbers on the wire are the table's own; a value that is none of them is refused here, and
bounds are judged by protocol/settings.py as the controller does. Hours at which a door has another
mode are MODE:SCHEDULE, with the number of a schedule of the list.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.messages import chinese, name_of, t
from protocol.codes import ERR_NOT_ON_BOARD
from protocol.setting_names import NAMES, WORDS
from protocol.settings import (
    CHOICES,
    DOOR_MODE,
    EACH,
    KEYS,
    MODE_SCHEDULE,
    OSDP_ADDRESS,
    SECRETS,
    SETTINGS,
    TEXT,
    WIFI_NAME,
    WIFI_PASSWORD,
)

if TYPE_CHECKING:
    from controller_tool.services.boards import Board

Changes = dict[int, Any]  # number to value; None: back to the default
HIDDEN = "******"
_SCHEDULE_MAX = 255


@dataclass(frozen=True)
class Refused:
    """A setting that is refused and why, for a person."""

    number: int
    name: str
    why: str


def parse(words: tuple[str, ...] | list[str]) -> Changes:
    """What these NAME=VALUE ask for; OperatorError names the first that is none."""
    found: Changes = {}
    for word in words:
        name, equals, value = word.replace("＝", "=").partition("=")
        if not equals:
            raise OperatorError(
                t("{word} does not say what to set", word=word), t("Write it as NAME=VALUE")
            )
        number = number_of(name.strip())
        if number in found:
            raise OperatorError(
                t("{name} stands there twice", name=name), t("Leave one of them out")
            )
        found[number] = _value(number, value.strip())
    return found


def number_of(name: str) -> int:
    """The setting of that name in any language, or of that number."""
    wanted = name.lower().replace("-", "_")
    for number, row in NAMES.items():
        if wanted in (str(number), row[0]) or name == chinese("setting", row[0]):
            return number
    raise OperatorError(
        t("There is no setting {name}", name=name), t("See them with: device config show")
    )


def name(number: int) -> str:
    """Its name in the language in force; a number that this tool does not know stays one."""
    return name_of("setting", NAMES[number][0]) if number in NAMES else str(number)


def text(number: int, value: Any) -> str:
    """A value for people, with its unit; secrets are hidden."""
    if value is None or number in SECRETS:
        return "" if value is None else HIDDEN
    if isinstance(value, list):
        return ", ".join(text(number, one) for one in value)
    if number not in NAMES or not isinstance(value, int):
        return str(value)
    if number == MODE_SCHEDULE and value > _SCHEDULE_MAX:
        return f"{text(DOOR_MODE, value >> 8)}:{value & _SCHEDULE_MAX}"
    words = WORDS.get(number)
    if words is not None and value < len(words):
        return name_of("setting", words[value])
    _, unit, factor, _ = NAMES[number]
    shown = format(decimal.Decimal(value) / factor, "f")
    return f"{shown} {unit}".rstrip()


def bounds(number: int) -> str:
    """What it may be, for people."""
    shape, least, greatest, _ = SETTINGS[number]
    if number in CHOICES:
        return ", ".join(map(str, CHOICES[number]))
    if number in WORDS:
        return ", ".join(name_of("setting", word) for word in WORDS[number])
    if number == MODE_SCHEDULE:
        return f"({bounds(DOOR_MODE)}):0–{_SCHEDULE_MAX}"
    by_shape = {
        TEXT: t("{least} to {greatest} bytes", least=least, greatest=greatest),
        KEYS: t("16 bytes for each reader"),
    }
    said = by_shape.get(shape, f"{text(number, least)} – {text(number, greatest)}")
    return t("{bounds}, another for each reader", bounds=said) if number == OSDP_ADDRESS else said


def refusal(code: int, number: int) -> Refused:
    """Why a setting is refused."""
    if code == ERR_NOT_ON_BOARD:
        return Refused(number, name(number), t("this board has nothing that it is for"))
    allowed = bounds(number) if number in SETTINGS else "-"
    return Refused(number, name(number), t("it may be: {bounds}", bounds=allowed))


def together(number: int, settings: Changes, board: Board) -> str:
    """Why a setting is refused on a board that can have it, where its bounds do not say it."""
    if SETTINGS[number][3] not in board.capabilities_and_kind:
        return ""
    if number in (WIFI_NAME, WIFI_PASSWORD) and settings.get(number) is None:
        other = WIFI_NAME if number == WIFI_PASSWORD else WIFI_PASSWORD
        return t("it goes together with {name}: give both, or take both away", name=name(other))
    value = settings.get(number)
    if number == OSDP_ADDRESS:
        return t("give one address for each of its {n} readers, each another from 0 to 126",
                 n=board.readers)  # fmt: skip
    if SETTINGS[number][0] == EACH and isinstance(value, list) and len(value) > board.points:
        return t("{n} values, and this board has fewer doors: {doors}",
                 n=len(value), doors=board.points)  # fmt: skip
    return ""


def _value(number: int, written: str) -> Any:
    if not written:
        return None
    shape = SETTINGS[number][0]
    if shape == TEXT:
        return written
    if shape == KEYS:
        raise OperatorError(
            t("{name} is given by: device reader pair", name=name(number)), t("Leave it out here")
        )
    words = [part.strip() for part in written.replace("，", ",").split(",")]
    parts = [_hours(w) if number == MODE_SCHEDULE else _number(number, w) for w in words]
    return parts if shape == EACH and len(parts) > 1 else _single(number, parts)


def _single(number: int, parts: list[int]) -> int:
    if len(parts) > 1:
        raise OperatorError(
            t("{name} has one value, not one for each door", name=name(number)),
            t("Give a single one"),
        )
    return parts[0]


def _hours(written: str) -> int:
    """MODE:SCHEDULE, or the number alone."""
    mode, colon, schedule = written.replace("：", ":").partition(":")
    value = _number(MODE_SCHEDULE, schedule.strip() if colon else mode)
    if not colon:
        return value
    if not 0 <= value <= _SCHEDULE_MAX:
        raise _none(MODE_SCHEDULE, written)
    return _number(DOOR_MODE, mode.strip()) << 8 | value


def _none(number: int, written: str) -> OperatorError:
    return OperatorError(
        t("{name} cannot be {value}", name=name(number), value=written),
        t("It may be: {bounds}", bounds=bounds(number)),
    )


def _number(number: int, written: str) -> int:
    for index, word in enumerate(WORDS.get(number, ())):
        if written.lower().replace("-", "_") == word or written == chinese("setting", word):
            return index
    _, unit, factor, _ = NAMES[number]
    digits = written
    for suffix in (unit, chinese("setting", unit)):
        if suffix and digits.lower().endswith(suffix.lower()):
            digits = digits[: -len(suffix)].strip()
    try:
        value = decimal.Decimal(digits) * factor
    except decimal.InvalidOperation:
        value = decimal.Decimal("NaN")
    if not value.is_finite() or value != value.to_integral_value() or abs(value) >= 2**30:
        raise _none(number, written)
    return int(value)
