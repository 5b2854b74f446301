"""The energy ring: what it holds, how long its flash lasts, what it makes of rot and refusals."""

import gc

from protocol import energy_slot
from protocol.constants import ENERGY_SLOT_BYTES, SECTOR_BYTES
from protocol.energy_slot import ENERGY_BY_TICKET, ENERGY_ENDED, ENERGY_LIVE, SLOTS
from tests.firmware.device_broken_flash import Moody
from tests.firmware.energy_rig import (
    FIRST_DAY,
    PORTS,
    SECTORS,
    Account,
    Board,
    Dice,
    Ring,
    card,
    numbers,
    turn,
    twin,
)
from tests.firmware.flash import PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REAL_SECTORS = 16
MINUTES_A_DAY = 1440
NOT_THERE = 999


def lived(board: Board, seed: int = 5, turns: int = 500) -> "tuple[Ring, Account]":
    """A ring that has gone round, and what it must know."""
    ring, account, dice = board.start(), Account(), Dice(seed)
    account.midnight(ring, FIRST_DAY)
    for _ in range(turns):
        turn(dice, account, ring)
    account.sees_clock = True
    account.begin(2, card(2), False)
    account.minute(ring)
    return ring, account


def all_numbers(ring: Ring) -> "list[int]":
    found: list[int] = []
    while True:
        page = numbers(ring, found[-1] + 1 if found else 0)
        if not page:
            return found
        found += page


# --- what it holds ---------------------------------------------------------------------------


def test_a_start_finds_what_ran_and_what_has_ended() -> None:
    board = Board()
    ring = board.start()
    ring.begin_day(FIRST_DAY)
    ring.put(0, card(1), 500_499, 3600, 510, ENERGY_LIVE)
    ring.put(15, bytes(8), 7, 8, 9, ENERGY_LIVE | ENERGY_BY_TICKET)
    ring.commit(FIRST_DAY, 7000, 3)
    ring.spend(card(1), 500_499, 3629)
    assert ring.used(card(1)) == (501, 61)
    ring.put(0, card(1), 500_499, 3629, 0, ENERGY_ENDED)
    ring.commit(FIRST_DAY, 7029, 3)
    again = board.start()
    assert list(again.open_entries()) == [(15, bytes(8), 7, 8, True)]
    assert (again.day, again.newest_time_s, again.damaged) == (FIRST_DAY, 7029, False)
    assert again.used(card(1)) == (501, 61)
    assert again.used(card(NOT_THERE))[0] == again.used(card(NOT_THERE))[1] == 0


def test_a_new_day_forgets_and_an_unknown_one_does_not() -> None:
    ring = Board().start()
    ring.spend(card(1), 9000, 60)  # before the clock was ever known
    ring.begin_day(FIRST_DAY)
    assert ring.used(card(1))[0] == 9
    ring.begin_day(0)
    ring.begin_day(FIRST_DAY)
    assert ring.used(card(1))[0] == 9
    ring.begin_day(FIRST_DAY + 1)
    assert ring.used(card(1))[0] == 0


def test_an_end_that_is_committed_on_another_day_counts_for_that_day() -> None:
    board = Board()
    ring = board.start()
    ring.begin_day(FIRST_DAY)
    ring.spend(card(1), 9000, 60)
    ring.put(0, card(1), 9000, 60, 0, ENERGY_ENDED)
    ring.commit(FIRST_DAY + 1, 7000, 3)  # nobody said that the day has changed
    for found in (ring, board.start()):
        assert (found.day, found.used(card(1))[0]) == (FIRST_DAY + 1, 9)


def test_tickets_are_on_nobodys_account() -> None:
    ring = Board().start()
    ring.spend(bytes(8), 9000, 60)
    assert ring.rows == 0


def test_the_one_who_used_least_falls_out_of_a_full_ledger() -> None:
    board = Board()
    ring = board.start()
    ring.begin_day(FIRST_DAY)
    for number in range(energy_slot.LEDGER_ROWS):
        ring.spend(card(number), 1000 * (10 + number % 50), 60)
    ring.spend(card(0), 90_000, 60)
    ring.spend(card(NOT_THERE), 3000, 60)
    assert ring.rows == energy_slot.LEDGER_ROWS
    assert ring.used(card(NOT_THERE))[0] == 3
    assert ring.used(card(0))[0] == 100
    assert ring.used(card(50))[0] == 0  # the first of the two with 10 Wh left
    assert ring.used(card(1))[0] == 11
    ring.commit(FIRST_DAY, 7000, 3)
    ring.owing = True
    assert ring.erase_ahead() is False  # looks at the sector ahead, which is blank
    assert ring.erase_ahead() is True
    again = board.start()
    assert bytes(again.ledger) == bytes(ring.ledger)
    assert again.rows == ring.rows


