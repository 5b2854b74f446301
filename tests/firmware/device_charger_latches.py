"""What a charger keeps latched and locked through restarts, and what a reset is (MicroPython)."""

from protocol import codes as c
from protocol.constants import RECORD_BYTES
from protocol.policy.charge_station import RESET_HOLD_MS
from tests.firmware.charger_rig import HARD, HOT_MV, MINE, THEIRS, WARM_MV, World, charging
from tests.firmware.door_rig import Line, modules
from tests.firmware.flash import PowerCut
from tests.firmware.journal_rig import Board

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LATCHES = (
    ("smoke", c.EVENT_FIRE, c.LATCH_SMOKE),
    ("leakage", c.EVENT_LEAKAGE, c.LATCH_LEAKAGE),
    ("estop", c.EVENT_EMERGENCY_STOP, c.LATCH_ESTOP),
)
PRESS_S = RESET_HOLD_MS // 1000 + 1


def latches(world: World) -> int:
    found: int = world.kind.sessions.station.latches
    return found


def cut_after_its_record(world: World, contact: str) -> None:
    """The contact acts; power goes when the first record of it is whole, and comes back."""
    world.chip.cut_at, world.chip.cut_quarters = world.chip.operations + 1, 4
    world.wires[contact].level = 1
    try:
        world.wait(1)
        raise AssertionError("power never went")
    except PowerCut:
        world.wires[contact].level = 0
    world.restart(off_s=5)


# --- through restarts -------------------------------------------------------------------------


def test_power_that_goes_between_record_and_nvs_lets_go_of_no_latch() -> None:
    for contact, event, latch in LATCHES:
        world = charging()
        world.wait(60 - world.kind._seconds + 1)  # a slot is young: the session might go on
        cut_after_its_record(world, contact)
        assert not world.nvs.get("latch"), "it was no test"
        assert world.told(event)
        world.wait(8)
        assert latches(world) == latch
        assert world.nvs.get("latch") == latch
        assert sum(world.levels()) + world.trip.level == 0
        assert world.ends() == [c.END_POWER_LOSS]
        world.press("reset", PRESS_S)
        world.restart(cause=HARD)
        world.wait(1)
        assert latches(world) == 0


def test_an_nvs_that_takes_nothing_lets_go_of_no_latch() -> None:
    for contact, _, latch in LATCHES:
        world = charging()
        world.nvs.fails = True
        world.press(contact, 1)
        for _ in range(2):
            world.restart(cause=HARD)
            world.wait(1)
            assert latches(world) == latch
            assert world.swipe(MINE)[0] == c.EVENT_DENIED
        world.press("reset", PRESS_S)
        assert latches(world) == 0
        world.restart(cause=HARD)
        world.wait(1)
        assert latches(world) == 0


def test_a_hot_board_stays_latched_without_nvs_and_a_hot_port_latches_nothing() -> None:
    for index, latch in ((-1, c.LATCH_TEMPERATURE), (1, 0)):
        world = charging()
        world.nvs.fails = True
        world.heat[index].level_mv = HOT_MV
        world.wait(2)
        world.heat[index].level_mv = WARM_MV
        world.restart(cause=HARD)
        world.wait(1)
        assert latches(world) == latch


def test_how_many_ports_were_too_hot_is_no_temperature_of_the_board() -> None:
    world = charging()
    world.journal.record(c.EVENT_OVER_TEMPERATURE, c.END_PORT_FAULT, 255, bytes(8), 744)
    world.restart()
    world.wait(1)
    assert latches(world) == 0


def test_a_weld_stays_latched_without_nvs() -> None:
    world = charging()
    world.nvs.fails = True
    world.outputs[0].welded = True
    world.swipe(MINE)
    world.wait(8)
    world.outputs[0].welded = False
    world.restart()
    world.wait(1)
    assert latches(world) == c.LATCH_WELD
    assert world.states()[0] == c.PORT_LOCKED


