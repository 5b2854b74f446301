"""Whether a controller still holds what it has to: asked by a self-test and a trial (device).

Apart from both, because the names of a trial would stay in the heap after every self-test.
"""

import asyncio

from firmware.loan import forget
from protocol.constants import RECORD_BYTES, RING_ALARM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller

_NUMBER_BYTES = 4  # a record begins with its number


async def list_is_whole(c: "Controller") -> bool:
    """Whether the list that is stored has the digest that was signed; so has none at all."""
    from firmware.blend import blend_of, digesting

    forget("firmware.blend")
    held = c.whitelist
    if held.manifest is None:
        return True
    found: "list[object]" = []
    try:
        blend = blend_of(held, c.scratch)
        try:
            for _ in digesting(blend, found, False):
                await asyncio.sleep_ms(0)
        finally:
            blend.close()
    except OSError:
        return False
    return found == [held.digest, held.count]


def journal_holds(c: "Controller") -> bool:
    """Whether the newest record of the alarm ring, at the least this start's, can be read again."""
    ring = c.journal.rings[RING_ALARM]
    page = c.scratch[:RECORD_BYTES]
    try:
        size = ring.read(ring.seq - 1, page)
    except OSError:
        return False
    finally:
        forget("firmware.ring_pages")
    return size == RECORD_BYTES and int.from_bytes(page[:_NUMBER_BYTES], "big") == ring.seq - 1
