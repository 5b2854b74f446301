"""Pins of the virtual door controller with an RC522 on SPI (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import SPI, Pin, Signal

BOARD = "virtual-door-rc522"
KIND = "door"
capabilities = {"cards": 20000, "points": 1, "readers": 1, "rtc": True, "wifi": True}

_LOCK = 26
_LED = 2
_SCK, _MOSI, _MISO, _CS = 25, 27, 34, 21
_LAMP, _BUZZER = 18, 19
_RELAYS = (_LOCK,)

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
    spi = SPI(2, 1_000_000, sck=Pin(_SCK), mosi=Pin(_MOSI), miso=Pin(_MISO))
    options = {"lamp": Pin(_LAMP, Pin.OUT, value=0), "buzzer": Pin(_BUZZER, Pin.OUT, value=0)}
    return [("rc522", (spi, Pin(_CS, Pin.OUT, value=1)), options)]


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
