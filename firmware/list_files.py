"""/wl/active: its trailer, and the rename that puts a list into force (device).

Loaded for a change of lists and a start, and forgotten after it. Formats: docs/adr/0012.
"""

import os
import struct
from array import array
from binascii import crc32

from firmware.whitelist import ACTIVE_PATH, NEXT_PATH
from protocol.constants import CARD_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from firmware.intake import Intake
    from protocol.manifest import Manifest

TRAILER_BYTES = 15

_TRAILER = ">2sBHHI"  # magic, base, envelope bytes, overlay records, base records; then a CRC
_MAGIC = b"W1"


def write_tail(
    file: "IO[bytes]", slot: int, envelope_bytes: int, base_count: int, index: "array[int]"
) -> None:
    """Index and trailer, the end of a file whose envelope and overlay are written."""
    tail = bytes(index) + struct.pack(
        _TRAILER, _MAGIC, slot, envelope_bytes, len(index), base_count
    )
    file.write(tail)
    file.write(crc32(tail).to_bytes(4, "big"))


def read_tail(file: "IO[bytes]") -> "tuple[int, int, int, array[int]] | None":
    """(base, envelope bytes, base records, index) of an open /wl/active; None when damaged."""
    size = file.seek(0, 2)
    if size < TRAILER_BYTES:
        return None
    file.seek(size - TRAILER_BYTES)
    trailer = file.read(TRAILER_BYTES)
    magic, slot, envelope_bytes, count, base_count = struct.unpack(_TRAILER, trailer[:-4])
    index_at = envelope_bytes + count * CARD_RECORD_BYTES
    if magic != _MAGIC or slot > 1 or index_at + 2 * count + TRAILER_BYTES != size:
        return None
    file.seek(index_at)
    packed = file.read(2 * count)
    if crc32(trailer[:-4], crc32(packed)) != int.from_bytes(trailer[-4:], "big"):
        return None
    return slot, envelope_bytes, base_count, array("H", packed)


def activate(
    intake: "Intake", coming: "Manifest", scratch: memoryview, place: "tuple[Any, ...]"
) -> None:
    """The rename and what follows it. place: where whitelist.take() finds it."""
    try:
        os.rename(NEXT_PATH, ACTIVE_PATH)
        intake.whitelist.take(coming, *place)
        intake.entered(coming, True)
    except OSError:  # which list the flash names now is for the flash to say
        intake.restore(scratch)
        raise
