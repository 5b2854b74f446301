"""Attack: a hot board's latch, a key, and a loop that is slow (MicroPython)."""

from protocol import codes as c
from tests.firmware.charger_rig import HOT_MV, charging


def test_a_board_that_is_still_hot_is_not_let_go_by_a_key_in_a_slow_loop() -> None:
    world = charging(ports=16)
    world.heat[-1].level_mv = HOT_MV
    world.wait(3)
    assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE
    world.wires["reset"].level = 1
    for _ in range(12):  # a turn takes 250 ms
        world.turn(250)
    world.wires["reset"].level = 0
    world.wait(3)
    print(
        "latches", world.kind.sessions.station.latches, "resets", world.told(c.EVENT_RESET_ON_SITE)
    )
    assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE


def test_turns_of_an_eighth_of_a_second_too() -> None:
    world = charging(ports=16)
    world.heat[-1].level_mv = HOT_MV
    world.wait(3)
    assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE
    world.wires["reset"].level = 1
    for _ in range(20):
        world.turn(125)
    world.wires["reset"].level = 0
    world.wait(3)
    print(
        "latches", world.kind.sessions.station.latches, "resets", world.told(c.EVENT_RESET_ON_SITE)
    )
    assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE
