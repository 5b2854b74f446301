"""Requests about the configuration; loaded for each and forgotten after it (device).

It is small: while a signature is verified the heap has no room for the code of a change.
"""

from firmware import signed
from firmware.loan import forget
from protocol.codes import (
    ERR_BUSY,
    EVENT_CONFIG_CHANGED,
    EVENT_CONFIG_REFUSED,
    KEY_TICKET,
    OP_GET_CONFIG,
)
from protocol.constants import AAD_CONFIG
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; rights and arguments have been checked. Refusals are journalled."""
    if operation == OP_GET_CONFIG:
        from firmware.device_config import get

        forget("firmware.device_config")
        return get(c)
    if not c.journal.admits(EVENT_CONFIG_CHANGED):
        raise Refused(ERR_BUSY)
    try:
        payload = await signed.payload(c.keys, KEY_TICKET, arguments[0], AAD_CONFIG)
        from firmware.device_config import put

        forget("firmware.device_config")
        return put(c, payload)
    except Refused as error:
        c.journal.note(EVENT_CONFIG_REFUSED, error.code, extra=error.setting)
        raise
