"""Wiegand: a frame is the card that was held there, or doubtful, never another (MicroPython)."""

from firmware.readers.results import (
    CARD,
    DOUBTFUL,
    KEY,
    KEY_CLEAR,
    KEY_ENTER,
    SHOW_ALARM,
    SHOW_DENIED,
    SHOW_GRANTED,
    SHOW_REST,
)
from protocol.codes import CREDENTIAL_WIEGAND26, CREDENTIAL_WIEGAND34, CREDENTIAL_WIEGAND37
from tests.firmware import wiegand_rig
from tests.firmware.wiegand_rig import D0, D1, Pin, Rig, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ((26, CREDENTIAL_WIEGAND26), (34, CREDENTIAL_WIEGAND34), (37, CREDENTIAL_WIEGAND37))
NUMBERS = (0x5A0FC3, 0x000000, 0xFFFFFF, 0x3C9D17)
SETTLED_US = 60_000


def number(count: int, seed: int) -> int:
    return seed * 0x2_0001 & (1 << (count - 2)) - 1


def frames() -> "Iterator[tuple[int, int, list[int]]]":
    for count, _ in FORMATS:
        for seed in NUMBERS:
            yield count, number(count, seed), frame(count, number(count, seed))


def card(rig: Rig) -> int:
    value = 0
    for byte in rig.driver.credential:
        value = value << 8 | byte
    return value


def never_another(rig: Rig, found: "list[int]", wanted: int, what: object) -> None:
    """At most one card, and that the one that was held there."""
    assert found in ([], [CARD], [DOUBTFUL], [DOUBTFUL, DOUBTFUL]), (found, what)
    if found == [CARD]:
        assert card(rig) == wanted, what


def test_each_format_is_read_at_one_and_at_two_milliseconds_a_bit() -> None:
    for count, kind in FORMATS:
        for pitch_us in (200, 1000, 2000, 20_000):
            rig = Rig()
            wanted = number(count, NUMBERS[0])
            assert rig.read(frame(count, wanted), pitch_us) == [CARD], (count, pitch_us)
            assert (rig.driver.type, rig.driver.bits) == (kind, count)
            assert card(rig) == wanted
            assert len(rig.driver.credential) == (count + 5) // 8


def test_frame_after_frame_is_read_however_often_the_counters_are_reset() -> None:
    rig = Rig()
    wanted = number(37, NUMBERS[0])
    for _ in range(1200):
        assert rig.read(frame(37, wanted), 300) == [CARD]
        assert card(rig) == wanted


def test_every_turned_bit_is_doubtful() -> None:
    for count, _, bits in frames():
        for at in range(count):
            turned = list(bits)
            turned[at] ^= 1
            assert Rig().read(turned) == [DOUBTFUL], (count, at)


def test_every_other_length_is_doubtful() -> None:
    for count in range(1, 45):
        if count not in (4, 26, 34, 37):
            assert Rig().read([0] * count) == [DOUBTFUL], count


def test_one_or_two_edges_that_no_handler_was_told_of_are_always_doubtful() -> None:
    for count, _, bits in frames():
        for first in range(count):
            for second in range(first, count):
                rig = Rig()
                wiegand_rig.deaf.update((first, second))
                assert rig.read(bits) == [DOUBTFUL], (count, first, second)


def test_one_or_two_edges_that_were_lost_on_the_wire_never_make_a_card() -> None:
    for count, _, bits in frames():
        for first in range(count):
            for second in range(first, count):
                rig = Rig()
                wiegand_rig.blind.update((first, second))
                assert rig.read(bits) == [DOUBTFUL], (count, first, second)


