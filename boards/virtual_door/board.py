"""Pins of the virtual door controller: one lock, two readers, four contacts (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import ADC, UART, Pin, Signal

BOARD = "virtual-door"
KIND = "door"
capabilities = {
    "cards": 20000, "points": 1, "readers": 2, "rtc": True, "wifi": True,
    "supply": True, "mains": True,
}  # fmt: skip
SUPPLY_LOW_MV = 11000
SUPPLY_HOLD_MV = 10000
_SUPPLY_DIVIDER = 5  # 12 V come as 2.4 V

_LOCK = 26
_LED = 2
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


def readers() -> "list[tuple[str, UART]]":
    """Kind (a module of firmware/readers) and UART of each reader."""
    return [
        ("virtual", UART(1, 9600, rx=16, tx=17, rxbuf=_READER_BYTES)),
        ("rdm6300", UART(2, 9600, rx=25, tx=27, rxbuf=_READER_BYTES)),
    ]


def inputs() -> "dict[str, Pin | Signal]":
    """Contacts by name; value() is 1 when what the name says is so."""
    return {
        "door": Pin(32, Pin.IN, Pin.PULL_UP),  # leaf open: the contact's loop is broken
        "rex": Signal(Pin(33, Pin.IN, Pin.PULL_UP), invert=True),
        "fire": Pin(22, Pin.IN, Pin.PULL_UP),  # broken loop = alarm, so a cut wire releases
        "tamper": Pin(23, Pin.IN, Pin.PULL_UP),
        # the opto-coupler pulls it down for as long as there are mains
        "mains": Signal(Pin(39, Pin.IN), invert=True),
    }


def supply() -> int:
    """What feeds the board, mV; ADC1, which Wi-Fi leaves alone."""
    millivolts: int = ADC(Pin(36), atten=ADC.ATTN_11DB).read_uv() // 1000 * _SUPPLY_DIVIDER
    return millivolts


def indicator() -> Pin:
    """The status light."""
    return Pin(_LED, Pin.OUT)
