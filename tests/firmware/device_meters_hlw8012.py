"""HLW8012 and BL0937: power from pulses, at a kilowatt as at three watts (MicroPython)."""

import micropython

from firmware.meters.analog import drivers as analog_drivers
from firmware.meters.hlw8012 import drivers
from protocol import codes
from protocol.policy.charge_port import OVER, WELDED
from tests.firmware.meter_rig import TURN_MS, Counter, Metered, Pulses

RESET_AT = 16000


def test_a_pulse_is_as_many_joules_as_the_data_sheet_s_formula_says() -> None:
    # V1 * V2 of a watt at 1 mOhm and 2351:1 is 4.2535e-7 V²
    class Still:
        def value(self) -> int:
            return 0

    assert abs(drivers([Still()], {}).pulse_mj - 10344) <= 15  # 0.0967 Hz a watt
    assert abs(drivers([Still()], {"chip": "bl0937"}).pulse_mj - 2026) <= 5  # 0.494 Hz
    half = drivers([Still()], {"shunt_uohm": 2000}).pulse_mj
    assert abs(half - 5172) <= 8


def test_power_is_right_at_every_load() -> None:
    for chip in ("hlw8012", "bl0937"):
        for watts in (3, 8, 12, 20, 47, 100, 333, 1000, 2000):
            pulses = Pulses(chip)
            pulses.seconds(30, watts)
            found = pulses.meter.power_dw / 10
            assert abs(found - watts) <= max(0.2, 0.025 * watts), (chip, watts, found)
            assert not pulses.meter.trouble


def test_the_energy_of_an_hour_is_within_half_a_percent() -> None:
    for watts in (25, 100, 480):
        pulses = Pulses()
        pulses.seconds(3600, watts)
        assert abs(pulses.told_mj - pulses.true_mj) <= 0.005 * pulses.true_mj, watts


def test_a_load_that_comes_and_goes_is_accounted_for() -> None:
    pulses = Pulses()
    for _ in range(60):
        pulses.seconds(47, 200)
        pulses.seconds(13, 90)
    assert abs(pulses.told_mj - pulses.true_mj) <= 0.01 * pulses.true_mj


def test_a_load_is_seen_within_two_seconds_and_its_end_too() -> None:
    pulses = Pulses()
    pulses.seconds(120, 0)
    assert pulses.meter.power_dw == 0
    told_mj, true_mj = pulses.told_mj, pulses.true_mj
    pulses.seconds(2, 500)
    assert abs(pulses.meter.power_dw - 5000) <= 150
    pulses.seconds(1, 500)
    assert pulses.told_mj - told_mj >= 0.9 * (pulses.true_mj - true_mj), "its first second too"
    pulses.seconds(3, 1200)
    assert abs(pulses.meter.power_dw - 12000) <= 300
    pulses.seconds(3, 0)
    assert pulses.meter.power_dw < 60, "one pulse in these seconds would have been 3.4 W"
    pulses.seconds(70, 0)
    assert pulses.meter.power_dw == 0


def test_what_lies_below_three_watts_is_known_as_such_within_four_seconds() -> None:
    pulses = Pulses()
    pulses.seconds(20, 100)
    pulses.seconds(5, 0)
    assert pulses.meter.power_dw < 30


def test_the_counter_is_reset_before_it_is_full() -> None:
    pulses = Pulses("bl0937")
    for _ in range(10):
        pulses.seconds(20, 1500)
        assert abs(pulses.meter.power_dw - 15000) <= 350
    assert pulses.counter.resets == pulses.chip.pulses // RESET_AT


def test_a_disturbance_reads_as_an_overload_and_never_as_a_bigger_number() -> None:
    pulses = Pulses()
    pulses.chip.noisy = True
    pulses.seconds(3, 50)
    assert 10_000 < pulses.meter.power_dw <= 50_000


def test_it_goes_on_when_ticks_wrap() -> None:
    pulses = Pulses()
    ahead = 0x3FFFFFFF - 5000 - pulses.now_ms
    pulses.now_ms += ahead
    meter = pulses.meter
    row = pulses.row
    row._begin_ms = row._before_ms[1] = row.read_ms[1] = pulses.now_ms
    pulses._last_ms = pulses.now_ms
    for _ in range(20):
        pulses.seconds(1, 300)
    assert abs(meter.power_dw - 3000) <= 60
    assert abs(pulses.told_mj - pulses.true_mj) <= 0.06 * pulses.true_mj


