"""The journal under power cuts: what it acknowledged is there, nothing is half believed."""

from firmware.ring import Ring
from protocol.constants import (
    KEY_SLOTS_PER_SECTOR,
    RECORD_BYTES,
    RECORDS_PER_SECTOR,
    SECTOR_HEADER_BYTES,
)
from tests.firmware.flash import SCATTERED, PowerCut
from tests.firmware.journal_rig import (
    CELL_SECTORS,
    RING_SECTORS,
    Board,
    burst,
    keys_that_show,
    slots_that_show,
    verify,
    write,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TEARS = (0, 2, 4, SCATTERED)  # quarters of the operation that are still done
_ROUND = RING_SECTORS * (RECORDS_PER_SECTOR - 1)


def idle(ring: Ring, count: int) -> None:
    """What is done ahead while nobody comes."""
    for _ in range(count):
        ring.erase_ahead()


def cut_everywhere(first: int, more: int, act: "Callable[[Ring, int], None]" = write) -> int:
    """Cut power at every operation of what follows the first records; how many points."""
    board = Board()
    ring = board.start()
    write(ring, first)
    first = ring.seq
    image = board.image()
    board.chip.operations = 0
    ring = board.start()
    act(ring, more)
    operations = board.chip.operations
    for point in range(1, operations + 1):
        for tear in TEARS:
            board.restore(image)
            board.chip.cut_quarters = tear
            board.chip.cut_at = point
            acknowledged = first
            try:
                ring = board.start()
                for _ in range(more):
                    act(ring, 1)
                    acknowledged = ring.seq
                raise AssertionError(point)
            except PowerCut:
                board.chip.cut_at = 0
            again = board.start()
            # the one that was on its way, and the one before it that says how far back it goes
            assert acknowledged <= again.seq <= acknowledged + 2, point
            verify(again, first)
            assert slots_that_show(board) == 1, point
            assert set(keys_that_show(board, again.seq)) == {again.seq}, point
            write(again, 2)
            verify(board.start(), first)
    return operations


def test_no_acknowledged_record_is_lost_by_a_cut_at_the_very_beginning() -> None:
    assert cut_everywhere(0, 4) >= 12


def test_no_acknowledged_record_is_lost_by_a_cut_at_the_edge_of_a_sector() -> None:
    assert cut_everywhere(82, 4) >= 12


def test_no_acknowledged_record_is_lost_by_a_cut_at_the_edge_of_a_key_sector() -> None:
    assert cut_everywhere(46, 4) >= 12


def test_no_acknowledged_record_is_lost_by_a_cut_when_the_key_sectors_go_round() -> None:
    slots = CELL_SECTORS * KEY_SLOTS_PER_SECTOR
    assert cut_everywhere(slots - 3 - slots // (RECORDS_PER_SECTOR * RING_SECTORS), 5) >= 15


def test_no_acknowledged_record_is_lost_by_a_cut_when_the_ring_goes_round() -> None:
    assert cut_everywhere(_ROUND + 3 * RECORDS_PER_SECTOR - 6, 8) >= 27


def test_no_acknowledged_record_is_lost_by_a_cut_in_a_burst_over_the_edge() -> None:
    assert cut_everywhere(_ROUND + 3 * RECORDS_PER_SECTOR - 12, 16, burst) >= 50


def test_a_cut_erase_in_the_background_loses_nothing_that_was_not_told() -> None:
    """The sector goes after the ring has said so: half of it is never shown."""
    board = Board()
    ring = board.start()
    write(ring, _ROUND + 200)
    while ring.place != 2:  # what it has told and what it was asked to write
        burst(ring, 1)
    image = board.image()
    for point in (1, 2):
        for tear in TEARS:
            board.restore(image)
            board.chip.cut_quarters = tear
            board.chip.cut_at = point
            ring = board.start()
            try:
                idle(ring, 12)
            except PowerCut:
                board.chip.cut_at = 0
            board.chip.cut_at = 0
            again = board.start()
            assert again.seq == ring.seq
            verify(again)
            write(again, 160)
            verify(again)


def to_the_edge(board: Board) -> Ring:
    """A full ring whose next record begins a sector."""
    ring = board.start()
    write(ring, _ROUND + 100)
    while ring.place:
        write(ring, 1)
    return ring


def test_what_nobody_was_told_of_is_not_erased() -> None:
    """Power went between the header of a sector and its first record, then nobody came."""
    board = Board()
    ring = to_the_edge(board)
    board.chip.operations, board.chip.cut_at, board.chip.cut_quarters = 0, 2, 0
    try:
        burst(ring, 1)
        raise AssertionError
    except PowerCut:
        board.chip.cut_at = 0
    again = board.start()
    kept = again.oldest
    idle(again, 20)
    verify(again)
    assert again.oldest == kept
    write(again, 1)
    assert again.oldest == kept + RECORDS_PER_SECTOR
    verify(again)


def test_a_sector_whose_first_place_was_lost_tells_in_the_next_one() -> None:
    board = Board()
    ring = to_the_edge(board)
    board.chip.operations, board.chip.cut_at = 0, 2
    try:
        burst(ring, 1)
        raise AssertionError
    except PowerCut:
        board.chip.cut_at = 0
    board.start()  # makes a hole of it
    again = board.start()
    write(again, 1)
    verify(again)
    write(again, 200)
    verify(again)


def test_the_very_first_record_may_be_lost_and_is_written_again() -> None:
    board = Board()
    board.chip.cut_at = board.chip.operations + 2
    try:
        burst(board.start(), 1)
        raise AssertionError
    except PowerCut:
        board.chip.cut_at = 0
    again = board.start()
    write(again, 1)
    assert again.place == 2
    verify(again)


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
            assert set(keys_that_show(board, again.seq)) == {again.seq}


def test_many_cuts_in_a_row_cost_places_and_no_record() -> None:
    board = Board()
    ring = board.start()
    write(ring, 70)
    kept = ring.seq
    for _ in range(2 * RECORDS_PER_SECTOR):
        board.chip.operations = 0
        board.chip.cut_at = 1  # in the very record: it becomes a hole
        try:
            burst(board.start(), 1)
            raise AssertionError
        except PowerCut:
            board.chip.cut_at = 0
        kept = max(kept, board.start().seq)
    again = board.start()
    assert again.seq >= kept
    verify(again)
    write(again, 400)
    verify(board.start())


def test_reading_changes_nothing_on_the_chip() -> None:
    board = Board()
    ring = board.start()
    write(ring, 300)
    image = board.image()
    operations = board.chip.operations
    page = memoryview(bytearray(40 * RECORD_BYTES))
    for seq in range(0, ring.seq, 7):
        ring.read(seq, page)
        ring.headers(seq, page[: 4 * SECTOR_HEADER_BYTES])
        ring.head(b"n" * 16)
    assert (board.image(), board.chip.operations) == (image, operations)


def test_a_changed_record_is_not_taken_for_the_one_that_was_cut() -> None:
    board = Board()
    write(board.start(), 5)
    before = board.image()
    write(board.start(), 1)
    written = bytes(board.places.data)
    at = 64 + 5 * RECORD_BYTES  # of a record whose slot was never written
    for place in (0, 7, 31, 32, 39, 40, 47):  # number, reason, body, either tag
        forged = bytearray(written)
        forged[at + place] ^= 1
        board.restore(before)
        board.places.data[:] = forged
        again = board.start()
        assert again.seq == 5
        verify(again)
