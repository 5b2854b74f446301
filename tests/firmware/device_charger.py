"""A charger's ports from the card to the record of the end, as its board sees it (MicroPython)."""

from protocol import codes as c
from protocol.policy.charge_station import RESET_HOLD_MS
from protocol.settings import METER_GAIN
from tests.firmware.charger_rig import HARD, WATCHDOG, World
from tests.firmware.door_rig import modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MINE, THEIRS = b"mine", b"theirs"
HOT_MV, WARM_MV = 300, 1650
GRANTED = (c.EVENT_GRANTED, c.REASON_CARD)


def denied(reason: int) -> "tuple[int, int]":
    return c.EVENT_DENIED, reason


def charging(watts: int = 200, number: int = 0, **how: "Any") -> World:
    """A world in which that port charges for MINE."""
    world = World(**how)
    world.card(MINE)
    world.card(THEIRS)
    begin(world, MINE, number, watts)
    return world


def begin(world: World, text: bytes, number: int, watts: int = 200) -> None:
    assert world.swipe(text) == GRANTED
    world.plug(number, watts)
    world.wait(6)
    assert world.states()[number] == c.PORT_CHARGING, world.states()


# --- whose port, and when it closes ---------------------------------------------------------


def test_a_station_of_one_port_asks_no_question() -> None:
    world = World(1, plugs=False)
    world.card(MINE)
    assert world.swipe(MINE) == GRANTED
    assert world.levels() == [0], "not before its current was seen to be zero"
    world.wait(3)
    assert world.levels() == [1]
    assert world.told(c.EVENT_CHARGE_STARTED)[0][:2] == (c.REASON_CARD, 0)


def test_the_plug_that_comes_in_after_the_card_is_the_port() -> None:
    world = World()
    world.card(MINE)
    world.swipe(MINE)
    world.wait(3)
    assert sum(world.levels()) == 0
    world.plug(2, 200)
    world.wait(4)
    assert world.levels() == [0, 0, 1, 0]


def test_the_only_plug_that_is_in_is_the_port() -> None:
    world = World()
    world.card(MINE)
    world.plug(1, 200)
    world.wait(2)
    world.swipe(MINE)
    world.wait(4)
    assert world.levels() == [0, 1, 0, 0]


def test_with_two_plugs_in_a_button_says_which() -> None:
    world = World()
    world.card(MINE)
    world.plug(1, 200)
    world.plug(3, 200)
    world.wait(2)
    world.swipe(MINE)
    world.wait(4)
    assert sum(world.levels()) == 0
    world.press("button4")
    world.wait(4)
    assert world.levels() == [0, 0, 0, 1]


def test_a_button_without_a_card_does_nothing() -> None:
    world = World()
    world.press("button")
    world.wait(4)
    assert sum(world.levels()) == 0


def test_who_chooses_no_port_in_time_has_to_come_again() -> None:
    world = World()
    key = world.card(MINE)
    world.swipe(MINE)
    world.wait(31)
    assert world.told(c.EVENT_CHARGE_CHOOSES) == [(0, 255, key, 0)]
    world.press("button")
    world.wait(4)
    assert sum(world.levels()) == 0


def test_a_profile_names_its_ports() -> None:
    world = World()
    world.whitelist.manifest.profiles = [world.row(1, points=0b0100), world.row(2, points=1 << 9)]
    world.card(MINE)
    world.card(THEIRS, 2)
    assert world.swipe(THEIRS) == denied(c.REASON_POINT)
    world.plug(0, 200)
    world.wait(1)
    assert world.swipe(MINE) == GRANTED
    world.press("button")
    world.wait(3)
    assert sum(world.levels()) == 0, "not this one"
    world.press("button3")
    world.wait(4)
    assert world.levels() == [0, 0, 1, 0]


def test_the_contactor_is_closed_for_sessions_alone() -> None:
    world = World()
    world.wait(3)
    assert world.trip.level == 0
    world = charging()
    assert world.trip.level == 1
    world.swipe(MINE)
    world.wait(4)
    assert world.trip.level == 0


def test_ports_close_one_after_another() -> None:
    world = World(4, {75: 5}, plugs=False)
    for number in range(4):
        text = b"card%d" % number
        world.card(text)
        world.swipe(text)
        world.press("button" + (str(number + 1) if number else ""), 1)
    counts = []
    for _ in range(22):
        world.wait(1)
        counts.append(sum(world.levels()))
    assert counts[-1] == 4
    assert all(counts[i + 1] - counts[i] <= 1 for i in range(len(counts) - 1))
    assert counts.index(4) - counts.index(2) >= 9


def test_above_the_start_limit_a_card_is_refused() -> None:
    world = World(4, limit_w=1500)
    for text in (MINE, THEIRS, b"third"):
        world.card(text)
    begin(world, MINE, 0, 700)
    assert world.swipe(THEIRS) == denied(c.REASON_STATION_LIMIT)


def test_the_newest_is_shed_when_the_station_draws_too_much() -> None:
    world = World(4, {65: 1500}, limit_w=1500)
    for text in (MINE, THEIRS):
        world.card(text)
    begin(world, MINE, 3, 700)
    begin(world, THEIRS, 0, 700)
    world.loads_w[3] = 900
    world.wait(4)
    assert world.levels() == [0, 0, 0, 1]
    assert world.ends() == [c.END_STATION_LIMIT]
    assert world.told(c.EVENT_STATION_LIMIT)[0][1] == 0


def test_a_relay_is_not_closed_before_its_record_is_safe() -> None:
    world = World(1)
    world.card(MINE)
    world.journal.refused = (c.EVENT_CHARGE_STARTED,)
    world.swipe(MINE)
    world.wait(5)
    assert world.levels() == [0]
    assert world.journal.lost
    world.journal.refused = ()
    world.swipe(MINE)
    world.plug(0, 100)
    world.wait(5)
    assert world.levels() == [1]


