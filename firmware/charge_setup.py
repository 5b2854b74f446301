"""A charger's ports as its board and settings have them (device).

Loaded for a start and a new configuration, and forgotten after it.
"""

from array import array

from firmware.charge_safety import LATCH
from firmware.charge_sessions import Sessions
from firmware.config import own
from firmware.reading import Input, wired
from protocol.codes import (
    END_EMERGENCY_STOP,
    END_LEAKAGE,
    END_SMOKE,
    EVENT_EMERGENCY_STOP,
    EVENT_FIRE,
    EVENT_LEAKAGE,
    LATCH_ESTOP,
    LATCH_LEAKAGE,
    LATCH_SMOKE,
)
from protocol.policy.charge_port import CEILING_MIN, Rules
from protocol.policy.thermistor import UNKNOWN
from protocol.settings import (
    CUT_C,
    FULL_MIN,
    FULL_POWER_W,
    LOAD_WAIT_S,
    METER_GAIN,
    PORT_LIMIT_W,
    STAGGER_S,
    STATION_LIMIT_W,
    STATION_START_LIMIT_W,
    TRICKLE_MIN,
    UNPLUGGED_S,
    UNPLUGGED_W,
    WARN_C,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.charge_safety import Safety
    from firmware.controller import Controller

_PORT_W = 1000
_POWER_ON = 1  # of reset_cause()
_GAIN_ONE = 10000
_READ_MS = 1500  # a reading a second, and a pause of the loop


# contacts that open everything, in the order in which they are asked, and which input each is in
# the record of a line that broke; doors have 2 and 3 too, the thermistors have 4
_INPUTS = (
    ("smoke", LATCH_SMOKE, EVENT_FIRE, END_SMOKE, 2),
    ("fire", LATCH_SMOKE, EVENT_FIRE, END_SMOKE, 2),
    ("estop", LATCH_ESTOP, EVENT_EMERGENCY_STOP, END_EMERGENCY_STOP, 5),
    ("leakage", LATCH_LEAKAGE, EVENT_LEAKAGE, END_LEAKAGE, 6),
)
_TAMPER = 3


def wire(safety: "Safety", board: "Any", count: int) -> None:
    """Contacts, thermistors and the contactor of so many ports."""
    contacts = board.inputs()
    safety.inputs, lines = [], []
    for name, bit, event, code, which in _INPUTS:
        if name in contacts:
            line = wired(contacts[name])
            safety.inputs.append((line, bit, event, code))
            lines.append((line, which))
    safety.tamper = wired(contacts.get("tamper"))
    lines.append((safety.tamper, _TAMPER))
    safety.lines = [one for one in lines if hasattr(one[0], "line")]
    safety.reset = wired(contacts.get("reset"), False)
    safety.reset.active = True  # until it was seen open: a key that is held at a start is no press
    safety.contactor = board.contactor() if hasattr(board, "contactor") else None
    safety.sensed = b""
    if hasattr(board, "thermistors"):
        safety.sensed, safety.read_uv = board.thermistors()
    safety.heat_dc = array("h", [UNKNOWN] * len(safety.sensed))
    safety.looks = bytearray(len(safety.sensed))
    safety.wrong = bytearray(count)


def zero_ms(row: "Any", index: int, zero_dw: int) -> int:
    """After how long without a pulse its power is known to be less than that, and was read."""
    pulse_mj = getattr(row, "pulse_mj", 0) * row.gain[index] // _GAIN_ONE
    return 10 * pulse_mj // zero_dw + _READ_MS


def build(sessions: Sessions, c: "Controller") -> None:
    """Ports, station, meters and the account of energy."""
    board = c.board
    get = c.config.settings.get
    rules = Rules()
    rules.ceiling_s = min(c.config.ceiling_min, CEILING_MIN) * 60
    rules.full_dw = get(FULL_POWER_W, 20) * 10
    rules.full_ms = get(FULL_MIN, 45) * 60000
    rules.trickle_ms = get(TRICKLE_MIN, 120) * 60000
    rules.zero_dw = get(UNPLUGGED_W, 3) * 10
    rules.unplugged_ms = get(UNPLUGGED_S, 300) * 1000
    rules.load_wait_ms = get(LOAD_WAIT_S, 60) * 1000
    limits = get(PORT_LIMIT_W, getattr(board, "PORT_LIMIT_W", _PORT_W))
    count = len(sessions.relays)
    contacts = board.inputs()
    metered = 0
    for kind, port, options in board.meters():
        module = __import__("firmware.meters." + kind, None, None, ("drivers",))
        row = module.drivers(port, options)
        for index in range(row.count):
            row.gain[index] = own(get(METER_GAIN, _GAIN_ONE), metered + index)
            slow_ms = zero_ms(row, index, rules.zero_dw)
            if slow_ms > rules.zero_ms:
                rules.zero_ms = slow_ms
        metered += row.count
        sessions.meters.append(row)
    for number in range(count):
        end = str(number + 1) if number else ""
        sessions.add(rules, own(limits, number))
        for contact, inputs in ("plug", sessions.plugs), ("button", sessions.buttons):
            if contact + end in contacts:
                inputs[number] = Input(contacts[contact + end], False)
    limit_w = get(STATION_LIMIT_W, getattr(board, "STATION_LIMIT_W", count * _PORT_W))
    start_w = get(STATION_START_LIMIT_W, max(0, limit_w - own(limits, 0)))
    station = sessions.station
    station.limit_dw, station.start_limit_dw = 10 * limit_w, 10 * start_w
    station.stagger_ms = 1000 * get(STAGGER_S, 1)
    sessions.safety.warn_dc, sessions.safety.cut_dc = 10 * get(WARN_C, 65), 10 * get(CUT_C, 75)
    # a board without a reset on site is reset by pulling its plug; not by its firmware
    starts = getattr(c, "kind", None) is None
    without = "reset" not in contacts
    sessions.safety.by_power = starts and without and board.reset_cause() == _POWER_ON
    station.latches = 0 if sessions.safety.by_power else c.nvs.get(LATCH)
