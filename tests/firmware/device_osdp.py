"""The driver of OSDP readers on a line in model time (MicroPython)."""

import gc
import time

import micropython

from firmware.readers import results
from firmware.readers.results import CARD, DOUBTFUL, KEY, KEY_CLEAR, KEY_ENTER
from protocol import osdp_panel
from protocol.codes import CREDENTIAL_OSDP_RAW, CREDENTIAL_WIEGAND26
from protocol.osdp_panel import ONLINE
from tests.both.osdp_reader import Reader, with_crc
from tests.both.support import flipped, raises
from tests.firmware.osdp_rig import Line, Pin

KEYS = [bytes((n,)) * 16 for n in range(1, 9)]
BITS = "00110011100011110000111111"  # 26, both parities right
CARD_BYTES = b"\x67\x1e\x1f"
SECOND = 100  # turns


def house(count: int, baud: int = 9600, keyed: bool = True, pin: bool = False):
    """(line, drivers) of so many readers, all of them there."""
    keys = KEYS[:count] if keyed else [None] * count
    readers = [Reader(n, keys[n]) for n in range(count)]
    for reader in readers:
        reader.baud = baud
    line = Line(readers, baud)
    options = {"addresses": list(range(count)), "keys": keys, "baud": baud}
    if pin:
        line.pin = options["direction"] = Pin(line)
    return line, line.drivers(options)


def online(count: int = 1, **options):
    line, drivers = house(count, **options)
    line.turns(drivers, 3 * SECOND)
    for driver in drivers:
        assert (driver.state, driver.trouble) == (ONLINE, 0)
    return line, drivers


def results_of(found) -> "list[tuple[int, int]]":
    return [(number, result) for number, result, _ in found]


# --- what comes from a reader ------------------------------------------------------------------


def test_troubles_are_those_of_the_interface() -> None:
    for ours, theirs in (
        (osdp_panel.SILENT, results.TROUBLE_LOST),
        (osdp_panel.TAMPER, results.TROUBLE_TAMPER),
        (osdp_panel.POWER, results.TROUBLE_POWER),
        (osdp_panel.REFUSED, results.TROUBLE_REFUSED),
    ):
        assert ours == theirs


def test_a_card_comes_from_the_reader_that_it_was_held_to() -> None:
    for keyed in (False, True):
        line, drivers = online(4, keyed=keyed)
        for number in range(4):
            line.readers[number].swipe_card(BITS)
            assert results_of(line.turns(drivers, SECOND)) == [(number, CARD)]
            driver = drivers[number]
            assert driver.type == CREDENTIAL_WIEGAND26
            assert (bytes(driver.credential), driver.bits) == (CARD_BYTES, 26)


def test_cards_of_other_lengths_follow_each_other() -> None:
    line, drivers = online()
    driver = drivers[0]
    for bits in ("1" * 32, "0" * 56, "1" * 32, BITS):
        line.readers[0].swipe_card(bits, 0)
        assert results_of(line.turns(drivers, SECOND)) == [(0, CARD)]
        if bits != BITS:
            assert driver.type == CREDENTIAL_OSDP_RAW
            assert len(driver.credential) == 1 + len(bits) // 8
        assert driver.bits == len(bits)


def test_a_wrong_parity_is_doubtful() -> None:
    line, drivers = online()
    line.readers[0].swipe_card("1" + BITS[1:])
    assert results_of(line.turns(drivers, SECOND)) == [(0, DOUBTFUL)]


def test_keys_come_one_by_one() -> None:
    line, drivers = online()
    line.readers[0].press_keys(b"1029A\x7f\x0d")
    keys = []
    for _ in range(SECOND):
        while drivers[0].poll(line.now_ms) == KEY:
            keys.append(drivers[0].key)
        line.turns([])
    assert keys == [1, 0, 2, 9, KEY_CLEAR, KEY_ENTER]


def test_more_keys_than_anybody_presses_are_doubtful() -> None:
    line, drivers = online()
    line.readers[0].events.append(b"\x53\x00\x02" + b"1")
    line.readers[0].press_keys(b"1" * 13)
    assert results_of(line.turns(drivers, SECOND)) == [(0, DOUBTFUL)] * 2


def test_a_card_that_nobody_fetched_is_kept_and_the_next_one_waits() -> None:
    line, drivers = online(2)
    line.readers[1].swipe_card(BITS)
    line.readers[1].swipe_card("1" * 32, 0)
    line.turns(drivers[:1], SECOND)
    assert len(line.readers[1].events) == 1
    assert drivers[1].poll(line.now_ms) == CARD
    assert bytes(drivers[1].credential) == CARD_BYTES
    assert results_of(line.turns(drivers, SECOND)) == [(1, CARD)]


def test_keys_that_nobody_fetched_are_kept_and_the_next_ones_wait() -> None:
    line, drivers = online(2)
    line.readers[1].press_keys(b"12")
    line.readers[1].press_keys(b"3")
    line.turns(drivers[:1], SECOND)
    assert len(line.readers[1].events) == 1
    keys = []
    for _ in range(SECOND):
        while drivers[1].poll(line.now_ms) == KEY:
            keys.append(drivers[1].key)
        line.turns([])
    assert keys == [1, 2, 3]


