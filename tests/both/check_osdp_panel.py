"""What an OSDP panel believes of a reader, and what ends a session (both)."""

from protocol import osdp_panel
from protocol.osdp import CMD_LED, CMD_TEXT, REPLY_KEYPAD, REPLY_RAW
from protocol.osdp_frame import Receiver
from protocol.osdp_panel import ONLINE, REFUSED, SILENT, Panel
from tests.both import osdp_reader
from tests.both.block_cipher import aes
from tests.both.osdp_reader import Reader, with_crc
from tests.both.support import flipped

KEY = bytes(range(1, 17))
OTHER = bytes(range(17, 33))
BITS = "00110011100011110000111111"  # 26, both parities right
POLL = 0x60


class Wire:
    """A panel and a reader; every answer passes through `change`."""

    def __init__(self, key: "bytes | None", reader: Reader) -> None:
        self.nonces = 0
        self.panel = Panel(5, key, 9600, False, aes, self.random)
        self.reader = reader
        self.sent = b""
        self.answers: "list[bytes]" = []
        self._receiver = Receiver()
        self._out = bytearray(128)

    def random(self, count: int) -> bytes:
        self.nonces += 1
        return bytes((0x80 + self.nonces,)) * count

    def exchange(self, change=None) -> "tuple[int, bytes]":
        """(reply to believe, its data) of one command."""
        self.sent = bytes(self._out[: self.panel.compose(self._out)])
        answer = self.reader.hear(self.sent)
        self.answers.append(answer)
        if change is not None:
            answer = change(answer)
        self._receiver.clear()
        length = self._receiver.take(answer, len(answer))
        frame = self._receiver.frame
        if length <= 0:
            self.panel.unanswered()
            return 0, b""
        reply = self.panel.receive(frame, length)
        return reply, bytes(frame[self.panel.data_at : self.panel.data_end]) if reply else b""

    def run(self, turns: int = 12) -> "list[tuple[int, bytes]]":
        """What there was to believe in so many exchanges."""
        replies = [self.exchange() for _ in range(turns)]
        return [reply for reply in replies if reply[0]]


def online(key: "bytes | None" = KEY) -> Wire:
    wire = Wire(key, Reader(5, key))
    wire.run()
    assert (wire.panel.state, wire.panel.trouble) == (ONLINE, 0)
    return wire


def dropped(wire: Wire) -> bool:
    """Whether the panel has ended the session."""
    return wire.panel.state != ONLINE


def repaired(wire: Wire) -> bool:
    """Whether a card is believed again, in a session of its own."""
    wire.reader.events = []
    wire.run()
    wire.reader.swipe_card(BITS)
    return wire.panel.trouble == 0 and [reply for reply, _ in wire.run(3)] == [REPLY_RAW]


def nothing(_: bytes) -> bytes:
    return b""


def test_a_card_and_keys_are_believed() -> None:
    for key in (None, KEY):
        wire = online(key)
        wire.reader.swipe_card(BITS)
        wire.reader.press_keys(b"12\x7f")
        (first, card), (second, keys) = wire.run(4)
        assert (first, card[:4]) == (REPLY_RAW, b"\x00\x01\x1a\x00")
        assert (second, keys) == (REPLY_KEYPAD, b"\x00\x0312\x7f")


def test_identity_and_state_are_known() -> None:
    wire = online()
    assert bytes(wire.panel.identity) == bytes(range(12))
    for tamper in (0, 1):
        for power in (0, 1):
            wire.reader.report_status(tamper, power)
            wire.run(3)
            assert wire.panel.trouble == osdp_panel.TAMPER * tamper + osdp_panel.POWER * power


def test_sequence_numbers_begin_at_0_and_go_1_2_3_1() -> None:
    wire = Wire(None, Reader(5))
    numbers = []
    for _ in range(8):
        wire.exchange()
        numbers.append(wire.sent[4] & 3)
    assert numbers == [0, 1, 2, 3, 1, 2, 3, 1]


# --- nothing that is altered is believed -------------------------------------------------------


def test_every_flipped_bit_of_a_card_is_no_card() -> None:
    wire = online()
    wire.reader.swipe_card(BITS)
    wire.exchange()
    for bit in range(8 * len(wire.answers[-1])):
        wire = online()
        wire.reader.swipe_card(BITS)
        assert wire.exchange(lambda answer, bit=bit: flipped(answer, bit)) == (0, b""), bit