# --- cards and tickets ----------------------------------------------------------------------


def test_the_card_that_began_it_ends_it() -> None:
    world = charging()
    assert world.swipe(MINE) == (0, 0)
    assert world.levels()[0] == 0, "at once"
    world.wait(4)
    assert world.ends() == [c.END_CARD]
    assert world.states()[0] == c.PORT_IDLE


def test_the_record_of_the_end_tells_minutes_and_energy() -> None:
    world = charging(600)
    world.wait(600)
    world.swipe(MINE)
    world.wait(4)
    ((_, point, key, extra),) = world.told(c.EVENT_CHARGE_ENDED)
    assert (point, key) == (0, world.card(MINE))
    assert extra >> 16 == 10
    assert 98 <= extra & 0xFFFF <= 102


def test_another_card_charges_beside_it_and_ends_nothing() -> None:
    world = charging()
    begin(world, THEIRS, 1)
    assert world.levels() == [1, 1, 0, 0]
    assert world.ends() == []
    world = charging(number=0, ports=1)
    assert world.swipe(THEIRS) == denied(c.REASON_PORT_BUSY)
    assert world.levels() == [1]


def test_a_collected_card_ends_its_own_session_by_a_list_or_at_the_reader() -> None:
    for presented in (False, True):
        world = charging()
        world.card(MINE, flags=1)
        if presented:
            world.swipe(MINE)
        else:
            world.changes += 1
            world.turn()
        assert world.levels()[0] == 0
        world.wait(4)
        assert world.ends() == [c.END_REVOKED]
        assert world.swipe(MINE) == denied(c.REASON_REVOKED)


def test_a_card_that_is_gone_from_the_list_ends_its_session_too() -> None:
    world = charging()
    world.whitelist.held.clear()
    world.changes += 1
    world.wait(4)
    assert world.ends() == [c.END_REVOKED]


def test_a_ticket_begins_and_ends_a_session_within_its_bounds() -> None:
    world = World(2)
    world.wait(2)
    assert world.kind.takes(c.TICKET_CHARGE_START, 1, 0)
    assert not world.kind.takes(c.TICKET_CHARGE_START, 2, 0)
    world.kind.act(c.TICKET_CHARGE_START, 1, 50 << 10 | 5)
    world.plug(1, 600)
    world.wait(4)
    assert world.levels() == [0, 1]
    assert world.told(c.EVENT_CHARGE_STARTED) == [(c.REASON_TICKET, 1, bytes(8), 5 << 16 | 50)]
    assert not world.kind.takes(c.TICKET_CHARGE_START, 1, 0)
    world.wait(300)
    assert world.ends() == [c.END_QUOTA]
    world.kind.act(c.TICKET_CHARGE_START, 1, 0)
    world.wait(4)
    world.kind.act(c.TICKET_CHARGE_STOP, 1, 0)
    assert world.levels() == [0, 0]
    world.wait(4)
    assert world.ends() == [c.END_QUOTA, c.END_REMOTE]


# --- quotas ---------------------------------------------------------------------------------


def test_what_a_card_used_today_counts_through_power_cuts_until_tomorrow() -> None:
    world = World(1)
    world.whitelist.manifest.profiles = [world.row(1, day_wh=50)]
    key = world.card(MINE)
    begin(world, MINE, 0, 600)
    world.wait(180)
    world.swipe(MINE)
    world.wait(4)
    for _ in range(2):
        world.restart(3600)
        world.wait(1)
        assert 30 <= world.kind.sessions.energy.used(key)[0] <= 31
    begin(world, MINE, 0, 600)
    world.wait(180)
    assert world.ends() == [c.END_CARD, c.END_QUOTA]
    assert world.swipe(MINE) == denied(c.REASON_QUOTA_DAY)
    world.clock.time_s += 86400
    assert world.swipe(MINE) == GRANTED


def test_the_minutes_of_a_day_are_kept_as_its_energy_is() -> None:
    world = World(1)
    world.whitelist.manifest.profiles = [world.row(1, minutes=3, day_min=5)]
    world.card(MINE)
    begin(world, MINE, 0)
    world.wait(180)
    assert world.ends() == [c.END_QUOTA]
    begin(world, MINE, 0)
    world.wait(120)
    assert world.ends() == [c.END_QUOTA, c.END_QUOTA]
    assert world.swipe(MINE) == denied(c.REASON_QUOTA_DAY)


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


# --- the account ------------------------------------------------------------------------------


def test_energy_is_true_to_a_hundredth_over_an_hour_of_changing_load() -> None:
    world = charging(100)
    for minute in range(60):
        world.loads_w[0] = 100 + 10 * minute
        world.wait(60, 100)
    world.swipe(MINE)
    world.wait(4)
    wh = world.told(c.EVENT_CHARGE_ENDED)[0][3] & 0xFFFF
    true_wh = world.true_mws[0] / 3600 / 1000
    assert abs(wh - true_wh) <= true_wh / 100 + 1, (wh, true_wh)


def test_what_it_says_of_its_ports_is_what_they_are() -> None:
    world = charging(300)
    station, ports = world.kind.told()
    assert station == [4000, 3000, 0, 1, station[4]]
    state, key, power_dw, energy_mwh, seconds, temperature, trouble, end = ports[0]
    assert (state, key, power_dw, trouble, end) == (
        c.PORT_CHARGING,
        world.card(MINE),
        3000,
        0,
        None,
    )
    assert energy_mwh > 0
    assert seconds > 0
    assert temperature is not None
    assert ports[1][:5] == [c.PORT_IDLE, b"", 0, 0, 0]
