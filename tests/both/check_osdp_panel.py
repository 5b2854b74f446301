"""What an OSDP panel believes of a reader, and what ends a session (both)."""

from protocol import osdp_panel
from protocol.osdp import REPLY_KEYPAD, REPLY_RAW
from protocol.osdp_panel import ONLINE, REFUSED, SILENT
from tests.both.osdp_link import BITS, KEY, OTHER, Wire, dropped, nothing, online, repaired
from tests.both.osdp_reader import Reader, with_crc
from tests.both.support import flipped


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
