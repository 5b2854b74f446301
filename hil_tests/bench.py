"""The world around a controller under test: what people do to it and what its lock sees (host)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from controller_tool.repl import BoardRepl
from protocol.codes import CREDENTIAL_EM4100

if TYPE_CHECKING:
    from controller_tool.sim.service import Board

_WIRING = Path(__file__).with_name("jig.toml")
_LOCK = "lock"  # as the virtual board's board.toml names its relay


class Bench(Protocol):
    """Acts in the field's words; the same for a virtual board and a jig."""

    def swipe_card(self, credential: bytes) -> None:
        """Presents an EM4100 card, 5 bytes, to the first reader."""

    def press_rex(self, duration_ms: int) -> None:
        """Presses the exit button."""

    def lock_released(self) -> bool:
        """Whether the lock lets go, seen at its own terminals."""

    def cut_power(self) -> None:
        """Takes the controller's supply away."""

    def restore_power(self) -> None:
        """Gives the supply back."""


class JigBench:
    """A spare board at its prompt, wired to the controller as jig.toml says."""

    def __init__(self, port: str, wiring: Path = _WIRING) -> None:
        self._pins = tomllib.loads(wiring.read_text(encoding="utf-8"))
        self._repl = BoardRepl(port)

    def close(self) -> None:
        """Gives the jig's port back."""
        self._repl.close()

    def swipe_card(self, credential: bytes) -> None:
        """Sends the frame that a reader would send."""
        self._repl.call("jig", "swipe_card", self._pins["reader_tx"], credential)

    def press_rex(self, duration_ms: int) -> None:
        """Closes the button's contact for so long."""
        self._repl.call("jig", "press", self._pins["rex"], duration_ms)

    def lock_released(self) -> bool:
        """Reads the line that is wired to the lock's terminals."""
        level = int(self._repl.call("jig", "level", self._pins["lock_sense"]))
        return level == int(self._pins["lock_released"])

    def cut_power(self) -> None:
        """Opens the controller's supply."""
        self._repl.call("jig", "hold", self._pins["supply"], 1)

    def restore_power(self) -> None:
        """Closes the controller's supply."""
        self._repl.call("jig", "hold", self._pins["supply"], 0)


class VirtualBench:
    """The stimulus socket of a virtual board."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def swipe_card(self, credential: bytes) -> None:
        """Presents the card."""
        self._board.stimulate("swipe_card", type=CREDENTIAL_EM4100, credential=credential.hex())

    def press_rex(self, duration_ms: int) -> None:
        """Presses the button."""
        self._board.stimulate("press_rex", ms=duration_ms)

    def lock_released(self) -> bool:
        """Behind the relay's wire: a strike lets go while it is powered."""
        return bool(self._board.stimulate("loads")[_LOCK])

    def disconnect_relay(self) -> None:
        """Cuts the wire between relay and lock: for the suite's own negative control."""
        self._board.stimulate("disconnect_relay", relay=_LOCK)

    def reconnect_relay(self) -> None:
        """Mends that wire."""
        self._board.stimulate("reconnect_relay", relay=_LOCK)

    def cut_power(self) -> None:
        """Takes the supply away."""
        self._board.stimulate("cut_power")

    def restore_power(self) -> None:
        """Gives the supply back."""
        self._board.stimulate("restore_power")