def test_an_nvs_that_cannot_forget_keeps_it_latched() -> None:
    world = charging()
    world.press("smoke", 1)
    world.nvs.fails = True
    world.press("reset", PRESS_S)
    assert latches(world) == c.LATCH_SMOKE
    assert not world.told(c.EVENT_RESET_ON_SITE)
    world.nvs.fails = False
    world.wait(1)
    world.press("reset", PRESS_S)
    assert latches(world) == 0


def test_nothing_begins_while_the_ring_cannot_be_read() -> None:
    world = charging()
    world.press("smoke", 1)
    world.nvs.held.clear()
    told: Any = world.journal
    whole = told.read

    def refuses(*_: "Any") -> int:
        raise OSError(5)

    told.read = refuses
    world.plug(0, 0)
    world.restart(off_s=100)
    world.wait(3)
    world.swipe(THEIRS)
    world.plug(1, 200)
    world.wait(6)
    assert sum(world.levels()) == 0
    told.read = whole
    world.wait(6)
    assert latches(world) == c.LATCH_SMOKE
    assert sum(world.levels()) == 0


def test_a_locked_port_without_a_contactor_stays_locked_until_the_reset_on_site() -> None:
    world = charging(contactor=False)
    world.outputs[0].welded = True
    world.swipe(MINE)
    world.wait(8)
    world.plug(0, 0)  # no current any more that would show it
    for cause in (HARD, 1):
        world.restart(off_s=5, cause=cause)
        world.wait(3)
        assert world.states() == [c.PORT_LOCKED, c.PORT_IDLE, c.PORT_IDLE, c.PORT_IDLE]
        assert not world.kind.takes(c.TICKET_CHARGE_START, 0, 0)
        assert world.kind.takes(c.TICKET_CHARGE_START, 1, 0)
        assert latches(world) == 0
    world.press("reset", PRESS_S)
    assert world.states()[0] == c.PORT_IDLE
    world.restart()
    world.wait(1)
    assert world.states()[0] == c.PORT_IDLE


def test_power_that_goes_as_a_weld_is_found_ends_the_session_by_it() -> None:
    world = charging(contactor=False)
    world.outputs[0].welded = True
    world.swipe(MINE)
    world.wait(3)
    world.chip.cut_at, world.chip.cut_quarters = world.chip.operations + 1, 4
    try:
        world.wait(8)
        raise AssertionError("power never went")
    except PowerCut:
        assert not world.ends(), "it was no test"
        assert world.told(c.EVENT_RELAY_WELD)
    world.plug(0, 0)
    world.restart(off_s=5)
    world.wait(3)
    assert world.states()[0] == c.PORT_LOCKED
    assert world.ends() == [c.END_RELAY_WELD]


def test_without_a_reset_on_site_power_lets_go_and_every_other_start_holds() -> None:
    world = charging(contactor=False)
    del world.wires["reset"]
    world.restart(cause=HARD)
    world.nvs.fails = True
    world.press("smoke", 1)
    world.outputs[1].welded = True
    world.plug(1, 200)
    world.wait(5)
    world.plug(1, 0)
    for _ in range(2):
        world.restart(cause=HARD)
        world.wait(1)
        assert latches(world) == c.LATCH_SMOKE
        assert world.states()[1] == c.PORT_LOCKED
    world.restart()
    for cause in (0, HARD):
        if cause:
            world.restart(cause=cause)
        world.wait(1)
        assert latches(world) == 0, cause
        assert world.states()[1] == c.PORT_IDLE
    assert [row[3] for row in world.told(c.EVENT_RESET_ON_SITE)] == [c.LATCH_SMOKE]


def test_smoke_that_goes_on_when_power_comes_back_is_latched_again() -> None:
    world = charging()
    del world.wires["reset"]
    world.wires["smoke"].level = 1
    world.wait(1)
    world.restart()
    world.wait(1)
    assert latches(world) == c.LATCH_SMOKE
    world.wires["smoke"].level = 0
    world.restart(cause=HARD)
    world.wait(1)
    assert latches(world) == c.LATCH_SMOKE


def test_a_new_configuration_lets_go_of_nothing() -> None:
    world = charging(contactor=False)
    del world.wires["reset"]
    world.restart()
    world.nvs.fails = True
    world.press("estop", 1)
    world.kind = modules["firmware.charger"].Service(world)  # as firmware/chores.py does it
    world.wait(1)
    assert latches(world) == c.LATCH_ESTOP


