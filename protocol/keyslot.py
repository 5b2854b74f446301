"""Key cells of the journal, 84 bytes each, docs/protocol.md section 5 (both)."""

import struct
from binascii import crc32
from collections import namedtuple

from protocol.constants import KEY_SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

STATE_VALID = 0xA5
STATE_SEED = 0x5A  # K_tool only: provisioning wrote it, the controller has no K_audit yet

_LAYOUT = ">BHIBBIHH32s16s16s"
_CRC_AT = KEY_SLOT_BYTES - 3

KeySlot = namedtuple(
    "KeySlot",
    (
        "state",
        "boot",
        "next_seq",
        "sector",
        "place",
        "version_floor",
        "trust_floor",
        "epoch",
        "c",
        "k_tool",
        "k_audit",
    ),
)


def pack_into(
    buf: bytearray,
    at: int,
    state: int,
    boot: int,
    next_seq: int,
    sector: int,
    place: int,
    version_floor: int,
    trust_floor: int,
    epoch: int,
    c: bytes,
    k_tool: bytes,
    k_audit: bytes,
) -> None:
    """Write a slot with its CRC into 84 bytes of `buf` from `at` on."""
    struct.pack_into(
        _LAYOUT,
        buf,
        at,
        state,
        boot,
        next_seq,
        sector,
        place,
        version_floor,
        trust_floor,
        epoch,
        c,
        k_tool,
        k_audit,
    )
    buf[at + _CRC_AT : at + KEY_SLOT_BYTES] = _crc(memoryview(buf)[at : at + _CRC_AT])


def unpack(data: "Buffer", at: int = 0) -> "KeySlot | None":
    """The slot at `at`, or None for one that is blank, overwritten or torn."""
    if data[at] != STATE_VALID and data[at] != STATE_SEED:
        return None
    slot = memoryview(data)[at : at + KEY_SLOT_BYTES]
    if len(slot) != KEY_SLOT_BYTES or bytes(slot[_CRC_AT:]) != _crc(slot[:_CRC_AT]):
        return None
    return KeySlot(*struct.unpack(_LAYOUT, slot[:_CRC_AT]))


def _crc(covered: "Buffer") -> bytes:
    return (crc32(covered) & 0xFFFFFF).to_bytes(3, "big")
