"""Attack: one port's thermistor, touched again and again, latches the whole board (MicroPython)."""

from protocol import codes as c
from tests.firmware.charger_rig import HARD, HOT_MV, WARM_MV, World


def test_a_count_of_hot_ports_is_no_temperature_of_the_board() -> None:
    world = World()
    world.wait(1)
    for _ in range(3000):  # a bit of wire at port 1: hot for 200 ms, cool for 100 ms
        world.heat[0].level_mv = HOT_MV
        for _ in range(20):
            world.turn()
        world.heat[0].level_mv = WARM_MV
        for _ in range(10):
            world.turn()
        world.journal.tell(world.clock.uptime_s)
    for _ in range(3700):
        world.turn(1000)
        world.journal.tell(world.clock.uptime_s)
    assert world.told(c.EVENT_OVER_TEMPERATURE), "it was no test"
    assert not world.kind.sessions.station.latches
    world.restart(cause=HARD)
    world.wait(1)
    assert not world.kind.sessions.station.latches, world.kind.sessions.station.latches
