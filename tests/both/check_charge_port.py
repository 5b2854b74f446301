"""A charger's port: when its session begins, what ends it, and what a welded relay does (both)."""

from protocol import codes
from protocol.policy.charge_port import NO_END, OVER, WELDED, Port, Rules

MINE, THEIRS = b"my card.", b"another."
SECOND_MS, MINUTE_MS = 1000, 60000


def drawing(port: Port, power_dw: int, seconds: int, end: int = NO_END) -> int:
    """Let so much be drawn for so long; the first thing that it says, and after how many seconds.

    Without `end` nothing may happen; with it the second in which that happens is returned.
    """
    for second in range(seconds):
        for said in (port.tick(SECOND_MS), port.read(power_dw, SECOND_MS)):
            if said != NO_END:
                assert said == end, said
                return second + 1
    assert end == NO_END, "it never ended"
    return seconds


def authorised(quota_wh: int = 0, quota_min: int = 0, rules: "Rules | None" = None) -> Port:
    port = Port(rules or Rules())
    port.authorise(MINE, quota_wh, quota_min)
    return port


def charging(quota_wh: int = 0, quota_min: int = 0, rules: "Rules | None" = None) -> Port:
    port = authorised(quota_wh, quota_min, rules)
    drawing(port, 0, 2)
    assert port.ready
    port.close()
    drawing(port, 2000, 1)
    assert port.state == codes.PORT_CHARGING
    return port


def test_a_port_closes_only_after_two_readings_without_current() -> None:
    port = authorised()
    assert not port.ready
    drawing(port, 0, 1)
    assert not port.ready
    drawing(port, 0, 1)
    assert port.ready
    drawing(port, 100, 1)
    assert not port.ready, "current though it is open"


def test_what_a_meter_says_as_it_comes_to_rest_is_no_current_and_a_load_that_varies_is() -> None:
    for watts in ([500, 103, 51, 34, 25], [60, 54, 48, 43, 38, 34, 30]):
        port = Port(Rules())
        for power_w in watts:
            assert port.read(power_w * 10, SECOND_MS) == NO_END
    for watts in ([200, 100, 200, 100, 200], [200, 190, 189], [3, 3, 3]):
        port = Port(Rules())
        assert [port.read(power_w * 10, SECOND_MS) for power_w in watts][-1] == WELDED
    port = Port(Rules())
    assert [port.read(power_dw, SECOND_MS) for power_dw in (99, 99, 29, 99, 99)][-1] == NO_END


def test_a_meter_that_needs_longer_to_know_of_no_current_is_given_that_long() -> None:
    rules = Rules()
    rules.zero_ms = 6000
    port = charging(rules=rules)
    port.end(codes.END_CARD)
    assert drawing(port, 100, 9, WELDED) == 6


def test_current_through_an_open_relay_locks_the_port_until_somebody_resets_it() -> None:
    for port in (Port(Rules()), authorised()):
        assert drawing(port, 100, 9, WELDED) == 3
        assert port.state == codes.PORT_LOCKED
        drawing(port, 0, 60)
        assert port.state == codes.PORT_LOCKED
        assert port.release()
        assert port.state == codes.PORT_IDLE
        assert not port.release()


def test_a_spark_of_noise_is_no_welded_relay() -> None:
    port = Port(Rules())
    for _ in range(20):
        drawing(port, 100, 2)
        drawing(port, 0, 1)


def test_without_a_load_it_ends_as_unplugged() -> None:
    port = authorised()
    drawing(port, 0, 2)
    port.close()
    assert drawing(port, 0, 99, codes.END_UNPLUGGED) == 60


def test_energy_and_minutes_of_the_quota_end_it() -> None:
    assert drawing(charging(quota_wh=100), 3600, 2000, codes.END_QUOTA) in range(998, 1001)
    port = charging(quota_min=2)
    assert drawing(port, 2000, 999, codes.END_QUOTA) == 119
    assert port.seconds == 120


def test_the_ceiling_ends_it() -> None:
    rules = Rules()
    rules.ceiling_s = 180
    port = charging(rules=rules)
    assert drawing(port, 2000, 999, codes.END_TIME) == 179


def test_an_overload_ends_it_within_three_seconds_and_a_reading() -> None:
    port = charging()
    drawing(port, 10000, 60)
    assert drawing(port, 10001, 9, codes.END_OVER_POWER) == 3
    port = charging()
    for _ in range(5):
        drawing(port, 12000, 2)
        drawing(port, 9000, 1)


