"""Pins of the virtual charger controller: one port, a reader, plug contact, meter (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from machine import ADC, UART, Pin, Signal

BOARD = "virtual-charger"
KIND = "charger"
capabilities = {
    "cards": 20000, "points": 1, "readers": 1, "rtc": True, "wifi": True,
    "supply": True, "mains": True,
}  # fmt: skip
SUPPLY_LOW_MV = 11000
SUPPLY_HOLD_MV = 10000
_SUPPLY_DIVIDER = 5  # 12 V come as 2.4 V

_PORT_0 = 26
# a second of a reader's line: longer than any step of a handshake, when nobody looks at it
_READER_BYTES = 1024


def safe_state() -> None:
    """The first act of boot.py: no port is powered."""
    Pin(_PORT_0, Pin.OUT, value=0)


def relays() -> "list[Pin]":
    """One contactor a port; on = powered."""
    return [Pin(_PORT_0, Pin.OUT)]


def readers() -> "list[tuple[str, UART, dict[str, Pin]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    return [("virtual", UART(1, 9600, rx=16, tx=17, rxbuf=_READER_BYTES), {})]


def inputs() -> "dict[str, Pin | Signal]":
    """Contacts by name; value() is 1 when what the name says is so."""
    loops = {"fire": 22, "tamper": 23}  # broken loop = alarm
    found: "dict[str, Pin | Signal]" = {
        name: Pin(number, Pin.IN, Pin.PULL_UP) for name, number in loops.items()
    }
    found["plug"] = Signal(Pin(33, Pin.IN, Pin.PULL_UP), invert=True)
    # the opto-coupler pulls it down for as long as there are mains
    found["mains"] = Signal(Pin(39, Pin.IN), invert=True)
    return found


def supply() -> int:
    """What feeds the board, mV; ADC1, which Wi-Fi leaves alone."""
    millivolts: int = ADC(Pin(36), atten=ADC.ATTN_11DB).read_uv() // 1000 * _SUPPLY_DIVIDER
    return millivolts


def meters() -> "list[tuple[str, list[ADC], dict[str, int]]]":
    """Kind (a module of firmware/meters), port and options of each row of meters."""
    return [("analog", [ADC(Pin(34, Pin.IN), atten=ADC.ATTN_11DB)], {})]


def indicator() -> Pin:
    """The status light."""
    return Pin(2, Pin.OUT)
