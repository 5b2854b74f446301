"""A charger's ports from the card to the record of the end, as its board sees it (MicroPython)."""

from protocol import codes as c
from tests.firmware.charger_rig import (
    GRANTED,
    MINE,
    THEIRS,
    World,
    begin,
    charging,
    denied,
)

TYPE_CHECKING = False


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
