"""Attacks: a blind board goes on after an outage, NVS refuses at a board without key (device)."""

from tests.firmware.charger_rig import GRANTED, MINE, World, charging


def test_a_board_that_feels_no_heat_goes_on_with_nothing_after_an_outage() -> None:
    world = charging()
    world.wait(61)
    world.heat[-1].level_mv = 0
    world.restart(off_s=5)
    world.wait(10)
    assert not world.levels()[0], "a card that came now would be denied"


def test_a_board_without_a_key_serves_although_nvs_refuses() -> None:
    world = World()
    del world.wires["reset"]
    world.card(MINE)
    world.restart(off_s=5)
    world.press("smoke", 1)
    world.nvs.fails = True
    world.restart(off_s=60)
    world.wait(5)
    assert world.swipe(MINE) == GRANTED
    world.plug(0, 200)
    world.wait(6)
    assert world.levels()[0]
