"""Slots of a charger's energy ring, 288 bytes each, docs/protocol.md section 5 (both).

A slot of KIND_MINUTE has an entry for each of 16 ports. The ledger, what each card has used up
today, is one slot of KIND_LEDGER and as many of KIND_LEDGER_MORE, numbered on, as its rows need.
"""

import struct
from binascii import crc32

from protocol.constants import ENERGY_SLOT_BYTES, SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

KIND_MINUTE = 0
KIND_LEDGER = 1
KIND_LEDGER_MORE = 2

# flags of an entry; none of them: no session has that port
ENERGY_LIVE = 1
ENERGY_ENDED = 2
ENERGY_BY_TICKET = 4
ENERGY_ENDING = 8  # live, its relay open already: it does not go on after an outage
ENERGY_RESUMED = 16  # live, went on and no whole minute was accounted since: not once more

SLOTS = SECTOR_BYTES // ENERGY_SLOT_BYTES  # in a sector
PORTS = 16
HEADER_BYTES = 16
ENTRY_BYTES = 17
ROW_BYTES = 12
ROWS = 22  # in one slot
LEDGER_ROWS = 64  # in all slots of a ledger
ROWS_AT = HEADER_BYTES + ROWS * ROW_BYTES  # how many rows the whole ledger has; then which part

HEADER = ">IIHBB"  # number, seconds since 2020, local day, clock quality, kind; then the CRC
ENTRY = ">8sIHHB"  # key, mWh and seconds of the session, watts since the slot before, flags
ROW = ">8sHH"  # key, Wh, minutes
_CRC_AT = 12


def seal(buf: bytearray, seq: int, time_s: int, day: int, quality: int, kind: int) -> None:
    """Write the header of a slot whose body is in `buf`.

    day: of the ledger in a ledger, else the local one; 0 is unknown, as it is for time_s.
    """
    struct.pack_into(HEADER, buf, 0, seq, time_s, day, quality, kind)
    buf[_CRC_AT:HEADER_BYTES] = _crc(buf)


def is_whole(data: "Buffer") -> bool:
    """Whether 288 bytes are a slot: neither blank nor overwritten nor torn."""
    return len(data) == ENERGY_SLOT_BYTES and bytes(data[_CRC_AT:HEADER_BYTES]) == _crc(data)


def put_entry(
    buf: bytearray, port: int, key: bytes, energy_mwh: int, seconds: int, power_w: int, flags: int
) -> None:
    """Fill the entry of a port; what is too large for its field is as large as that can be."""
    at = HEADER_BYTES + port * ENTRY_BYTES
    seconds, power_w = min(seconds, 0xFFFF), min(power_w, 0xFFFF)
    struct.pack_into(ENTRY, buf, at, key, energy_mwh, seconds, power_w, flags)


def entry(data: "Buffer", port: int) -> "tuple[bytes, int, int, int, int]":
    """(key, mWh, seconds, watts, flags) of a port."""
    key, energy_mwh, seconds, power_w, bits = struct.unpack_from(
        ENTRY, data, HEADER_BYTES + port * ENTRY_BYTES
    )
    return key, energy_mwh, seconds, power_w, bits


def flags(data: "Buffer", port: int) -> int:
    """ENERGY_… bits of a port's entry."""
    return data[HEADER_BYTES + (port + 1) * ENTRY_BYTES - 1]


def _crc(data: "Buffer") -> bytes:
    view = memoryview(data)
    return crc32(view[HEADER_BYTES:], crc32(view[:_CRC_AT])).to_bytes(4, "big")
