"""Our OSDP driver in MicroPython against libosdp as the reader, on a real line (host)."""

from __future__ import annotations

import osdp

from protocol.codes import CREDENTIAL_OSDP_RAW, CREDENTIAL_WIEGAND26
from protocol.osdp import REPLY_RAW
from tests.both.osdp_reader import with_crc
from tests.both.support import flipped as flipped_bit
from tests.firmware.osdp_house import Beside, House, Reader, house

KEY = bytes(range(1, 17))
OTHER = bytes(range(33, 49))
BITS = "00110011100011110000111111"  # 26, both parities right
CARD_ANSWER_BYTES = 30  # within the channel
LENGTH_BYTES = (2, 3)
CARD = f"card 0 {CREDENTIAL_WIEGAND26} 26 671e1f"
ONLINE, OFFLINE = "state 0 1 0", "state 0 0"
LOST, TAMPER, POWER, REFUSED = 1, 2, 4, 8


def commands(reader: Reader, kind: int) -> list[dict[str, object]]:
    return [command for command in reader.commands if command["command"] == kind]


def card_comes(line: House, number: int = 0) -> None:
    line.readers[number].swipe_card(BITS)
    line.expect(CARD.replace("card 0", f"card {number}"))


def test_cards_and_keys_without_and_with_a_secure_channel() -> None:
    for key in (None, KEY):
        with house(key) as line:
            line.expect(ONLINE)
            assert line.readers[0].is_secured() == (key is not None)
            card_comes(line)
            line.readers[0].swipe_card("1" * 32, osdp.CardFormat.Unspecified)
            line.expect(f"card 0 {CREDENTIAL_OSDP_RAW} 32 20ffffffff")
            line.readers[0].press_keys(b"19\x7f\r")
            for pressed in (1, 9, 10, 11):
                line.expect(f"key 0 {pressed}")
            line.readers[0].swipe_card("1" + BITS[1:])
            line.expect("doubtful 0")


def test_what_is_shown_reaches_the_reader() -> None:
    with house(KEY) as line:
        reader = line.readers[0]
        line.expect(ONLINE)
        line.wait(lambda: commands(reader, osdp.Command.Text))
        line.tell("show 0 2")
        line.wait(lambda: len(commands(reader, osdp.Command.Text)) == 2)
        led = commands(reader, osdp.Command.LED)[-1]
        assert (led["on_color"], led["off_color"]) == (
            osdp.CommandLEDColor.Red,
            osdp.CommandLEDColor.Black,
        )
        assert commands(reader, osdp.Command.Buzzer)[-1]["rep_count"] == 3
        assert commands(reader, osdp.Command.Text)[-1]["data"] == "No access       "


def test_tamper_and_power_are_told_and_their_end_too() -> None:
    with house(KEY) as line:
        line.expect(ONLINE)
        for tamper, power in ((1, 0), (1, 1), (0, 0)):
            line.readers[0].report_status(tamper, power)
            line.expect(f"state 0 1 {TAMPER * tamper + POWER * power} ")


def test_a_reader_that_starts_late_disappears_and_returns() -> None:
    with house(KEY, on=False) as line:
        line.expect(OFFLINE)
        line.readers[0].start()
        line.expect(ONLINE)
        line.readers[0].stop()
        line.expect(f"{OFFLINE} {LOST} ")
        line.readers[0].start()
        line.expect(ONLINE)
        card_comes(line)


def test_a_reader_that_restarts_in_a_moment_gets_a_new_session() -> None:
    with house(KEY) as line:
        line.expect(ONLINE)
        line.readers[0].stop()
        line.readers[0].start()
        line.wait(line.readers[0].is_secured)
        card_comes(line)


def test_several_readers_share_a_line() -> None:
    with house(KEY, None, OTHER) as line:
        line.expect(*(f"state {number} 1 0" for number in range(3)))
        for number in (2, 0, 1):
            card_comes(line, number)
        line.readers[1].stop()
        line.expect(f"state 1 0 {LOST} ")
        card_comes(line, 0)
        card_comes(line, 2)


def test_a_wrong_key_is_refused_and_no_card_of_it_believed() -> None:
    with house(KEY, reader_keys=[OTHER]) as line:
        line.expect(f"{OFFLINE} {REFUSED} ")
        before = len(line.readers[0].wire.answers)
        line.readers[0].swipe_card(BITS)
        line.wait(lambda: len(line.readers[0].wire.answers) >= before + 2)  # asked once more
        assert line.cards() == []


