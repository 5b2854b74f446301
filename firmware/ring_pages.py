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


def _number(record: "memoryview | bytearray") -> int:
    return int.from_bytes(record[:4], "big")


def _place(ring: "Ring", sector: int, seq: int) -> int:
    """Where `seq` lies in the sector that begins nearest at or before it.

    Where nothing was cut or damaged, as far from the beginning as its number. Else places are
    counted, for each that is no hole took a number, whatever can be read of it.
    """
    number = ring.sectors.first_seq(sector)
    place = seq - number
    if place < RECORDS_PER_SECTOR:
        ring.sectors.read(sector, place, ring.buffer)
        if _number(ring.buffer) == seq:
            return place
    for place in range(RECORDS_PER_SECTOR):
        ring.sectors.read(sector, place, ring.buffer)
        if ring.buffer != HOLE:
            if number == seq:
                return place
            number += 1
    return RECORDS_PER_SECTOR


def read(ring: "Ring", seq: int, out: memoryview) -> int:
    """Fill `out` with the records from `seq` on, none beyond its room; returns how many bytes.

    Places of zeros are skipped. So is a record whose own number is damaged, unless it lies between
    others that fit: that one only, for every place but those of zeros took a number
    (firmware/ring_recovery.py lets nothing else lie).
    """
    seq = max(seq, ring.oldest)
    end = min(ring.seq, seq + len(out) // RECORD_BYTES)
    number, sector, place = ring.cursor
    if number != seq:
        sector = _holding(ring, seq)
        if sector == NONE:
            return 0
        place = _place(ring, sector, seq)
    filled = 0
    while seq < end:
        if place == RECORDS_PER_SECTOR:
            if sector == _newest(ring):
                break
            sector = ring.sectors.after(sector)
            place = 0
            first = ring.sectors.first_seq(sector)
            if seq < first <= ring.seq:  # damage before it led astray
                seq = first
                continue
        count = min(end - seq, RECORDS_PER_SECTOR - place)
        view = out[filled : filled + count * RECORD_BYTES]
        ring.sectors.read(sector, place, view)
        place += count
        if _fits(view, seq, count):
            taken, seq = count, seq + count
        else:
            taken, seq = _picked(view, seq, count)
        filled += taken * RECORD_BYTES
    ring.cursor = (seq, sector, place)
    return filled


def _fits(view: memoryview, seq: int, count: int) -> bool:
    """Whether `count` records from `seq` on begin and end as they should, with none missing.

    Looking at each number would halve the speed: whoever pulls does. A hole has the number 0.
    """
    last = view[(count - 1) * RECORD_BYTES :]
    return seq > 0 and _number(view) == seq and _number(last) == seq + count - 1


def _picked(view: memoryview, seq: int, count: int) -> "tuple[int, int]":
    """Move the records from `seq` on together; how many there are, and the number after them."""
    at = taken = 0
    for _ in range(count):
        record = view[at : at + RECORD_BYTES]
        at += RECORD_BYTES
        if record == HOLE:
            continue
        if _number(record) == seq:
            view[taken * RECORD_BYTES : (taken + 1) * RECORD_BYTES] = record
            taken += 1
        seq += 1
    return taken, seq


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
    for _ in range(header.first_seq, seq):
        while place < RECORDS_PER_SECTOR:
            ring.sectors.read(sector, place, ring.buffer)
            place += 1
            if ring.buffer != HOLE:
                break
        c = chain.link(c, memoryview(ring.buffer)[:RECORD_BODY_BYTES])
    return c


def _header_of(ring: "Ring", sector: int) -> bytearray:
    buffer = bytearray(SECTOR_HEADER_BYTES)
    ring.sectors.read_header(sector, buffer)
    return buffer
