"""Pins of the virtual four-door controller: four locks, two readers, contacts (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import ADC, UART, Pin, Signal

BOARD = "virtual-doors4"
KIND = "door"
capabilities = {"cards": 20000, "points": 4, "readers": 2, "rtc": True, "wifi": True}

_LED = 2
_RELAYS = (26, 13, 22, 21)
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
    """Kind (a module of firmware/readers), port and options of each; they go round the doors."""
    return [
        ("virtual", UART(1, 9600, rx=16, tx=17, rxbuf=_READER_BYTES), {}),
        ("virtual", UART(2, 9600, rx=25, tx=27, rxbuf=_READER_BYTES), {}),
    ]


def inputs() -> "dict[str, Pin | Signal | ADC]":
    """Contacts by name; value() is 1 when what the name says is so; an ADC is a supervised line."""
    found: "dict[str, Pin | Signal | ADC]" = {
        "fire": ADC(Pin(36), atten=ADC.ATTN_11DB),  # cut, shorted or acted: the doors are released
        "tamper": Pin(23, Pin.IN, Pin.PULL_UP),
    }
    for end, leaf, rex in (("", 32, 33), ("2", 4, 5), ("3", 18, 19), ("4", 39, 15)):
        # the contact's loop is broken; 39 has no pull-up but that on the board
        pull = Pin.PULL_UP if leaf < 34 else -1
        found["door" + end] = Pin(leaf, Pin.IN, pull)
        found["rex" + end] = Signal(Pin(rex, Pin.IN, Pin.PULL_UP), invert=True)
    return found


def indicator() -> Pin:
    """The status light."""
    return Pin(_LED, Pin.OUT)