def test_what_came_before_the_command_is_no_answer_to_it() -> None:
    line, drivers = online(keyed=False)
    wire = drivers[0]._line
    line.readers[0].swipe_card(BITS)
    card = line.readers[0].events.pop()
    for _ in range(8):
        while wire._asked is not None:
            assert line.turns(drivers) == []
        control = drivers[0]._sequence | 4
        line._send(with_crc(bytes((0x53, 0x80, 0, 0, control)) + card), 0)
        line.now_us += 20000
        assert line.turns(drivers, 30) == []


def test_only_cards_and_keys_keep_erases_away() -> None:
    line, drivers = online()
    before = drivers[0].edge_ticks
    line.turns(drivers, SECOND)
    assert drivers[0].edge_ticks == before
    line.readers[0].swipe_card(BITS)
    line.turns(drivers, SECOND)
    assert drivers[0].edge_ticks != before


def test_flipped_bits_on_the_wire_never_make_a_card_and_cards_come_again_behind_them() -> None:
    line, drivers = online()
    line.readers[0].swipe_card(BITS)
    taken = []
    line.change = lambda answer: taken.append(answer) or answer
    line.turns(drivers, 10)
    size = max(len(answer) for answer in taken)
    for bit in range(8 * size):
        line.change = lambda answer, bit=bit: (
            flipped(answer, bit) if bit < 8 * len(answer) else answer
        )
        line.readers[0].events = []
        line.readers[0].swipe_card(BITS)
        line.readers[0].last = b""
        found = results_of(line.turns(drivers, 6)) if bit < 8 * 14 else []
        assert found == [], bit
    line.change = None
    line.turns(drivers, 3 * SECOND)
    line.readers[0].swipe_card(BITS)
    assert (0, CARD) in results_of(line.turns(drivers, SECOND))


def test_noise_between_commands_does_no_harm() -> None:
    line, drivers = online()
    for noise in (b"\x53", b"\x53\x80\xff\xff", bytes(range(256)), b"\xff" * 30):
        line.noise = noise
        line.turns(drivers, SECOND)
        line.readers[0].swipe_card(BITS)
        assert (0, CARD) in results_of(line.turns(drivers, SECOND)), noise


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
        line.base_ms = time.ticks_add(line.base_ms, 10000)
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


def gaps_ms(line: Line, address: int) -> "list[int]":
    times = [us for us, spoken_to in line.log if spoken_to == address]
    return [(times[i + 1] - times[i]) // 1000 for i in range(len(times) - 1)]


def test_silent_readers_cost_the_others_one_silence_at_a_time() -> None:
    line, drivers = online(4, baud=57600)
    line.off = {1, 2, 3}
    line.turns(drivers, 5 * SECOND)
    line.log = []
    line.turns(drivers, 10 * SECOND)
    assert max(gaps_ms(line, 0)) <= 230
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
    assert drivers[1].pair(KEYS[5], True, line.now_ms)
    line.turns(drivers, 3 * SECOND)
    assert drivers[1].pairing == osdp_panel.PAIR_DONE
    assert line.readers[1].key == KEYS[5]
    drivers[1].change_baud(57600)
    line.turns(drivers, SECOND)
    assert (drivers[1].baud, line.readers[1].baud) == (57600, 57600)
    for number in range(2):
        line.readers[number].swipe_card(BITS)
        assert results_of(line.turns(drivers, SECOND)) == [(number, CARD)], "each at its speed"


def test_an_address_or_key_that_is_none_is_refused() -> None:
    line = Line([])
    for options in (
        {"addresses": [127]},
        {"addresses": [-1]},
        {"addresses": [0], "keys": [bytes(15)]},
        {"addresses": [0], "keys": [osdp_panel.SCBK_D]},
    ):
        raises(ValueError, line.drivers, options)


# --- the heap ----------------------------------------------------------------------------------


def swipe(line: Line, n: int) -> None:
    line.readers[n % 4].swipe_card(BITS)
    line.readers[(n + 1) % 4].press_keys(b"1")


def test_a_thousand_turns_allocate_nothing() -> None:
    for keyed in (False, True):
        line, drivers = online(4, baud=57600, keyed=keyed)

        for n in range(8):
            swipe(line, n)
            line.turns(drivers, 50)
        cards = 0
        for n in range(1000):
            if n % 20 == 0:
                swipe(line, n // 20)
                drivers[n % 3].show(n // 20 % 8, line.now_ms)
            now_ms = line.now_ms
            micropython.heap_lock()
            for driver in drivers:
                while True:
                    result = driver.poll(now_ms)
                    if result == 0:
                        break
                    cards += result == CARD
            micropython.heap_unlock()
            line.between()
            line.now_us += 10000
        assert cards == 50


def test_a_new_session_takes_a_bounded_piece_of_the_heap_and_gives_the_old_one_back() -> None:
    line, drivers = online(1, baud=57600)
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(20):
        line.readers[0].restart()
        line.turns(drivers, SECOND)
        assert drivers[0].state == ONLINE
    line.readers[0].done = []
    line.log = []
    gc.collect()
    assert gc.mem_alloc() - before <= 1024