# --- the ring itself --------------------------------------------------------------------------


def test_a_ring_says_what_came_after_the_last_reset_however_long_ago() -> None:
    latched: Any = __import__("firmware.charge_latched", None, None, ("*",))
    ring = Board().start()
    scratch = memoryview(bytearray(40 * RECORD_BYTES))

    def write(event: int, point: int = 255, reason: int = 0, times: int = 1) -> "tuple[int, int]":
        for _ in range(times):
            ring.record(event, reason, (ring.seq, 0, 3), point, bytes(8), 7, 800)
            ring.erase_ahead()
        return latched._since_reset(ring, scratch, 4)

    assert latched._since_reset(ring, scratch, 4) == (0, 0)
    assert write(c.EVENT_FIRE) == (c.LATCH_SMOKE, 0)
    assert write(c.EVENT_RELAY_WELD, 2) == (c.LATCH_SMOKE, 4)
    assert write(c.EVENT_BOOT, times=100) == (c.LATCH_SMOKE, 4)
    assert write(c.EVENT_RESET_ON_SITE) == (0, 0)
    assert write(c.EVENT_LEAKAGE, times=3) == (c.LATCH_LEAKAGE, 0)
    assert write(c.EVENT_OVER_TEMPERATURE, 1, c.END_PORT_FAULT) == (c.LATCH_LEAKAGE, 0)
    both = c.LATCH_LEAKAGE | c.LATCH_TEMPERATURE
    assert write(c.EVENT_OVER_TEMPERATURE, 255, c.END_TEMPERATURE) == (both, 0)
    assert write(c.EVENT_RELAY_WELD, 255) == (both, 0b1111), "nobody knows which"
    assert write(c.EVENT_BOOT, times=150) == (both, 0b1111)
    assert write(c.EVENT_BOOT, times=400) == (0, 0), "overwritten: NVS has it"


# --- the key ----------------------------------------------------------------------------------


def test_a_key_that_is_taped_down_lets_go_of_nothing_and_loads_nothing() -> None:
    told = modules["firmware.charge_told"] = __import__("firmware.charge_told", None, None, ("*",))
    whole = told.let_go
    loads: list[int] = []

    def counted(*arguments: "Any") -> None:
        loads.append(1)
        whole(*arguments)

    told.let_go = counted
    try:
        world = charging()
        world.wires["reset"].level = 1
        world.wait(20)
        assert len(loads) == 1
        for contact, _, latch in LATCHES:
            world.press(contact, 1)
            world.wait(10)
            assert latches(world) & latch
        world.restart(cause=HARD)
        world.wait(10)
        assert latches(world) == c.LATCH_SMOKE | c.LATCH_LEAKAGE | c.LATCH_ESTOP
        assert len(loads) == 1
        world.wires["reset"].level = 0
        world.wait(1)
        world.press("reset", PRESS_S)
        assert latches(world) == 0
        assert len(loads) == 2
    finally:
        told.let_go = whole


def test_a_key_that_was_held_when_a_weld_was_found_is_no_press() -> None:
    for contactor in (True, False):
        world = charging(contactor=contactor)
        world.outputs[0].welded = True
        world.swipe(MINE)
        while world.kind.sessions.ports[0]._state_ms < 4500:
            world.turn()
        world.wires["reset"].level = 1  # for half a second when it is found
        world.wait(5)
        assert world.states()[0] == c.PORT_LOCKED
        world.wires["reset"].level = 0
        world.plug(0, 0)
        world.wait(1)
        world.press("reset", PRESS_S)
        assert world.states()[0] == c.PORT_IDLE


def test_a_reset_on_a_supervised_line_works_and_a_short_of_it_does_not() -> None:
    world = World()
    world.wires["reset"] = line = Line()
    world.restart()
    world.press("smoke", 1)
    for level_mv, latch in ((100, c.LATCH_SMOKE), (2000, 0)):
        world.wait(1)
        line.level_mv = level_mv
        world.wait(PRESS_S)
        assert latches(world) == latch
        line.level_mv = 1050
