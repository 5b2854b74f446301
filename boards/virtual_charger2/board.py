"""Pins of the virtual charger controller with two ports: GPIO relays, HLW8012 meters (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from esp32 import PCNT
from machine import ADC, UART, Pin, Signal

BOARD = "virtual-charger2"
KIND = "charger"
capabilities = {
    "cards": 20000, "points": 2, "readers": 1, "rtc": True, "wifi": True,
    "supply": True, "mains": True,
}  # fmt: skip
SUPPLY_LOW_MV = 11000
SUPPLY_HOLD_MV = 10000
STATION_LIMIT_W = 2200
STATION_START_LIMIT_W = 2000
_SUPPLY_DIVIDER = 5  # 12 V come as 2.4 V

_RELAYS = (26, 33)
_CF = (18, 19)
_THERMISTORS = (32, 34, 35)
# a second of a reader's line: longer than any step of a handshake, when nobody looks at it
_READER_BYTES = 1024
_FILTER_TICKS = 1023  # of 80 MHz; a pulse at CF has 38 us at least

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def safe_state() -> None:
    """The first act of boot.py: no port is powered."""
    for number in _RELAYS:
        Pin(number, Pin.OUT, value=0)


def relays() -> "list[Pin]":
    """One relay a port; on = powered."""
    return [Pin(number, Pin.OUT) for number in _RELAYS]


def readers() -> "list[tuple[str, UART, dict[str, Pin]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    return [("virtual", UART(1, 9600, rx=16, tx=17, rxbuf=_READER_BYTES), {})]


def inputs() -> "dict[str, Pin | Signal]":
    """Contacts by name; value() is 1 when what the name says is so."""
    loops = {"fire": 22, "tamper": 23, "estop": 13}  # broken loop = alarm
    found: "dict[str, Pin | Signal]" = {
        name: Pin(number, Pin.IN, Pin.PULL_UP) for name, number in loops.items()
    }
    to_ground = {
        "leakage": 21, "reset": 15, "plug": 25, "plug2": 27, "button": 4, "button2": 5,
    }  # fmt: skip
    for name, number in to_ground.items():
        found[name] = Signal(Pin(number, Pin.IN, Pin.PULL_UP), invert=True)
    # the opto-coupler pulls it down for as long as there are mains
    found["mains"] = Signal(Pin(39, Pin.IN), invert=True)
    return found


def supply() -> int:
    """What feeds the board, mV; ADC1, which Wi-Fi leaves alone."""
    millivolts: int = ADC(Pin(36), atten=ADC.ATTN_11DB).read_uv() // 1000 * _SUPPLY_DIVIDER
    return millivolts


def meters() -> "list[tuple[str, Any, dict[str, Any]]]":
    """Kind (a module of firmware/meters), port and options of each row of meters."""
    counters = [_counted(unit, number) for unit, number in enumerate(_CF)]
    return [("hlw8012", counters, {"shunt_uohm": 1000, "divider": (2350000, 1000)})]


def _counted(unit: int, number: int) -> PCNT:
    """A counter of the falling edges of a pin, without what is shorter than 12.8 us."""
    pin = Pin(number, Pin.IN)
    counter = PCNT(unit, pin=pin, falling=PCNT.INCREMENT, filter=_FILTER_TICKS)
    counter.init(value=0)  # what it counted before a soft reset
    counter.start()
    return counter


def thermistors() -> "tuple[bytes, Callable[[int], int]]":
    """Where each is (a port, 255 the board's own), and what reads its divider's voltage, uV."""
    adcs = [ADC(Pin(number), atten=ADC.ATTN_11DB) for number in _THERMISTORS]
    return b"\0\1\xff", lambda index: adcs[index].read_uv()


def indicator() -> Pin:
    """The status light."""
    return Pin(2, Pin.OUT)
