"""Whether the list in force is what was signed, asked by a self-test and a trial (device).

Apart from both, because the names of a trial would stay in the heap after every self-test.
"""

import asyncio

from firmware.loan import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller


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
