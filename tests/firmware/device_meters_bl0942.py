"""BL0942 meters: each chip's power once a second, and what is doubtful is none (MicroPython)."""

import micropython

from firmware.meters.bl0942 import drivers
from firmware.meters.results import METER_BAD, METER_SILENT, METER_STUCK, MOST_DW
from tests.firmware.meter_rig import PER_WATT, READ, WATT, Bl0942, Place, Station, check_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOUR = (0, 1, 2, 3)


def near(meter: "Any", watts: float, within: float = 0.3) -> bool:
    return abs(meter.power_dw / 10 - watts) <= within


def test_the_check_is_that_of_the_data_sheet() -> None:
    # the complement of the sum of command, register and data
    assert check_of(b"\x58\x06\x01\x02\x03") == 0xFF - (0x58 + 0x06 + 0x01 + 0x02 + 0x03)
    assert (READ, WATT) == (0x58, 0x06)


def test_sixteen_chips_behind_a_multiplexer_are_read_once_a_second() -> None:
    station = Station(FOUR, FOUR, FOUR, FOUR)
    for number, chip in enumerate(station.chips):
        chip.milliwatts = 1000 * (50 + 10 * number)
    station.seconds(10)
    for number, meter in enumerate(station.meters):
        assert near(meter, 50 + 10 * number), number
        assert 9 <= meter.readings <= 11, meter.readings
        assert not meter.trouble
        assert 9 <= station.chips[number].reads <= 11
    assert station.wire.asked[:16] == [(row, address) for row in range(4) for address in FOUR]


def test_slow_answers_cost_no_reading() -> None:
    station = Station(FOUR, FOUR, FOUR, FOUR)
    station.wire.late_turns = 4
    station.seconds(10)
    assert min(meter.readings for meter in station.meters) >= 9


def test_lines_of_different_length_keep_the_ports_order() -> None:
    station = Station(FOUR, (2,), (1, 0))
    for number, chip in enumerate(station.chips):
        chip.milliwatts = 1000 * (100 + number)
    station.seconds(3)
    for number, meter in enumerate(station.meters):
        assert near(meter, 100 + number), number


def test_what_is_not_there_is_silent_after_three_seconds_and_the_others_go_on() -> None:
    station = Station(FOUR)
    station.seconds(2)
    station.chips[1].silent = True
    station.turns(200)
    assert not station.meters[1].trouble
    station.turns(210)
    assert [meter.trouble for meter in station.meters] == [0, METER_SILENT, 0, 0]
    before = [meter.readings for meter in station.meters]
    station.seconds(5)
    passed = [(meter.readings - before[place]) % 256 for place, meter in enumerate(station.meters)]
    assert passed == [5, 0, 5, 5]
    station.chips[1].silent = False
    station.seconds(2)
    assert not station.meters[1].trouble


def test_callers_who_keep_the_loop_for_a_second_each_silence_no_meter() -> None:
    """Sixteen ports whose sessions would end for it."""
    station = Station(FOUR, FOUR, FOUR, FOUR)
    station.seconds(3)
    for _ in range(10):
        station.now_ms += 1100  # steps of a handshake
        station.turns(20)
        assert [meter.trouble for meter in station.meters] == [0] * 16
    station.chips[5].silent = True
    for _ in range(50):
        station.now_ms += 1100
        station.turns(20)
    told = [meter.trouble for meter in station.meters]
    assert told == [0] * 5 + [METER_SILENT] + [0] * 10, (
        "and one that is silent is told all the same"
    )


def test_a_silent_meter_stays_so_when_ticks_wrap() -> None:
    station = Station((0,))
    station.chips[0].silent = True
    station.seconds(5)
    assert station.meters[0].trouble == METER_SILENT
    for _ in range(64):
        station.now_ms = station.now_ms + 0x1000000 & 0x3FFFFFFF
        station.turns(3)
        assert station.meters[0].trouble == METER_SILENT
    station.chips[0].silent = False
    station.seconds(2)
    assert not station.meters[0].trouble


def test_three_wrong_checks_in_a_row_are_bad_and_none_of_them_is_power() -> None:
    station = Station(FOUR)
    station.chips[2].milliwatts = 250_000
    station.seconds(2)
    station.chips[2].spoils = True
    station.chips[2].milliwatts = 900_000
    station.seconds(2)
    assert not station.meters[2].trouble & METER_BAD
    station.seconds(1)
    assert station.meters[2].trouble & METER_BAD
    assert near(station.meters[2], 250), "it stays what it was"
    station.chips[2].spoils = False
    station.seconds(1)
    assert not station.meters[2].trouble
    assert near(station.meters[2], 900)


def test_a_good_answer_between_wrong_ones_begins_the_count_anew() -> None:
    station = Station((0,))
    station.turns(50)  # away from where it is asked
    for _ in range(6):
        station.chips[0].spoils = True
        station.seconds(2)
        assert not station.meters[0].trouble
        station.chips[0].spoils = False
        station.seconds(1)
        assert not station.meters[0].trouble


