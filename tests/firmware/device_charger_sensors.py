"""Sensors and lines of a charger that break: what is told, and what may begin (MicroPython)."""

from protocol import codes as c
from protocol.settings import CUT_C, SETTINGS
from tests.firmware.charger_rig import GRANTED, HOT_MV, MINE, THEIRS, WARM_MV, World, charging
from tests.firmware.door_rig import Line

TYPE_CHECKING = False

CUT_MV, SHORT_MV = 3300, 0  # of a thermistor
LINE_CUT_MV, LINE_SHORT_MV, LINE_REST_MV, LINE_ACTED_MV = 3300, 100, 1050, 2000  # of a line
SENSORS = 5
NOBODY = 255
FIRE_LINE, TAMPER_LINE, THERMISTOR, ESTOP_LINE = 2, 3, 4, 5


def faults(world: World) -> "list[tuple[int, int, int]]":
    """(state, point, which input) of each on record."""
    return [(row[0], row[1], row[3]) for row in world.told(c.EVENT_INPUT_FAULT)]


def looks(world: World, index: int, *levels_mv: int) -> None:
    """That thermistor is at each of these levels for one look at it."""
    safety = world.kind.sessions.safety
    while safety._sensor != (index - 1) % SENSORS:
        world.turn()
    for level_mv in levels_mv:
        world.heat[index].level_mv = level_mv
        for _ in range(SENSORS):
            world.turn()


# --- thermistors ------------------------------------------------------------------------------


def test_a_board_that_feels_no_heat_says_so_and_begins_nothing_new() -> None:
    for level_mv, state in ((CUT_MV, c.LINE_OPEN), (SHORT_MV, c.LINE_SHORT)):
        world = charging()
        world.heat[-1].level_mv = level_mv
        world.wait(3)
        assert faults(world) == [(state, NOBODY, THERMISTOR)], "once"
        assert world.levels() == [1, 0, 0, 0], "what runs goes on"
        assert world.swipe(THEIRS)[0] == c.EVENT_DENIED
        assert not world.kind.takes(c.TICKET_CHARGE_START, 2, 0)
        world.heat[-1].level_mv = WARM_MV
        world.wait(1)
        assert faults(world)[1:] == [(c.LINE_OK, NOBODY, THERMISTOR)]
        assert world.swipe(THEIRS) == GRANTED


def test_a_lost_output_that_comes_back_does_not_speak_for_the_board_s_sensor() -> None:
    for contactor in (True, False):
        world = charging(contactor=contactor)
        world.heat[-1].level_mv = CUT_MV
        world.wait(1)
        world.outputs[1].lost = True
        world.wait(1)
        world.outputs[1].lost = False
        world.wait(8)
        assert world.told(c.EVENT_OUTPUT_BACK)
        assert not world.kind.sessions.is_free(2)
        world.heat[-1].level_mv = WARM_MV
        world.wait(1)
        assert world.kind.sessions.is_free(2)


def test_a_port_s_sensor_says_whether_it_is_cut_or_shorted() -> None:
    for level_mv, state in ((CUT_MV, c.LINE_OPEN), (SHORT_MV, c.LINE_SHORT)):
        world = charging()
        world.heat[0].level_mv = level_mv
        world.wait(6)
        assert faults(world) == [(state, 0, THERMISTOR)]
        assert world.ends() == [c.END_PORT_FAULT]


def test_a_sensor_that_is_hot_whenever_it_works_is_hot() -> None:
    for index, latch in ((-1 % SENSORS, c.LATCH_TEMPERATURE), (0, 0)):
        for broken_mv in (CUT_MV, SHORT_MV):
            world = charging()
            looks(world, index, HOT_MV, broken_mv, HOT_MV, broken_mv, broken_mv)
            assert world.levels() == [1, 0, 0, 0]
            looks(world, index, HOT_MV)
            assert world.levels() == [0, 0, 0, 0]
            assert world.kind.sessions.station.latches == latch
            assert len(world.told(c.EVENT_OVER_TEMPERATURE)) == 1


def test_two_hot_looks_and_a_cool_one_are_no_heat() -> None:
    world = charging()
    for _ in range(3):
        looks(world, SENSORS - 1, HOT_MV, HOT_MV, CUT_MV, WARM_MV)
    assert world.levels() == [1, 0, 0, 0]
    assert not world.told(c.EVENT_OVER_TEMPERATURE)


def test_a_board_whose_sensor_broke_while_it_was_hot_is_not_reset() -> None:
    world = charging()
    world.heat[-1].level_mv = HOT_MV
    world.wait(1)
    world.heat[-1].level_mv = CUT_MV
    world.wait(1)
    world.press("reset", 4)
    assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE
    world.heat[-1].level_mv = WARM_MV
    world.wait(1)
    world.press("reset", 4)
    assert world.kind.sessions.station.latches == 0


def test_no_cut_may_be_set_so_low_that_its_record_reads_as_a_count() -> None:
    assert SETTINGS[CUT_C][1] * 10 >= 400, "controller_tool/services/journal_details.py"


# --- supervised lines -------------------------------------------------------------------------


def test_a_smoke_line_that_breaks_opens_everything_and_is_said_to_be_the_wire() -> None:
    for level_mv, state in ((LINE_CUT_MV, c.LINE_OPEN), (LINE_SHORT_MV, c.LINE_SHORT)):
        world = charging()
        world.wires["smoke"] = line = Line()
        world.restart(off_s=1)
        world.wait(6)
        assert world.levels() == [1, 0, 0, 0]
        assert faults(world) == []
        line.level_mv = level_mv
        for _ in range(3):
            world.turn()
        assert world.levels() == [0, 0, 0, 0]
        assert world.trip.level == 0
        world.wait(3)
        assert faults(world) == [(state, NOBODY, FIRE_LINE)]
        assert world.kind.sessions.station.latches == c.LATCH_SMOKE
        assert len(world.told(c.EVENT_FIRE)) == 1
        line.level_mv = LINE_REST_MV
        world.wait(2)
        assert faults(world)[1:] == [(c.LINE_OK, NOBODY, FIRE_LINE)]
        assert world.kind.sessions.station.latches == c.LATCH_SMOKE


def test_smoke_itself_is_no_fault_of_its_line() -> None:
    world = charging()
    world.wires["smoke"] = line = Line()
    world.restart(off_s=1)
    line.level_mv = LINE_ACTED_MV
    world.wait(3)
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE
    assert faults(world) == []


def test_each_supervised_line_is_told_apart_and_contacts_are_none() -> None:
    world = World()
    world.card(MINE)
    for name in ("estop", "tamper", "leakage"):
        world.wires[name] = Line()
    world.restart()
    assert len(world.kind.sessions.safety.lines) == 3
    world.wires["tamper"].level_mv = LINE_CUT_MV
    world.wait(2)
    assert world.kind.sessions.station.latches == 0
    world.wires["estop"].level_mv = LINE_SHORT_MV
    world.wait(2)
    assert faults(world) == [
        (c.LINE_OPEN, NOBODY, TAMPER_LINE),
        (c.LINE_SHORT, NOBODY, ESTOP_LINE),
    ]
    assert world.kind.sessions.station.latches == c.LATCH_ESTOP
