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


def _places(ring: "Ring", sector: int) -> int:
    """Up to which place a sector holds records; behind it nothing is to be trusted."""
    return ring.place if sector == ring.sector and ring.opened else RECORDS_PER_SECTOR


def _number(ring: "Ring", sector: int, place: int) -> int:
    ring.sectors.read(sector, place, ring.buffer)
    return int.from_bytes(ring.buffer[:4], "big")


def _find(ring: "Ring", seq: int) -> "tuple[int, int]":
    """Sector and place of the record `seq`, or of the nearest behind it in its sector.

    What its own number says counts: first where it must lie if nothing was cut or damaged, then
    behind that, for cut writes put a record further back, then before it.
    """
    sector = _holding(ring, seq)
    if sector == NONE:
        return NONE, 0
    begin = min(max(seq - ring.sectors.first_seq(sector), 0), RECORDS_PER_SECTOR)
    places = _places(ring, sector)
    found = begin
    nearest = seq + RECORDS_PER_SECTOR
    for step in range(places):
        place = (begin + step) % places
        number = _number(ring, sector, place)
        if seq <= number < nearest:
            nearest = number
            found = place
            if number == seq:
                break
    return sector, found


def read(ring: "Ring", seq: int, out: memoryview) -> int:
    """Fill `out` with the records from `seq` on, as they lie there; returns how many bytes.

    Places of zeros are skipped. Whether a record's number is what it should be is for whoever asked
    to judge (controller_tool/wire_shapes.py): a damaged one hides no other.
    """
    seq = max(seq, ring.oldest)
    left = min(ring.seq - seq, len(out) // RECORD_BYTES)
    number, sector, place = ring.cursor
    if number != seq or (place < _places(ring, sector) and _number(ring, sector, place) != seq):
        sector, place = _find(ring, seq)
    filled = 0
    while left > 0 and sector != NONE:
        count = min(left, _places(ring, sector) - place)
        if count <= 0:
            if sector == _newest(ring):
                break
            sector = ring.sectors.after(sector)
            place = 0
            continue
        view = out[filled : filled + count * RECORD_BYTES]
        ring.sectors.read(sector, place, view)
        place += count
        taken = count if _fits(view, seq + filled // RECORD_BYTES, count) else _picked(view, count)
        filled += taken * RECORD_BYTES
        left -= taken
    ring.cursor = (seq + filled // RECORD_BYTES, sector, place)
    return filled


def _fits(view: memoryview, seq: int, count: int) -> bool:
    """Whether `count` records from `seq` on begin and end as they should: no hole among them."""
    last = view[(count - 1) * RECORD_BYTES :]
    return (
        seq > 0
        and int.from_bytes(view[:4], "big") == seq
        and int.from_bytes(last[:4], "big") == seq + count - 1
    )


def _picked(view: memoryview, count: int) -> int:
    """Move together what is no hole; how many records that is."""
    at = taken = 0
    for _ in range(count):
        record = view[at : at + RECORD_BYTES]
        at += RECORD_BYTES
        if record != HOLE:
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
