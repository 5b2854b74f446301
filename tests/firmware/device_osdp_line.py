"""OSDP readers on a line in model time: who is asked when, direction, speed (MicroPython)."""

from time import ticks_add

from firmware.readers import results
from firmware.readers.results import CARD
from protocol import osdp_panel
from protocol.osdp import SCBK_D
from protocol.osdp_panel import ONLINE
from tests.both.osdp_reader import with_crc
from tests.both.support import flipped, raises
from tests.firmware.osdp_rig import (
    BITS,
    KEYS,
    SECOND,
    Line,
    gaps_ms,
    house,
    online,
    results_of,
)

# --- readers that are not there ----------------------------------------------------------------


def test_a_silent_reader_is_lost_and_back_within_a_second() -> None:
    for count in (1, 4):
        for keyed in (False, True):
            line, drivers = online(count, keyed=keyed, baud=57600)
            line.off = {0}
            line.turns(drivers, 5 * SECOND)
            assert drivers[0].trouble == results.TROUBLE_LOST
            line.off = set()
            line.readers[0].restart()
            line.turns(drivers, SECOND)
            assert (drivers[0].trouble, drivers[0].state) == (0, ONLINE)


def test_after_an_hour_of_silence_too() -> None:
    line, drivers = house(1)
    line.off = {0}
    for _ in range(360):
        line.turns(drivers, 5)
        line.base_ms = ticks_add(line.base_ms, 10000)
    line.off = set()
    line.turns(drivers, SECOND)
    assert drivers[0].state == ONLINE


def test_one_that_starts_slower_than_the_controller_is_not_lost() -> None:
    line, drivers = house(2)
    line.off = {1}
    for _ in range(8):
        line.turns(drivers, SECOND)
        assert drivers[1].trouble == 0
    line.turns(drivers, 8 * SECOND)
    assert drivers[1].trouble == results.TROUBLE_LOST, "but not for ever"


def test_silent_readers_cost_the_others_one_silence_at_a_time() -> None:
    line, drivers = online(4, baud=57600)
    line.off = {1, 2, 3}
    line.turns(drivers, 5 * SECOND)
    line.log = []
    line.turns(drivers, 10 * SECOND)
    assert max(gaps_ms(line, 0)) <= 240  # 200 of silence, an exchange, and until it is looked at
    for address in (1, 2, 3):
        assert 700 <= max(gaps_ms(line, address)) <= 1000


def test_a_reader_may_take_its_200_ms_until_its_answer_begins() -> None:
    line, drivers = house(1)
    line.turnaround_us = 195000
    line.turns(drivers, 10 * SECOND)
    assert (drivers[0].state, drivers[0].trouble) == (ONLINE, 0)


def test_a_spoilt_answer_is_asked_for_again_at_once() -> None:
    line, drivers = online(keyed=False)
    spoilt = []

    def once(answer: bytes) -> bytes:
        spoilt.append(answer)
        return flipped(answer, 50) if len(spoilt) == 1 else answer

    line.change = once
    line.log = []
    line.turns(drivers, SECOND)
    assert max(gaps_ms(line, 0)) <= 60


