"""Pins of the virtual door controller with two OSDP readers on one line (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import UART, Pin, Signal

BOARD = "virtual-door-osdp"
KIND = "door"
capabilities = {
    "cards": 20000, "points": 1, "readers": 2, "osdp": True, "rtc": True, "wifi": True,
}  # fmt: skip

_LOCK = 26
_LED = 2
_RX, _TX = 16, 17
_RELAYS = (_LOCK,)
_READER_BYTES = 512  # more than any two answers
_ADDRESSES = (0, 1)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def safe_state() -> None:
    """The first act of boot.py: every relay off, which is its fail state."""
    for number in _RELAYS:
        Pin(number, Pin.OUT, value=0)


def relays() -> "list[Pin]":
    """One relay a point; on = powered."""
    return [Pin(number, Pin.OUT) for number in _RELAYS]


def readers() -> "list[tuple[str, Any, dict[str, Any]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    uart = UART(1, 9600, rx=_RX, tx=_TX, rxbuf=_READER_BYTES)
    # the transceiver switches its direction by itself
    return [("osdp", uart, {"addresses": _ADDRESSES, "baud": 9600})]


def inputs() -> "dict[str, Pin | Signal]":
    """Contacts by name; value() is 1 when what the name says is so."""
    return {
        "door": Pin(32, Pin.IN, Pin.PULL_UP),  # leaf open: the contact's loop is broken
        "rex": Signal(Pin(33, Pin.IN, Pin.PULL_UP), invert=True),
        "fire": Pin(22, Pin.IN, Pin.PULL_UP),  # broken loop = alarm, so a cut wire releases
        "tamper": Pin(23, Pin.IN, Pin.PULL_UP),
    }


def indicator() -> Pin:
    """The status light."""
    return Pin(_LED, Pin.OUT)