def test_nothing_is_allocated_in_poll() -> None:
    pulses = Pulses()
    now_ms = pulses.now_ms
    micropython.heap_lock()
    try:
        for turn in range(1000):
            now_ms += 10
            if turn % 3 == 0:
                pulses.chip.pulses += 1
            pulses.row.poll(now_ms)
    finally:
        micropython.heap_unlock()
    assert pulses.meter.power_dw


def charging(gain: int, watts: float, phase: int, chip: str = "hlw8012") -> Metered:
    """A port that has charged for a while; phase: turns by which it began late."""
    one = Metered(gain, chip)
    one.turns(100 + phase, 0)
    one.port.authorise(b"the card", 0, 0)
    one.turns(300, 0)
    assert one.port.ready
    one.port.close()
    one.turns(2200 + phase, watts)
    assert one.port.state == codes.PORT_CHARGING, (gain, watts, phase)
    return one


def test_an_open_relay_is_no_welded_one_whatever_the_gain_and_whenever_it_opens() -> None:
    for gain in (10000, 12000, 20000):
        for watts in (3.1 * 10000 / gain, 4, 11, 200):
            for phase in range(0, 100, 12):
                one = charging(gain, watts, phase)
                one.port.end(codes.END_CARD)
                one.turns(one.rules.zero_ms // TURN_MS + 300, 0)
                assert one.said == [OVER], (gain, watts, phase)


def test_a_welded_relay_is_found_at_the_least_load_with_any_gain() -> None:
    for chip in ("hlw8012", "bl0937"):
        for gain in (9000, 10000, 12000, 20000):
            for watts in (3.2 * 10000 / gain, 60):
                one = charging(gain, watts, 3, chip)
                one.port.end(codes.END_CARD)
                one.turns(one.rules.zero_ms // TURN_MS + 1, watts)
                assert one.said == [WELDED], (chip, gain, watts)


def test_how_long_a_meter_may_take_to_know_that_nothing_flows_depends_on_a_pulse_s_worth() -> None:
    for gain, chip, zero_ms in (
        (10000, "hlw8012", 5000),
        (12000, "hlw8012", 5637),
        (20000, "hlw8012", 8396),
        (20000, "bl0937", 5000),
    ):
        assert abs(Metered(gain, chip).rules.zero_ms - zero_ms) <= 5, (gain, chip)


def test_a_disturbance_of_an_idle_port_is_no_current_and_a_load_is() -> None:
    for gain in (10000, 12000, 20000):
        for pulses in (2, 3, 20):
            for phase in range(0, 100, 12):
                one = Metered(gain)
                one.turns(200 + phase, 0)
                for _ in range(pulses):
                    one.pulses.chip.pulses += 1
                    one.turns(4, 0)
                one.turns(1500, 0)
                assert one.said == [], (gain, pulses, phase)
        for watts in (3.2 * 10000 / gain, 8, 300):
            one = Metered(gain)
            one.turns(200, 0)
            one.turns(1500, watts)
            assert one.said == [WELDED], (gain, watts)


class Adc:
    def __init__(self, millivolts: int) -> None:
        self.microvolts = 1000 * millivolts
        self.reads = 0

    def read_uv(self) -> int:
        self.reads += 1
        return self.microvolts


def test_an_analog_meter_is_a_watt_a_millivolt_once_a_second() -> None:
    adc, other = Adc(420), Adc(0)
    row = analog_drivers([other, adc], {})
    now_ms = row.read_ms[0]
    for _ in range(501):
        row.poll(now_ms)
        now_ms += 10
    assert (list(row.power_dw), adc.reads, list(row.readings)) == ([0, 4200], 6, [6, 6])
    row.gain[1] = 5000
    adc.microvolts = 3_000_000
    for _ in range(101):
        row.poll(now_ms)
        now_ms += 10
    assert list(row.power_dw) == [0, 15000]


__all__ = ["Counter"]
