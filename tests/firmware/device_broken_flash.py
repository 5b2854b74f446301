"""The journal on a flash that refuses now and then, and on one that rots (MicroPython)."""

from tests.firmware.device_journal import Board, burst, held, slots_that_show, verify, write
from tests.firmware.flash import Partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Moody(Partition):
    """Refuses the change number `refuse_at`, after `share` of its bytes were programmed."""

    changes = 0
    refuse_at = 0
    share = 0

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> int:
        self.changes += 1
        if self.changes != self.refuse_at:
            return super().writeblocks(block, buf, offset)
        part = memoryview(buf)[: len(buf) * self.share // 2]
        if part:
            super().writeblocks(block, part, offset)
        raise OSError(5)

    def ioctl(self, request: int, argument: int) -> int:
        if request == 6:
            self.changes += 1
            if self.changes == self.refuse_at:
                raise OSError(5)
        return super().ioctl(request, argument)


def moody_board() -> Board:
    board = Board()
    for name in ("keys", "places"):
        old = getattr(board, name)
        new = Moody(board.chip, old.sectors)
        new.data[:] = old.data
        setattr(board, name, new)
    return board


def refuse_everywhere(first: int, more: int, share: int) -> None:
    """Let each change of `more` records that follow the first ones fail once."""
    for name in ("keys", "places"):
        point = 0
        while True:
            point += 1
            board = moody_board()
            ring = board.start()
            write(ring, first)
            flash = getattr(board, name)
            flash.changes = 0
            flash.refuse_at = point
            flash.share = share
            errors = 0
            for _ in range(more):
                try:
                    burst(ring, 1)
                except OSError:
                    errors += 1
                try:  # noqa: SIM105 - not in MicroPython
                    ring.erase_ahead()
                except OSError:
                    pass
            if flash.changes < point:
                break
            assert errors <= 1, (name, point)
            verify(ring)
            assert len(held(ring)) == first + more - errors, (name, point)
            write(ring, 1)
            again = board.start()
            assert again.seq == ring.seq, (name, point)
            verify(again)
            assert slots_that_show(board) == 1, (name, point)
        assert point > more


def test_no_acknowledged_record_is_lost_by_a_write_that_did_nothing() -> None:
    refuse_everywhere(2, 3, 0)


def test_no_acknowledged_record_is_lost_by_a_write_that_did_half() -> None:
    refuse_everywhere(2, 3, 1)


def test_no_acknowledged_record_is_lost_by_a_write_that_did_all_and_said_no() -> None:
    refuse_everywhere(2, 3, 2)


def test_the_same_at_the_edges_of_sectors() -> None:
    for share in (0, 1, 2):
        refuse_everywhere(82, 4, share)
        refuse_everywhere(45, 4, share)


def test_a_record_that_was_refused_never_counts_and_one_that_counts_was_not_refused() -> None:
    """Also when the old slot cannot be zeroed: its successor is in force, and says so."""
    for share in (0, 1):
        board = moody_board()
        ring = board.start()
        write(ring, 2)
        board.keys.changes, board.keys.refuse_at, board.keys.share = 0, 2, share
        write(ring, 1)
        assert board.keys.changes == 2, "the zeros were not refused"
        assert slots_that_show(board) == 2
        write(ring, 1)
        assert slots_that_show(board) == 1
        assert board.start().seq == ring.seq == 4


def test_a_start_after_a_refusal_does_not_find_the_record_that_was_refused() -> None:
    """Neither in its place nor by the slot that the flash programmed all the same."""
    for share in (0, 1, 2):
        board = moody_board()
        ring = board.start()
        write(ring, 2)
        board.keys.changes, board.keys.refuse_at, board.keys.share = 0, 1, share
        try:
            burst(ring, 1)
            raise AssertionError("was not refused")
        except OSError:
            again = board.start()
        assert again.seq == 2, share
        write(again, 1)
        assert len(held(again)) == 3
        verify(again)


def test_nothing_is_erased_ahead_while_the_state_of_the_flash_is_unknown() -> None:
    board = moody_board()
    ring = board.start()
    write(ring, 47)  # the next key slot lies in another sector than the one in force
    board.keys.changes = 0
    board.keys.refuse_at = 1
    try:
        write(ring, 1)
        raise AssertionError("was not refused")
    except OSError:
        assert not ring.erase_ahead()
    write(ring, 1)
    assert board.start().seq == 48


def test_a_rotten_slot_is_not_destroyed_when_it_is_the_only_one() -> None:
    board = Board()
    write(board.start(), 2)
    for at in range(len(board.keys.data)):
        if board.keys.data[at] not in (0x00, 0xFF):
            board.keys.data[at] ^= 0x04
            break
    before = bytes(board.keys.data)
    try:
        board.start()
        raise AssertionError("took a rotten slot")
    except OSError:
        assert bytes(board.keys.data) == before
