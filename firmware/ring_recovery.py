"""What a power cut or an error of the flash left of one journal ring is finished (device).

Loaded at a start and after an error, and forgotten after it; the rules stand in firmware/ring.py.
"""

from firmware.ring import AUDIT_TAG_AT, TOOL_TAG_AT
from firmware.sectors import BLANK, HOLE
from protocol import chain, sector_header
from protocol.constants import RECORD_BODY_BYTES, RECORDS_PER_SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.ring import Ring


def recover(ring: "Ring", adopting: bool) -> None:
    buffer = ring.buffer
    _check_sector(ring)
    while ring.opened:
        ring.sectors.read(ring.sector, ring.place, buffer)
        if buffer == BLANK:
            break
        if buffer != HOLE and not (adopting and _adopt(ring)):
            ring.sectors.write(ring.sector, ring.place, HOLE)
        ring.place += 1
        if ring.place == RECORDS_PER_SECTOR:
            ring.turn()
            _check_sector(ring)
    if ring.opened:
        ring.blank_ahead = ring.sectors.is_blank(ring.sectors.after(ring.sector))


def _check_sector(ring: "Ring") -> None:
    """Find out whether the sector that is being filled has a header of this lap."""
    header = ring.sectors.header(ring.sector)
    if ring.place:
        ring.sector_seq = header.sector_seq if header else 0
        ring.fresh = header is not None and header.first_seq == ring.seq
        return
    before = ring.sectors.header((ring.sector - 1) % ring.sectors.count)
    ring.sector_seq = before.sector_seq + 1 if before and ring.seq else 0
    ring.opened = header is not None and _is_ours(ring, header)
    ring.fresh = True
    if not ring.opened and not ring.sectors.is_blank(ring.sector):
        ring.sectors.erase(ring.sector)
    ring.blank_ahead = True  # of the sector in hand, until it is opened


def _is_ours(ring: "Ring", header: "sector_header.SectorHeader") -> bool:
    expected = sector_header.pack(
        ring.number, header.boot, ring.sector_seq, ring.seq, ring.c,
        ring.k_tool, ring.k_audit,
    )  # fmt: skip
    found = sector_header.unpack(expected)
    return bool(found == header)


def _adopt(ring: "Ring") -> bool:
    """Take in the record in the buffer if it is the one that was being written."""
    buffer = ring.buffer
    body = memoryview(buffer)[:RECORD_BODY_BYTES]
    if int.from_bytes(body[:4], "big") != ring.seq:
        return False
    c = chain.link(ring.c, body)
    if buffer[TOOL_TAG_AT:AUDIT_TAG_AT] != chain.tag(chain.tag_key(ring.k_tool), c):
        return False
    if buffer[AUDIT_TAG_AT:] != chain.tag(chain.tag_key(ring.k_audit), c):
        return False
    ring.commit(c, ring.place + 1)
    ring.fresh = False
    return True
