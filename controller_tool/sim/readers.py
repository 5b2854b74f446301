"""Card readers at a virtual board's UARTs: what they send when a card is held to them (host)."""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING, Any

from controller_tool.sim.cable import waiting_bytes
from controller_tool.sim.chips import mfrc522
from controller_tool.sim.chips.pn532 import Card, Pn532
from controller_tool.sim.page import PageView, layout
from protocol.codes import (
    CREDENTIAL_EM4100,
    CREDENTIAL_ISO14443A,
    CREDENTIAL_ISO14443B,
    CREDENTIAL_WIEGAND26,
    CREDENTIAL_WIEGAND34,
    CREDENTIAL_WIEGAND37,
)
from protocol.constants import CREDENTIAL_MAX_BYTES

if TYPE_CHECKING:
    from controller_tool.sim.chip import Pipe

_EM4100_BYTES = 5
_KEY_MAX = 11
_SHORT_KEY_BITS = 4


HELD_S = 0.5  # a card that is swiped over a reader that has to find it


class BadStimulus(Exception):
    """The stimulus makes no sense on this board; the text says why."""


def virtual_frame(kind: int, credential: bytes) -> bytes:
    """The virtual reader's frame (firmware/readers/virtual.py): any type of credential."""
    if not 0 < len(credential) <= CREDENTIAL_MAX_BYTES:
        raise BadStimulus(f"a credential has 1 to {CREDENTIAL_MAX_BYTES} bytes")
    frame = bytes((0x56, kind, len(credential))) + credential
    return frame + bytes((_xor(frame),))


def virtual_key(key: int) -> bytes:
    """A key of the virtual reader, in a frame of its own; 10 is *, 11 is #."""
    _known(key)
    return virtual_frame(0, bytes((key,)))


def _known(key: int) -> None:
    if not 0 <= key <= _KEY_MAX:
        raise BadStimulus("a keypad has the keys 0 to 9, * and #")


def rdm6300_frame(kind: int, credential: bytes) -> bytes:
    """An RDM6300's frame: ten hex digits and their checksum; EM4100 cards only."""
    if kind != CREDENTIAL_EM4100 or len(credential) != _EM4100_BYTES:
        raise BadStimulus("an RDM6300 reads EM4100 cards of 5 bytes only")
    digits = (credential + bytes((_xor(credential),))).hex().upper()
    return b"\x02" + digits.encode() + b"\x03"


FRAMES = {"virtual": virtual_frame, "rdm6300": rdm6300_frame}
_WIEGAND_BITS = {CREDENTIAL_WIEGAND26: 26, CREDENTIAL_WIEGAND34: 34, CREDENTIAL_WIEGAND37: 37}
_LEAD_US = 2000
_PULSE_US = 2000


def wiegand_bits(kind: int, credential: bytes) -> list[int]:
    """A Wiegand frame: the number between an even and an odd parity bit."""
    count = _WIEGAND_BITS.get(kind)
    value = int.from_bytes(credential)
    if count is None or len(credential) != (count + 5) // 8 or value >> (count - 2):
        raise BadStimulus("a Wiegand reader sends Wiegand credentials of 3, 4 or 5 bytes only")
    inner = [value >> place & 1 for place in reversed(range(count - 2))]
    half = (count + 1) // 2 - 1
    return [sum(inner[:half]) & 1, *inner, 1 - (sum(inner[-half:]) & 1)]


def wiegand_key(key: int, bits: int) -> list[int]:
    """A key of a Wiegand keypad; 10 is *, 11 is #."""
    _known(key)
    value = key if bits == _SHORT_KEY_BITS else (15 - key) << 4 | key
    return [value >> place & 1 for place in reversed(range(bits))]


def pulse(page: PageView, wired: dict[str, Any], bits: list[int], pitch_us: int = _PULSE_US) -> int:
    """Low pulses on D0 and D1, so far apart; returns for how many us they go on."""
    at_us = time.monotonic_ns() // 1000 + _LEAD_US
    count = page.word(layout.EDGE_COUNT)
    for bit in bits:
        entry = layout.EDGES + count % layout.EDGE_ENTRIES * layout.EDGE_BYTES
        pin = wired["d1" if bit else "d0"]
        struct.pack_into("<II", page.bytes, entry, at_us & layout.TICKS_MASK, pin)
        at_us += pitch_us
        count += 1
    page.set_word(layout.EDGE_COUNT, count)
    return at_us - time.monotonic_ns() // 1000


