"""Attack: resets that were counted are told later, and let go of what came since (MicroPython)."""

from protocol import codes as c
from protocol.policy.charge_station import RESET_HOLD_MS
from tests.firmware.charger_rig import HARD, World, charging

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
