"""What a start finds of the faults and sessions before it (device).

Loaded once, at the first turn, when there is a list; what it loads itself it lets go again before
the next, for a session's worth of heap is all that is left. First what is latched, for nothing goes
on under it; a port whose relay is welded stays locked, and its session ends by that.

What was charging when the power went: after an outage of which it is known that it was no longer
than RESUME_S the session of a card goes on, if that card would be let charge at that port now; so
the clock has to be known and the last slot of the account to be that young. What went on once goes
on again only when a whole minute more of it was accounted: whoever cuts the mains again and again
would charge for nothing. Everything else ends by power loss, or by the watchdog when that was it.
What a ticket began never goes on by itself.

A journal that cannot be read is an OSError, and the next turn begins here again: the account is
read anew, so that nothing counts twice. Until then no port is served and no ticket taken.
"""

from firmware.charge_book import BEGUN
from firmware.charge_sessions import Sessions
from firmware.loan import forget
from protocol.codes import (
    CLOCK_UNSET,
    END_POWER_LOSS,
    END_RELAY_WELD,
    END_WATCHDOG,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_ENERGY_LOST,
    PORT_LOCKED,
    REASON_RESUMED,
    REASON_TICKET,
)
from protocol.constants import JOURNAL_PAGE_RECORDS, RECORD_BYTES, RING_ACCESS
from protocol.policy.charge_port import NO_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller
    from firmware.ring import Ring

    Found = list[tuple[int, bytes, int, int, bool]]

RESUME_S = 60
_EVENT_AT = 6  # in a record's body, protocol/records.py
_POINT_AT = 15
_WATCHDOG = 3  # of reset_cause()


def _found(sessions: Sessions, c: "Controller") -> "Found":
    """The sessions that the account shows as live; the account itself is whole after it."""
    from firmware.energy_restore import open_entries, restore

    forget("firmware.energy_restore")
    try:
        restore(sessions.energy)
    except OSError:  # nothing can be counted, so nothing begins
        c.journal.note(EVENT_ENERGY_LOST)
        return []
    if sessions.energy.damaged:
        c.journal.note(EVENT_ENERGY_LOST)
    return open_entries(sessions.energy)


def _begin_day(sessions: Sessions, c: "Controller") -> None:
    from firmware.charge_book import day

    forget("firmware.charge_book")
    sessions.energy.begin_day(day(c))


def settle(sessions: Sessions, c: "Controller") -> None:
    """Latch what was latched, end or go on with what ran; called again if it fails."""
    from firmware.charge_latched import latch_again

    forget("firmware.charge_latched")
    welded = latch_again(sessions, c)
    del latch_again
    _settle(sessions, c, welded)
    for number in range(len(sessions.ports)):
        if welded >> number & 1:
            sessions.ports[number].code = END_RELAY_WELD
            sessions.ports[number].state = PORT_LOCKED


def _settle(sessions: Sessions, c: "Controller", welded: int) -> None:
    """What becomes of the sessions that the last slot of the account shows as live."""
    found = _found(sessions, c)
    _begin_day(sessions, c)
    if not found:
        return
    energy = sessions.energy
    for number, key, energy_mwh, seconds, _ in found:
        sessions.running[number] = BEGUN
        sessions.reasons[number] = REASON_TICKET if key == NO_KEY else REASON_RESUMED
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
    forget("firmware.ring_pages")
    for number, key, energy_mwh, seconds, ends in found:
        if said[number] == EVENT_CHARGE_ENDED:  # on record already, or never begun
            sessions.ports[number].cancel()
            _close(sessions, c, number)
        elif welded >> number & 1:
            sessions.stop(number, END_RELAY_WELD)
        elif young and not ends and _goes_on(sessions, c, number, key):
            port = sessions.ports[number]
            port.authorise(key, sessions.offer_wh, sessions.offer_min, energy_mwh, seconds)
            sessions.safety.power(1)
        else:
            sessions.stop(number, END_WATCHDOG if watchdog else END_POWER_LOSS)


def _close(sessions: Sessions, c: "Controller", number: int) -> None:
    from firmware.charge_book import close

    forget("firmware.charge_book")
    close(sessions, c, number)


def _goes_on(sessions: Sessions, c: "Controller", number: int, key: bytes) -> bool:
    from firmware.charge_card import goes_on

    forget("firmware.charge_card")
    return goes_on(sessions, c, number, key)


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
