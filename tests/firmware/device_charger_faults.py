"""What goes wrong at a charger: power, smoke and the like, heat, meters, relays (MicroPython)."""

from protocol import codes as c
from protocol.policy.charge_station import RESET_HOLD_MS
from protocol.settings import METER_GAIN
from tests.firmware.charger_rig import (
    GRANTED,
    HARD,
    HOT_MV,
    MINE,
    THEIRS,
    WARM_MV,
    WATCHDOG,
    Meters,
    World,
    begin,
    charging,
    denied,
)
from tests.firmware.door_rig import modules

TYPE_CHECKING = False


# --- power ----------------------------------------------------------------------------------


def test_after_a_long_outage_nothing_goes_on_and_the_session_ends_once() -> None:
    world = charging()
    world.wait(130)
    world.restart(off_s=61)
    assert sum(world.levels()) == 0
    world.wait(5)
    assert sum(world.levels()) == 0
    assert world.ends() == [c.END_POWER_LOSS]
    minutes, wh = divmod(world.told(c.EVENT_CHARGE_ENDED)[0][3], 1 << 16)
    assert minutes == 1, "as far as the last slot knew"
    assert wh == 6
    world.restart(off_s=5)
    world.wait(5)
    assert world.ends() == [c.END_POWER_LOSS]


def test_after_a_short_one_it_goes_on_with_what_it_had() -> None:
    world = charging()
    world.wait(60 - world.kind._seconds + 1)  # a slot was written a moment ago
    world.restart(off_s=20)
    assert sum(world.levels()) == 0
    world.wait(5)
    assert world.levels() == [1, 0, 0, 0]
    assert world.ends() == []
    assert [row[0] for row in world.told(c.EVENT_CHARGE_STARTED)] == [
        c.REASON_CARD,
        c.REASON_RESUMED,
    ]
    world.swipe(MINE)
    world.wait(4)
    assert world.ends() == [c.END_CARD]
    assert world.told(c.EVENT_CHARGE_ENDED)[0][3] >> 16 == 1


def test_nothing_goes_on_without_a_clock_or_after_the_watchdog_or_by_ticket() -> None:
    for how, code in (
        ({"keeps_clock": False}, c.END_POWER_LOSS),
        ({"cause": WATCHDOG}, c.END_WATCHDOG),
    ):
        world = charging()
        world.restart(off_s=1, **how)
        world.wait(5)
        assert sum(world.levels()) == 0
        assert world.ends() == [code]
    world = World(1)
    world.wait(2)
    world.kind.act(c.TICKET_CHARGE_START, 0, 0)
    world.plug(0, 100)
    world.wait(4)
    world.restart(off_s=1)
    world.wait(5)
    assert world.levels() == [0]
    assert world.ends() == [c.END_POWER_LOSS]


def test_a_card_that_was_collected_meanwhile_goes_on_no_more() -> None:
    world = charging()
    world.card(MINE, flags=1)
    world.restart(off_s=1)
    world.wait(5)
    assert sum(world.levels()) == 0
    assert world.ends() == [c.END_POWER_LOSS]


def test_without_a_controller_to_ask_every_port_stays_open() -> None:
    world = charging()
    opened: list[int] = []

    class Board:
        @staticmethod
        def safe_state() -> None:
            opened.append(1)

    modules["board"] = Board
    world.access = None
    world.start()
    del modules["board"]
    assert opened
    world.wait(1)
    assert world.kind.at_rest()


def test_an_end_that_the_flash_refused_is_tried_again_and_the_port_waits_for_it() -> None:
    world = charging()
    world.journal.refused = (c.EVENT_CHARGE_ENDED,)
    world.swipe(MINE)
    world.plug(0, 0)
    world.wait(6)
    assert world.ends() == []
    assert world.swipe(MINE) == denied(c.REASON_PORT_BUSY), "its energy is not counted yet"
    assert not world.kind.at_rest()
    world.journal.refused = ()
    world.wait(2)
    assert world.ends() == [c.END_CARD]
    assert world.swipe(MINE) == GRANTED


def test_what_is_latched_lets_nothing_go_on_after_an_outage() -> None:
    world = charging()
    world.wait(60 - world.kind._seconds + 1)  # a slot was written a moment ago
    world.nvs.put("latch", c.LATCH_LEAKAGE)
    world.restart(off_s=5)
    world.wait(5)
    assert world.ends() == [c.END_POWER_LOSS]
    assert not world.told(c.EVENT_DENIED), "not even tried"


