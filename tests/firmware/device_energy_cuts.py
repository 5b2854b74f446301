"""The energy ring under power cuts: a start finds the account as it was before or after the turn.

Every operation of a life of many days is cut, each in four ways.
"""

from protocol import energy_slot
from tests.firmware.energy_rig import Account, Board, Dice, turn, twin
from tests.firmware.flash import SCATTERED, PowerCut

TEARS = (0, 2, 4, SCATTERED)  # quarters of the operation that are still done


def cut_everywhere(seed: int, first: int, turns: int) -> "tuple[int, int]":
    """Cut power at each operation of some turns after the first; how many points, and erases."""
    board = Board()
    ring = board.start()
    account, dice = Account(), Dice(seed)
    account.midnight(ring, 2500)
    for _ in range(first):
        turn(dice, account, ring)
    erases = board.chip.erases
    points = 0
    for _ in range(turns):
        before, held, state = account.copy(), bytes(board.partition.data), dice._state
        kept = twin(ring, board.partition)
        board.chip.operations = 0
        turn(dice, account, ring)
        operations = board.chip.operations
        after = bytes(board.partition.data)
        for point in range(1, operations + 1):
            for tear in TEARS:
                board.partition.data[:] = held
                board.chip.operations, board.chip.cut_at = 0, point
                board.chip.cut_quarters = tear
                try:
                    turn(_again(state), before.copy(), twin(kept, board.partition))
                    raise AssertionError(point)
                except PowerCut:
                    board.chip.cut_at = 0
                _check(board, before, account)
        points += operations
        board.partition.data[:] = after
    return points, board.chip.erases - erases


def _again(state: int) -> Dice:
    return Dice(state)


def _check(board: Board, before: Account, after: Account) -> None:
    """What a start finds, and that life goes on from there."""
    found = board.start()
    assert not found.damaged
    found.begin_day(before.day)  # no slot may have told of it yet; whoever starts knows the day
    if before.holds(found):
        account = before.copy()
    else:
        assert after.holds(found), (before.told, after.told, list(found.open_entries()))
        account = after.copy()
    account.running = dict(account.told)
    found.begin_day(account.day)
    found.erase_ahead()
    for port in list(account.running)[:1]:
        account.end(found, port)
    account.begin(3, b"nextcard", False)
    account.minute(found)
    again = board.start()
    assert account.holds(again)
    assert not again.damaged


def test_every_cut_in_a_young_ring() -> None:
    points, _ = cut_everywhere(1, 0, 200)
    assert points > 80


def test_every_cut_while_the_ring_goes_round() -> None:
    for seed in (2, 3, 4):
        points, erases = cut_everywhere(seed, 300, 300)
        assert points > 120
        assert erases >= 5


def test_many_cuts_in_a_row_lose_a_turn_each_and_no_more() -> None:
    for seed in (5, 6):
        board, other = Board(), Board()
        account, dice = Account(), Dice(seed)
        ring = board.start()
        account.midnight(ring, 2500)
        cuts = 0
        for _ in range(1500):
            cut_at, board.chip.cut_quarters = dice.roll(4), dice.roll(6) - 1
            before, after = account, account.copy()
            account = account.copy()
            other.partition.data[:] = board.partition.data
            turn(_again(dice._state), after, twin(ring, other.partition))
            board.chip.operations, board.chip.cut_at = 0, cut_at
            try:
                turn(dice, account, ring)
            except PowerCut:
                cuts += 1
                board.chip.cut_at = 0
                ring = board.start()
                ring.begin_day(before.day)
                assert not ring.damaged
                account = before if before.holds(ring) else after
                assert account.holds(ring)
                account.running = dict(account.told)
        assert cuts > 200


def test_a_start_that_believes_torn_slots_is_noticed() -> None:
    """Negative control."""
    whole = energy_slot.is_whole
    energy_slot.is_whole = lambda data: data[0] != 0xFF
    try:
        cut_everywhere(1, 0, 100)
        noticed = False
    except AssertionError:
        noticed = True
    energy_slot.is_whole = whole
    assert noticed
