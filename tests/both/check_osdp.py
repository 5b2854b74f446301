"""OSDP frames, cards and the secure channel against what libosdp said (both).

The vectors of osdp.json are exchanges with libosdp 3.2.9 as the reader, captured by
tests/vectors/generate_osdp.py: the panel must send the same bytes and believe the same answers.
"""

from protocol import osdp_panel
from protocol.codes import (
    CREDENTIAL_OSDP_RAW,
    CREDENTIAL_WIEGAND26,
    CREDENTIAL_WIEGAND34,
    CREDENTIAL_WIEGAND37,
)
from protocol.osdp_card import credential
from protocol.osdp_frame import Receiver, crc16
from protocol.osdp_panel import Panel
from tests.both.block_cipher import aes
from tests.both.osdp_reader import crc, with_crc
from tests.both.support import flipped, vectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY = bytes(range(16))
ACK = bytes.fromhex("5385080005403fbc")  # of libosdp, to the panel's POLL with number 1


def card_data(bits: str, format_code: int = 1) -> bytes:
    padded = bits + "0" * (-len(bits) % 8)
    packed = bytes([int(padded[at : at + 8], 2) for at in range(0, len(padded), 8)])
    return bytes((0, format_code, len(bits) & 0xFF, len(bits) >> 8)) + packed


def with_parity(bits: str) -> str:
    """The Wiegand frame around these bits: even over the first half, odd over the last."""
    half = (len(bits) + 2 + 1) // 2 - 1
    first = bits[:half].count("1") % 2
    last = 1 - bits[len(bits) - half :].count("1") % 2
    return str(first) + bits + str(last)


def as_bits(value: int, count: int) -> str:
    return "".join(str(value >> count - 1 - at & 1) for at in range(count))


def read(data: bytes) -> "tuple[int, bytes]":
    out = bytearray(32)
    found = credential(data, 0, len(data), out)
    return found >> 8, bytes(out[: found & 0xFF])


def taken(data: bytes) -> int:
    return Receiver().take(data, len(data))


# --- frames ---------------------------------------------------------------------------------


def test_crc_is_the_one_of_the_standard() -> None:
    for data in (b"", b"\x00", b"\x53\x00\x08\x00\x04\x60", bytes(range(256))):
        assert crc16(data, len(data)) == crc(data)


def test_a_reply_is_found_behind_noise_and_behind_the_panel_s_own_command() -> None:
    command = bytes.fromhex("5305080005608dba")
    assert taken(ACK) == len(ACK)
    assert taken(b"\xff\x00\xff" + ACK) == len(ACK)
    assert taken(command + ACK) == len(ACK)
    assert taken(command) == 0


def test_a_reply_may_come_byte_by_byte() -> None:
    receiver = Receiver()
    found = [receiver.take(bytes((byte,)), 1) for byte in ACK]
    assert found == [0] * (len(ACK) - 1) + [len(ACK)]


def test_nothing_counts_behind_the_reply() -> None:
    receiver = Receiver()
    assert receiver.take(ACK, len(ACK)) == len(ACK)
    assert receiver.take(ACK, len(ACK)) == -1
    receiver.clear()
    assert receiver.take(ACK, len(ACK)) == len(ACK)


def test_every_flipped_bit_of_a_reply_is_no_reply() -> None:
    for bit in range(8 * len(ACK)):
        assert taken(flipped(ACK, bit)) <= 0, bit


def test_a_reply_with_a_mere_checksum_is_none() -> None:
    for control, expected in ((5, len(ACK)), (1, -1)):
        assert taken(with_crc(ACK[:4] + bytes((control,)) + ACK[5:-2])) == expected


def test_a_length_that_no_frame_has_is_noise() -> None:
    for length in (0, 7, 129, 0x7F00, 0xFFFF):
        frame = ACK[:2] + bytes((length & 0xFF, length >> 8)) + ACK[4:]
        assert taken(frame) == -1, length


# --- cards ----------------------------------------------------------------------------------


def test_wiegand_formats_become_wiegand_credentials() -> None:
    for count, kind, value, expected in (
        (24, CREDENTIAL_WIEGAND26, 0x7BD431, "7bd431"),
        (32, CREDENTIAL_WIEGAND34, 0xDEADBEEF, "deadbeef"),
        (35, CREDENTIAL_WIEGAND37, 0x5 << 32 | 0x12345678, "0512345678"),
    ):
        bits = with_parity(as_bits(value, count))
        for format_code in (0, 1):
            assert read(card_data(bits, format_code)) == (kind, bytes.fromhex(expected))


def test_every_wrong_bit_of_a_wiegand_format_is_doubtful() -> None:
    for count in (24, 32, 35):
        bits = with_parity(as_bits(0x1234567, count))
        for at in range(len(bits)):
            wrong = bits[:at] + ("1" if bits[at] == "0" else "0") + bits[at + 1 :]
            assert read(card_data(wrong)) == (0, b""), (count, at)


def test_other_lengths_never_collide() -> None:
    seen = set()
    for count in list(range(1, 60)) + [200, 248]:  # noqa: RUF005 - MicroPython has no other
        if count in (26, 34, 37):
            continue
        kind, found = read(card_data("0" * count, 0))
        assert (kind, found[0], len(found)) == (CREDENTIAL_OSDP_RAW, count, 1 + (count + 7) // 8)
        seen.add(found)
    assert len(seen) == 58


def test_bits_behind_the_last_do_not_count() -> None:
    data = card_data("1" * 9, 0)
    assert read(data) == read(data[:-1] + b"\xff") == (CREDENTIAL_OSDP_RAW, b"\x09\xff\x80")


def test_card_data_of_another_length_or_format_are_doubtful() -> None:
    good = card_data(with_parity(as_bits(5, 24)))
    for bad in (
        good[:-1],
        good + b"\x00",
        good[:1] + b"\x02" + good[2:],
        card_data(""),
        card_data("1" * 249, 0),
        b"",
        good[:4],
    ):
        assert read(bad) == (0, b""), bad


# --- what libosdp said ----------------------------------------------------------------------


def panel_of(session: "dict[str, Any]") -> Panel:
    key = session["key"]
    nonce = bytes.fromhex(session["nonce"])
    return Panel(5, bytes.fromhex(key) if key else None, 9600, False, aes, lambda _: nonce)


def replay(session: "dict[str, Any]") -> "list[tuple[int, str]]":
    """What the panel took for cards and keys, as (reply, data)."""
    panel, receiver, out = panel_of(session), Receiver(), bytearray(128)
    events = []
    for sent, answer in session["exchanges"]:
        length = panel.compose(out)
        assert bytes(out[:length]).hex() == sent
        data = bytes.fromhex(answer)
        receiver.clear()
        length = receiver.take(data, len(data))
        reply = panel.receive(receiver.frame, length)
        if reply:
            events.append((reply, bytes(receiver.frame[panel.data_at : panel.data_end]).hex()))
    assert panel.state == osdp_panel.ONLINE
    assert panel.trouble == session["trouble"]
    return events


def test_the_panel_says_and_believes_what_it_did_with_libosdp() -> None:
    for session in vectors("osdp"):
        events = [[reply, data] for reply, data in replay(session)]
        assert events == session["events"], session["name"]
