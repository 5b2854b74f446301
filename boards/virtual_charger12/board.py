"""Pins of the virtual charger controller with twelve ports: two 74HC595, BL0942 (device)."""

from analog_mux import Mux
from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from hc595 import Hc595
from machine import ADC, SPI, UART, Pin, Signal
from output import Outputs

BOARD = "virtual-charger12"
KIND = "charger"
capabilities = {
    "cards": 20000, "points": 12, "readers": 1, "rtc": True, "wifi": True, "mains": True,
}  # fmt: skip
STATION_LIMIT_W = 8700
STATION_START_LIMIT_W = 7800

_PORTS = 12
_SCK, _MOSI, _LATCH, _ENABLE = 21, 22, 12, 26
_METER_SELECT = (32, 33)
_METER_LINES = ((0, 1, 2, 3),) * 3
_SENSOR_SELECT = (13, 14, 18, 19)
# a second of a reader's line: longer than any step of a handshake, when nobody looks at it
_READER_BYTES = 1024
_REGISTER: "list[Hc595]" = []

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def _register() -> Hc595:
    """One for boot and firmware, so that both know what it was told."""
    if not _REGISTER:
        spi = SPI(2, 4_000_000, sck=Pin(_SCK), mosi=Pin(_MOSI))
        latch, enable = Pin(_LATCH, Pin.OUT, value=0), Pin(_ENABLE, Pin.OUT, value=1)
        _REGISTER.append(Hc595(spi, latch, enable, 2))
    return _REGISTER[0]


def safe_state() -> None:
    """The first act of boot.py: no port is powered, whatever the latches still hold."""
    _register().safe()


def relays() -> Outputs:
    """One relay a port; on = powered."""
    return Outputs([_register()], 16, _PORTS)


def readers() -> "list[tuple[str, UART, dict[str, Pin]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    return [("virtual", UART(1, 9600, rx=16, tx=17, rxbuf=_READER_BYTES), {})]


def inputs() -> "dict[str, Pin | Signal | ADC]":
    """Contacts by name; value() is 1 when what the name says is so; an ADC is a supervised line."""
    return {
        "smoke": ADC(Pin(36), atten=ADC.ATTN_11DB),
        "tamper": Pin(5, Pin.IN, Pin.PULL_UP),  # broken loop = alarm
        "estop": Pin(39, Pin.IN),  # the same; this pin's pull-up is on the board
        "leakage": Signal(Pin(23, Pin.IN, Pin.PULL_UP), invert=True),
        "reset": Signal(Pin(4, Pin.IN, Pin.PULL_UP), invert=True),
        # the opto-coupler pulls it down for as long as there are mains
        "mains": Signal(Pin(15, Pin.IN, Pin.PULL_UP), invert=True),
    }


def meters() -> "list[tuple[str, UART, dict[str, Any]]]":
    """Kind (a module of firmware/meters), port and options of each row of meters."""
    select = tuple([Pin(number, Pin.OUT, value=0) for number in _METER_SELECT])
    options = {
        "lines": _METER_LINES, "select": select, "shunt_uohm": 1000, "divider": (1950000, 510),
    }  # fmt: skip
    return [("bl0942", UART(2, 9600, rx=25, tx=27, rxbuf=256), options)]


def thermistors() -> "tuple[bytes, Callable[[int], int]]":
    """Where each is (a port, 255 the board's own), and what reads its divider's voltage, uV."""
    select = tuple([Pin(number, Pin.OUT, value=0) for number in _SENSOR_SELECT])
    shared, own = [ADC(Pin(number), atten=ADC.ATTN_11DB) for number in (34, 35)]
    return bytes(range(_PORTS)) + b"\xff", Mux(shared, select, _PORTS, own).read_uv


def indicator() -> Pin:
    """The status light."""
    return Pin(2, Pin.OUT)
