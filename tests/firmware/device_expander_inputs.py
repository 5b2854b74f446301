"""Contacts behind a PCF8574: what they say, and what they say when nobody can ask (MicroPython)."""

import time

from controller_tool.sim.chips.expanders import Pcf8574
from tests.firmware.expander_rig import SCL, SDA, wires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ADDRESS = 0x22
_READ_MS = 6  # a little more than the driver waits


class Wired(Pcf8574):
    """The chip with opto-couplers at its pins: a bit that is 0 is lit."""

    outside = 0xFF

    def read(self, count: int) -> bytes:
        return bytes((self.levels() & self.outside,)) * count


def contacts() -> "tuple[Any, Wired, Any, Any]":
    """The bus, the chip's model, a loop at input 0 and a button at input 7."""
    wires.begin()
    bus = __import__("expander_bus").Bus(SCL, SDA)
    model = wires.chips[_ADDRESS] = Wired(bytearray(Wired.BYTES), 0)
    driver = __import__("pcf8574_in")
    inputs = driver.Pcf8574Inputs(bus, _ADDRESS)
    bus.safe()
    time.sleep_ms(_READ_MS)
    return bus, model, driver.Contact(inputs, 0, False), driver.Contact(inputs, 7, True)


def seen(contact: "Any") -> int:
    """Once the last reading is old."""
    time.sleep_ms(_READ_MS)
    level: int = contact.value()
    return level


def test_a_loop_is_1_when_broken_and_a_button_when_pressed() -> None:
    _, model, loop, button = contacts()
    for outside, broken, pressed in ((0xFE, 0, 0), (0xFF, 1, 0), (0x7E, 0, 1), (0x7F, 1, 1)):
        model.outside = outside
        assert (seen(loop), seen(button)) == (broken, pressed), outside


def test_what_cannot_be_read_says_what_cut_wires_say() -> None:
    _, model, loop, button = contacts()
    model.outside = 0x7E
    assert (seen(loop), seen(button)) == (0, 1)
    del wires.chips[_ADDRESS]
    assert (seen(loop), seen(button)) == (1, 0)
    wires.chips[_ADDRESS] = model
    time.sleep_ms(60)  # a bus that failed is left alone for a while
    assert (seen(loop), seen(button)) == (0, 1)
    wires.stuck = True
    assert (seen(loop), seen(button)) == (1, 0)


def test_all_of_them_are_read_at_once() -> None:
    _, model, loop, button = contacts()
    model.outside = 0x7E
    assert seen(loop) == 0
    before = wires.transfers
    for _ in range(20):
        button.value()
    assert wires.transfers - before <= 2, "one a 5 ms, whoever asks"


def test_noise_that_made_a_pin_an_output_is_mended_with_the_bus() -> None:
    bus, model, loop, _ = contacts()
    model.outside = 0xFF
    model.write(b"\x00")
    assert seen(loop) == 0, "the pin itself pulls it down"
    assert bus.restore()
    assert seen(loop) == 1
