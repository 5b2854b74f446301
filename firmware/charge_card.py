"""A card at a charger: whether it may charge, goes on, or ends what it began (device).

Loaded for each card, each ticket and a start after which sessions may go on; then forgotten. Rules,
in the order in which they are applied:

- the card whose session runs ends it, whatever its validity has become; a collected one too, and
  that is denied and on record beside it
- whoever would not be let through a door is refused for the same reasons, at the first port that
  the profile names; smoke denies everybody
- anything else that is latched: refused, port fault
- no port that the profile names is free and well: busy, or fault when none is in use
- the session that the card ended a moment ago is not on record yet: busy, for its energy counts
- no room below the station's start limit: refused
- the quota of the day is used up: refused

Which port is meant is no question at a station of one port, for a card whose profile names one port
of this station alone, a tenant's own, and where one plug alone is in among those that are free. A
port with a plug contact waits for its plug in any case: whoever plugs in later is seen then.
"""

from firmware.journal import CONTROLLER
from firmware.judging import judge
from firmware.loan import forget
from firmware.readers.results import SHOW_DENIED, SHOW_GRANTED, SHOW_WAIT
from protocol.codes import (
    END_CARD,
    END_REMOTE,
    END_REVOKED,
    EVENT_GRANTED,
    LATCH_SMOKE,
    PORT_IDLE,
    PORT_LOCKED,
    REASON_POINT,
    REASON_PORT_BUSY,
    REASON_PORT_FAULT,
    REASON_REVOKED,
    REASON_STATION_LIMIT,
    REASON_TICKET,
    TICKET_CHARGE_START,
    TICKET_CHARGE_STOP,
)
from protocol.constants import CHARGE_WH_SHIFT
from protocol.policy.charge_port import NO_KEY
from protocol.policy.charge_station import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.charge_cards import Chooser
    from firmware.charge_sessions import Sessions
    from firmware.controller import Controller
    from firmware.reading import Reader

_POINTS_AT = 1  # in a profile


def card(chooser: "Chooser", sessions: "Sessions", c: "Controller", reader: "Reader") -> None:
    """A card was presented. OSError when it cannot be put on record, and then it does nothing."""
    number = reader.number
    granted, reason = _judge(chooser, sessions, c, reader)
    key = c.access.key
    mine = _port_of(sessions, key)
    if mine != NONE:
        if reason != REASON_REVOKED:
            sessions.stop(mine, END_CARD)
            return
        sessions.stop(mine, END_REVOKED)
    elif granted:
        points = c.access.profile[_POINTS_AT]
        mask = _candidates(sessions, points)
        refusal = _refusal(sessions, mask) or _quotas(sessions, c, key)
        if not refusal:
            only = _only(sessions, mask, points)
            point = CONTROLLER if only == NONE else only
            c.journal.record(EVENT_GRANTED, reason, point, key, number)
            chooser.ask(key, mask, number)
            chooser.show(number, SHOW_WAIT if only == NONE else SHOW_GRANTED)
            if only != NONE:
                chooser.chosen(only)
            return
        reason = refusal
    chooser.show(number, SHOW_DENIED)
    point = mine if mine != NONE else CONTROLLER if len(sessions.ports) > 1 else 0
    chooser.swipes.deny(reason, point, number)


def goes_on(sessions: "Sessions", c: "Controller", number: int, key: bytes) -> bool:
    """Whether a session may go on at its port after an outage: as if its card came there now.

    What it may take then is in `offer_…`. The station has nothing latched.
    """
    c.access.key = key
    try:
        granted, _ = judge(c.access, 0, None, number, False)
    except OSError:
        return False
    return granted and not _day_is_over(sessions, c, key)


def takes(sessions: "Sessions", action: int, point: int) -> bool:
    """Whether a ticket may ask for this here; any may stop."""
    if point >= len(sessions.ports):
        return False
    if action == TICKET_CHARGE_START:
        return not _refusal(sessions, _candidates(sessions, 1 << point))
    return action == TICKET_CHARGE_STOP


def act(sessions: "Sessions", action: int, point: int, argument: int) -> None:
    """Start (argument: Wh << 10 | minutes, 0 for the ceiling) or stop by ticket."""
    if action == TICKET_CHARGE_START:
        sessions.offer_wh = argument >> CHARGE_WH_SHIFT
        sessions.offer_min = argument & (1 << CHARGE_WH_SHIFT) - 1
        sessions.promise(point, NO_KEY, REASON_TICKET)
    else:
        sessions.stop(point, END_REMOTE)


def _judge(
    chooser: "Chooser", sessions: "Sessions", c: "Controller", reader: "Reader"
) -> "tuple[bool, int]":
    smoke = sessions.station.latches & LATCH_SMOKE != 0
    granted, reason = _asked(c, reader, 0, smoke)
    if reason == REASON_POINT:  # not the first port, but perhaps another
        for point in range(len(sessions.ports)):
            if c.access.profile[_POINTS_AT] >> point & 1:
                return _asked(c, reader, point, smoke)
    return granted, reason


def _asked(c: "Controller", reader: "Reader", point: int, smoke: bool) -> "tuple[bool, int]":
    driver = reader.driver
    return judge(c.access, driver.type, driver.credential, point, smoke)


def _port_of(sessions: "Sessions", key: bytes) -> int:
    if key != NO_KEY:
        for number in range(len(sessions.ports)):
            if sessions.ports[number].owns(key):
                return number
    return NONE


def _candidates(sessions: "Sessions", points: int) -> int:
    """Ports that are free and that a profile names."""
    mask = 0
    for number in range(len(sessions.ports)):
        if points >> number & 1 and sessions.is_free(number):
            mask |= 1 << number
    return mask


def _refusal(sessions: "Sessions", mask: int) -> int:
    """Why no port of these may begin now; 0: one may."""
    if sessions.station.latches:
        return REASON_PORT_FAULT
    if not mask:
        for port in sessions.ports:
            if PORT_IDLE < port.state < PORT_LOCKED:
                return REASON_PORT_BUSY
        return REASON_PORT_FAULT
    return 0 if sessions.station.has_room() else REASON_STATION_LIMIT


def _quotas(sessions: "Sessions", c: "Controller", key: bytes) -> int:
    for number in range(len(sessions.ports)):
        if sessions.running[number] and sessions.ports[number].key == key:
            return REASON_PORT_BUSY
    return _day_is_over(sessions, c, key)


def _day_is_over(sessions: "Sessions", c: "Controller", key: bytes) -> int:
    from firmware.charge_book import quotas

    forget("firmware.charge_book")
    return quotas(sessions, c, key, c.access.profile)


def _only(sessions: "Sessions", mask: int, points: int) -> int:
    """The port that is meant without a question, or NONE; points: all that the profile names."""
    if len(sessions.ports) == 1:
        return 0
    points &= (1 << len(sessions.ports)) - 1
    own = points & points - 1 == 0
    found = NONE
    for number in range(len(sessions.ports)):
        plug = sessions.plugs.get(number)
        if mask >> number & 1 and (own if plug is None else plug.active):
            if found != NONE:
                return NONE
            found = number
    return found
