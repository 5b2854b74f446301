"""Card readers at a virtual board's UARTs: what they send when a card is held to them (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from controller_tool.sim.cable import waiting_bytes
from controller_tool.sim.page import PageView, layout
from protocol.codes import CREDENTIAL_EM4100
from protocol.constants import CREDENTIAL_MAX_BYTES

if TYPE_CHECKING:
    from controller_tool.sim.chip import Pipe

_EM4100_BYTES = 5


class BadStimulus(Exception):
    """The stimulus makes no sense on this board; the text says why."""


def virtual_frame(kind: int, credential: bytes) -> bytes:
    """The virtual reader's frame (firmware/readers/virtual.py): any type of credential."""
    if not 0 < len(credential) <= CREDENTIAL_MAX_BYTES:
        raise BadStimulus(f"a credential has 1 to {CREDENTIAL_MAX_BYTES} bytes")
    frame = bytes((0x56, kind, len(credential))) + credential
    return frame + bytes((_xor(frame),))


def rdm6300_frame(kind: int, credential: bytes) -> bytes:
    """An RDM6300's frame: ten hex digits and their checksum; EM4100 cards only."""
    if kind != CREDENTIAL_EM4100 or len(credential) != _EM4100_BYTES:
        raise BadStimulus("an RDM6300 reads EM4100 cards of 5 bytes only")
    digits = (credential + bytes((_xor(credential),))).hex().upper()
    return b"\x02" + digits.encode() + b"\x03"


FRAMES = {"virtual": virtual_frame, "rdm6300": rdm6300_frame}


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
