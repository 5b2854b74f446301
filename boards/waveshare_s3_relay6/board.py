"""Pins of a Waveshare ESP32-S3-Relay-6CH as a door: relay CH1, two OSDP readers (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import UART, Pin
from pixel import Pixel

BOARD = "waveshare-s3-relay6"
KIND = "door"
capabilities = {
    "cards": 50000, "points": 1, "readers": 2, "osdp": True, "rtc": True, "wifi": True,
}  # fmt: skip

_LOCK = 1
# CH2 to CH4: nothing hangs on them, and they are never powered. CH5 and CH6 stand on strapping pins
_SPARE = (2, 41, 42)
_PIXEL = 38
_RX, _TX = 18, 17
_RELAYS = (_LOCK,)
_READER_BYTES = 512  # more than any two answers
_ADDRESSES = (0, 1)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def safe_state() -> None:
    """The first act of boot.py: every relay off, which is its fail state."""
    for number in _RELAYS + _SPARE:
        Pin(number, Pin.OUT, value=0)


def relays() -> "list[Pin]":
    """One relay a point; on = powered."""
    return [Pin(number, Pin.OUT) for number in _RELAYS]


def readers() -> "list[tuple[str, Any, dict[str, Any]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    uart = UART(1, 9600, rx=_RX, tx=_TX, rxbuf=_READER_BYTES)
    # the transceiver switches its direction by itself
    return [("osdp", uart, {"addresses": _ADDRESSES, "baud": 9600})]


def inputs() -> "dict[str, Pin]":
    """None: which GPIO stands at which pin of its header, no document at hand says."""
    return {}


def indicator() -> Pixel:
    """The status light."""
    return Pixel(Pin(_PIXEL, Pin.OUT))