def test_a_dip_is_no_unplugged_cable_and_five_minutes_are() -> None:
    port = charging()
    drawing(port, 29, 299)
    drawing(port, 300, 1)
    assert drawing(port, 29, 999, codes.END_UNPLUGGED) == 300


def test_below_twenty_watts_for_three_quarters_of_an_hour_it_is_full() -> None:
    port = charging()
    drawing(port, 500, 1000)
    minutes = drawing(port, 150, 9999, codes.END_FULL) // 60
    assert minutes == 45


def test_a_rise_of_more_than_six_watts_starts_that_time_anew_and_a_smaller_one_does_not() -> None:
    port = charging()
    drawing(port, 150, 2600)
    drawing(port, 210, 1)  # six watts
    assert drawing(port, 150, 9999, codes.END_FULL) < 110
    port = charging()
    drawing(port, 150, 2600)
    drawing(port, 211, 1)
    assert drawing(port, 150, 9999, codes.END_FULL) in (2700, 2701)


def test_all_trickling_together_is_limited() -> None:
    port = charging()
    trickled = 0
    while port.live:
        trickled += 1
        power_dw = 400 if trickled % 2000 == 0 else 150
        for said in (port.tick(SECOND_MS), port.read(power_dw, SECOND_MS)):
            assert said in (NO_END, codes.END_FULL)
    assert 7200 <= trickled <= 7210


def test_after_the_end_its_current_must_be_seen_to_be_gone() -> None:
    port = charging()
    assert port.end(codes.END_CARD) == codes.END_CARD
    assert not port.live
    assert port.read(2000, SECOND_MS) == NO_END, "a reading of before"
    assert port.read(0, SECOND_MS) == NO_END
    assert port.read(0, SECOND_MS) == OVER
    assert (port.state, port.code) == (codes.PORT_IDLE, codes.END_CARD)


def test_current_that_goes_on_after_the_end_is_a_welded_relay_and_the_session_s_end() -> None:
    port = charging()
    port.end(codes.END_CARD)
    assert drawing(port, 2000, 9, WELDED) == 5
    assert (port.state, port.code) == (codes.PORT_LOCKED, codes.END_RELAY_WELD)


def test_a_silent_meter_ends_the_session_and_lets_it_be_over() -> None:
    port = charging()
    port.trouble = codes.PORT_METER
    assert port.tick(10) == codes.END_PORT_FAULT
    assert port.tick(4999) == NO_END
    assert port.tick(1) == OVER
    assert port.power_dw == 0, "the last that it said is no power of now"
    assert port.state == codes.PORT_IDLE


def test_each_trouble_but_heat_ends_a_session_by_itself() -> None:
    for trouble in (codes.PORT_METER, codes.PORT_OUTPUT, codes.PORT_SENSOR):
        port = charging()
        port.trouble = trouble
        assert port.tick(10) == codes.END_PORT_FAULT
    port = authorised()
    drawing(port, 0, 3)
    port.trouble = codes.PORT_HOT
    assert not port.ready


def test_a_pulled_plug_ends_it_unless_current_says_otherwise() -> None:
    port = charging()
    assert port.pulled_out() == NO_END
    drawing(port, 0, 1)
    assert port.pulled_out() == codes.END_UNPLUGGED
    assert authorised().pulled_out() == NO_END


def test_energy_is_what_was_drawn_over_the_time_in_which_it_was() -> None:
    port = charging()
    begun = port.energy_mwh
    for _ in range(3600):
        port.read(1234, SECOND_MS)
    assert 123399 <= port.energy_mwh - begun <= 123401


def test_a_meter_that_comes_back_has_measured_nothing_meanwhile() -> None:
    port = charging()
    begun = port.energy_mwh
    port.read(3600, 3600000)
    assert port.energy_mwh - begun == 500, "five seconds of it"


def test_a_session_ends_once() -> None:
    port = charging()
    assert port.end(codes.END_SMOKE) == codes.END_SMOKE
    assert port.end(codes.END_CARD) == NO_END
    assert port.code == codes.END_SMOKE


def test_only_its_own_card_owns_it_from_the_promise_to_the_end() -> None:
    port = authorised()
    assert port.owns(MINE)
    assert not port.owns(THEIRS)
    port = charging()
    assert port.owns(MINE)
    port.end(codes.END_CARD)
    assert not port.owns(MINE)


def test_what_a_resumed_session_had_goes_on() -> None:
    port = Port(Rules())
    port.authorise(MINE, 10, 0, 9010, 600)
    drawing(port, 0, 2)
    port.close()
    assert drawing(port, 3600, 99, codes.END_QUOTA) == 10
    assert port.seconds > 600
