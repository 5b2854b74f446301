"""The journal: heads, pages, sector headers (device)."""

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