def test_every_flipped_bit_under_a_right_crc_ends_the_session() -> None:
    wire = online()
    wire.reader.swipe_card(BITS)
    wire.exchange()
    for bit in range(8 * (len(wire.answers[-1]) - 2)):
        if bit // 8 in (0, 2, 3) or bit == 15:
            continue  # these make it no frame at all, which the last test is about
        if bit == 34:
            continue  # nor does this one: without a CRC it is none
        wire = online()
        wire.reader.swipe_card(BITS)

        def forged(answer: bytes, bit: int = bit) -> bytes:
            return with_crc(flipped(answer, bit)[:-2])

        assert wire.exchange(forged) == (0, b""), bit
        if bit // 8 != 1:  # another address: the line's affair
            assert dropped(wire), bit
            assert wire.panel.trouble == REFUSED, bit


def test_a_replayed_card_is_refused_and_the_next_one_believed() -> None:
    wire = online()
    wire.reader.swipe_card(BITS)
    assert wire.exchange()[0] == REPLY_RAW
    card, number = wire.answers[-1], wire.sent[4]
    wire.run(2)
    assert wire.exchange(lambda _: card) == (0, b"")
    assert wire.sent[4] == number, "its sequence number is the right one"
    assert dropped(wire)
    assert wire.panel.trouble == REFUSED
    assert repaired(wire)


def test_a_card_of_an_earlier_session_is_refused() -> None:
    wire = online()
    wire.reader.swipe_card(BITS)
    wire.exchange()
    card = wire.answers[-1]
    wire.exchange(lambda _: card)
    assert dropped(wire)
    wire.run(14)
    assert wire.panel.state == ONLINE
    while True:
        found = wire.exchange(lambda answer: card if wire.sent[4] == card[4] else answer)
        assert found == (0, b"")
        if dropped(wire):
            break


def test_an_answer_with_another_number_is_dropped() -> None:
    for key in (None, KEY):
        wire = online(key)
        wire.reader.swipe_card(BITS)
        for step in (1, 2, 3):
            wire.exchange(
                lambda a, step=step: with_crc(
                    a[:4] + bytes((a[4] & ~3 | (a[4] + step) & 3,)) + a[5:-2]
                )
            )
            assert dropped(wire)
            assert repaired(wire)


def test_a_plain_card_is_not_believed_inside_the_channel_nor_before_it() -> None:
    wire = Wire(KEY, Reader(5, KEY))
    for turn in range(14):
        reply = wire.exchange(
            lambda a, turn=turn: (
                a
                if turn % 7
                else with_crc(a[:4] + bytes((a[4] & 7,)) + b"\x50\x00\x01\x08\x00\xaa")
            )
        )
        assert reply == (0, b"")


# --- who is refused ----------------------------------------------------------------------------


def test_a_reader_with_another_key_is_refused_and_nothing_is_believed() -> None:
    wire = Wire(KEY, Reader(5, OTHER))
    wire.reader.swipe_card(BITS)
    for _ in range(20):
        assert wire.exchange() == (0, b"")
        assert wire.sent[8] != 0x77, "nor is it shown a proof of ours"
    assert wire.panel.trouble == REFUSED


def test_a_reader_that_knows_no_secure_channel_is_refused_when_it_should() -> None:
    wire = Wire(KEY, Reader(5))
    wire.reader.swipe_card(BITS)
    assert wire.run(20) == []
    assert wire.panel.trouble == REFUSED


def test_a_reader_that_wants_a_key_which_nobody_knows_is_refused() -> None:
    wire = Wire(None, Reader(5, KEY))
    assert wire.run(20) == []
    assert wire.panel.trouble & REFUSED


def test_a_reader_that_proves_the_key_but_not_the_first_mac_is_refused() -> None:
    wire = Wire(KEY, Reader(5, KEY))
    wire.exchange()
    wire.exchange()
    wire.exchange(lambda answer: with_crc(flipped(answer, 8 * 12)[:-2]))
    assert dropped(wire)
    assert wire.panel.trouble == REFUSED


def test_a_channel_under_the_factory_s_key_is_no_channel() -> None:
    wire = Wire(KEY, Reader(5, KEY, factory=True))

    def offers_the_default(answer: bytes) -> bytes:
        at = answer.find(b"\x03\x12\x01")
        return answer if at < 0 else with_crc(answer[:at] + b"\x03\x12\x00" + answer[at + 3 : -2])

    for _ in range(10):
        wire.exchange(offers_the_default)
        assert wire.panel.state != ONLINE


# --- silence -----------------------------------------------------------------------------------


def test_a_command_without_an_answer_is_sent_again_unchanged() -> None:
    for key in (None, KEY):
        wire = online(key)
        wire.reader.swipe_card(BITS)
        wire.exchange(nothing)
        sent = wire.sent
        wire.panel.show(3, 0)  # what is to be shown meanwhile waits
        assert wire.exchange()[0] == REPLY_RAW, "the reader repeats what was not heard"
        assert wire.sent == sent
        assert not dropped(wire)


