"""What the driver of OSDP readers gives to a door, and what it takes of the heap (MicroPython)."""

import gc

import micropython

from firmware.readers import results
from firmware.readers.results import CARD, DOUBTFUL, KEY, KEY_CLEAR, KEY_ENTER
from protocol import osdp_panel
from protocol.codes import CREDENTIAL_OSDP_RAW, CREDENTIAL_WIEGAND26
from protocol.osdp_panel import ONLINE
from tests.both.osdp_reader import with_crc
from tests.both.support import flipped
from tests.firmware.osdp_rig import (
    BITS,
    CARD_BYTES,
    SECOND,
    Line,
    online,
    results_of,
)

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
    wire = drivers[0].line
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


def test_a_spoilt_answer_is_heard_to_its_end_before_the_panel_speaks_again() -> None:
    for length in range(1, 130, 3):  # 140 bytes are the 150 ms that an answer has
        line, drivers = online()
        line.change = lambda _, length=length: b"\x53\x80\xff\xff" + bytes(length)
        line.turns(drivers, 60)  # the line itself refuses a panel that speaks meanwhile
        line.change = None
        line.turns(drivers, 3 * SECOND)
        line.readers[0].swipe_card(BITS)
        assert (0, CARD) in results_of(line.turns(drivers, SECOND)), length


def test_a_reader_that_babbles_on_is_given_up_after_the_time_of_one_answer() -> None:
    line, drivers = online()
    line.babbled = True
    line.change = lambda _: b"\x53\x80\xff\xff" + bytes(230)  # 240 ms
    before = len(line.log)
    line.turns(drivers, 60)
    spoken = [at_us for at_us, _ in line.log[before:]]
    gaps_ms = [(spoken[i + 1] - spoken[i]) // 1000 for i in range(2)]
    assert 150 <= max(gaps_ms) < 200, gaps_ms


def test_noise_between_commands_does_no_harm() -> None:
    line, drivers = online()
    for noise in (b"\x53", b"\x53\x80\xff\xff", bytes(range(256)), b"\xff" * 30):
        line.noise = noise
        line.turns(drivers, SECOND)
        line.readers[0].swipe_card(BITS)
        assert (0, CARD) in results_of(line.turns(drivers, SECOND)), noise


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
