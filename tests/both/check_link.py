"""The link layer over a simulated line that loses, changes and doubles bytes (both)."""

from protocol.constants import (
    LINK_CREDIT_BYTES,
    LINK_FRAME_MAX_BYTES,
    LINK_FRAMES_MAX,
    LINK_PAYLOAD_MAX_BYTES,
)
from protocol.link import Link
from protocol.link_frames import CLOCK_MASK, KIND_DATA, FrameReader, seal
from tests.both.line import Faults, Line, pattern
from tests.both.support import flipped, raises

BOOT_NOISE = b"ets Jul 29 2019 12:21:46\r\nrst:0x1 (POWERON_RESET)\xc5\x20\xff\xc5\xc5\r\n" * 3
# what TLS on an ESP32 does: two handshake steps during which nobody empties the ring
HANDSHAKE = ((31, 334), (420, 698), (1200, 90), (1301, 100))

DOWN = pattern(4000)
UP = pattern(3000, 9)


def frame(payload: bytes, number: int = 0, ack: int = 0) -> bytes:
    buf = memoryview(bytearray(LINK_FRAME_MAX_BYTES))
    buf[1] = len(payload)
    buf[4 : 4 + len(payload)] = payload
    return bytes(seal(buf, KIND_DATA | number, ack))


def taken(pieces: "list[bytes]") -> "list[tuple[int, int, bytes]]":
    frames = []
    reader = FrameReader(lambda head, ack, payload: frames.append((head, ack, bytes(payload))))
    for piece in pieces:
        reader.feed(piece, 0)
    return frames


def test_frames_are_found_in_any_pieces_and_behind_any_noise() -> None:
    whole = BOOT_NOISE + frame(b"one") + b"\xc5\x00\xff" + frame(b"", 1, 2) + frame(bytes(89), 2)
    expected = [(0, 0, b"one"), (1, 2, b""), (2, 0, bytes(89))]
    for size in (1, 2, 7, 50, 1000):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        # what noise looks like may swallow no more than a frame, and only until bytes follow
        pieces.append(bytes(LINK_FRAME_MAX_BYTES))
        assert taken(pieces) == expected, size


def test_no_flipped_bit_gives_a_frame() -> None:
    good = frame(b"payload", 5, 6)
    for bit in range(8 * len(good)):
        assert taken([flipped(good, bit), bytes(LINK_FRAME_MAX_BYTES)]) == [], bit


def test_a_start_that_nothing_follows_is_given_up() -> None:
    frames = []
    reader = FrameReader(lambda head, _ack, _payload: frames.append(head))
    reader.feed(b"\xc5\x50\x00", 0)
    reader.feed(b"", 30)
    reader.feed(frame(b"swallowed?"), 31)
    assert frames == []
    for now_ms in range(60, 120):
        reader.feed(b"", now_ms)
    assert frames == [0]


def test_a_clean_line_carries_both_ways_and_drops_nothing() -> None:
    line = Line()
    line.connect()
    assert line.carry(DOWN, UP) == (DOWN, UP)
    assert (line.dropped, line.host.resent, line.device.resent) == (0, 0, 0)


def test_a_computing_controller_overflows_no_ring() -> None:
    line = Line()
    line.connect()
    assert line.carry(DOWN, UP, HANDSHAKE) == (DOWN, UP)
    assert line.dropped == 0
    assert line.most_in_ring > LINK_CREDIT_BYTES // 2
    assert (line.host.resent, line.device.resent) == (0, 0)


def test_negative_control_without_credit_the_ring_drops() -> None:
    line = Line()
    line.connect()
    line.host._window._credit_bytes = 8 * LINK_FRAME_MAX_BYTES
    raises(AssertionError, line.carry, DOWN, UP, HANDSHAKE)
    assert line.dropped > 0


def test_lossy_lines_deliver_every_byte_in_order() -> None:
    for every, kinds in ((10000, "dcx"), (1000, "d"), (1000, "c"), (1000, "x"), (300, "dcx")):
        line = Line(Faults(every, 3, kinds), BOOT_NOISE)
        line.connect()
        assert line.carry(DOWN, UP, HANDSHAKE) == (DOWN, UP), (every, kinds)


def test_a_line_that_only_breaks_gets_nothing_through() -> None:
    line = Line(Faults(1, 1, "d"))
    raises(AssertionError, line.connect, b"abcd", 3000)


def test_throughput_of_a_clean_line() -> None:
    line = Line()
    line.connect()
    start_ms = line.now_ms
    line.carry(DOWN)
    assert line.to_device_bytes <= 1.2 * len(DOWN)
    assert 0.8 * 11 * (line.now_ms - start_ms) <= 10000


