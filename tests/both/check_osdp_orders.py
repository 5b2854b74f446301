"""What a panel tells an OSDP reader: patterns, keys, another speed (both)."""

from protocol import osdp, osdp_panel
from protocol.osdp import CMD_LED, CMD_TEXT, REPLY_RAW
from protocol.osdp_panel import ONLINE, REFUSED
from tests.both import osdp_reader
from tests.both.osdp_link import BITS, KEY, OTHER, Wire, nothing, online, repaired
from tests.both.osdp_reader import Reader, with_crc

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
    assert wire.panel.pair(KEY, osdp.SCBK_D, 0)
    wire.reader.swipe_card(BITS)
    found = wire.run(8)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE
    assert wire.reader.key == KEY
    assert wire.panel.state == ONLINE
    assert [reply for reply, _ in found + wire.run()] == [REPLY_RAW], "once, under the new key"
    assert repaired(wire)


def test_a_key_is_changed_under_the_one_before() -> None:
    wire = online()
    assert wire.panel.pair(OTHER, KEY, 0)
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
    wire.panel.pair(KEY, osdp.SCBK_D, 0)
    wire.run(6)
    assert wire.panel.pairing == osdp_panel.PAIR_REFUSED
    assert wire.reader.key == OTHER


def test_no_first_key_without_the_word() -> None:
    panel = Wire(None, Reader(5)).panel
    assert not panel.pair(KEY, b"", 0)
    assert not panel.pair(KEY[:15], osdp.SCBK_D, 0)
    assert not panel.pair(osdp.SCBK_D, osdp.SCBK_D, 0)


def test_a_key_whose_acknowledgement_is_lost_counts_when_the_reader_proves_it() -> None:
    wire = online()
    wire.panel.pair(OTHER, KEY, 0)
    while wire.reader.key != OTHER:
        wire.exchange(lambda answer: b"" if wire.reader.key == OTHER else answer)
    wire.run(4)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE


def test_a_reader_may_acknowledge_its_key_outside_the_channel() -> None:
    wire = online()
    wire.panel.pair(OTHER, KEY, 0)

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
    wire.panel.pair(OTHER, KEY, 0)
    wire.run(3)
    wire.reader.restart()
    wire.exchange()
    assert wire.reader.key == KEY
    wire.run(9)
    assert wire.panel.pairing == osdp_panel.PAIR_DONE
    assert wire.reader.key == OTHER


def test_a_key_that_never_reached_the_reader_does_not_count() -> None:
    wire = online()
    wire.panel.pair(OTHER, KEY, 0)
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
    wire.panel.pair(OTHER, KEY, 0)
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
    wire.panel.pair(OTHER, KEY, 0)
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
