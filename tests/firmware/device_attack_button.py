"""Attack: a button that is taped down chooses the port of everybody's card (MicroPython)."""

from tests.firmware.charger_rig import GRANTED, MINE, World


def test_a_button_that_is_taped_down_chooses_nothing() -> None:
    world = World(plugs=False)
    thief = 2  # of port 3: something is plugged in there and nobody paid
    world.card(MINE)
    world.loads_w[thief] = 400
    world.wires["button3"].level = 1  # taped down
    world.wait(5)
    assert world.swipe(MINE) == GRANTED
    world.wait(8)
    world.wires["button3"].level = 0
    assert sum(world.levels()) == 0, world.levels()