def test_a_host_that_comes_back_half_way_gets_a_fresh_stream() -> None:
    line = Line()
    line.connect(b"old!")
    line.host.write(DOWN[:500])
    line.device.write(UP[:700])
    for _ in range(25):
        line.step()
    line.host = Link(False)  # the laptop was plugged out: what was on its way arrives all the same
    line.connect(b"new!")
    assert line.carry(DOWN, UP) == (DOWN, UP)


def test_a_hello_again_on_the_same_link_starts_over() -> None:
    line = Line(Faults(500, 8))
    for session in (b"one1", b"two2", b"tri3"):
        line.connect(session)
        line.host.write(DOWN[:300])
        line.device.write(UP[:300])
        for _ in range(10):
            line.step()
    line.connect(b"last")
    assert line.carry(DOWN[:1500], UP[:1500]) == (DOWN[:1500], UP[:1500])


def test_a_hello_whose_answer_was_lost_resets_nothing() -> None:
    host, device = Link(False), Link(True)
    host.open(b"abcd")
    hello = bytes(host.transmit(0))
    device.receive(hello, 0)
    answer = bytes(device.transmit(0))
    device.write(b"early")
    data = bytes(device.transmit(1))
    device.receive(hello, 2)
    again = bytes(device.transmit(2))
    assert again == answer
    host.receive(answer + data + again, 3)
    buffer = bytearray(9)
    assert host.read_into(buffer) == 5
    assert buffer[:5] == b"early"


def test_a_rebooted_controller_ends_the_old_session_at_once() -> None:
    line = Line()
    line.connect()
    line.device = Link(True)
    line.host.write(b"are you there?")
    for _ in range(20):
        line.step()
    assert not line.host.connected
    line.connect(b"next")
    assert line.carry(DOWN[:500]) == (DOWN[:500], b"")


def test_bye_ends_the_session_at_the_other_end() -> None:
    for closer in ("host", "device"):
        line = Line()
        line.connect()
        line.host.write(b"last words")
        for _ in range(30):
            line.step()
        getattr(line, closer).close()
        for _ in range(10):
            line.step()
        assert not line.host.connected
        assert not line.device.connected
        assert line.device.available == 10


def test_bye_of_an_old_session_does_not_end_the_new_one() -> None:
    device, host = Link(True), Link(False)
    for session in (b"old1", b"new2"):
        host.open(session)
        device.receive(bytes(host.transmit(0)), 0)
        host.receive(bytes(device.transmit(0)), 0)
        if session == b"old1":
            host.close()
            old_bye = bytes(host.transmit(0))
    device.receive(old_bye, 1)
    assert device.connected
    host.close()
    device.receive(bytes(host.transmit(2)), 2)
    assert not device.connected


def test_silence_ends_the_session_after_some_nine_seconds() -> None:
    line = Line()
    line.connect()
    line.host.write(b"hello?")
    line.faults = Faults(1, 1, "d")
    start_ms = line.now_ms
    while line.host.connected:
        line.step()
        assert line.now_ms - start_ms < 15000
    assert line.now_ms - start_ms > 8000


def test_a_reader_that_does_not_read_stops_the_writer_and_loses_nothing() -> None:
    line = Line()
    line.connect()
    sent = 0
    for _ in range(3000):
        sent += line.host.write(DOWN[sent:])
        line.step()
    assert line.host.connected
    assert line.device.available <= 512
    assert sent <= 512 + LINK_FRAMES_MAX * LINK_PAYLOAD_MAX_BYTES
    got = bytearray()
    buffer = bytearray(100)
    for _ in range(3000):
        sent += line.host.write(DOWN[sent:])
        line.step()
        count = line.device.read_into(buffer)
        got += buffer[:count]
    assert got == DOWN
    assert line.dropped == 0


def test_a_controller_that_keeps_few_frames_loses_none_of_them() -> None:
    line = Line(Faults(300, 3))
    line.device = Link(True, 512, 8)
    line.connect()
    assert line.device.writable == 8 * LINK_PAYLOAD_MAX_BYTES
    assert line.carry(DOWN, UP) == (DOWN, UP)


def test_the_clock_may_wrap() -> None:
    line = Line(Faults(700, 4), start_ticks=CLOCK_MASK - 400)
    line.connect()
    assert line.carry(DOWN, UP) == (DOWN, UP)
    assert line.ticks < CLOCK_MASK // 2


def test_a_peer_that_overdraws_its_credit_hurts_only_itself() -> None:
    device = Link(True)
    host = Link(False)
    host.open(b"abcd")
    device.receive(bytes(host.transmit(0)), 0)
    for number in range(12):
        device.receive(frame(bytes(89), number), 1)
    assert device.available <= 512
    assert device.connected
