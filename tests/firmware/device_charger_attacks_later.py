"""More attacks on a charger that no longer go: keys, buttons, sensors, power, the ring (device).

The first are in device_charger_attacks.py, those on meters in device_meters_noise.py, those on
lists in device_lists_nvs.py.
"""

from protocol import codes as c
from protocol.codes import END_REVOKED
from protocol.constants import FLAG_REVOKED
from protocol.policy.charge_station import RESET_HOLD_MS
from tests.firmware.charger_rig import GRANTED, HARD, HOT_MV, MINE, WARM_MV, World, charging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


def test_a_board_that_is_still_hot_is_not_let_go_by_a_key_in_a_slow_loop() -> None:
    """Its own sensor has its turn every seventeenth time; between two of them a key would do."""
    for turn_ms, turns in ((10, 250), (125, 20), (250, 12)):
        world = charging(ports=16)
        world.heat[-1].level_mv = HOT_MV
        world.wait(3)
        assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE
        world.wires["reset"].level = 1
        for _ in range(turns):
            world.turn(turn_ms)
        world.wires["reset"].level = 0
        world.wait(3)
        assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE
        assert not world.told(c.EVENT_RESET_ON_SITE), "let go, and latched again"


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


def test_a_collected_card_charges_for_another_minute_at_most_whatever_was_missed() -> None:
    world = charging()
    world.card(MINE, flags=FLAG_REVOKED)  # in force; `changes` stayed as it was
    world.wait(65)
    assert world.levels()[0] == 0
    world.wait(6)
    assert world.ends() == [END_REVOKED]


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


def test_smoke_that_came_after_the_power_is_not_told_as_reset_by_it() -> None:
    world = World()
    del world.wires["reset"]
    told: Any = world.journal
    whole = told.read
    world.journal.record(c.EVENT_BOOT)  # something to read
    world.restart(off_s=5)
    left = [20]

    def refuses(seq: int, out: memoryview) -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(5)
        count: int = whole(seq, out)
        return count

    told.read = refuses
    world.wires["smoke"].level = 1
    world.wait(1)
    world.wires["smoke"].level = 0
    world.nvs.held.clear()  # NVS was lost
    world.restart(off_s=5, cause=HARD)
    world.wait(1)
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE


PRESS_S = RESET_HOLD_MS // 1000 + 1


def many_resets(world: World) -> None:
    """Emergency stop and key by turns: the eleventh reset within the window is only counted."""
    for _ in range(12):
        world.press("estop", 1)
        world.press("reset", PRESS_S)
        world.wait(1)


def welded(**how: "bool") -> World:
    world = charging(**how)
    many_resets(world)
    world.outputs[0].welded = True
    world.plug(0, 200)
    world.wait(8)
    assert world.states()[0] == c.PORT_LOCKED, world.states()
    assert world.told(c.EVENT_RELAY_WELD)
    return world


def told_later(world: World) -> None:
    """What firmware/chores.py does each second."""
    for _ in range(70):
        world.wait(1)
        world.journal.tell(world.clock.uptime_s)


def test_a_locked_port_stays_locked_though_nobody_has_turned_the_key_since() -> None:
    world = welded(contactor=False)
    told_later(world)
    world.plug(0, 0)  # nothing plugged in: the weld does not show again
    world.restart(off_s=5, cause=HARD)
    world.wait(3)
    assert world.states()[0] == c.PORT_LOCKED, ("unlocked without the key", world.states())


def test_smoke_stays_latched_without_nvs() -> None:
    world = charging()
    many_resets(world)
    world.nvs.fails = True
    world.press("smoke", 1)
    world.wait(2)
    assert world.kind.sessions.station.latches
    told_later(world)
    assert world.kind.sessions.station.latches
    world.restart(off_s=5, cause=HARD)
    world.wait(3)
    # and the emergency stops that were only counted, which is one reset too many
    assert world.kind.sessions.station.latches & c.LATCH_SMOKE, "smoke is latched no more"
