"""The journal: heads, pages, sector headers, checkpoints, sealed audit keys (device)."""

from firmware.handlers.on_demand import on_demand
from protocol.codes import OP_ENROLL, OP_GET_AUDIT_KEY, OP_PUT_CHECKPOINT
from protocol.constants import RECORD_BYTES, SECTOR_HEADER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def head(c: "Controller", arguments: "Arguments") -> "Value":
    return c.journal.rings[arguments[0]].head(arguments[1])


async def read(c: "Controller", arguments: "Arguments") -> "Value":
    ring, seq, count = arguments
    page = c.scratch[: count * RECORD_BYTES]
    return page[: c.journal.rings[ring].read(seq, page)]


async def sectors(c: "Controller", arguments: "Arguments") -> "Value":
    ring, seq, count = arguments
    page = c.scratch[: count * SECTOR_HEADER_BYTES]
    return page[: c.journal.rings[ring].headers(seq, page)]


get_audit_key = on_demand(OP_GET_AUDIT_KEY)
put_checkpoint = on_demand(OP_PUT_CHECKPOINT)
enroll = on_demand(OP_ENROLL)