def test_after_three_silences_all_begins_anew_and_it_counts_as_lost() -> None:
    wire = online()
    for _ in range(2):
        wire.exchange(nothing)
        assert (dropped(wire), wire.panel.trouble) == (False, 0)
    wire.exchange(nothing)
    assert (dropped(wire), wire.panel.trouble) == (True, SILENT)
    wire.exchange()
    assert wire.sent[4] & 3 == 0
    assert wire.panel.trouble == 0
    assert repaired(wire)


def test_a_reader_that_has_not_started_yet_is_not_lost_at_once() -> None:
    wire = Wire(None, Reader(6))
    for _ in range(14):
        wire.exchange()
        assert wire.panel.trouble == 0
    wire.exchange()
    assert wire.panel.trouble == SILENT


def test_a_reader_that_started_anew_gets_a_new_session() -> None:
    wire = online()
    wire.reader.restart()
    wire.exchange()
    assert dropped(wire)
    assert wire.panel.trouble == 0, "it says that it has no session; nobody is suspected"
    assert repaired(wire)


def test_a_busy_reader_is_asked_again() -> None:
    wire = online()
    busy = with_crc(bytes((0x53, 0x85, 0, 0, 4, 0x79)))
    wire.exchange(lambda _: busy)
    sent = wire.sent
    assert not dropped(wire)
    wire.exchange()
    assert wire.sent == sent
    for _ in range(3):
        wire.exchange(lambda _: busy)
    assert wire.panel.trouble == SILENT, "for ever busy is not there"


def test_a_reader_that_hears_a_poll_alone_at_first_is_found() -> None:
    wire = Wire(KEY, Reader(5, KEY))
    hear = wire.reader.hear
    wire.reader.hear = lambda frame: b"" if frame[5] == 0x61 else hear(frame)  # type: ignore[method-assign]
    wire.run(4)
    assert wire.panel.state == ONLINE


# --- what is shown -----------------------------------------------------------------------------


def shown(wire: Wire, command: int) -> bytes:
    return [data for done, data in wire.reader.done if done == command][-1]


def test_patterns_reach_led_buzzer_and_display() -> None:
    wire = online()
    assert shown(wire, CMD_TEXT)[6:] == b"Present card    "
    wire.panel.show(1, 0)
    wire.run(3)
    assert shown(wire, CMD_LED)[9:] == b"\x01\x01\x00\x02\x02", "green"
    assert shown(wire, 0x6A) == b"\x00\x02\x02\x00\x01", "one beep"
    assert shown(wire, CMD_TEXT) == b"\x00\x01\x00\x01\x01\x10Please enter    "


def test_chinese_texts_are_gb_2312() -> None:
    wire = Wire(None, Reader(5))
    wire.panel._chinese = True
    wire.run()
    assert shown(wire, CMD_TEXT)[6:12] == b"\xc7\xeb\xcb\xa2\xbf\xa8"  # 请刷卡


def test_every_pattern_fills_the_display() -> None:
    wire = online(None)
    texts = set()
    for pattern in range(8):
        wire.panel.show(pattern, 0)
        wire.run(3)
        text = shown(wire, CMD_TEXT)
        assert len(text) == 22
        texts.add(text)
    assert len(texts) == 8


def test_a_reader_without_display_or_buzzer_is_not_asked_for_them() -> None:
    wire = Wire(None, Reader(5))
    kept = osdp_reader.CAPABILITIES
    osdp_reader.CAPABILITIES = b"\x04\x01\x01\x05\x00\x00"
    try:
        wire.run()
        wire.panel.show(1, 0)
        wire.run()
    finally:
        osdp_reader.CAPABILITIES = kept
    commands = [command for command, _ in wire.reader.done]
    assert CMD_LED in commands
    assert 0x6A not in commands
    assert CMD_TEXT not in commands


def test_a_reader_that_was_away_shows_what_is_so_now() -> None:
    wire = online()
    for _ in range(3):
        wire.exchange(nothing)
    wire.panel.show(5, 0)
    wire.run()
    assert shown(wire, CMD_TEXT)[6:11] == b"Alarm"


# --- keys and speed ----------------------------------------------------------------------------


def test_a_factory_reader_gets_its_key_when_told_so() -> None:
    wire = Wire(None, Reader(5, factory=True))
    assert wire.panel.pair(KEY, True, 0)
    wire.reader.swipe_card(BITS)
    found = wire.run(8)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE
    assert wire.reader.key == KEY
    assert wire.panel.state == ONLINE
    assert [reply for reply, _ in found + wire.run()] == [REPLY_RAW], "once, under the new key"
    assert repaired(wire)


