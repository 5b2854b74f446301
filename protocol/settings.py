"""Settings of a controller: number, shape, bounds, and what the board must have (both).

One table for both sides. Names, units and defaults stand in protocol/setting_names.py, which no
controller carries; a controller loads this file for the one request that needs it.

Rules, in the order in which they are applied:

- the number is in the table
- the board has what the setting is for: it is of that kind, or names that capability
- the value has the row's shape, and each number or length in it lies within the row's bounds
"""

from protocol.codes import ERR_NOT_ON_BOARD, ERR_SETTING
from protocol.osdp import KEY_BYTES, SCBK_D

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = tuple[int, int, int, str]

ONE = 0  # one number
EACH = 1  # one number for all doors, or a list with one for each
TEXT = 2  # UTF-8; the bounds are those of its length in bytes
CHOICE = 3  # one of CHOICES
KEYS = 4  # a key of 16 bytes for each reader, or none ("")

DOOR_MODE = 15
MODE_SCHEDULE = 16
WIFI_NAME = 40
WIFI_PASSWORD = 41
OSDP_ADDRESS = 32
OSDP_BAUD = 33
OSDP_KEYS = 34
OSDP_TEXT = 35
SUPPLY_LOW_MV = 48
SUPPLY_HOLD_MV = 49
MAINS_S = 50
STATION_LIMIT_W = 64
STATION_START_LIMIT_W = 65
PORT_LIMIT_W = 66
FULL_POWER_W = 67
FULL_MIN = 68
TRICKLE_MIN = 69
UNPLUGGED_W = 70
UNPLUGGED_S = 71
WARN_C = 72
CUT_C = 73
LOAD_WAIT_S = 74
STAGGER_S = 75
METER_GAIN = 76

SECRETS = (OSDP_KEYS, WIFI_PASSWORD)  # never read back, never shown
EACH_MAX = 16  # doors, readers or ports; the board's own number is less, mostly
_BAUDS = (9600, 19200, 38400, 57600, 115200, 230400)
CHOICES: "dict[int, tuple[int, ...]]" = {OSDP_BAUD: _BAUDS}

# number: (shape, least, greatest, what the board needs: its kind or a capability)
SETTINGS: "dict[int, Row]" = {
    1: (ONE, 0, 1, "door"),
    2: (EACH, 10, 36000, "door"),  # at least a second: a REX that opens for less lets nobody out
    3: (EACH, 0, 65535, "door"),
    4: (EACH, 0, 2, "door"),
    5: (ONE, 1, 600, "charger"),
    6: (EACH, 0, 3600, "door"),
    7: (EACH, 0, 1, "door"),
    8: (ONE, 0, 1, "door"),
    9: (ONE, 0, 2, "door"),
    10: (ONE, 0, 10080, "door"),
    11: (ONE, 0, 20, "door"),
    12: (ONE, 0, 3600, "door"),
    13: (ONE, 1, 300, "door"),
    14: (ONE, 3, 60, "door"),
    DOOR_MODE: (EACH, 0, 2, "door"),
    MODE_SCHEDULE: (EACH, 0, 767, "door"),  # mode << 8 | number of a schedule of the list
    17: (EACH, 0, 2, "door"),
    OSDP_ADDRESS: (EACH, 0, 126, "osdp"),  # of each reader
    OSDP_BAUD: (CHOICE, 9600, 230400, "osdp"),
    OSDP_KEYS: (KEYS, 0, KEY_BYTES, "osdp"),
    OSDP_TEXT: (ONE, 0, 1, "osdp"),
    WIFI_NAME: (TEXT, 1, 32, "wifi"),
    WIFI_PASSWORD: (TEXT, 8, 63, "wifi"),
    SUPPLY_LOW_MV: (ONE, 0, 60000, "supply"),
    SUPPLY_HOLD_MV: (ONE, 0, 60000, "supply"),
    MAINS_S: (ONE, 0, 600, "mains"),
    # the greatest of these are the hard bounds of standards.md and of what a socket bears
    STATION_LIMIT_W: (ONE, 200, 20000, "charger"),
    STATION_START_LIMIT_W: (ONE, 200, 20000, "charger"),
    PORT_LIMIT_W: (EACH, 100, 1200, "charger"),
    FULL_POWER_W: (ONE, 5, 60, "charger"),
    FULL_MIN: (ONE, 1, 120, "charger"),
    TRICKLE_MIN: (ONE, 1, 240, "charger"),
    UNPLUGGED_W: (ONE, 3, 10, "charger"),  # less than that a meter of pulses tells too late
    UNPLUGGED_S: (ONE, 5, 600, "charger"),
    WARN_C: (ONE, 40, 70, "charger"),
    CUT_C: (ONE, 45, 80, "charger"),
    LOAD_WAIT_S: (ONE, 10, 120, "charger"),
    STAGGER_S: (ONE, 1, 30, "charger"),
    METER_GAIN: (EACH, 5000, 20000, "charger"),
}