# --- what cuts all of them --------------------------------------------------------------------


def test_smoke_leakage_and_the_emergency_stop_open_everything_and_are_latched() -> None:
    for name, event, code, latch in (
        ("smoke", c.EVENT_FIRE, c.END_SMOKE, c.LATCH_SMOKE),
        ("fire", c.EVENT_FIRE, c.END_SMOKE, c.LATCH_SMOKE),
        ("leakage", c.EVENT_LEAKAGE, c.END_LEAKAGE, c.LATCH_LEAKAGE),
        ("estop", c.EVENT_EMERGENCY_STOP, c.END_EMERGENCY_STOP, c.LATCH_ESTOP),
    ):
        world = charging()
        begin(world, THEIRS, 2)
        world.wires[name].level = 1
        for _ in range(3):
            world.turn()
        assert world.levels() == [0, 0, 0, 0]
        assert world.trip.level == 0
        assert len(world.told(event)) == 1
        world.wires[name].level = 0
        world.wait(8)
        assert world.ends() == [code, code]
        assert world.kind.sessions.station.latches == latch
        assert world.swipe(MINE)[0] == c.EVENT_DENIED
        world.restart(10)
        world.wait(3)
        assert world.kind.sessions.station.latches == latch, "a restart lets go of nothing"
        assert world.swipe(MINE)[0] == c.EVENT_DENIED
        assert not world.kind.takes(c.TICKET_CHARGE_START, 0, 0)


