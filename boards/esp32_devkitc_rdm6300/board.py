"""Pins of an ESP32-DevKitC wired as a door: one lock, an RDM6300 (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import UART, Pin, Signal

BOARD = "esp32-devkitc-rdm6300"
KIND = "door"
capabilities = {"cards": 20000, "points": 1, "readers": 1, "rtc": True, "wifi": True}

_LOCK = 26
_LED = 23
_RX, _TX = 18, 19
_RELAYS = (_LOCK,)
# a second of a reader's line: longer than any step of a handshake, when nobody looks at it
_READER_BYTES = 1024


def safe_state() -> None:
    """The first act of boot.py: every relay off, which is its fail state."""
    for number in _RELAYS:
        Pin(number, Pin.OUT, value=0)


def relays() -> "list[Pin]":
    """One relay a point; on = powered."""
    return [Pin(number, Pin.OUT) for number in _RELAYS]


def readers() -> "list[tuple[str, UART, dict[str, Pin]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    return [("rdm6300", UART(2, 9600, rx=_RX, tx=_TX, rxbuf=_READER_BYTES), {})]


def inputs() -> "dict[str, Pin | Signal]":
    """Contacts by name; value() is 1 when what the name says is so."""
    return {
        "door": Pin(32, Pin.IN, Pin.PULL_UP),  # leaf open: the contact's loop is broken
        "rex": Signal(Pin(33, Pin.IN, Pin.PULL_UP), invert=True),
        "fire": Pin(27, Pin.IN, Pin.PULL_UP),  # broken loop = alarm, so a cut wire releases
        "tamper": Pin(25, Pin.IN, Pin.PULL_UP),
    }


def indicator() -> Pin:
    """The status light."""
    return Pin(_LED, Pin.OUT)