def problem(number: int, value: "object", kind: str, capabilities: "Mapping[str, object]") -> int:
    """0, ERR_SETTING or ERR_NOT_ON_BOARD, for one setting on a board of this kind."""
    row = SETTINGS.get(number)
    if row is None:
        return ERR_SETTING
    shape, least, greatest, needs = row
    if needs != kind and not capabilities.get(needs):
        return ERR_NOT_ON_BOARD
    if shape == TEXT:
        fits = isinstance(value, str) and least <= len(value.encode()) <= greatest
    elif shape == KEYS:
        if not isinstance(value, list):
            return ERR_SETTING
        if len(value) > _count_of(capabilities, "readers"):
            return ERR_NOT_ON_BOARD
        fits = 0 < len(value) <= EACH_MAX and all(map(_is_key, value))
    elif shape == EACH and isinstance(value, list):
        fits = 0 < len(value) <= EACH_MAX and all(_within(v, least, greatest) for v in value)
        if fits:
            of = "readers" if needs == "osdp" else "points"
            return 0 if len(value) <= _count_of(capabilities, of) else ERR_NOT_ON_BOARD
    else:
        fits = _within(value, least, greatest)
        if fits and shape == CHOICE:
            fits = value in CHOICES[number]
    return 0 if fits else ERR_SETTING


def first_problem(
    settings: "Mapping[int, object]", kind: str, capabilities: "Mapping[str, object]"
) -> "tuple[int, int]":
    """(wire error, number) of the lowest setting that is refused; (0, 0) when all are taken.

    A network and its password come together: one alone would join the wrong network.
    """
    for number in sorted(settings):
        code = problem(number, settings[number], kind, capabilities)
        if code:
            return code, number
    if (WIFI_NAME in settings) != (WIFI_PASSWORD in settings):
        return ERR_SETTING, WIFI_NAME if WIFI_PASSWORD in settings else WIFI_PASSWORD
    addresses = settings.get(OSDP_ADDRESS, 0)
    each = addresses if isinstance(addresses, list) else [addresses]
    if len(set(each)) != len(each) or (
        OSDP_ADDRESS in settings and len(each) != _count_of(capabilities, "readers")
    ):  # two readers of one address speak at once
        return ERR_SETTING, OSDP_ADDRESS
    low, hold = settings.get(SUPPLY_LOW_MV), settings.get(SUPPLY_HOLD_MV)
    if isinstance(low, int) and isinstance(hold, int) and 0 < low < hold:
        return ERR_SETTING, SUPPLY_HOLD_MV
    limit, start = settings.get(STATION_LIMIT_W), settings.get(STATION_START_LIMIT_W)
    if isinstance(limit, int) and isinstance(start, int) and start > limit:
        return ERR_SETTING, STATION_START_LIMIT_W
    return 0, 0


def _count_of(capabilities: "Mapping[str, object]", what: str) -> int:
    count = capabilities.get(what, 1)
    return count if isinstance(count, int) else 1


def _is_key(value: "object") -> bool:
    return isinstance(value, bytes) and len(value) in (0, KEY_BYTES) and value != SCBK_D


def _within(value: "object", least: int, greatest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= greatest