def test_what_a_field_cannot_hold_is_as_much_as_it_can() -> None:
    board = Board()
    ring = board.start()
    for _ in range(3):
        ring.spend(card(1), 40_000_000, 2_400_000)
    assert ring.used(card(1))[0] == ring.used(card(1))[1] == 0xFFFF
    ring.put(0, card(1), 1 << 29, 70_000, 70_000, ENERGY_LIVE)
    ring.commit(0, 0, 0)
    assert list(board.start().open_entries()) == [(0, card(1), 1 << 29, 0xFFFF, False)]


def test_a_restored_session_stays_when_another_one_ends_first() -> None:
    board = Board()
    ring = board.start()
    for port in (1, 2):
        ring.put(port, card(port), 5000, 60, 100, ENERGY_LIVE)
    ring.commit(0, 0, 0)
    again = board.start()
    again.put(1, card(1), 5000, 60, 0, ENERGY_ENDED)
    again.commit(0, 0, 0)
    assert list(board.start().open_entries()) == [(2, card(2), 5000, 60, False)]


# --- wear and room ---------------------------------------------------------------------------


def test_sixteen_ports_wear_the_flash_as_the_docstring_says() -> None:
    board = Board(REAL_SECTORS)
    ring = board.start()
    ends = 96
    counted = []
    for day in (FIRST_DAY, FIRST_DAY + 1):
        ring.begin_day(day)
        erases, first = board.chip.erases, ring.seq
        for minute in range(MINUTES_A_DAY):
            for port in range(PORTS):
                ring.put(port, card(port), 9000 * minute, 60, 500, ENERGY_LIVE)
            ring.commit(day, minute, 3)
            if minute % (MINUTES_A_DAY // ends) == 0:
                ring.spend(card(minute), 9000, 60)
                ring.put(minute % PORTS, card(minute), 9000, 60, 0, ENERGY_ENDED)
                ring.commit(day, minute, 3)
            ring.erase_ahead()
            ring.erase_ahead()
        counted.append((ring.seq - first, board.chip.erases - erases))
    assert counted[1] == (1575, 112), counted
    assert board.start().rows == energy_slot.LEDGER_ROWS


def test_the_ring_takes_two_kilobytes_at_most() -> None:
    board = Board(REAL_SECTORS)
    gc.collect()
    before = gc.mem_alloc()
    ring = Ring(board.partition, PORTS)
    gc.collect()
    taken = gc.mem_alloc() - before
    assert ring.seq == 1
    assert taken <= 2048, taken


def test_the_minute_of_a_charger_takes_nothing_from_the_heap_for_good() -> None:
    ring, _ = lived(Board())
    taken = []
    for _ in range(2):
        for minute in range(5 * SLOTS):
            for port in range(PORTS):
                ring.put(port, card(port), 9000 * minute, 60, 500, ENERGY_LIVE)
            ring.commit(FIRST_DAY, minute, 3)
            ring.erase_ahead()
        gc.collect()
        taken.append(gc.mem_alloc())
    assert taken[1] - taken[0] < 256


# --- rot and refusals ------------------------------------------------------------------------


def test_a_partition_of_anything_at_all_is_begun_anew_and_that_is_told() -> None:
    dice = Dice(9)
    garbage = bytes([dice.roll(256) for _ in range(SECTOR_BYTES)])
    for filling in (bytes(SECTOR_BYTES), garbage, b"\xfe" * SECTOR_BYTES):
        board = Board()
        for sector in range(SECTORS):
            at = sector * SECTOR_BYTES
            board.partition.data[at : at + SECTOR_BYTES] = filling
        ring = board.start()
        assert ring.damaged
        assert not list(ring.open_entries())
        assert (ring.rows, ring.day, numbers(ring)) == (0, 0, [])
        account = Account()
        account.midnight(ring, FIRST_DAY)
        for _ in range(3 * SECTORS * SLOTS):
            account.begin(1, card(1), False)
            account.minute(ring)
        account.end(ring, 1)
        again = board.start()
        assert account.holds(again)
        assert not again.damaged


def test_a_blank_partition_is_no_damage_and_neither_is_its_first_slot_torn() -> None:
    board = Board()
    assert not board.start().damaged
    board.chip.cut_at = 1
    try:
        board.start().commit(0, 0, 0)
        raise AssertionError
    except PowerCut:
        board.chip.cut_at = 0
    again = board.start()
    assert not again.damaged
    again.commit(0, 77, 0)
    assert board.start().newest_time_s == 77


def places_of(board: Board) -> "list[tuple[int, int, int]]":
    """(number, where it lies, kind) of every whole slot."""
    found = []
    for sector in range(SECTORS):
        for place in range(SLOTS):
            at = sector * SECTOR_BYTES + place * ENERGY_SLOT_BYTES
            slot = board.partition.data[at : at + ENERGY_SLOT_BYTES]
            if energy_slot.is_whole(slot):
                found.append((int.from_bytes(slot[:4], "big"), at, slot[11]))
    return sorted(found)


def test_a_slot_that_rotted_is_told_where_it_counts_and_only_until_the_next_ledger() -> None:
    board = Board()
    lived(board, turns=560)
    found = places_of(board)
    ledger = max(number for number, _, kind in found if kind == energy_slot.KIND_LEDGER)
    told = 0
    whole = bytes(board.partition.data)
    for number, at, _ in found[:-1]:
        board.partition.data[:] = whole
        board.partition.data[at + 40] ^= 4
        again = board.start()
        assert again.damaged == (number >= ledger), (number, ledger)
        if again.damaged:
            told += 1
            while again.erase_ahead() or again.owing:
                pass
            assert not board.start().damaged
    assert told > 3, told


def refused_once(share: int, seed: int, first: int, turns: int) -> int:
    """Each change of some turns is refused once; the account is whole as soon as one succeeds."""
    point = 0
    while True:
        point += 1
        board = Board()
        moody = Moody(board.chip, SECTORS)
        board.partition = moody
        ring, account, dice = board.start(), Account(), Dice(seed)
        account.midnight(ring, FIRST_DAY)
        for _ in range(first):
            turn(dice, account, ring)
        moody.changes, moody.refuse_at, moody.share = 0, point, share
        for _ in range(turns):
            try:
                turn(dice, account, ring)
            except OSError:
                continue
        if moody.changes < point:
            return point - 1
        moody.refuse_at = 0
        account.begin(0, card(0), False)
        account.minute(ring)
        for _ in range(3):
            ring.erase_ahead()
        again = board.start()
        assert account.holds(again), point
        assert not again.damaged
        assert all_numbers(again)[-1] == again.seq - 1


def test_a_refusal_counts_no_session_twice_and_forgets_none() -> None:
    for share in (0, 1, 2):
        assert refused_once(share, 3, 200, 200) > 40


def test_a_ring_that_leaves_what_was_refused_is_noticed() -> None:
    """Negative control."""
    whole = Ring.commit

    def leaves_it(self: Ring, day: int, time_s: int, quality: int) -> None:
        self.refused = False
        whole(self, day, time_s, quality)

    replaced: Any = Ring
    replaced.commit = leaves_it
    try:
        refused_once(2, 3, 200, 200)
        noticed = False
    except AssertionError:
        noticed = True
    replaced.commit = whole
    assert noticed


def test_no_ledger_is_written_between_a_spend_and_its_commit() -> None:
    board = Board()
    ring = board.start()
    ring.begin_day(FIRST_DAY)
    ring.commit(FIRST_DAY, 100, 3)
    ring.erase_ahead()
    ring.owing = True
    ring.spend(card(1), 9000, 60)
    assert ring.erase_ahead() is False
    ring.put(0, card(1), 9000, 60, 0, ENERGY_ENDED)
    ring.commit(FIRST_DAY, 110, 3)
    assert ring.erase_ahead() is True
    assert board.start().used(card(1))[0] == 9


def test_an_end_that_no_slot_could_tell_is_told_by_the_next_ledger() -> None:
    """The commit was refused, and then another session began at that port."""
    board = Board()
    board.partition = Moody(board.chip, SECTORS)
    ring = board.start()
    ring.begin_day(FIRST_DAY)
    board.partition.changes, board.partition.refuse_at = 0, 1
    ring.spend(card(1), 9000, 60)
    ring.put(0, card(1), 9000, 60, 0, ENERGY_ENDED)
    try:
        ring.commit(FIRST_DAY, 100, 3)
        raise AssertionError
    except OSError:
        pass
    ring.put(0, card(2), 0, 0, 0, ENERGY_LIVE)
    ring.commit(FIRST_DAY, 160, 3)
    for _ in range(2):
        ring.erase_ahead()
    again = board.start()
    assert again.used(card(1))[0] == 9
    assert [port[1] for port in again.open_entries()] == [card(2)]


def test_after_a_refusal_power_may_go_as_well() -> None:
    """The refused slot lies there whole: a start takes it, or the one before it."""
    board = Board()
    board.partition = Moody(board.chip, SECTORS)
    ring = board.start()
    ring.begin_day(FIRST_DAY)
    ring.put(0, card(1), 9000, 60, 100, ENERGY_LIVE)
    ring.commit(FIRST_DAY, 100, 3)
    board.partition.changes, board.partition.refuse_at, board.partition.share = 0, 1, 2
    ring.spend(card(1), 9000, 60)
    ring.put(0, card(1), 9000, 60, 0, ENERGY_ENDED)
    try:
        ring.commit(FIRST_DAY, 110, 3)
        raise AssertionError
    except OSError:
        board.partition.refuse_at = 0
    assert numbers(ring) == [1]  # what was refused is shown to nobody
    held = bytes(board.partition.data)
    assert (board.start().used(card(1))[0], list(board.start().open_entries())) == (9, [])
    for tear in (0, 2, 4):
        board.partition.data[:] = held
        board.chip.operations, board.chip.cut_at, board.chip.cut_quarters = 0, 1, tear
        try:  # in the zeros over it
            twin(ring, board.partition).commit(FIRST_DAY, 170, 3)
            raise AssertionError
        except PowerCut:
            board.chip.cut_at = 0
        again = board.start()
        running = sum([mwh for _, _, mwh, _, _ in again.open_entries()])
        assert again.used(card(1))[0] + running // 1000 == 9


def test_a_flash_that_is_never_blank_is_told_and_does_not_hang() -> None:
    class Stuck(Moody):
        """Erasing does nothing."""

        def ioctl(self, request: int, _argument: int) -> int:
            return self.sectors if request == 4 else 0

    board = Board()
    board.partition = Stuck(board.chip, SECTORS)
    board.partition.data[:] = bytes(SECTORS * SECTOR_BYTES)
    ring = board.start()
    assert ring.damaged
    try:
        ring.commit(0, 0, 0)
        raise AssertionError
    except OSError:
        pass


def test_nothing_is_written_before_the_start_has_read() -> None:
    ring = Ring(Board().partition, PORTS)
    assert ring.erase_ahead() is False
    try:
        ring.commit(0, 0, 0)
        raise AssertionError
    except OSError:
        pass


# --- reading ---------------------------------------------------------------------------------


def test_pages_follow_one_another_and_hold_every_number() -> None:
    board = Board()
    ring, _ = lived(board)
    found = all_numbers(ring)
    assert found == list(range(found[0], ring.seq))
    assert len(found) >= (SECTORS - 2) * SLOTS
    assert numbers(ring, ring.seq - 2) == [ring.seq - 2, ring.seq - 1]
    assert numbers(ring, ring.seq) == numbers(ring, 0xFFFFFFFF) == []
    assert numbers(ring, 1, 1) == found[:1]  # overwritten: the oldest that is left
    for seq in found:
        assert numbers(ring, seq, 1) == [seq]


def test_a_slot_that_rotted_hides_no_other() -> None:
    board = Board()
    ring, _ = lived(board)
    found = all_numbers(ring)
    whole = bytes(board.partition.data)
    for number, at, _ in places_of(board):
        board.partition.data[:] = whole
        board.partition.data[at + 100] ^= 1
        assert all_numbers(ring) == [other for other in found if other != number]


def test_reading_changes_nothing() -> None:
    board = Board()
    ring, _ = lived(board)
    kept = bytes(board.partition.data), board.chip.operations, bytes(ring.slot), ring.seq
    all_numbers(ring)
    assert kept == (bytes(board.partition.data), board.chip.operations, bytes(ring.slot), ring.seq)
