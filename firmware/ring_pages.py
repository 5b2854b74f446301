"""Heads and pages of one journal ring, for whoever pulls it (device).

Loaded for a request and forgotten after it.
"""

from firmware.sectors import BLANK, HOLE, NONE
from protocol import chain
from protocol.constants import RECORD_BYTES, RECORDS_PER_SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.ring import Ring
    from firmware.sectors import Sectors


def head(ring: "Ring", nonce: bytes) -> "list[object]":
    """`[ring, next seq, c, oldest, boot, tool mac, audit mac]`, authenticated for a nonce."""
    oldest = ring.oldest
    found: "list[object]" = [ring.number, ring.seq, ring.c, oldest, ring.boot]
    for key in (ring.k_tool, ring.k_audit):
        found.append(chain.head_mac(key, nonce, ring.number, ring.seq, ring.c, oldest))
    return found


def read(ring: "Ring", seq: int, out: memoryview) -> int:
    """Fill `out` with whole records from `seq` on; returns how many bytes."""
    if seq >= ring.seq:
        return 0
    return _collect(ring.sectors, max(seq, ring.oldest), ring.seq, ring.sector, out)


def _holding(sectors: "Sectors", seq: int) -> int:
    """The sector whose records begin nearest at or before `seq`; NONE when there is none."""
    best = found = NONE
    for sector in range(sectors.count):
        first = sectors.first_seq(sector)
        if best < first <= seq:
            best = first
            found = sector
    return found


def _collect(sectors: "Sectors", seq: int, end_seq: int, last_sector: int, out: memoryview) -> int:
    """Copy whole records from `seq` on into `out`, up to end_seq; returns how many bytes.

    Places of zeros are skipped, and so is what a failed write left; a blank place ends the
    run, as does the end of last_sector.
    """
    sector = _holding(sectors, seq)
    if sector == NONE:
        return 0
    place = min(seq - sectors.first_seq(sector), RECORDS_PER_SECTOR)
    filled = 0
    while filled + RECORD_BYTES <= len(out):
        if place == RECORDS_PER_SECTOR:
            if sector == last_sector:
                break
            sector = (sector + 1) % sectors.count
            place = 0
            if sectors.first_seq(sector) == NONE:
                break
        view = out[filled : filled + RECORD_BYTES]
        sectors.read(sector, place, view)
        place += 1
        if view == BLANK:
            if sector == last_sector:
                break
            place = RECORDS_PER_SECTOR
        elif view != HOLE and seq <= int.from_bytes(view[:4], "big") < end_seq:
            filled += RECORD_BYTES
    return filled
