"""Pins of an Olimex ESP32-EVB as a door: its first relay, a reader at UEXT, Ethernet (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import UART, Pin, Signal
from networks import Networks, ethernet

BOARD = "olimex-esp32-evb"
KIND = "door"
capabilities = {
    "cards": 20000, "points": 1, "readers": 1, "rtc": True, "wifi": True, "ethernet": True,
}  # fmt: skip

_LOCK = 32
_SPARE = 33  # REL2: nothing hangs on it, and it is never powered
_LED = 14
_CLOCK = 0  # 50 MHz from the oscillator on the board
_PHY = 0
_RELAYS = (_LOCK,)
# a second of a reader's line: longer than any step of a handshake, when nobody looks at it
_READER_BYTES = 1024


def safe_state() -> None:
    """The first act of boot.py: every relay off, which is its fail state."""
    for number in (_LOCK, _SPARE):
        Pin(number, Pin.OUT, value=0)


def relays() -> "list[Pin]":
    """One relay a point; on = powered."""
    return [Pin(number, Pin.OUT) for number in _RELAYS]


def readers() -> "list[tuple[str, UART, dict[str, Pin]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    # nothing is sent; the pin of CAN-TX rests high, which leaves a CAN bus alone
    return [("rdm6300", UART(1, 9600, rx=36, tx=5, rxbuf=_READER_BYTES), {})]


def inputs() -> "dict[str, Pin | Signal]":
    """Contacts by name; value() is 1 when what the name says is so."""
    return {
        "door": Pin(13, Pin.IN, Pin.PULL_UP),  # leaf open: the contact's loop is broken
        "rex": Signal(Pin(16, Pin.IN, Pin.PULL_UP), invert=True),
        "fire": Pin(17, Pin.IN, Pin.PULL_UP),  # broken loop = alarm, so a cut wire releases
        "tamper": Pin(4, Pin.IN, Pin.PULL_UP),
    }


def station() -> Networks:  # type: ignore[no-redef] # the chip has Wi-Fi alone
    """Ethernet and Wi-Fi, the radio always on."""
    return ethernet(_CLOCK, Pin.IN, _PHY)


def indicator() -> Pin:
    """The status light, an LED of your own."""
    return Pin(_LED, Pin.OUT)