def test_three_lost_edges_do_not_make_the_shorter_format() -> None:
    tried = 0
    for value in range(0, 1 << 35, (1 << 35) // 997):
        bits = frame(37, value)
        shorter = bits[:34]
        if sum(shorter[:17]) & 1 or not sum(shorter[17:]) & 1:
            continue
        tried += 1
        assert Rig().read(shorter) == [CARD]
        rig = Rig()
        wiegand_rig.deaf.update((34, 35, 36))
        assert rig.read(bits) == [DOUBTFUL]
    assert tried > 100


def test_a_frame_of_which_no_handler_saw_anything_is_doubtful_not_silent() -> None:
    rig = Rig()
    wiegand_rig.deaf.update(range(26))
    assert rig.read(frame(26, 1)) == [DOUBTFUL]


def test_an_edge_that_no_counter_saw_is_doubtful() -> None:
    rig = Rig()
    rig.lines.handlers[D0](D0)
    assert rig.sleep(SETTLED_US) == [DOUBTFUL]
    assert rig.read(frame(26, 5)) == [CARD]


def test_wherever_the_flash_is_at_work_it_never_makes_another_card() -> None:
    cards = refused = 0
    for count, wanted, bits in frames():
        for pitch_us in (1000, 2000):
            for start_us in range(0, count * pitch_us, pitch_us // 2):
                for length_us in (300, 700, 1100, 2300, 3300, 5100, 9100, 45_000):
                    rig = Rig()
                    end_us = rig.send(bits, pitch_us)
                    found = rig.sleep(end_us + 120_000, (start_us, start_us + length_us))
                    never_another(rig, found, wanted, (count, pitch_us, start_us, length_us))
                    cards += found == [CARD]
                    refused += found == [DOUBTFUL]
    assert cards > 1000, "a single edge that comes late is no reason to refuse"
    assert refused > 1000, "the flash took nothing: it was no test"


def test_two_edges_told_in_the_order_of_their_pins_are_doubtful() -> None:
    # both parities of this frame are right whichever of the two came first
    bits = frame(26, 0b0000_0100_0000_0000_0000_0000)
    at = 6
    assert bits[at : at + 2] == [1, 0]
    rig = Rig()
    end_us = rig.send(bits, 1000)
    start_us = 100 + at * 1000 - 50
    assert rig.sleep(end_us + SETTLED_US, (start_us, start_us + 1100)) == [DOUBTFUL]


class Touched:
    """In place of the driver's bits: whatever happens at a touch of them happens."""

    def __init__(self) -> None:
        self.held = [0] * 37

    def __getitem__(self, at: int) -> int:
        for called in wiegand_rig.on_look:
            called()
        return self.held[at]

    def __setitem__(self, at: int, bit: int) -> None:
        self.held[at] = bit
        for called in wiegand_rig.on_look:
            called()


def test_an_edge_that_slips_in_while_a_frame_is_judged_spoils_what_it_must() -> None:
    wanted, other = 0x123456, 0x054321
    read = 0
    for look in range(100):
        for pin in (D0, D1):
            rig = Rig()
            rig.driver._bits = Touched()
            looks = [0]

            def slip(rig: Rig = rig, looks: "list[int]" = looks, pin: int = pin, at: int = look):
                looks[0] += 1
                if looks[0] == at + 1:
                    rig.lines.counts[pin] = rig.lines.counts.get(pin, 0) + 1
                    rig.lines.handlers[pin](pin)

            end_us = rig.send(frame(26, wanted))
            rig.lines.leisure(end_us)
            rig.driver.poll(end_us // 1000)
            wiegand_rig.on_look.append(slip)
            rig.now_us = end_us + 30_000
            found = [rig.driver.poll(rig.now_us // 1000)]
            wiegand_rig.on_look.clear()
            found += rig.read(frame(26, other))
            if found[-1] == CARD:
                read += 1
                assert card(rig) == other, (look, pin)
    assert read, "the next frame was never read: it was no test"


def test_a_keypad_of_four_bits_gives_its_keys() -> None:
    rig = Rig(keypad=4)
    for key in range(16):
        bits = [key >> place & 1 for place in (3, 2, 1, 0)]
        assert rig.read(bits) == ([KEY] if key <= KEY_ENTER else [DOUBTFUL]), key
        if key <= KEY_ENTER:
            assert rig.driver.key == key
    assert rig.read(frame(26, 7)) == [CARD]


def test_a_keypad_of_eight_bits_gives_its_keys_and_nothing_that_is_not_its_own_complement() -> None:
    rig = Rig(keypad=8)
    keys = []
    for value in range(256):
        bits = [value >> place & 1 for place in range(7, -1, -1)]
        if rig.read(bits) == [KEY]:
            keys.append(rig.driver.key)
            assert value >> 4 == 15 - rig.driver.key
    assert sorted(keys) == list(range(10)) + [KEY_CLEAR, KEY_ENTER]  # noqa: RUF005


def test_two_short_keys_in_one_breath_are_no_long_one() -> None:
    rig = Rig(keypad=4)
    # 4 and 11 look like the long form of 11
    assert rig.read([0, 1, 0, 0, 1, 0, 1, 1]) == [DOUBTFUL]


def levels(rig: Rig, pin: Pin, steps: int) -> "list[int]":
    """The pin at each 100 ms from now on."""
    found = []
    for _ in range(steps):
        found.append(pin.level)
        rig.sleep(rig.now_us + 100_000)
    return found


def test_lamp_and_buzzer_follow_the_pattern() -> None:
    lamp, buzzer = Pin(), Pin()
    rig = Rig(lamp=lamp, buzzer=buzzer)
    rig.driver.show(SHOW_GRANTED, 0)
    assert levels(rig, buzzer, 20) == [1, 1] + [0] * 18
    assert lamp.level == 1
    rig.driver.show(SHOW_DENIED, rig.now_us // 1000)
    assert levels(rig, buzzer, 20) == [1, 0, 1, 0, 1] + [0] * 15
    rig.driver.show(SHOW_ALARM, rig.now_us // 1000)
    assert sum(levels(rig, buzzer, 32)) == 16, "an alarm goes on"
    rig.driver.show(SHOW_REST, rig.now_us // 1000)
    assert (lamp.level, buzzer.level) == (0, 0)
    assert sum(levels(rig, lamp, 20)) == 0


def test_a_buzzer_does_not_sound_on_because_nobody_looked_in_time() -> None:
    buzzer = Pin()
    rig = Rig(buzzer=buzzer)
    rig.driver.show(SHOW_GRANTED, 0)
    assert buzzer.level == 1
    rig.driver.poll(5_000)
    assert buzzer.level == 0


def test_a_reader_without_lamp_and_buzzer_is_shown_patterns_too() -> None:
    rig = Rig()
    for pattern in range(8):
        rig.driver.show(pattern, 0)
        rig.sleep(rig.now_us + 200_000)