def test_whoever_stands_there_resets_it_when_the_cause_is_gone() -> None:
    world = charging()
    world.wires["smoke"].level = 1
    world.wait(1)
    world.press("reset", RESET_HOLD_MS // 1000 + 1)
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE, "it still burns"
    world.wires["smoke"].level = 0
    world.press("reset", 1)
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE, "not long enough"
    world.wait(1)
    world.press("reset", RESET_HOLD_MS // 1000 + 1)
    assert world.kind.sessions.station.latches == 0
    assert len(world.told(c.EVENT_RESET_ON_SITE)) == 1
    world.wait(2)
    assert sum(world.levels()) == 0, "and nothing goes on by itself"
    world.plug(0, 0)
    world.wait(1)
    begin(world, THEIRS, 2)


def test_a_board_without_a_reset_is_reset_by_pulling_its_plug_and_by_nothing_else() -> None:
    world = charging()
    del world.wires["reset"]
    world.restart()
    world.wires["smoke"].level = 1
    world.wait(1)
    world.wires["smoke"].level = 0
    world.restart(cause=HARD)
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE
    world.restart()
    assert world.kind.sessions.station.latches == 0


# --- heat, meters, relays ---------------------------------------------------------------------


def test_a_hot_port_ends_its_session_and_takes_none_until_it_is_cool() -> None:
    world = charging()
    begin(world, THEIRS, 2)
    world.heat[0].level_mv = HOT_MV
    world.wait(1)
    assert world.levels() == [0, 0, 1, 0]
    world.wait(4)
    assert world.ends() == [c.END_TEMPERATURE]
    assert world.kind.sessions.ports[0].trouble == c.PORT_HOT
    world.heat[0].level_mv = WARM_MV
    world.wait(2)
    assert world.kind.sessions.ports[0].trouble == 0


def test_a_hot_board_opens_everything_and_is_latched() -> None:
    world = charging()
    world.heat[-1].level_mv = HOT_MV
    world.wait(1)
    assert sum(world.levels()) == 0
    world.wait(5)
    assert world.ends() == [c.END_TEMPERATURE]
    assert world.kind.sessions.station.latches == c.LATCH_TEMPERATURE


def test_a_broken_sensor_takes_its_port_out_of_use() -> None:
    world = charging()
    world.heat[0].level_mv = 3300
    world.wait(6)
    assert world.ends() == [c.END_PORT_FAULT]
    assert world.told(c.EVENT_INPUT_FAULT)[0][:2] == (c.LINE_OPEN, 0)
    world.heat[0].level_mv = WARM_MV
    world.wait(1)
    assert world.kind.sessions.ports[0].trouble == 0


def test_a_silent_meter_ends_the_session_of_its_port() -> None:
    for row, index, port, left in ((0, 0, 0, [0, 0, 1, 0]), (1, 1, 2, [1, 0, 0, 0])):
        world = charging()
        begin(world, THEIRS, 2)
        world.meters_made[row].silent.add(index)
        world.wait(5)
        assert world.levels() == left
        world.wait(6)
        assert world.ends() == [c.END_PORT_FAULT]
        assert [told[1] for told in world.told(c.EVENT_METER_LOST)] == [port]
        world.meters_made[row].silent.clear()
        world.wait(2)
        assert [told[1] for told in world.told(c.EVENT_METER_BACK)] == [port]
        assert world.kind.sessions.ports[port].trouble == 0


def test_each_meter_has_its_own_gain_whatever_row_it_is_in() -> None:
    world = World(settings={METER_GAIN: [9000, 10100, 10200, 10300]})
    assert [list(row.gain) for row in world.meters_made] == [[9000], [10100, 10200, 10300]]


def test_a_port_waits_for_the_slowest_of_its_station_s_meters_of_pulses() -> None:
    for pulse_mj, gains, zero_ms in (
        (0, [10000, 12000, 10000, 10000], 5000),
        (10344, [10000, 10000, 10000, 10000], 5000),
        (10344, [10000, 12000, 10000, 9000], 5637),
    ):
        Meters.pulse_mj = pulse_mj
        world = World(settings={METER_GAIN: gains})
        assert world.kind.sessions.ports[0]._rules.zero_ms == zero_ms, gains
    Meters.pulse_mj = 0


def test_readings_are_counted_in_a_byte_and_none_is_missed() -> None:
    world = charging()
    world.wait(300, 100)
    sessions = world.kind.sessions
    true_mwh = world.true_mws[0] // 3600
    assert abs(sessions.ports[0].energy_mwh - true_mwh) <= 0.005 * true_mwh


def test_a_welded_relay_trips_the_contactor_and_everything_is_locked() -> None:
    world = charging()
    begin(world, THEIRS, 2)
    world.outputs[0].welded = True
    world.swipe(MINE)
    world.wait(8)
    assert world.trip.level == 0
    assert sum(world.levels()) == 0
    assert sorted(world.ends()) == [c.END_PORT_FAULT, c.END_RELAY_WELD]
    assert world.kind.sessions.station.latches == c.LATCH_WELD
    assert len(world.told(c.EVENT_RELAY_WELD)) == 1
    assert world.swipe(THEIRS) == denied(c.REASON_PORT_FAULT)


def test_without_a_contactor_the_others_go_on() -> None:
    world = charging(contactor=False)
    begin(world, THEIRS, 2)
    world.outputs[0].welded = True
    world.swipe(MINE)
    world.wait(8)
    assert world.levels() == [0, 0, 1, 0]
    assert world.ends() == [c.END_RELAY_WELD]
    assert world.states()[0] == c.PORT_LOCKED


def test_a_weld_that_shows_before_it_closes_is_no_session() -> None:
    world = World(1)
    world.card(MINE)
    world.plug(0, 200)
    world.outputs[0].welded = True
    world.swipe(MINE)
    world.wait(8)
    assert world.starts() == 0
    assert world.ends() == []
    assert world.told(c.EVENT_RELAY_WELD)
    assert world.told(c.EVENT_DENIED)[-1][0] == c.REASON_PORT_FAULT


def test_an_output_that_is_lost_opens_the_contactor() -> None:
    world = charging()
    world.outputs[0].lost = True
    world.wait(1)
    assert world.trip.level == 0
    assert world.told(c.EVENT_OUTPUT_LOST)[0][1] == 0
    world.wait(8)
    assert world.ends() == [c.END_PORT_FAULT]
    world.outputs[0].lost = False
    world.wait(1)
    assert world.told(c.EVENT_OUTPUT_BACK)
    assert world.kind.sessions.ports[0].trouble == 0


def test_an_overload_is_cut_within_three_seconds_and_a_reading() -> None:
    world = charging()
    world.loads_w[0] = 1100
    world.wait(2)
    assert world.levels()[0] == 1
    world.wait(2)
    assert world.levels()[0] == 0
    world.wait(4)
    assert world.ends() == [c.END_OVER_POWER]
    assert world.told(c.EVENT_OVER_POWER)


def test_a_pulled_plug_ends_the_session() -> None:
    world = charging()
    world.plug(0, 0)
    world.wait(12)
    assert world.ends() == [c.END_UNPLUGGED]
