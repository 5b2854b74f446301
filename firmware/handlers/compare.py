"""What the list in force holds, bucket by bucket, as it is stored now (device).

Loaded for each request and forgotten after it.
"""

import asyncio
from hashlib import sha256

from firmware.loan import forget
from protocol.codes import ERR_STATE, OP_GET_BUCKETS
from protocol.constants import BUCKETS, CARD_RECORD_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.blend import Blend
    from firmware.controller import Arguments, Controller, Value


def _blend(c: "Controller") -> "Blend":
    from firmware.blend import PIECE_BYTES, blend_of

    forget("firmware.blend")
    if c.whitelist.manifest is None:
        raise Refused(ERR_STATE)
    return blend_of(c.whitelist, memoryview(bytearray(PIECE_BYTES)))


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; rights and arguments have been checked."""
    return await (_buckets if operation == OP_GET_BUCKETS else _records)(c, arguments)


async def _buckets(c: "Controller", arguments: "Arguments") -> "Value":
    """SHA-256 of each of so many buckets."""
    first, count = arguments
    end = min(first + count, BUCKETS)
    page = c.scratch
    blend = _blend(c)
    try:
        blend.seek(first)
        for bucket in range(first, end):
            inner = sha256()
            for piece in blend.pieces(bucket):
                inner.update(piece)
            at = 32 * (bucket - first)
            page[at : at + 32] = inner.digest()
            await asyncio.sleep_ms(0)
    finally:
        blend.close()
    return page[: 32 * (end - first)]


async def _records(c: "Controller", arguments: "Arguments") -> "Value":
    """Records of one bucket, some of them skipped."""
    bucket, skip, count = arguments
    skip *= CARD_RECORD_BYTES
    left = count * CARD_RECORD_BYTES
    page = c.scratch
    filled = 0
    blend = _blend(c)
    try:
        blend.seek(bucket)
        for piece in blend.pieces(bucket):
            size = len(piece)
            if skip >= size:
                skip -= size
                continue
            taken = min(size - skip, left - filled)
            page[filled : filled + taken] = memoryview(piece)[skip : skip + taken]
            skip = 0
            filled += taken
            if filled == left:
                break
    finally:
        blend.close()
    return page[:filled]
