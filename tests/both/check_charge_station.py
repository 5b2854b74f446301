"""What the ports of a charger share: head room, order, shedding, the reset on site (both)."""

from protocol import codes
from protocol.policy.charge_port import Port, Rules
from protocol.policy.charge_station import NONE, RESET_HOLD_MS, Station

KEY = b"my card."


def station(
    count: int = 4, limit_w: int = 2000, start_w: int = 1000, stagger_s: int = 1
) -> Station:
    made = Station([Port(Rules()) for _ in range(count)])
    made.limit_dw, made.start_limit_dw = 10 * limit_w, 10 * start_w
    made.stagger_ms = 1000 * stagger_s
    return made


def begin(of: Station, number: int, power_dw: int = 0) -> None:
    """A session at that port; without power its load is still to be seen."""
    port = of.ports[number]
    port.authorise(KEY, 0, 0)
    port.close()
    of.closed(number)
    if power_dw:
        port.read(power_dw, 1000)


def test_a_port_does_not_close_within_the_stagger_of_another() -> None:
    of = station(limit_w=9000, start_w=8000)
    assert of.may_close()
    begin(of, 0, 3000)
    assert not of.may_close()
    of.tick(999)
    assert not of.may_close()
    of.tick(1)
    assert of.may_close()


def test_nothing_begins_above_the_start_limit_and_a_load_not_seen_yet_counts_in_full() -> None:
    of = station(start_w=1500)
    begin(of, 0)
    of.tick(1000)
    assert of.may_close(), "1000 W at most"
    begin(of, 1)
    of.tick(1000)
    assert not of.may_close(), "2000 W at most"
    of.ports[0].read(3000, 1000)
    of.ports[1].read(3000, 1000)
    assert of.may_close()
    of.ports[0].read(12001, 1000)
    assert not of.may_close()


def test_nothing_closes_while_anything_is_latched() -> None:
    of = station()
    for latch in (codes.LATCH_SMOKE, codes.LATCH_WELD):
        of.latches = latch
        assert not of.may_close()


def test_above_the_limit_the_newest_is_shed_one_a_second() -> None:
    of = station()
    for number in (2, 0, 3):
        begin(of, number, 9000)
    of.tick(1000)
    assert of.power_dw() == 27000
    assert of.to_shed() == 3
    assert of.to_shed() == NONE, "its meter has not seen it yet"
    of.ports[3].end(codes.END_STATION_LIMIT)
    of.tick(1000)
    assert of.to_shed() == 0
    of.ports[0].end(codes.END_STATION_LIMIT)
    of.ports[0].read(0, 1000)
    of.ports[3].read(0, 1000)
    of.tick(1000)
    assert of.to_shed() == NONE
    assert of.ports[2].live


def test_at_the_limit_itself_nobody_is_shed() -> None:
    of = station()
    begin(of, 0, 9000)
    begin(of, 1, 11000)
    assert of.to_shed() == NONE
    of.ports[1].read(11001, 1000)
    assert of.to_shed() == 1


def test_with_nothing_live_there_is_nobody_to_shed() -> None:
    of = station()
    of.ports[0].read(30000, 1000)
    assert of.to_shed() == NONE


def test_the_reset_must_be_held_while_no_input_says_the_same() -> None:
    of = station()
    assert not of.resets(False, 0, 10)
    assert not of.resets(True, 0, RESET_HOLD_MS - 1)
    assert of.resets(True, 0, 1)
    assert not of.resets(False, 0, 10)
    assert not of.resets(True, 0, RESET_HOLD_MS - 1)
    assert not of.resets(True, codes.LATCH_SMOKE, RESET_HOLD_MS)
    assert not of.resets(False, 0, 10)
    assert not of.resets(True, 0, RESET_HOLD_MS - 1)


def test_a_key_that_is_taped_down_lets_go_of_nothing() -> None:
    of = station()
    for _ in range(3):
        assert not of.resets(True, 0, RESET_HOLD_MS), "it was never seen open"
    of.resets(False, 0, 10)
    assert of.resets(True, 0, RESET_HOLD_MS)
    for _ in range(3):
        assert not of.resets(True, 0, RESET_HOLD_MS), "once is once"
    of.resets(False, 0, 10)
    of.resets(True, 0, 10)
    of.resets(True, codes.LATCH_SMOKE, 10)
    for _ in range(3):
        assert not of.resets(True, 0, RESET_HOLD_MS), "pressed before it was latched"
    of.resets(False, 0, 10)
    assert of.resets(True, 0, RESET_HOLD_MS)
