"""The journal on raw NOR: what it acknowledged is there after any power cut (MicroPython)."""

from firmware.cells import Cells
from firmware.ring import Ring
from protocol import chain, keyslot, records
from protocol.constants import KEY_SLOT_BYTES, RECORD_BYTES
from tests.firmware.flash import Chip, Partition, PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SITE, DEVICE = b"site----", b"device--"
K_TOOL, K_AUDIT = b"t" * 16, b"a" * 16
RING_SECTORS = 3
CARD = b"cardkey8"


class Board:
    """One ring and its cells, as they lie on a chip."""

    def __init__(self) -> None:
        self.chip = Chip()
        self.keys = Partition(self.chip, 4)
        self.places = Partition(self.chip, RING_SECTORS)
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


def write(ring: Ring, count: int) -> None:
    for _ in range(count):
        ring.record(2, 16, (ring.seq, 0, 3), 0, CARD, 7, 0)
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


def verify(ring: Ring) -> None:
    """Sequence, chain and both tags of everything from the first record on; bodies from `held`."""
    kept = held(ring)
    assert [records.unpack(r[:32]).seq for r in kept] == list(range(ring.oldest, ring.seq))
    if ring.oldest:
        return
    c, tool, audit = chain.start(SITE, DEVICE, 0), K_TOOL, K_AUDIT
    for record in kept:
        c = chain.link(c, record[:32])
        assert record[32:40] == chain.tag(chain.tag_key(tool), c)
        assert record[40:48] == chain.tag(chain.tag_key(audit), c)
        assert chain.masked(records.unpack(record[:32]).key, tool) == CARD
        tool, audit = chain.evolve(tool), chain.evolve(audit)


def slots_that_show(board: Board) -> int:
    """Key slots that are neither blank nor zeros."""
    count = 0
    for sector in range(4):
        for index in range(48):
            at = sector * 4096 + index * KEY_SLOT_BYTES
            slot = board.keys.data[at : at + KEY_SLOT_BYTES]
            count += slot != b"\xff" * KEY_SLOT_BYTES and slot != b"\x00" * KEY_SLOT_BYTES
    return count


def test_records_are_there_after_a_restart() -> None:
    board = Board()
    write(board.start(), 130)  # over the edge of a sector of records and of two of key cells
    again = board.start()
    assert (again.seq, again.oldest) == (130, 0)
    verify(again)


def test_a_full_ring_loses_its_oldest_sector_and_nothing_else() -> None:
    board = Board()
    ring = board.start()
    write(ring, 600)
    verify(ring)
    assert 84 <= 600 - ring.oldest <= RING_SECTORS * 84
    again = board.start()
    assert (again.seq, again.oldest) == (600, ring.oldest)
    verify(again)


def test_reading_begins_where_it_is_asked_to() -> None:
    board = Board()
    ring = board.start()
    write(ring, 100)
    page = memoryview(bytearray(3 * RECORD_BYTES))
    assert ring.read(83, page) == len(page)
    assert [records.unpack(page[at : at + 32]).seq for at in (0, 48, 96)] == [83, 84, 85]
    assert ring.read(100, page) == 0


def cut_everywhere(first: int, more: int) -> None:
    """Cut power at every operation of `more` records that follow the first ones."""
    board = Board()
    write(board.start(), first)
    image = board.image()
    board.chip.operations = 0
    write(board.start(), more)
    operations = board.chip.operations
    assert operations >= 3 * more
    for point in range(1, operations + 1):
        board.restore(image)
        board.chip.cut_at = point
        acknowledged = first
        try:
            ring = board.start()
            for _ in range(more):
                write(ring, 1)
                acknowledged = ring.seq
            raise AssertionError(point)
        except PowerCut:
            board.chip.cut_at = 0
        again = board.start()
        assert acknowledged <= again.seq <= acknowledged + 1, point
        verify(again)
        assert slots_that_show(board) == 1, point
        write(again, 2)
        verify(board.start())


def test_no_acknowledged_record_is_lost_by_a_cut_at_the_very_beginning() -> None:
    cut_everywhere(0, 4)


def test_no_acknowledged_record_is_lost_by_a_cut_at_the_edge_of_a_sector() -> None:
    cut_everywhere(82, 4)


def test_no_acknowledged_record_is_lost_by_a_cut_at_the_edge_of_a_key_sector() -> None:
    cut_everywhere(46, 4)


def test_a_cut_while_a_cut_is_being_mended_loses_nothing_either() -> None:
    board = Board()
    write(board.start(), 83)
    image = board.image()
    for point in range(1, 8):
        for second in range(1, 6):
            board.restore(image)
            acknowledged = 83
            for cut in (point, second):
                board.chip.operations = 0
                board.chip.cut_at = cut
                try:
                    ring = board.start()
                    write(ring, 1)
                    acknowledged = ring.seq
                except PowerCut:
                    board.chip.cut_at = 0
            board.chip.cut_at = 0
            again = board.start()
            assert again.seq >= acknowledged
            verify(again)


def test_a_changed_record_is_not_taken_for_the_one_that_was_cut() -> None:
    board = Board()
    write(board.start(), 5)
    before = board.image()
    write(board.start(), 1)
    forged = bytearray(board.places.data)
    board.restore(before)
    at = 64 + 5 * RECORD_BYTES
    forged[at + 7] ^= 1  # the reason of a record whose slot was never written
    board.places.data[:] = forged
    again = board.start()
    assert again.seq == 5
    verify(again)


def test_the_head_is_authenticated_for_its_nonce() -> None:
    board = Board()
    ring = board.start()
    write(ring, 1)
    head: list[Any] = ring.head(b"n" * 16)
    number, seq, c, oldest, _, tool, audit = head
    assert (number, seq, oldest) == (0, 1, 0)
    for mac, key in ((tool, K_TOOL), (audit, K_AUDIT)):
        assert mac == chain.head_mac(chain.evolve(key), b"n" * 16, 0, 1, c, 0)
        assert mac != chain.head_mac(chain.evolve(key), b"m" * 16, 0, 1, c, 0)
