"""What is written of a charger's sessions: their records, and the account of energy (device).

Loaded when a session begins or ends, each minute while one runs, and for what a card may take of
its day; forgotten after it. Order: the account has a session before the record of its beginning,
and the record of its end comes before the account lets go of it. So after a power cut the journal
has the last word (firmware/charge_start.py).
"""

from protocol.calendar import MINUTES_PER_DAY, local_minute
from protocol.codes import (
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    PORT_ENDING,
    REASON_QUOTA_DAY,
    REASON_TICKET,
)
from protocol.energy_slot import (
    ENERGY_BY_TICKET,
    ENERGY_ENDED,
    ENERGY_ENDING,
    ENERGY_LIVE,
    ENERGY_RESUMED,
)
from protocol.policy.charge_station import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.charge_sessions import Sessions
    from firmware.controller import Controller

BEGUN = 1  # of `running`: on record as begun
RECORDED = 2  # as ended, and not in the account yet
_QUOTA_WH_AT = 5  # in a profile; then minutes, and both of a day
_WH_MAX = 0xFFFF
_MINUTE_S = 60


def begin(sessions: "Sessions", c: "Controller", number: int) -> bool:
    """Put it on record that a session begins; False: it must not."""
    port = sessions.ports[number]
    again = sessions.running[number] != 0  # it goes on after an outage
    sessions.running[number] = BEGUN
    if again:
        sessions.resumed[number] = port.seconds
    extra = port.quota_min << 16 | port.quota_wh
    try:
        if not account(sessions, c, NONE):
            raise OSError
        c.journal.record(EVENT_CHARGE_STARTED, sessions.reasons[number], number, port.key, extra)
    except OSError:
        c.journal.lost += 1
        if not again:
            sessions.running[number] = sessions.reasons[number] = 0
            sessions.energy.put(number, bytes(8), 0, 0, 0, 0)
        return False
    return True


def end(sessions: "Sessions", c: "Controller", number: int) -> None:
    """Put a session's end on record, then count it against the day.

    OSError, MemoryError: not yet. Called again, it goes on where it was.
    """
    port = sessions.ports[number]
    if port.state == PORT_ENDING:  # opened; on record once its current is gone
        account(sessions, c, NONE)
        return
    if sessions.running[number] == BEGUN:
        extra = port.seconds // 60 << 16 | min(port.energy_mwh // 1000, _WH_MAX)
        c.journal.record(EVENT_CHARGE_ENDED, port.code, number, port.key, extra)
        sessions.running[number] = RECORDED
    close(sessions, c, number)


def close(sessions: "Sessions", c: "Controller", number: int) -> None:
    """A session whose end is on record leaves the account."""
    port = sessions.ports[number]
    sessions.energy.spend(port.key, port.energy_mwh, port.seconds)
    sessions.resumed.pop(number, None)
    sessions.running[number] = 0
    account(sessions, c, number)
    sessions.reasons[number] = 0


def account(sessions: "Sessions", c: "Controller", ended: int) -> bool:
    """One slot for all ports: those with a session, and the one that has just ended, or NONE.

    Whether it was written; what was put stays until the next.
    """
    for number in range(len(sessions.ports)):
        if sessions.running[number] == BEGUN or number == ended:
            _put(sessions, number, ENERGY_ENDED if number == ended else ENERGY_LIVE)
    try:
        sessions.energy.commit(day(c), c.clock.time_s, c.clock.quality)
    except OSError:
        c.journal.lost += 1
        return False
    return True


def _put(sessions: "Sessions", number: int, flags: int) -> None:
    port = sessions.ports[number]
    passed_s = port.seconds - sessions.slot_s[number]
    drawn_mwh = port.energy_mwh - sessions.slot_mwh[number]
    watts = drawn_mwh * 36 // passed_s // 10 if passed_s > 0 else 0
    sessions.slot_s[number], sessions.slot_mwh[number] = port.seconds, port.energy_mwh
    if sessions.reasons[number] == REASON_TICKET:
        flags |= ENERGY_BY_TICKET
    if port.state == PORT_ENDING:
        flags |= ENERGY_ENDING
    if number in sessions.resumed:
        if port.seconds - sessions.resumed[number] < _MINUTE_S:
            flags |= ENERGY_RESUMED
        else:
            del sessions.resumed[number]
    sessions.energy.put(number, port.key, port.energy_mwh, port.seconds, watts, flags)


def day(c: "Controller") -> int:
    """The local day since 2020, 0 without a clock or a list that says where it is."""
    held = c.whitelist.manifest
    if not c.clock.quality or held is None:
        return 0
    return local_minute(held.utc_offsets, c.clock.time_s) // MINUTES_PER_DAY


def quotas(sessions: "Sessions", c: "Controller", key: bytes, profile: "tuple[int, ...]") -> int:
    """Work out what a session may take into `offer_…`; REASON_QUOTA_DAY when nothing is left."""
    wh, minutes, day_wh, day_min = profile[_QUOTA_WH_AT : _QUOTA_WH_AT + 4]
    if day_wh or day_min:
        sessions.energy.begin_day(day(c))
        used_wh, used_min = sessions.energy.used(key)
        if (day_wh and used_wh >= day_wh) or (day_min and used_min >= day_min):
            return REASON_QUOTA_DAY
        if day_wh:
            wh = min(wh or day_wh, day_wh - used_wh)
        if day_min:
            minutes = min(minutes or day_min, day_min - used_min)
    sessions.offer_wh, sessions.offer_min = wh, minutes
    return 0


def minute(sessions: "Sessions", c: "Controller") -> None:
    """A minute is over in which something was charged."""
    sessions.energy.begin_day(day(c))
    account(sessions, c, NONE)