class Pn532Reader:
    """A PN532 on a UART, and the cards that people hold to it."""

    def __init__(self, uart: int) -> None:
        self.uart = uart
        self.chip = Pn532()

    def hold(self, cards: list[tuple[int, bytes]]) -> None:
        """These cards, (type, number) each, are in its field from now on, and no other."""
        for kind, number in cards:
            if kind not in (CREDENTIAL_ISO14443A, CREDENTIAL_ISO14443B):
                raise BadStimulus("a PN532 reads ISO 14443 cards only")
            if len(number) not in ((4, 7, 10) if kind == CREDENTIAL_ISO14443A else (8,)):
                raise BadStimulus("a UID has 4, 7 or 10 bytes, an ID card's number 8")
        self.chip.hold(*(Card(kind, number) for kind, number in cards))

    def fail(self, fault: str) -> None:
        """silent, awake, reset, flip (bit 80 of the next answer) or cut (5 bytes of it)."""
        if fault in ("silent", "awake"):
            self.chip.silent = fault == "silent"
        elif fault == "reset":
            self.chip.reset()
        elif fault == "flip":
            self.chip.flip = 80
        elif fault == "cut":
            self.chip.cut = 5
        else:
            raise BadStimulus(f"unknown fault {fault!r}")


class Mfrc522Reader:
    """An MFRC522 on SPI: the board's process plays it, the page says what is in its field."""

    uart = None

    def __init__(self, page: PageView) -> None:
        self._page = page

    def hold(self, cards: list[tuple[int, bytes]]) -> None:
        """These cards, (type, UID) each, are in its field from now on, and no other."""
        if len(cards) > layout.FIELD_CARDS:
            raise BadStimulus(f"this field holds {layout.FIELD_CARDS} cards")
        held = b""
        for kind, number in cards:
            if kind != CREDENTIAL_ISO14443A or len(number) not in (4, 7, 10):
                raise BadStimulus("an RC522 reads ISO 14443-A cards of 4, 7 or 10 bytes only")
            held += bytes((kind, len(number))) + number.ljust(10, b"\0")
        size = layout.FIELD_CARDS * layout.FIELD_CARD_BYTES
        self._page.bytes[layout.FIELD : layout.FIELD + size] = held.ljust(size, b"\0")

    def fail(self, fault: str) -> None:
        """silent, crypto, transmitter, or well."""
        faults = {
            "well": 0, "silent": mfrc522.FAULT_SILENT, "crypto": mfrc522.FAULT_CRYPTO,
            "transmitter": mfrc522.FAULT_TRANSMITTER,
        }  # fmt: skip
        if fault not in faults:
            raise BadStimulus(f"unknown fault {fault!r}")
        self._page.bytes[layout.FIELD_FAULTS] = faults[fault]


def receive(page: PageView, pipe: Pipe, uart: int, data: bytes) -> int:
    """Bytes reach a UART of the board; returns how many its receive buffer had no room for."""
    at = layout.UARTS + uart * layout.UART_BYTES
    if not page.bytes[at]:
        return len(data)
    room = max(0, page.word(at + 4) - waiting_bytes(pipe.read))
    os.write(pipe.write, data[:room])
    return max(0, len(data) - room)


def _xor(data: bytes) -> int:
    total = 0
    for byte in data:
        total ^= byte
    return total


def chips_of(rows: list[dict[str, Any]], page: PageView) -> dict[int, Any]:
    """The readers of a board, by number, that are chips with a field."""
    made: dict[int, Any] = {}
    for number, row in enumerate(rows):
        if row["kind"] == "pn532":
            made[number] = Pn532Reader(row["uart"])
        elif row["kind"] == "rc522":
            made[number] = Mfrc522Reader(page)
    return made