def test_a_key_is_changed_under_the_one_before() -> None:
    wire = online()
    assert wire.panel.pair(OTHER, False, 0)
    wire.run(9)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE
    assert wire.reader.key == OTHER
    assert repaired(wire)


def test_nobody_gets_a_key_unasked() -> None:
    wire = Wire(KEY, Reader(5, factory=True))
    wire.run(40)
    assert wire.reader.key is None
    assert wire.panel.trouble == REFUSED
    assert 0x75 not in [command for command, _ in wire.reader.done]


def test_a_reader_that_has_a_key_is_not_taken_for_a_new_one() -> None:
    wire = Wire(None, Reader(5, OTHER))
    wire.panel.pair(KEY, True, 0)
    wire.run(6)
    assert wire.panel.pairing == osdp_panel.PAIR_REFUSED
    assert wire.reader.key == OTHER


def test_no_first_key_without_the_word() -> None:
    panel = Wire(None, Reader(5)).panel
    assert not panel.pair(KEY, False, 0)
    assert not panel.pair(KEY[:15], True, 0)
    assert not panel.pair(osdp_panel.SCBK_D, True, 0)


def test_a_key_whose_acknowledgement_is_lost_counts_when_the_reader_proves_it() -> None:
    wire = online()
    wire.panel.pair(OTHER, False, 0)
    while wire.reader.key != OTHER:
        wire.exchange(lambda answer: b"" if wire.reader.key == OTHER else answer)
    wire.run(4)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE


def test_a_reader_may_acknowledge_its_key_outside_the_channel() -> None:
    wire = online()
    wire.panel.pair(OTHER, False, 0)

    def plain(answer: bytes) -> bytes:
        body = bytes((0x53, 0x85, 0, 0, answer[4] & 7, 0x40))
        return with_crc(body) if wire.reader.done[-1][0] == 0x75 else answer

    while wire.reader.key != OTHER:
        wire.exchange(plain)
    wire.run(4)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE
    assert wire.panel.trouble == 0


def test_a_reader_that_has_lost_its_session_is_given_its_key_in_the_next_one() -> None:
    wire = online()
    wire.panel.pair(OTHER, False, 0)
    wire.run(3)
    wire.reader.restart()
    wire.exchange()
    assert wire.reader.key == KEY
    wire.run(9)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE
    assert wire.reader.key == OTHER


def test_a_key_that_never_reached_the_reader_does_not_count() -> None:
    wire = online()
    wire.panel.pair(OTHER, False, 0)
    wire.run(3)
    reader, wire.reader = wire.reader, Reader(6)  # nobody of this address hears KEYSET
    wire.exchange()
    wire.reader = reader
    wire.run(4)
    assert wire.panel.pairing == osdp_panel.PAIR_REFUSED
    assert wire.reader.key == KEY
    assert repaired(wire)


def test_a_reader_that_falls_silent_behind_a_new_key_leaves_it_open_which_one_counts() -> None:
    wire = online()
    wire.panel.pair(OTHER, False, 0)
    while wire.reader.key != OTHER:
        wire.exchange()
    for _ in range(3):
        wire.exchange(nothing)
    assert wire.panel.pairing == osdp_panel.PAIR_UNSURE


def test_an_answer_that_was_under_way_when_pairing_began_is_passed_over() -> None:
    wire = online()
    out = bytearray(128)
    wire.reader.swipe_card(BITS)
    answer = wire.reader.hear(bytes(out[: wire.panel.compose(out)]))
    wire.panel.pair(OTHER, False, 0)
    assert wire.panel.receive(bytearray(answer), len(answer)) == 0
    assert wire.panel.trouble == 0


def test_speed_follows_the_reader_s_word() -> None:
    wire = online()
    wire.panel.change_baud(57600)
    wire.exchange()
    assert wire.panel.baud == wire.reader.baud == 57600
    wire = online()
    wire.panel.change_baud(57600)
    wire.exchange(nothing)
    assert wire.panel.baud == 9600, "not before it has said so"
    wire.exchange(nothing)
    wire.exchange(nothing)
    assert wire.panel.baud == 57600, "but a silent one is looked for there too"
    wire.exchange(nothing)
    assert wire.panel.baud == 9600


def test_a_reader_that_came_at_its_speed_is_looked_for_there_alone() -> None:
    wire = online()
    wire.panel.change_baud(57600)
    wire.exchange()
    for expected in (57600, 57600, 9600, 57600):
        wire.exchange(nothing)
        assert wire.panel.baud == expected
    wire.run()
    assert wire.panel.state == ONLINE
    for _ in range(5):
        wire.exchange(nothing)
        assert wire.panel.baud == 57600
