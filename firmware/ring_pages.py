"""Heads, pages and sector headers of one journal ring, for whoever pulls it (device).

Loaded when somebody asks and forgotten with the session (firmware/session.py).
"""

from firmware.sectors import HOLE, NONE
from protocol import chain, sector_header
from protocol.constants import (
    RECORD_BODY_BYTES,
    RECORD_BYTES,
    RECORDS_PER_SECTOR,
    SECTOR_HEADER_BYTES,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.ring import Ring


def head(ring: "Ring", nonce: bytes) -> "list[object]":
    """`[ring, next seq, c, oldest, boot, tool mac, audit mac]`, authenticated for a nonce."""
    oldest = ring.oldest
    found: "list[object]" = [ring.number, ring.seq, ring.c, oldest, ring.boot]
    for key in (ring.k_tool, ring.k_audit):
        found.append(chain.head_mac(key, nonce, ring.number, ring.seq, ring.c, oldest))
    return found


def _newest(ring: "Ring") -> int:
    return ring.sector if ring.opened else (ring.sector - 1) % ring.sectors.count


def _holding(ring: "Ring", seq: int) -> int:
    """The sector whose records begin nearest at or before `seq`; NONE when there is none."""
    if not ring.oldest <= seq or ring.oldest_sector == NONE:
        return NONE
    low, high = 0, (_newest(ring) - ring.oldest_sector) % ring.sectors.count
    while low < high:
        middle = (low + high + 1) // 2
        if ring.sectors.first_seq(ring.sectors.after(ring.oldest_sector, middle)) <= seq:
            low = middle
        else:
            high = middle - 1
    return ring.sectors.after(ring.oldest_sector, low)


def read(ring: "Ring", seq: int, out: memoryview) -> int:
    """Fill `out` with whole records from `seq` on; returns how many bytes.

    Places of zeros are skipped, and so is what a failed write left.
    """
    seq = max(seq, ring.oldest)
    number, sector, place = ring.cursor
    if number != seq:
        sector = _holding(ring, seq)
        if sector == NONE:
            return 0
        place = min(seq - ring.sectors.first_seq(sector), RECORDS_PER_SECTOR)
    filled = 0
    while filled + RECORD_BYTES <= len(out) and seq < ring.seq:
        if place == RECORDS_PER_SECTOR:
            if sector == _newest(ring):
                break
            sector = ring.sectors.after(sector)
            place = 0
        count = min((len(out) - filled) // RECORD_BYTES, RECORDS_PER_SECTOR - place, ring.seq - seq)
        view = out[filled : filled + count * RECORD_BYTES]
        ring.sectors.read(sector, place, view)
        taken = _whole_run(view, seq, count) or _picked(view, seq, count)
        place += count
        filled += taken * RECORD_BYTES
        seq += taken
    ring.cursor = (seq, sector, place)
    return filled


def _number(view: memoryview, index: int) -> int:
    at = index * RECORD_BYTES
    return int.from_bytes(view[at : at + 4], "big")


def _whole_run(view: memoryview, seq: int, count: int) -> int:
    """How many records these are when none is missing among them, else 0.

    Numbers rise by one a record: where the first and the last are right, so are all. A hole has
    the number 0.
    """
    last = seq + count - 1
    return count if seq and _number(view, 0) == seq and _number(view, count - 1) == last else 0


def _picked(view: memoryview, seq: int, count: int) -> int:
    """Move the records from `seq` on together; how many there are."""
    taken = 0
    for index in range(count):
        record = view[index * RECORD_BYTES : (index + 1) * RECORD_BYTES]
        if record != HOLE and _number(view, index) == seq + taken:
            view[taken * RECORD_BYTES : (taken + 1) * RECORD_BYTES] = record
            taken += 1
    return taken


def headers(ring: "Ring", seq: int, out: memoryview) -> int:
    """Fill `out` with headers of 64 bytes, from that of the sector of `seq` on; how many bytes."""
    sector = _holding(ring, max(seq, ring.oldest))
    filled = 0
    while sector != NONE and filled + SECTOR_HEADER_BYTES <= len(out):
        ring.sectors.read_header(sector, out[filled : filled + SECTOR_HEADER_BYTES])
        filled += SECTOR_HEADER_BYTES
        sector = NONE if sector == _newest(ring) else ring.sectors.after(sector)
    return filled


def chain_value(ring: "Ring", seq: int) -> "bytes | None":
    """c before the record `seq`; None when the ring does not reach so far back any more."""
    if seq == ring.seq:
        return ring.c
    sector = _holding(ring, seq)
    if sector == NONE:
        return None
    header = sector_header.unpack(_header_of(ring, sector))
    if header is None:
        return None
    c: bytes = header.c
    place = 0
    for number in range(header.first_seq, seq):
        while place < RECORDS_PER_SECTOR:
            ring.sectors.read(sector, place, ring.buffer)
            place += 1
            if ring.buffer != HOLE and int.from_bytes(ring.buffer[:4], "big") == number:
                break
        c = chain.link(c, memoryview(ring.buffer)[:RECORD_BODY_BYTES])
    return c


def _header_of(ring: "Ring", sector: int) -> bytearray:
    buffer = bytearray(SECTOR_HEADER_BYTES)
    ring.sectors.read_header(sector, buffer)
    return buffer
