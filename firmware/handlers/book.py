"""The journal: heads, pages, checkpoints, and the sealed audit keys (device)."""

from firmware import signed
from firmware.config import read_file
from firmware.handlers.timing import addressed
from protocol.codes import ERR_MALFORMED, EVENT_CHECKPOINT, EVENT_ENROLLED, KEY_CHECKPOINT
from protocol.constants import AAD_CHECKPOINT, RECORD_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value

_SEALED_PATHS = ("/cfg/audit0.oaep", "/cfg/audit1.oaep")


async def head(c: "Controller", arguments: "Arguments") -> "Value":
    return c.journal.rings[arguments[0]].head(arguments[1])


async def read(c: "Controller", arguments: "Arguments") -> "Value":
    ring, seq, count = arguments
    page = c.scratch[: count * RECORD_BYTES]
    return page[: c.journal.rings[ring].read(seq, page)]


async def put_checkpoint(c: "Controller", arguments: "Arguments") -> "Value":
    """What the desk says it holds; the record of it binds both sides."""
    payload = await signed.payload(c.keys, KEY_CHECKPOINT, arguments[0], AAD_CHECKPOINT)
    fields = addressed(c, payload, 6)
    for seq, chain_value in (fields[2:4], fields[4:6]):
        if not isinstance(seq, int) or not isinstance(chain_value, bytes):
            raise Refused(ERR_MALFORMED)
    c.journal.record(EVENT_CHECKPOINT, extra=fields[2])
    return None


async def enroll(c: "Controller", arguments: "Arguments") -> "Value":
    """The audit keys as they were sealed at the first start, and whether this was asked before."""
    again = c.nvs.get("enrolled")
    sealed: "list[object]" = [read_file(path) for path in _SEALED_PATHS]
    c.journal.record(EVENT_ENROLLED, again)
    c.nvs.put("enrolled", 1)
    sealed.append(again == 1)
    return sealed
