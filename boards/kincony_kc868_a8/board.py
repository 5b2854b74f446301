"""Pins of a KinCony KC868-A8 as a charging station: four ports, BL0942 beside it (device)."""

from chip import *  # noqa: F403 - what the chip offers, every board with it offers
from expander_bus import Bus
from machine import UART, Pin
from output import Outputs
from pcf8574 import Pcf8574
from pcf8574_in import Contact, Pcf8574Inputs

BOARD = "kincony-kc868-a8"
KIND = "charger"
capabilities = {"cards": 20000, "points": 4, "readers": 1, "rtc": True, "wifi": True}
STATION_LIMIT_W = 3000
STATION_START_LIMIT_W = 2700

_PORTS = 4
_SCL, _SDA = 5, 4
_CONTACTOR = 32
_METER_LINES = ((0, 1, 2, 3),)
_LED = 2
# a second of a reader's line: longer than any step of a handshake, when nobody looks at it
_READER_BYTES = 1024
_BUS: "list[Bus]" = []
_CONTACTS: "list[Pcf8574Inputs]" = []

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _bus() -> Bus:
    """One for boot and firmware, so that both know what the relays' chip was told."""
    if not _BUS:
        bus = Bus(_SCL, _SDA)
        Pcf8574(bus, 0x24)
        _CONTACTS.append(Pcf8574Inputs(bus, 0x22))
        _BUS.append(bus)
    return _BUS[0]


def safe_state() -> None:
    """The first act of boot.py: no port is powered, whatever the relays' chip still holds.

    The contactor's pin comes first: with the bus stuck it is what safety rests on.
    """
    Pin(_CONTACTOR, Pin.OUT, value=0)
    _bus().safe()


def contactor() -> Pin:
    """Power to all ports; 1 = closed."""
    return Pin(_CONTACTOR, Pin.OUT)


def relays() -> Outputs:
    """One relay a port; on = powered."""
    return Outputs(_bus().chips, 8, _PORTS)


def readers() -> "list[tuple[str, UART, dict[str, Pin]]]":
    """Kind (a module of firmware/readers), port and options of each row of readers."""
    # nothing is sent: 16 leads nowhere on this board
    return [("rdm6300", UART(1, 9600, rx=13, tx=16, rxbuf=_READER_BYTES), {})]


def inputs() -> "dict[str, Contact]":
    """Contacts by name; value() is 1 when what the name says is so."""
    _bus()
    dark = ("smoke", "tamper", "estop")  # inputs 1 to 3, loops: broken = alarm
    lit = ("reset", "button", "button2", "button3", "button4")  # inputs 4 to 8, to ground
    found = {}
    for number, name in enumerate(dark + lit):
        found[name] = Contact(_CONTACTS[0], number, name in lit)
    return found


def meters() -> "list[tuple[str, UART, dict[str, Any]]]":
    """Kind (a module of firmware/meters), port and options of each row of meters."""
    options = {
        "lines": _METER_LINES, "select": (), "shunt_uohm": 1000, "divider": (1950000, 510),
    }  # fmt: skip
    return [("bl0942", UART(2, 9600, rx=14, tx=33, rxbuf=256), options)]


def indicator() -> Pin:
    """The status light, an LED of your own."""
    return Pin(_LED, Pin.OUT)
