"""Opening a port for a session moves DTR and RTS so that no board is reset by it (host).

A pseudo-terminal has no such lines, so what the tool does to them is written down and played to the
two transistors that sit on most boards (controller_tool.sim.bridge.AutoReset). The system itself
raises both at once when a port is opened.
"""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING, Any

import pytest
import serial
from esptool.reset import ClassicReset

from controller_tool.channel.serial_port import SerialPort
from controller_tool.repl import BoardRepl, NoReplError
from controller_tool.sim.bridge import AutoReset
from protocol.constants import LINK_BAUD

if TYPE_CHECKING:
    from collections.abc import Iterator


class Chip:
    """Counts how often EN went down, and whether GPIO0 was low when it rose."""

    def __init__(self) -> None:
        self.boot_held = False
        self.resets = 0
        self.loaders = 0
        self._held = False

    def hold(self) -> None:
        self.resets += not self._held
        self._held = True

    def release(self) -> None:
        self.loaders += self._held and self.boot_held
        self._held = False


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Chip]]:
    """A port whose lines go to a chip; its path."""
    chip = Chip()
    circuit = AutoReset(chip)
    master, slave = pty.openpty()

    def follow(name: str) -> Any:
        def update(port: serial.Serial) -> None:
            circuit.set(**{name: getattr(port, f"_{name}_state")})

        return update

    opened = serial.Serial.open

    def open_(port: serial.Serial) -> None:
        circuit.set(dtr=True, rts=True)  # the kernel raises them together
        opened(port)

    monkeypatch.setattr(serial.Serial, "_update_dtr_state", follow("dtr"))
    monkeypatch.setattr(serial.Serial, "_update_rts_state", follow("rts"))
    monkeypatch.setattr(serial.Serial, "open", open_)
    yield os.ttyname(slave), chip
    os.close(master)
    os.close(slave)


def test_a_session_opens_and_closes_without_a_reset(wired: tuple[str, Chip]) -> None:
    place, chip = wired
    for _ in range(3):
        SerialPort(place, LINK_BAUD).close()
    assert (chip.resets, chip.loaders) == (0, 0)


def test_looking_for_a_prompt_resets_nothing_either(wired: tuple[str, Chip]) -> None:
    place, chip = wired
    with pytest.raises(NoReplError):
        BoardRepl(place, enter_s=0.2)
    assert (chip.resets, chip.loaders) == (0, 0)


def test_lines_that_fall_one_after_the_other_do_reset(wired: tuple[str, Chip]) -> None:
    """Why the tool leaves them up: so it would be if it asked for both to be down."""
    place, chip = wired
    port = serial.Serial()
    port.port, port.dtr, port.rts = place, False, False
    port.open()
    port.close()
    assert chip.resets == 1


def test_esptool_s_sequence_does_reset_into_the_loader(wired: tuple[str, Chip]) -> None:
    place, chip = wired
    port = serial.Serial(place)
    ClassicReset(port, 0.01).reset()
    port.close()
    assert chip.resets >= 1
    assert chip.loaders == 1
