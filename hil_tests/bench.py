"""The world around a controller under test, as the jig plays and sees it (host).

One class for real and virtual: both jigs run the same program and are reached by their serial port.
Times are the jig's own, in microseconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.credentials import Credential
from controller_tool.sim import readers
from hil_tests.jig.client import passed_us
from protocol.codes import CREDENTIAL_EM4100, CREDENTIAL_WIEGAND26

if TYPE_CHECKING:
    from hil_tests.jig.client import Jig
    from hil_tests.wiring import Wiring

PITCH_US = 2000  # between the pulses of a common Wiegand reader
_READER_BAUD = 9600


@dataclass(frozen=True)
class Shown:
    """A card was held to the reader: when its last bit was sent, the longest pitch."""

    last_us: int
    longest_us: int = 0


class Bench:
    """Acts in the field's words. Outputs by their roles in wiring.toml."""

    def __init__(self, jig: Jig, wiring: Wiring) -> None:
        self.jig = jig
        self.wiring = wiring
        self._relay = next(role for role, wire in wiring.wires.items() if wire.watched)
        self.told = jig.hello()
        self.rest()

    def rest(self) -> None:
        """Everything at rest, and the watched lines watched from now on."""
        for wire in self.wiring.wires.values():
            if not wire.watched and not wire.end.endswith(".uart"):
                self.jig.call("drive", pin=wire.pin, level=0)
        self.watch()

    def watch(self) -> None:
        """Forget what the watched lines did so far."""
        self.jig.call("watch", pins=[w.pin for w in self.wiring.wires.values() if w.watched])

    def drive(self, role: str, on: bool) -> int:
        """An output acts, or rests; when."""
        return int(self.jig.call("drive", pin=self.wiring[role].pin, level=int(on)))

    def press(self, role: str, ms: int) -> int:
        """An output acts for so long; when it began."""
        return int(self.jig.call("press", pin=self.wiring[role].pin, ms=ms))

    def new_credential(self) -> Credential:
        """A random card of the kind that this reader reads."""
        if "card_d0" in self.wiring:
            return Credential(CREDENTIAL_WIEGAND26, os.urandom(3))
        return Credential(CREDENTIAL_EM4100, b"\xee" + os.urandom(4))

    def swipe(self, card: Credential, pitch_us: int = PITCH_US) -> Shown:
        """Holds a card to the reader."""
        if "card_d0" in self.wiring:
            return self.send_bits(readers.wiegand_bits(card.type, card.data), pitch_us)
        wire = self.wiring["card_tx"]
        frame = readers.FRAMES[wire.end.split(".")[1]](card.type, card.data)
        sent = self.jig.call(
            "serial", tx=wire.pin, uart=self.wiring.uart, baud=_READER_BAUD, data=frame.hex()
        )
        return Shown(sent)

    def send_bits(self, bits: list[int], pitch_us: int = PITCH_US) -> Shown:
        """Pulses on D0 and D1."""
        zero, one = self.wiring["card_d0"].pin, self.wiring["card_d1"].pin
        text = "".join(map(str, bits))
        return Shown(*self.jig.call("wiegand", zero=zero, one=one, bits=text, pitch_us=pitch_us))

    def powers(self) -> bool:
        """Whether what the relay feeds is powered, seen at its own terminals."""
        wire = self.wiring[self._relay]
        return bool(int(self.jig.call("level", pin=wire.pin)) ^ int(wire.inverts))

    def mark(self) -> int:
        """Where the log of the watched lines stands: waits count from here."""
        return int(self.jig.call("count"))

    def moved(self, mark: int, *, powered: bool, within_ms: int = 2000) -> int | None:
        """When the relay's load got (or lost) its power after `mark`; None: it did not in time."""
        wire = self.wiring[self._relay]
        return self.jig.wait(mark, wire.pin, int(powered) ^ int(wire.inverts), within_ms)

    def glitches(self) -> int:
        """How often since `watch` the load got power, as the jig's hardware counted it."""
        wire = self.wiring[self._relay]
        assert wire.inverts, "counted are falling edges: power must pull the jig's pin down"
        return int(self.jig.call("falls")[str(wire.pin)])

    @staticmethod
    def passed_ms(start_us: int, end_us: int) -> float:
        """Between two of the jig's times."""
        return passed_us(start_us, end_us) / 1000

    def cut_power(self) -> int:
        """Takes the controller's supply away; when."""
        return self.drive("supply", on=True)

    def restore_power(self) -> int:
        """Gives the supply back; when."""
        return self.drive("supply", on=False)
