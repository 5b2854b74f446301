"""Headers of journal sectors, 64 bytes, docs/protocol.md section 5 (both)."""

import struct
from collections import namedtuple

from protocol import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

MAGIC = b"JRN1"
TAGGED_BYTES = 48  # what the tags cover
_LAYOUT = ">4sBBHII32s"

# c: chain value before first_seq
SectorHeader = namedtuple(
    "SectorHeader",
    ("ring", "boot", "sector_seq", "first_seq", "c", "tool_tag", "audit_tag"),
)


def pack(
    ring: int,
    boot: int,
    sector_seq: int,
    first_seq: int,
    c: bytes,
    k_tool: bytes,
    k_audit: bytes,
) -> bytes:
    """Header of a sector whose first record will be first_seq; the keys are those before it."""
    covered = struct.pack(_LAYOUT, MAGIC, ring, 0, boot, sector_seq, first_seq, c)
    return covered + chain.sector_tag(k_tool, covered) + chain.sector_tag(k_audit, covered)


def unpack(data: "Buffer") -> "SectorHeader | None":
    """Fields of the first 64 bytes of a sector, tags unchecked; None when it has no header."""
    magic, ring, zero, boot, sector_seq, first_seq, c = struct.unpack(_LAYOUT, data[:TAGGED_BYTES])
    if magic != MAGIC or zero:
        return None
    tags = bytes(data[TAGGED_BYTES : TAGGED_BYTES + 16])
    return SectorHeader(ring, boot, sector_seq, first_seq, c, tags[:8], tags[8:])
