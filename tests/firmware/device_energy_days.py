"""What the energy ring counts, which day it takes for which, and numbers that run out."""

from firmware.energy_ring import BACK_DAYS
from protocol.energy_slot import ENERGY_ENDED, ENERGY_LIVE, SLOTS
from tests.firmware.energy_rig import FIRST_DAY, Board, Ring, card, numbers


def test_what_was_begun_counts_and_nothing_of_less() -> None:
    for mwh, seconds, counts in (
        (0, 0, (0, 1)),
        (1, 1, (1, 1)),
        (400, 29, (1, 1)),
        (1000, 60, (1, 1)),
        (1001, 61, (2, 2)),
        (0, 3600, (0, 60)),
    ):
        ring = Board().start()
        ring.spend(card(1), mwh, seconds)
        assert ring.used(card(1)) == counts, (mwh, seconds)


def uses_and_ends(ring: Ring, day: int) -> int:
    """A session of that day; what the card had used before it."""
    ring.begin_day(day)
    found = ring.used(card(1))[0]
    ring.spend(card(1), 9000, 60)
    ring.put(0, card(1), 9000, 60, 0, ENERGY_ENDED)
    ring.commit(day, 7000, 3)
    return found


def test_a_day_that_was_forgotten_does_not_come_back() -> None:
    """Whoever sets the clock ahead and back again; a start in between changes nothing."""
    for starts in (False, True):
        board = Board()
        ring = board.start()
        for ahead, used in ((0, 0), (1, 0), (0, 9), (1, 18), (1 - BACK_DAYS, 27), (1, 36), (2, 0)):
            if starts:
                ring = board.start()
            assert uses_and_ends(ring, FIRST_DAY + ahead) == used, (starts, ahead)


def test_a_day_that_was_never_true_holds_nobody_up_for_ever() -> None:
    ring = Board().start()
    ring.begin_day(FIRST_DAY + BACK_DAYS + 1)
    ring.spend(card(1), 9000, 60)
    ring.begin_day(FIRST_DAY)
    assert (ring.day, ring.used(card(1))[0]) == (FIRST_DAY, 9)
    ring.begin_day(FIRST_DAY + 1)
    assert ring.used(card(1))[0] == 0


def test_numbers_that_run_out_are_begun_anew_and_that_is_told() -> None:
    """Only who writes the flash can bring them there."""
    for number in (0xFFFFFFFF, 0xFFFFFFFE, 1 << 30, (1 << 30) - 2):
        board = Board()
        ring = board.start()
        for minute in range(2 * SLOTS):  # not where a new ring begins
            ring.commit(FIRST_DAY, minute, 3)
        ring.seq = number
        ring.put(0, card(1), 9000, 60, 100, ENERGY_LIVE)
        ring.commit(FIRST_DAY, 100, 3)
        again = board.start()
        assert (again.damaged, again.seq) == (True, 1), number
        assert not list(again.open_entries())
        for minute in range(3):
            again.put(0, card(2), 1000 * minute, 60, 100, ENERGY_LIVE)
            again.commit(FIRST_DAY, 200 + minute, 3)
        third = board.start()
        assert (third.damaged, third.seq, third.newest_time_s) == (False, 4, 202)
        assert numbers(third) == [1, 2, 3]
