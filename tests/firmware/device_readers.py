"""Reader frames, byte by byte: whole ones are cards, doubtful ones are told (MicroPython)."""

from firmware.readers import rdm6300, virtual
from firmware.readers.results import (
    CARD,
    DOUBTFUL,
    KEY,
    NOTHING,
    SHOW_ALARM,
    SHOW_DENIED,
    SHOW_GRANTED,
    SHOW_HELD,
    SHOW_OPEN,
    SHOW_REST,
    SHOW_SHUT,
    SHOW_WAIT,
)
from firmware.readers.two_wires import TwoWires
from protocol.codes import CREDENTIAL_EM4100

CARD_ID = b"\x01\x02\x0a\xbc\xff"
FRAME = b"\x02" + b"01020ABCFF" + b"4A" + b"\x03"


class Uart:
    """A UART that holds what was sent."""

    def __init__(self, data: bytes = b"") -> None:
        self.held = data

    def any(self) -> int:
        return len(self.held)

    def readinto(self, buf: bytearray) -> int:
        count = min(len(buf), len(self.held))
        buf[:count] = self.held[:count]
        self.held = self.held[count:]
        return count


def rdm() -> "rdm6300.Driver":
    return rdm6300.drivers(Uart(), {})[0]


def fed(decoder: "rdm6300.Driver | virtual.Driver", data: "bytes | bytearray") -> "list[int]":
    """What each byte led to, without the nothings."""
    return [result for result in [decoder.feed(byte) for byte in data] if result != NOTHING]


def test_a_frame_of_the_data_sheet_is_a_card() -> None:
    decoder = rdm()
    assert fed(decoder, FRAME) == [CARD]
    assert bytes(decoder.credential) == CARD_ID
    assert decoder.type == CREDENTIAL_EM4100


def test_noise_before_and_between_frames_is_passed_over() -> None:
    assert fed(rdm(), b"\xff\x00A" + FRAME + b"\r\n" + FRAME) == [CARD, CARD]


def test_every_changed_digit_is_doubtful() -> None:
    for at in range(1, 13):
        changed = bytearray(FRAME)
        changed[at] = ord("7") if changed[at] != ord("7") else ord("8")
        assert fed(rdm(), changed) == [DOUBTFUL], at


def test_a_frame_that_is_cut_short_or_too_long_is_doubtful() -> None:
    assert fed(rdm(), FRAME[:-2] + b"\x03") == [DOUBTFUL]
    assert fed(rdm(), FRAME[:-1] + b"0\x03") == [DOUBTFUL]
    assert fed(rdm(), FRAME[:5] + FRAME) == [DOUBTFUL, CARD]


def test_lower_case_and_other_letters_are_doubtful() -> None:
    assert fed(rdm(), b"\x02" + b"01020abcff" + b"4A" + b"\x03") == [DOUBTFUL]


def virtual_frame(kind: int, credential: bytes) -> bytes:
    head = bytes((0x56, kind, len(credential))) + credential
    check = 0
    for byte in head:
        check ^= byte
    return head + bytes((check,))


def test_the_virtual_reader_carries_credentials_of_all_lengths() -> None:
    decoder = virtual.Driver(Uart())
    for length in range(1, 33):
        credential = bytes(range(length))
        assert fed(decoder, virtual_frame(2, credential)) == [CARD]
        assert (decoder.type, bytes(decoder.credential)) == (2, credential)


def test_a_virtual_frame_with_a_wrong_check_is_doubtful() -> None:
    frame = bytearray(virtual_frame(2, b"abcd"))
    frame[-1] ^= 1
    assert fed(virtual.Driver(Uart()), frame) == [DOUBTFUL]


def test_a_virtual_keypad_gives_its_keys_and_nothing_else() -> None:
    decoder = virtual.Driver(Uart())
    for key in range(12):
        assert fed(decoder, virtual_frame(0, bytes((key,)))) == [KEY]
        assert decoder.key == key
    assert fed(decoder, virtual_frame(0, b"\x0c")) == [DOUBTFUL]
    frame = bytearray(virtual_frame(0, b"\x03"))
    frame[-2] ^= 1
    assert fed(decoder, frame) == [DOUBTFUL]


def test_a_card_and_the_keys_after_it_come_in_their_order() -> None:
    sent = virtual_frame(2, b"abcd") + virtual_frame(0, b"\x03") + virtual_frame(0, b"\x0b")
    driver = virtual.drivers(Uart(sent + virtual_frame(2, b"efgh")), {})[0]
    assert [driver.poll(1) for _ in range(5)] == [CARD, KEY, KEY, CARD, NOTHING]
    assert (driver.type, bytes(driver.credential)) == (2, b"efgh")


def test_a_driver_gives_one_card_a_poll_and_keeps_the_rest() -> None:
    uart = Uart(FRAME * 3)
    driver = rdm6300.drivers(uart, {})[0]
    answers = [driver.poll(now_ms) for now_ms in (1, 2, 3, 4)]
    assert answers == [CARD, CARD, CARD, NOTHING], answers
    assert driver.edge_ticks == 1


def test_a_driver_that_has_nothing_to_read_shows_no_sign_of_life() -> None:
    driver = rdm()
    before = driver.edge_ticks
    assert driver.poll(before + 500) == NOTHING
    assert driver.edge_ticks == before


# --- lamp and buzzer on wires --------------------------------------------------------------


class Wire:
    """Keeps its level."""

    level = 0

    def value(self, level: int) -> None:
        self.level = level


# in steps of 100 ms: the lamp, the buzzer and the buzzer in the round after
PATTERNS = {
    SHOW_REST: ("." * 16, "." * 16, "." * 16),
    SHOW_GRANTED: ("#" * 16, "##..............", "." * 16),
    SHOW_DENIED: ("#." * 8, "#.#.#...........", "." * 16),
    SHOW_WAIT: ("####....####....", "#...............", "." * 16),
    SHOW_HELD: ("." * 16, "#.......#.......", "#.......#......."),
    SHOW_ALARM: ("#." * 8, "####....####....", "####....####...."),
    SHOW_OPEN: ("#" * 16, "." * 16, "." * 16),
    SHOW_SHUT: ("#...............", "." * 16, "." * 16),
}


def test_every_pattern_is_told_by_lamp_and_buzzer() -> None:
    for pattern, (lamp_steps, once, again) in PATTERNS.items():
        lamp, buzzer = Wire(), Wire()
        shown = TwoWires(lamp, buzzer)
        shown.show(pattern, 0)
        seen = []
        for step in range(32):
            shown.turn(100 * step + 50)
            seen.append((lamp.level, buzzer.level))
        assert "".join([".#"[on] for on, _ in seen]) == 2 * lamp_steps, pattern
        assert "".join([".#"[on] for _, on in seen]) == once + again, pattern
