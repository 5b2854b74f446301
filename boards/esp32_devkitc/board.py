"""Pins of an ESP32-DevKitC wired as a door: one lock, a Wiegand reader with keypad (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from esp32 import PCNT
from machine import Pin, Signal

BOARD = "esp32-devkitc"
KIND = "door"
capabilities = {"cards": 20000, "points": 1, "readers": 1, "rtc": True, "wifi": True}

_LOCK = 26
_LED = 23
_D0, _D1 = 18, 19
_LAMP, _BUZZER = 21, 22
_RELAYS = (_LOCK,)
_FILTER_TICKS = 1023  # of 80 MHz; a reader's pulse has 20 to 100 us

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
    zero, one = Pin(_D0, Pin.IN, Pin.PULL_UP), Pin(_D1, Pin.IN, Pin.PULL_UP)
    lines = zero, _counted(0, zero), one, _counted(1, one)
    # both are active low on most readers, and open when nobody drives them
    options = {
        "keypad": 4,
        "lamp": Signal(Pin(_LAMP, Pin.OUT, value=1), invert=True),
        "buzzer": Signal(Pin(_BUZZER, Pin.OUT, value=1), invert=True),
    }
    return [("wiegand", lines, options)]


def _counted(unit: int, pin: Pin) -> PCNT:
    """A counter of the falling edges of a pin, without what is shorter than 12.8 us."""
    counter = PCNT(unit, pin=pin, falling=PCNT.INCREMENT, filter=_FILTER_TICKS)
    counter.init(value=0)  # what it counted before a soft reset
    counter.start()
    return counter


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
