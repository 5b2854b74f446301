"""HLW8012 and BL0937: power from pulses, at a kilowatt as at three watts (MicroPython)."""

import micropython

from firmware.meters.analog import drivers as analog_drivers
from firmware.meters.hlw8012 import drivers
from tests.firmware.meter_rig import Counter, Pulses

RESET_AT = 16000


def test_a_pulse_is_as_many_joules_as_the_data_sheet_s_formula_says() -> None:
    # V1 * V2 of a watt at 1 mOhm and 2351:1 is 4.2535e-7 V²
    class Still:
        def value(self) -> int:
            return 0

    assert abs(drivers([Still()], {})._pulse_mj - 10344) <= 15  # 0.0967 Hz a watt
    assert abs(drivers([Still()], {"chip": "bl0937"})._pulse_mj - 2026) <= 5  # 0.494 Hz
    half = drivers([Still()], {"shunt_uohm": 2000})._pulse_mj
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
