"""One ring of the journal with its key cells on a NOR chip, and what must be true of it always.

For MicroPython alone.
"""

from firmware.cells import Cells
from firmware.ring import Ring
from protocol import chain, keyslot, records, sector_header
from protocol.codes import EVENT_DENIED, EVENT_OVERWRITTEN
from protocol.constants import (
    KEY_SLOT_BYTES,
    KEY_SLOTS_PER_SECTOR,
    RECORD_BYTES,
    SECTOR_BYTES,
    SECTOR_HEADER_BYTES,
)
from tests.firmware.flash import Chip, Partition

SITE, DEVICE = b"site----", b"device--"
K_TOOL, K_AUDIT = b"t" * 16, b"a" * 16
RING_SECTORS = 4
CELL_SECTORS = 8
CARD = b"cardkey8"
NOBODY = b"\0" * 8


class Board:
    """One ring and its cells, as they lie on a chip."""

    def __init__(self, sectors: int = RING_SECTORS) -> None:
        self.chip = Chip()
        self.keys = Partition(self.chip, CELL_SECTORS)
        self.places = Partition(self.chip, sectors)
        slot = bytearray(KEY_SLOT_BYTES)
        c = chain.start(SITE, DEVICE, 0)
        keyslot.pack_into(slot, 0, keyslot.STATE_VALID, 0, 0, 0, 0, 0, 0, 0, c, K_TOOL, K_AUDIT)
        self.keys.writeblocks(0, slot, 0)

    def start(self) -> Ring:
        ring = Ring(0, self.places, Cells(self.keys, 0))
        ring.boot += 1
        return ring

    def image(self) -> "tuple[bytes, bytes]":
        return bytes(self.keys.data), bytes(self.places.data)

    def restore(self, image: "tuple[bytes, bytes]") -> None:
        self.keys.data[:], self.places.data[:] = image
        self.chip.operations = 0


def burst(ring: Ring, count: int) -> None:
    """Records one after another: nothing is done ahead in between."""
    for _ in range(count):
        ring.record(EVENT_DENIED, 16, (ring.seq, 0, 3), 0, CARD, 7, 0)


def write(ring: Ring, count: int) -> None:
    """Records with time between them."""
    for _ in range(count):
        burst(ring, 1)
        ring.erase_ahead()


def held(ring: Ring) -> "list[bytes]":
    """All records that the ring still has, oldest first."""
    found: list[bytes] = []
    seq = ring.oldest
    page = memoryview(bytearray(40 * RECORD_BYTES))
    while True:
        size = ring.read(seq, page)
        if not size:
            return found
        found += [bytes(page[at : at + RECORD_BYTES]) for at in range(0, size, RECORD_BYTES)]
        seq = records.unpack(found[-1][:32]).seq + 1


class Keys:
    """Both keys before any record, made once each."""

    def __init__(self) -> None:
        self._keys = [(K_TOOL, K_AUDIT)]

    def at(self, seq: int) -> "tuple[bytes, bytes]":
        while len(self._keys) <= seq:
            tool, audit = self._keys[-1]
            self._keys.append((chain.evolve(tool), chain.evolve(audit)))
        return self._keys[seq]


KEYS = Keys()


def headers_fit(ring: Ring, first: int) -> None:
    """Every header from `first` on is of this ring and tagged with the keys before its records."""
    page = memoryview(bytearray(RING_SECTORS * SECTOR_HEADER_BYTES))
    size = ring.headers(first, page)
    for at in range(0, size, SECTOR_HEADER_BYTES):
        header = sector_header.unpack(page[at : at + SECTOR_HEADER_BYTES])
        assert header is not None
        covered = bytes(page[at : at + sector_header.TAGGED_BYTES])
        tool, audit = KEYS.at(header.first_seq)
        assert header.tool_tag == chain.sector_tag(tool, covered)
        assert header.audit_tag == chain.sector_tag(audit, covered)


def beginning(ring: Ring, seq: int) -> "tuple[int, bytes]":
    """Number and chain value from which everything from `seq` on can be proven."""
    page = memoryview(bytearray(SECTOR_HEADER_BYTES))
    if not ring.seq:
        return 0, chain.start(SITE, DEVICE, 0)
    assert ring.headers(seq, page) == SECTOR_HEADER_BYTES
    header = sector_header.unpack(page)
    assert header is not None
    return header.first_seq, header.c


def verify(ring: Ring, since: int = 0) -> None:
    """Numbers of all that is held, chain and tags from the sector of `since` on, its reach."""
    kept = held(ring)
    assert [int.from_bytes(r[:4], "big") for r in kept] == list(range(ring.oldest, ring.seq))
    assert not ring.seq or beginning(ring, ring.oldest)[0] == ring.oldest
    first, c = beginning(ring, max(since, ring.oldest))
    headers_fit(ring, first)
    reach = 0
    for record in kept:
        body = records.unpack(record[:32])
        if body.seq < first:
            if body.event == EVENT_OVERWRITTEN:
                reach = max(reach, body.extra)
            continue
        tool, audit = KEYS.at(body.seq)
        c = chain.link(c, record[:32])
        assert record[32:40] == chain.tag(chain.tag_key(tool), c)
        assert record[40:48] == chain.tag(chain.tag_key(audit), c)
        key = chain.masked(body.key, tool)
        if body.event == EVENT_OVERWRITTEN:
            reach = max(reach, body.extra)
            assert key == NOBODY
        else:
            assert key == CARD
    assert c == ring.c
    assert reach == ring.oldest


def slots_that_show(board: Board) -> int:
    """Key slots that are neither blank nor zeros."""
    count = 0
    for sector in range(CELL_SECTORS):
        for index in range(KEY_SLOTS_PER_SECTOR):
            at = sector * SECTOR_BYTES + index * KEY_SLOT_BYTES
            slot = board.keys.data[at : at + KEY_SLOT_BYTES]
            count += slot != b"\xff" * KEY_SLOT_BYTES and slot != b"\x00" * KEY_SLOT_BYTES
    return count


def keys_that_show(board: Board, up_to: int, back: int = 6) -> "list[int]":
    """Numbers of the records one of whose keys can be read from the chip."""
    keys, places = board.image()
    numbers = range(max(0, up_to - back), up_to + 3)
    return [n for n in numbers for key in KEYS.at(n) if key in keys or key in places]
