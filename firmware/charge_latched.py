"""What a start latches again, though NVS has lost it or never had it (device).

Loaded at the first turn, and forgotten. A fault that opens everything is on record before it is in
NVS, and a relay that was found welded is on record alone; so the newest records of the alarm ring
have the last word, back to the last reset on site:

- smoke, leakage, emergency stop and a board that was too hot are latched again, and so is a welded
  relay where there is a contactor. How many of a kind there were beyond what is written counts as
  one: better a reset too many than one too few
- a port whose relay was welded is locked again; all are where it is not known any more which
- on a board without a reset on site, power that has just come is the reset: nothing is latched, and
  the ring is told so, for the next start that is none

What the ring has overwritten is known from NVS, or not at all.
"""

from firmware.charge_safety import LATCH
from firmware.charge_sessions import Sessions
from firmware.journal import CONTROLLER, NO_KEY
from firmware.loan import forget
from protocol.codes import (
    END_TEMPERATURE,
    EVENT_EMERGENCY_STOP,
    EVENT_FIRE,
    EVENT_LEAKAGE,
    EVENT_OVER_TEMPERATURE,
    EVENT_RELAY_WELD,
    EVENT_RESET_ON_SITE,
    LATCH_ESTOP,
    LATCH_LEAKAGE,
    LATCH_SMOKE,
    LATCH_TEMPERATURE,
    LATCH_WELD,
)
from protocol.constants import (
    JOURNAL_PAGE_RECORDS,
    RECORD_BYTES,
    RING_ALARM,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller
    from firmware.ring import Ring

_EVENT_AT = 6  # in a record's body, protocol/records.py
_REASON_AT = 7
_POINT_AT = 15
_LATCHES = {
    EVENT_FIRE: LATCH_SMOKE,
    EVENT_LEAKAGE: LATCH_LEAKAGE,
    EVENT_EMERGENCY_STOP: LATCH_ESTOP,
}


def latch_again(sessions: Sessions, c: "Controller") -> int:
    """Latch what was and was not reset; the ports, as a mask, that are to stay locked.

    OSError: nothing is known, and nothing may begin.
    """
    safety = sessions.safety
    latches, welded = _since_reset(c.journal.rings[RING_ALARM], c.scratch, len(sessions.ports))
    forget("firmware.ring_pages")
    if welded and safety.contactor is not None:
        latches |= LATCH_WELD
    if safety.by_power and not sessions.station.latches:  # else something has come since the power
        safety.by_power = False
        latches |= c.nvs.get(LATCH)
        if latches or welded:
            try:
                c.nvs.put(LATCH, 0)
            except OSError:  # the ring says that it was reset
                c.journal.lost += 1
            c.journal.note(EVENT_RESET_ON_SITE, 0, CONTROLLER, NO_KEY, latches)
        return 0
    if latches & ~sessions.station.latches:
        sessions.station.latches |= latches
        try:
            c.nvs.put(LATCH, sessions.station.latches)
        except OSError:  # the ring has it
            c.journal.lost += 1
    return welded


def _since_reset(ring: "Ring", scratch: memoryview, count: int) -> "tuple[int, int]":
    """(LATCH_… bits, mask of ports with a welded relay) of what came after the last reset."""
    latches = welded = 0
    end = ring.seq
    while end > ring.oldest:
        begin = max(ring.oldest, end - JOURNAL_PAGE_RECORDS)
        page = scratch[: (end - begin) * RECORD_BYTES]
        at = ring.read(begin, page)
        while at:
            at -= RECORD_BYTES
            event, point = page[at + _EVENT_AT], page[at + _POINT_AT]
            if event == EVENT_RESET_ON_SITE:
                return latches, welded
            latches |= _LATCHES.get(event, 0)
            if event == EVENT_RELAY_WELD:
                welded |= 1 << point if point < count else (1 << count) - 1
            elif event == EVENT_OVER_TEMPERATURE and page[at + _REASON_AT] == END_TEMPERATURE:
                latches |= LATCH_TEMPERATURE  # the board's own: a port's has another reason
        end = begin
    return latches, welded
