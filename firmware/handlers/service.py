"""A start is opened to service: the prompt, for a bounded time (device); loaded for the request.

Rules, in the order in which they are applied:

- it came over the cable
- a firmware key of the site signed the grant: that key never leaves the office
- the grant is for this site, this controller and this very peer, in whose session it came: nobody
  can play it back who does not hold that peer's key
- the clock is known, and the grant's date is not over
- nobody goes through the door, nothing charges and no fire is latched

Then, in this order: it is journalled, NVS remembers that it was opened, so that the next start
journals its end, the mark is left in the RTC memory, which survives no power cut, and the
controller restarts into firmware/service.py.
"""

from firmware import signed
from firmware.loan import forget
from protocol.codes import (
    CLOCK_UNSET,
    ERR_DATE,
    ERR_MALFORMED,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    ERR_ROLE,
    ERR_STATE,
    EVENT_SERVICE_OPENED,
    EVENT_TICKET_REFUSED,
    KEY_FIRMWARE,
)
from protocol.constants import AAD_SERVICE, SERVICE_MAX_MIN, TIME_END_S
from protocol.messages import Refused, decode, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Arguments, Controller, Value

_MARK = b"service"  # firmware/service.py takes it
_NVS_NAME = "service"


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """Minutes for which it is opened; rights and arguments have been checked."""
    guest = c.admission.guest
    try:
        if guest is None or not guest.by_cable:
            raise Refused(ERR_ROLE)
        from firmware.trust_keys import StoredKeys

        forget("firmware.trust_keys")
        keys: "Any" = StoredKeys(c.keys)
        payload = await signed.payload(keys, KEY_FIRMWARE, arguments[0], AAD_SERVICE)
        minutes = _granted(c, guest.peer_id, decode(payload))
    except Refused as error:
        c.journal.note(EVENT_TICKET_REFUSED, error.code)
        raise
    c.journal.record(EVENT_SERVICE_OPENED, key=guest.peer_id, extra=minutes)
    c.nvs.put(_NVS_NAME, minutes)
    c.board.rtc().memory(_MARK + minutes.to_bytes(2, "big"))
    c.restart_wanted = True
    return minutes


def _granted(c: "Controller", peer_id: bytes, fields: "Value") -> int:
    """The minutes that a grant of a firmware key gives; raises Refused."""
    if not isinstance(fields, list) or len(fields) != 5:
        raise Refused(ERR_MALFORMED)
    minutes: int = fields[4]
    if not is_number(fields[3], TIME_END_S) or not is_number(minutes, SERVICE_MAX_MIN):
        raise Refused(ERR_MALFORMED)
    if fields[0] != c.config.site:
        raise Refused(ERR_OTHER_SITE)
    if fields[1] != c.config.device:
        raise Refused(ERR_OTHER_DEVICE)
    if fields[2] != peer_id or minutes == 0:
        raise Refused(ERR_ROLE)
    c.clock.tick()
    if c.clock.quality == CLOCK_UNSET or c.clock.time_s >= fields[3]:
        raise Refused(ERR_DATE)
    if not c.kind.at_rest():
        raise Refused(ERR_STATE)
    return minutes