def test_a_replayed_card_is_refused_and_the_next_one_believed() -> None:
    with house(KEY) as line:
        wire = line.readers[0].wire
        line.expect(ONLINE)
        card_comes(line)
        replayed = max(wire.answers[-20:], key=len)
        seen: list[bytes] = []

        def replay(answer: bytes) -> bytes:
            if answer[4] == replayed[4] and not seen:
                seen.append(answer)
                return replayed
            return answer

        wire.change = replay
        line.expect(f"{OFFLINE} {REFUSED} ")
        line.expect(ONLINE)
        assert line.cards() == [CARD]
        card_comes(line)


def test_flipped_bits_on_the_line_never_make_a_card() -> None:
    with house(KEY) as line:
        reader = line.readers[0]
        line.expect(ONLINE)
        for at in range(0, CARD_ANSWER_BYTES, 5):
            flipped: list[int] = []

            def flip(answer: bytes, at: int = at, flipped: list[int] = flipped) -> bytes:
                if len(answer) != CARD_ANSWER_BYTES or answer[7] != REPLY_RAW or flipped:
                    return answer
                flipped.append(at)
                return answer[:at] + bytes((answer[at] ^ 0x10,)) + answer[at + 1 :]

            reader.wire.change = flip
            line.wait(reader.is_secured)
            reader.swipe_card(BITS)
            line.wait(flipped.copy)
        line.wait(reader.is_secured)
        reader.swipe_card("1" * 40, osdp.CardFormat.Unspecified)
        line.expect(f"card 0 {CREDENTIAL_OSDP_RAW} 40 28ffffffffff")
        assert len(line.cards()) == 1


def test_no_flipped_bit_of_any_position_makes_a_card() -> None:
    """The panel beside libosdp, without a line: every bit, under the CRC of a forger too."""
    for bit in range(8 * CARD_ANSWER_BYTES):
        wire = Beside(KEY)
        wire.run(12)
        wire.swipe_card()
        answer = flipped_bit(wire.ask(), bit)
        assert wire.tell(answer) == 0, bit
    for bit in range(8 * (CARD_ANSWER_BYTES - 2)):
        if bit // 8 in LENGTH_BYTES:
            continue  # a forger's CRC comes with a right length
        wire = Beside(KEY)
        wire.run(12)
        wire.swipe_card()
        answer = flipped_bit(wire.ask(), bit)
        assert wire.tell(with_crc(answer[:-2])) == 0, bit
    wire = Beside(KEY)
    wire.run(12)
    wire.swipe_card()
    assert wire.tell(wire.ask()) == REPLY_RAW, "unchanged it is a card"


def test_a_first_key_is_given_and_then_changed() -> None:
    with house(None, install=True) as line:
        line.expect(ONLINE)
        line.tell(f"pair 0 {KEY.hex()} first")
        line.expect("state 0 1 0 2 ")
        assert commands(line.readers[0], osdp.Command.Keyset)[-1]["data"] == KEY
        line.wait(line.readers[0].is_secured)
        card_comes(line)
        line.tell(f"pair 0 {OTHER.hex()} {KEY.hex()}")
        line.expect("state 0 0 0 1 ")
        line.expect("state 0 1 0 2 ")
        assert commands(line.readers[0], osdp.Command.Keyset)[-1]["data"] == OTHER
        card_comes(line)


def test_a_reader_with_a_key_of_its_own_is_not_paired_as_a_new_one() -> None:
    with house(None, reader_keys=[OTHER]) as line:
        line.tell(f"pair 0 {KEY.hex()} first")
        line.expect(f"state 0 0 {REFUSED} 3 ")
        assert commands(line.readers[0], osdp.Command.Keyset) == []


def test_speed_is_raised_when_the_reader_agrees() -> None:
    with house(KEY) as line:
        line.expect(ONLINE)
        line.tell("baud 0 57600")
        line.expect("speed 57600")
        assert commands(line.readers[0], osdp.Command.ComsetDone)[-1]["baud_rate"] == 57600
        line.wait(line.readers[0].is_secured)
        card_comes(line)
