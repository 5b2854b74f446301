"""A list on its way in, and receipts for the one in force (device)."""

from protocol import receipt
from protocol.codes import ERR_STATE, EVENT_LIST_REFUSED
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def begin(c: "Controller", arguments: "Arguments") -> "Value":
    try:
        return await c.intake.begin(arguments[0])
    except Refused as error:
        c.journal.note(EVENT_LIST_REFUSED, error.code)
        raise


async def chunk(c: "Controller", arguments: "Arguments") -> "Value":
    return c.intake.chunk(arguments[0], arguments[1])


async def commit(c: "Controller", arguments: "Arguments") -> "Value":
    try:
        await c.intake.commit(c.scratch)
    except Refused as error:
        c.journal.note(EVENT_LIST_REFUSED, error.code)
        raise
    c.access.refill_grace()
    return await get_receipt(c, arguments)


async def get_receipt(c: "Controller", arguments: "Arguments") -> "Value":
    held = c.whitelist.manifest
    if held is None:
        raise Refused(ERR_STATE)
    config = c.config
    return receipt.make(
        config.receipt_key, config.site, config.device, held.epoch, c.journal.boot,
        held.version, held.result_digest, c.journal.rings[1].seq, arguments[0],
    )  # fmt: skip
