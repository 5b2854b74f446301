"""The controller's clock: read, set within reach, set by a signature (device)."""

from firmware import signed
from protocol import cbor
from protocol.codes import (
    ERR_MALFORMED,
    ERR_NONCE,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    EVENT_CLOCK_SET,
    KEY_TICKET,
)
from protocol.constants import AAD_TIME
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value
    from protocol import cose


async def get_time(c: "Controller", arguments: "Arguments") -> "Value":
    c.clock.tick()
    return [c.clock.time_s, c.clock.ms, c.clock.quality, c.clock.floor_s]


async def set_time(c: "Controller", arguments: "Arguments") -> "Value":
    c.clock.set_unsigned(arguments[0])
    return _set(c, 0)


async def set_signed_time(c: "Controller", arguments: "Arguments") -> "Value":
    payload = await signed.payload(c.keys, KEY_TICKET, arguments[0], AAD_TIME)
    fields = addressed(c, payload, 4)
    if not isinstance(fields[3], int) or fields[3] < 0:
        raise Refused(ERR_MALFORMED)
    if not c.use_nonce(fields[2]):
        raise Refused(ERR_NONCE)
    c.clock.set_signed(fields[3])
    return _set(c, 1)


def _set(c: "Controller", by_signature: int) -> "Value":
    c.access.refill_grace()
    c.journal.record(EVENT_CLOCK_SET, by_signature)
    return [c.clock.time_s, c.clock.quality]


def addressed(c: "Controller", payload: "cose.Buffer", count: int) -> "Arguments":
    """The fields of a signed array that begins with site and device; raises Refused."""
    fields = cbor.decode(payload)
    if not isinstance(fields, list) or len(fields) != count:
        raise Refused(ERR_MALFORMED)
    if fields[0] != c.config.site:
        raise Refused(ERR_OTHER_SITE)
    if fields[1] != c.config.device:
        raise Refused(ERR_OTHER_DEVICE)
    return fields
