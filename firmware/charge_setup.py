"""A charger's ports as its board and settings have them, and what a start finds (device).

Loaded for a start and a new configuration, and forgotten after it.

What was charging when the power went: after an outage of which it is known that it was no longer
than RESUME_S the session of a card goes on, if that card is still on the list; so the clock has to
be known and the last slot of the account to be that young. Everything else ends by power loss, or
by the watchdog when that was it. What a ticket began never goes on by itself.
"""

from array import array

from firmware.charge_safety import LATCH
from firmware.charge_sessions import Sessions
from firmware.config import own
from firmware.journal import CONTROLLER, NO_KEY
from firmware.loan import forget
from firmware.reading import Input, wired
from protocol.codes import (
    CLOCK_UNSET,
    END_EMERGENCY_STOP,
    END_LEAKAGE,
    END_POWER_LOSS,
    END_SMOKE,
    END_WATCHDOG,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_EMERGENCY_STOP,
    EVENT_ENERGY_LOST,
    EVENT_FIRE,
    EVENT_LEAKAGE,
    EVENT_RESET_ON_SITE,
    LATCH_ESTOP,
    LATCH_LEAKAGE,
    LATCH_SMOKE,
    REASON_RESUMED,
    REASON_TICKET,
)
from protocol.constants import FLAG_REVOKED, JOURNAL_PAGE_RECORDS, RECORD_BYTES, RING_ACCESS
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
    from typing import Any, Callable

    from firmware.charge_safety import Safety
    from firmware.controller import Controller
    from firmware.ring import Ring

    Quotas = Callable[[Sessions, Controller, bytes, tuple[int, ...]], int]

RESUME_S = 60
_PORT_W = 1000
_EVENT_AT, _POINT_AT = 6, 15  # of a record's body, protocol/records.py
_POWER_ON, _WATCHDOG = 1, 3  # of reset_cause()


# contacts that open everything, in the order in which they are asked
_INPUTS = (
    ("smoke", LATCH_SMOKE, EVENT_FIRE, END_SMOKE),
    ("fire", LATCH_SMOKE, EVENT_FIRE, END_SMOKE),
    ("estop", LATCH_ESTOP, EVENT_EMERGENCY_STOP, END_EMERGENCY_STOP),
    ("leakage", LATCH_LEAKAGE, EVENT_LEAKAGE, END_LEAKAGE),
)


def wire(safety: "Safety", board: "Any", count: int) -> None:
    """Contacts, thermistors and the contactor of so many ports."""
    contacts = board.inputs()
    safety.inputs = [
        (wired(contacts[name]), bit, event, code)
        for name, bit, event, code in _INPUTS
        if name in contacts
    ]
    safety.tamper = wired(contacts.get("tamper"))
    safety.has_reset = "reset" in contacts
    safety.reset = wired(contacts.get("reset"), False)
    safety.contactor = board.contactor() if hasattr(board, "contactor") else None
    safety.sensed = b""
    if hasattr(board, "thermistors"):
        safety.sensed, safety.read_uv = board.thermistors()
    safety.heat_dc = array("h", [UNKNOWN] * len(safety.sensed))
    safety.looks = bytearray(len(safety.sensed))
    safety.wrong = bytearray(count)


def let_go(sessions: Sessions, c: "Controller") -> None:
    """Whoever stands there has reset it."""
    was = sessions.station.latches
    locked = False
    for port in sessions.ports:
        locked = port.release() or locked
    if was or locked:
        sessions.station.latches = 0
        c.nvs.put(LATCH, 0)
        c.journal.note(EVENT_RESET_ON_SITE, 0, CONTROLLER, NO_KEY, was)


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
            row.gain[index] = own(get(METER_GAIN, 10000), metered + index)
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
    sessions.station.latches = c.nvs.get(LATCH)
    # a board without a reset on site is reset by pulling its plug; not by its firmware
    first = getattr(c, "kind", None) is None
    if first and not sessions.safety.has_reset and board.reset_cause() == _POWER_ON:
        sessions.station.latches = 0
        c.nvs.put(LATCH, 0)


def settle(sessions: Sessions, c: "Controller") -> None:
    """What becomes of the sessions that the last slot of the account shows as live."""
    from firmware.charge_book import close, day, quotas

    forget("firmware.charge_book")
    from firmware.energy_restore import open_entries, restore

    forget("firmware.energy_restore")
    energy = sessions.energy
    try:
        restore(energy)
    except OSError:  # nothing can be counted, so nothing begins
        c.journal.note(EVENT_ENERGY_LOST)
        return
    if energy.damaged:
        c.journal.note(EVENT_ENERGY_LOST)
    energy.begin_day(day(c))
    found = open_entries(energy)
    if not found:
        return
    for number, key, energy_mwh, seconds, by_ticket in found:
        sessions.running[number] = 1
        sessions.reasons[number] = REASON_TICKET if by_ticket else REASON_RESUMED
        sessions.ports[number].authorise(key, 0, 0, energy_mwh, seconds)
        sessions.slot_s[number], sessions.slot_mwh[number] = seconds, energy_mwh
    watchdog = c.board.reset_cause() == _WATCHDOG
    clock = c.clock
    young = (
        not watchdog
        and not sessions.station.latches
        and clock.quality != CLOCK_UNSET
        and energy.newest_time_s
        and 0 <= clock.time_s - energy.newest_time_s <= RESUME_S
    )
    said = _last_said(c.journal.rings[RING_ACCESS], c.scratch, sessions.running)
    for number, key, energy_mwh, seconds, by_ticket in found:
        if said[number] == EVENT_CHARGE_ENDED:  # on record already, or never begun
            sessions.ports[number].cancel()
            close(sessions, c, number)
        elif young and not by_ticket and _still_may(sessions, c, key, quotas):
            port = sessions.ports[number]
            port.authorise(key, sessions.offer_wh, sessions.offer_min, energy_mwh, seconds)
            sessions.safety.power(True)
        else:
            sessions.stop(number, END_WATCHDOG if watchdog else END_POWER_LOSS)


def _still_may(sessions: Sessions, c: "Controller", key: bytes, quotas: "Quotas") -> bool:
    whitelist = c.whitelist
    try:
        if not whitelist.find(key) or whitelist.found_flags & FLAG_REVOKED:
            return False
    except OSError:
        return False
    return not quotas(sessions, c, key, c.access.profile_of(whitelist.found_profile))


def _last_said(ring: "Ring", scratch: memoryview, asked: bytearray) -> bytearray:
    """Of each port asked for: the last that the journal has of it, begun or ended.

    A slot with a session is written before its record of beginning, and one without it after the
    record of its end: so the journal has the last word.
    """
    said = bytearray(len(asked))
    left = sum(asked)
    end = ring.seq
    while left and end > ring.oldest:
        begin = max(ring.oldest, end - JOURNAL_PAGE_RECORDS)
        page = scratch[: (end - begin) * RECORD_BYTES]
        at = ring.read(begin, page)
        while at and left:
            at -= RECORD_BYTES
            event, point = page[at + _EVENT_AT], page[at + _POINT_AT]
            ours = event in (EVENT_CHARGE_STARTED, EVENT_CHARGE_ENDED) and point < len(asked)
            if ours and asked[point] and not said[point]:
                said[point] = event
                left -= 1
        end = begin
    for number in range(len(asked)):
        if asked[number] and left and not said[number]:
            said[number] = EVENT_CHARGE_ENDED  # the whole journal knows nothing of it
    return said