def test_four_readers_are_asked_in_time() -> None:
    for keyed, baud, limit in ((True, 57600, 50), (False, 57600, 50), (False, 9600, 150)):
        line, drivers = online(4, baud=baud, keyed=keyed)
        line.log = []
        line.turns(drivers, 10 * SECOND)
        for address in range(4):
            found = gaps_ms(line, address)
            assert len(found) > 50
            assert sorted(found)[len(found) * 95 // 100] <= limit, (keyed, baud)


def test_a_refused_reader_is_left_alone_for_five_seconds() -> None:
    line, drivers = online(1)
    line.readers[0].restart()
    line.readers[0].key = KEYS[7]
    line.turns(drivers, SECOND)
    assert drivers[0].trouble == results.TROUBLE_REFUSED
    line.log = []
    line.turns(drivers, 11 * SECOND)
    assert len(line.log) == 4, "twice a greeting and a challenge"
    line.readers[0].key = KEYS[0]
    line.turns(drivers, 7 * SECOND)
    assert drivers[0].trouble == 0


def test_late_answers_of_one_reader_are_not_those_of_another() -> None:
    line, drivers = online(2, keyed=False, baud=57600)
    line.readers[0].swipe_card(BITS)

    def as_of_the_other(answer: bytes) -> bytes:
        return with_crc(answer[:1] + bytes((answer[1] ^ 1,)) + answer[2:-2])

    line.change = as_of_the_other
    assert line.turns(drivers, 3 * SECOND) == []


# --- direction, speed, keys --------------------------------------------------------------------


def test_the_direction_pin_is_held_until_the_last_bit_and_no_longer() -> None:
    for baud in (9600, 57600):
        line, drivers = online(2, baud=baud, pin=True)
        assert line.cut_off == 0
        found = []
        for turn in range(2 * SECOND):
            if turn % SECOND == 10:
                drivers[0].show(results.SHOW_ALARM, line.now_ms)  # the longest commands
                line.readers[1].swipe_card(BITS)
            line.waits_us = 0
            found += results_of(line.turns(drivers))
            assert line.waits_us <= 11000
            assert line.pin.level == (1 if line.now_us < line.sent_us else 0)
        assert found == [(1, CARD)] * 2
        assert line.cut_off == 0


def test_a_uart_that_never_says_that_it_is_done_stops_nobody() -> None:
    line, drivers = online(1, baud=57600, pin=True)
    line.txdone = lambda: False
    line.turns(drivers, 3)
    assert line.pin.level == 0


def test_patterns_are_shown_in_the_turns_that_follow() -> None:
    line, drivers = online(4, baud=57600)
    for driver in drivers:
        driver.show(results.SHOW_GRANTED, line.now_ms)
    line.turns(drivers, SECOND)
    for reader in line.readers:
        texts = [data for command, data in reader.done if command == 0x6B]
        assert texts[-1][6:] == b"Please enter    "


def test_a_key_is_given_and_speed_raised_on_demand() -> None:
    line, drivers = house(2)
    line.turns(drivers, 3 * SECOND)
    line.readers[1].key, line.readers[1].factory = None, True
    line.readers[1].restart()
    drivers[1]._key = drivers[1]._use = None
    assert drivers[1].pair(KEYS[5], SCBK_D, line.now_ms)
    line.turns(drivers, 3 * SECOND)
    assert drivers[1].pairing == osdp_panel.PAIR_DONE
    assert line.readers[1].key == KEYS[5]
    drivers[1].change_baud(57600)
    line.turns(drivers, SECOND)
    assert (drivers[1].baud, line.readers[1].baud) == (57600, 57600)
    for number in range(2):
        line.readers[number].swipe_card(BITS)
        assert results_of(line.turns(drivers, SECOND)) == [(number, CARD)], "each at its speed"


def test_each_reader_has_address_and_key_of_its_own_row_of_the_settings() -> None:
    one, two = b"1" * 16, b"2" * 16
    settings = {32: [1, 7, 9], 33: 57600, 34: [b"", one, two]}
    line = Line([])
    options = {"addresses": [0, 1], "keys": [bytes(16)], "first": 1, "settings": settings}
    made = line.drivers(options)
    assert [driver.address for driver in made] == [7, 9]
    assert [driver._key for driver in made] == [one, two]


def test_an_address_or_key_that_is_none_is_refused() -> None:
    line = Line([])
    for options in (
        {"addresses": [127]},
        {"addresses": [-1]},
        {"addresses": [0], "keys": [bytes(15)]},
        {"addresses": [0], "keys": [SCBK_D]},
    ):
        raises(ValueError, line.drivers, options)