class Canned:
    """A UART that has the same answer to everything, made before."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def any(self) -> int:
        return len(self.answer)

    def readinto(self, buf: bytearray) -> int:
        for at in range(len(self.answer)):
            buf[at] = self.answer[at]
        return len(self.answer)

    def write(self, _data: bytes) -> int:
        return 2


def heard(answer: bytes) -> "Any":
    """A meter that was given this answer once."""
    uart = Canned(b"")
    row = drivers(uart, {})
    row.poll(row.read_ms[0] + 10)
    uart.answer = answer
    row.poll(row.read_ms[0] + 20)
    return Place(row, 0)


def test_every_turned_bit_and_every_other_length_of_an_answer_is_spoilt() -> None:
    chip = Bl0942(PER_WATT)
    chip.milliwatts = 300_000
    answer = chip.answer(bytes((READ, WATT)))
    meter = heard(answer)
    assert meter.readings == 1
    assert near(meter, 300)
    for bit in range(32):
        turned = bytearray(answer)
        turned[bit >> 3] ^= 1 << (bit & 7)
        assert heard(bytes(turned)).readings == 0, bit
    for other in (answer[:3], answer + b"\0", b"\0" + answer, answer * 2, bytes(4), b"\xff" * 4):
        assert heard(other).readings == 0, other


def test_bytes_of_a_disturbance_are_no_answer() -> None:
    station = Station(FOUR)
    station.chips[0].chatters = True
    station.chips[0].milliwatts = 400_000
    station.seconds(5)
    assert station.meters[0].power_dw == 0
    assert station.meters[0].trouble == METER_BAD | METER_SILENT
    assert [meter.trouble for meter in station.meters[1:]] == [0, 0, 0]


def test_an_answer_that_comes_too_late_is_not_the_next_chip_s() -> None:
    station = Station((0, 1))
    station.chips[0].milliwatts = 700_000
    station.wire.late_turns = 7
    station.seconds(6)
    assert station.meters[1].power_dw == 0
    assert station.meters[0].readings == 0


def test_an_answer_that_comes_too_late_is_not_that_of_the_same_address_on_another_line() -> None:
    station = Station((0,), (0,))
    station.chips[0].milliwatts = 700_000
    station.wire.late_turns = 7
    station.seconds(6)
    assert [meter.readings for meter in station.meters] == [0, 0]


def test_noise_around_zero_is_zero() -> None:
    station = Station((0,))
    lowest = 0
    for _ in range(40):
        station.seconds(1)
        assert station.meters[0].power_dw <= 1
        lowest = min(lowest, station.chips[0]._watt)
    assert lowest < 0, "the model made none: it was no test"
    assert not station.meters[0].trouble


def test_power_that_flows_backwards_is_a_shunt_the_wrong_way_round() -> None:
    station = Station((0,))
    station.chips[0].backwards = True
    station.chips[0].milliwatts = 200_000
    station.seconds(5)
    assert station.meters[0].trouble & METER_BAD
    assert station.meters[0].power_dw == 0


def test_the_same_value_for_two_minutes_is_stuck() -> None:
    station = Station((1, 0))
    station.chips[1].milliwatts = 200_000
    station.seconds(200)
    assert not station.meters[1].trouble, "a steady load has noise in its last bits"
    station.chips[1].stuck = True
    station.seconds(118)
    assert not station.meters[1].trouble
    station.seconds(4)
    assert [meter.trouble for meter in station.meters] == [0, METER_STUCK]
    station.chips[1].stuck = False
    station.seconds(2)
    assert not station.meters[1].trouble


def test_zero_may_stay_for_ever() -> None:
    station = Station((0,))
    station.chips[0].stuck = True
    station.seconds(300)
    assert not station.meters[0].trouble


def test_the_gain_is_applied_and_the_greatest_power_is_a_small_int() -> None:
    station = Station((0,))
    station.chips[0].milliwatts = 500_000
    station.row.gain[0] = 10_250
    station.seconds(2)
    assert near(station.meters[0], 512.5)
    station.chips[0].milliwatts = 13_000_000
    station.row.gain[0] = 20_000
    station.seconds(2)
    assert station.meters[0].power_dw == 2 * MOST_DW
    assert MOST_DW * 20_000 < 1 << 30


def test_other_shunts_and_dividers_are_board_data() -> None:
    class Silent:
        def any(self) -> int:
            return 0

    usual = drivers(Silent(), {})._per_dw
    assert abs(usual - 623.4 * 6.4) < 2
    assert abs(drivers(Silent(), {"shunt_uohm": 2000})._per_dw - 2 * usual) <= 1
    wide = drivers(Silent(), {"divider": (1950000, 1020)})._per_dw
    assert abs(wide - 2 * usual) <= 0.001 * wide


def test_nothing_is_allocated_in_poll() -> None:
    uart = Canned(b"")
    row = drivers(uart, {"lines": (FOUR, FOUR)})
    now_ms = row.read_ms[0]
    nothing, answer = b"", Bl0942(600).answer(b"\x58\x06")
    micropython.heap_lock()
    try:
        for _ in range(500):
            now_ms += 10
            uart.answer = nothing if uart.answer else answer
            row.poll(now_ms)
    finally:
        micropython.heap_unlock()
    assert row.readings[0], "it was asked for nothing"


def test_the_energy_of_ten_minutes_of_a_changing_load_is_within_half_a_percent() -> None:
    station = Station(FOUR)
    true_mj = told_mj = 0
    meter, chip = station.meters[1], station.chips[1]
    for minute in range(10):
        chip.milliwatts = 1000 * (40 + 37 * minute % 400)
        for _ in range(60 * 100):
            readings, before_ms = meter.readings, meter.read_ms
            station.turns(1)
            true_mj += chip.milliwatts // 100
            if meter.readings != readings:
                told_mj += meter.power_dw * (station.now_ms - before_ms & 0x3FFFFFFF) // 10
    assert abs(told_mj - true_mj) <= 0.005 * true_mj, (told_mj, true_mj)
