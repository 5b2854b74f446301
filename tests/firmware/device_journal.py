"""The journal on raw NOR: what it says, how far back it goes, what it costs (MicroPython)."""

from firmware.ring_pages import chain_value
from protocol import chain, records
from protocol.codes import EVENT_OVERWRITTEN
from protocol.constants import (
    RECORD_BYTES,
    RECORDS_PER_SECTOR,
    SECTOR_BYTES,
    SECTOR_HEADER_BYTES,
)
from tests.firmware.flash import PowerCut
from tests.firmware.journal_rig import (
    K_AUDIT,
    K_TOOL,
    RING_SECTORS,
    Board,
    burst,
    held,
    keys_that_show,
    slots_that_show,
    verify,
    write,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ERASE_US = 45_000


def test_records_are_there_after_a_restart() -> None:
    board = Board()
    write(board.start(), 130)  # over the edge of a sector of records and of two of key cells
    again = board.start()
    assert (again.seq, again.oldest) == (130, 0)
    verify(again)


def test_a_full_ring_says_what_it_lets_go_before_it_is_gone() -> None:
    board = Board()
    ring = board.start()
    write(ring, 900)
    verify(ring)
    assert ring.seq - ring.oldest >= (RING_SECTORS - 2) * (RECORDS_PER_SECTOR - 1)
    again = board.start()
    assert (again.seq, again.oldest) == (ring.seq, ring.oldest)
    verify(again)


def test_it_holds_true_after_each_single_record() -> None:
    board = Board()
    ring = board.start()
    for number in range(RECORDS_PER_SECTOR * (RING_SECTORS + 2)):
        (write if number % 3 else burst)(ring, 1)
        if number % 7 == 0 or number % RECORDS_PER_SECTOR < 3:
            verify(ring)


def test_a_sector_is_told_of_before_it_is_erased() -> None:
    board = Board()
    ring = board.start()
    write(ring, RING_SECTORS * RECORDS_PER_SECTOR - 1)
    assert (ring.oldest, ring.seq) == (RECORDS_PER_SECTOR, RING_SECTORS * RECORDS_PER_SECTOR)
    told = [records.unpack(record[:32]) for record in held(ring)]
    [said] = [record for record in told if record.event == EVENT_OVERWRITTEN]
    assert (said.seq, said.extra) == ((RING_SECTORS - 1) * RECORDS_PER_SECTOR, RECORDS_PER_SECTOR)


def test_reading_begins_where_it_is_asked_to() -> None:
    board = Board()
    ring = board.start()
    write(ring, 100)
    page = memoryview(bytearray(3 * RECORD_BYTES))
    assert ring.read(83, page) == len(page)
    assert [records.unpack(page[at : at + 32]).seq for at in (0, 48, 96)] == [83, 84, 85]
    assert ring.read(100, page) == 0


def lost_by(ring: "Any", whole: "list[bytes]", oldest: int) -> "list[int]":
    """Numbers of the records that no request brings any more, asked for in pages of three sizes."""
    lost: list[int] = []
    for size in (1, 7, 40):
        page = memoryview(bytearray(size * RECORD_BYTES))
        got = set()
        for seq in range(oldest, oldest + len(whole), size):
            length = ring.read(seq, page)
            for at in range(0, length, RECORD_BYTES):
                got.add(bytes(page[at : at + RECORD_BYTES]))
        again = page[:RECORD_BYTES]
        missing = [n for n in range(len(whole)) if whole[n] not in got]
        for n in missing:  # a pull asks once more for what is missing
            ring.read(oldest + n, again)
            if bytes(again) != whole[n]:
                lost.append(oldest + n)
    return sorted(set(lost))


def test_a_record_whose_number_is_damaged_hides_no_other() -> None:
    board = Board()
    ring = board.start()
    write(ring, 130)
    whole = held(ring)
    for damaged in (0, 1, 5, 39, 40, 41, 82, 83, 84, 85, 128, 129):
        at = damaged // RECORDS_PER_SECTOR * SECTOR_BYTES + SECTOR_HEADER_BYTES
        at += damaged % RECORDS_PER_SECTOR * RECORD_BYTES
        assert int.from_bytes(board.places.data[at : at + 4], "big") == damaged
        for byte, bit in ((3, 1), (3, 2), (3, 0x40), (2, 1), (0, 0x80)):
            board.places.data[at + byte] ^= bit
            assert lost_by(ring, whole, 0) == [damaged], (damaged, byte, bit)
            board.places.data[at + byte] ^= bit


def test_a_damaged_header_hides_no_record_and_stops_no_head() -> None:
    """Each sector's: its magic, and every bit of the number it begins with."""
    board = Board()
    ring = board.start()
    write(ring, RECORDS_PER_SECTOR * (RING_SECTORS + 2) + 20)
    whole, oldest = held(ring), ring.oldest
    for sector in range(RING_SECTORS):
        if board.places.data[sector * SECTOR_BYTES] == 0xFF:
            continue
        for byte, bit in [(0, 1)] + [(12 + n // 8, 1 << n % 8) for n in range(32)]:
            at = sector * SECTOR_BYTES + byte
            board.places.data[at] ^= bit
            ring.cursor = (-1, 0, 0)
            ring.find_oldest()
            assert 0 <= ring.oldest - oldest <= 1 or oldest - ring.oldest in (0, 1), (sector, byte)
            lost = [seq for seq in lost_by(ring, whole, oldest) if seq >= ring.oldest]
            assert not lost, (sector, byte, bit, lost)
            board.places.data[at] ^= bit
            ring.find_oldest()


def test_a_sector_that_claims_to_begin_behind_the_last_record_is_not_the_oldest() -> None:
    """Nothing in it bears out or denies its header."""
    board = Board()
    ring = board.start()
    write(ring, RECORDS_PER_SECTOR * (RING_SECTORS + 1) + 20)
    at = ring.oldest_sector * SECTOR_BYTES
    board.places.data[at + 12] ^= 0x40
    for byte in range(SECTOR_HEADER_BYTES, SECTOR_HEADER_BYTES + 4 * RECORD_BYTES):
        board.places.data[at + byte] = 0
    again = board.start()
    assert again.oldest <= again.seq
    assert held(again)


def test_a_damaged_hole_hides_nothing() -> None:
    for before in (1, 3, 50):
        board = Board()
        ring = board.start()
        write(ring, before)
        board.chip.cut_at = board.chip.operations + 1
        try:
            burst(ring, 1)
        except PowerCut:
            board.chip.cut_at = 0
        ring = board.start()
        write(ring, 200)
        whole = held(ring)
        hole = SECTOR_HEADER_BYTES + before * RECORD_BYTES
        assert bytes(board.places.data[hole : hole + RECORD_BYTES]) == bytes(RECORD_BYTES)
        for number in (2, 0x40, 0x80, 0x4000):
            board.places.data[hole + 2 : hole + 4] = number.to_bytes(2, "big")
            ring.cursor = (-1, 0, 0)
            assert not lost_by(ring, whole, 0), (before, number)


def test_any_page_from_any_number_is_the_same_whatever_was_read_before() -> None:
    board = Board()
    ring = board.start()
    write(ring, 500)
    all_of_it = held(ring)
    page = memoryview(bytearray(40 * RECORD_BYTES))
    seq = 0
    for step in range(400):
        seq = (seq + 1 + step * step * 7) % (ring.seq + 5)
        size = ring.read(seq, page[: (1 + step % 40) * RECORD_BYTES])
        begin = max(0, seq - ring.oldest)
        expected = all_of_it[begin : begin + 1 + step % 40]
        assert bytes(page[:size]) == b"".join(expected), seq
        if step % 50 == 0:
            write(ring, 1)
            all_of_it = held(ring)


def test_headers_are_those_of_the_sectors_from_a_number_on() -> None:
    board = Board()
    ring = board.start()
    write(ring, 200)
    page = memoryview(bytearray(8 * SECTOR_HEADER_BYTES))
    firsts = [0, 84, 168]
    for seq, expected in ((0, firsts), (83, firsts), (84, firsts[1:]), (199, firsts[2:])):
        size = ring.headers(seq, page)
        found = [int.from_bytes(page[at + 12 : at + 16], "big") for at in range(0, size, 64)]
        assert found == expected
    assert ring.headers(0, page[:64]) == 64


def test_the_chain_value_before_any_number_is_found_again() -> None:
    board = Board()
    ring = board.start()
    values = []
    for _ in range(RECORDS_PER_SECTOR * 6):
        values += [ring.c] * (ring.seq + 1 - len(values))
        write(ring, 1)
    for seq in range(ring.oldest, ring.seq):
        found = chain_value(ring, seq)
        # a number with a record before it that nobody asked for has no value in the list
        if (
            records.unpack(held(ring)[max(0, seq - ring.oldest - 1)][:32]).event
            != EVENT_OVERWRITTEN
        ):
            assert found == values[seq], seq
    assert chain_value(ring, ring.oldest - 1) is None
    assert chain_value(ring, ring.seq) == ring.c


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


def test_only_the_keys_in_force_can_be_read_from_the_chip() -> None:
    board = Board()
    ring = board.start()
    for _ in range(250):
        write(ring, 1)
        assert slots_that_show(board) == 1
        assert set(keys_that_show(board, ring.seq)) == {ring.seq}
    assert set(keys_that_show(board, ring.seq, 250)) == {ring.seq}


def burst_erases(holes: int) -> int:
    """Most erases in one record of a burst, when so many places of a sector were lost before."""
    board = Board()
    ring = board.start()
    write(ring, 400)
    for _ in range(holes):
        board.chip.operations, board.chip.cut_at = 0, 1
        try:
            burst(ring, 1)
        except PowerCut:
            board.chip.cut_at = 0
        ring = board.start()
    longest = erases = 0
    for _ in range(600):
        before_us, before = board.chip.model_us, board.chip.erases
        burst(ring, 1)
        longest = max(longest, board.chip.model_us - before_us)
        erases = max(erases, board.chip.erases - before)
    assert _ERASE_US < longest <= 60_000
    verify(ring, ring.seq - 1)
    return erases


def test_a_burst_never_waits_for_more_than_one_erase_a_record() -> None:
    """Whichever place of a sector and whichever key slot come together."""
    assert [burst_erases(holes) for holes in range(12)] == [1] * 12


def test_with_time_in_between_no_record_waits_for_an_erase() -> None:
    board = Board()
    ring = board.start()
    write(ring, 900)
    for _ in range(1000):
        before = board.chip.erases
        burst(ring, 1)
        assert board.chip.erases == before
        ring.erase_ahead()
    verify(ring)
