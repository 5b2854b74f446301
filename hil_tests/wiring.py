"""Reads wiring.toml: who is wired where, and the same wires between two virtual boards (host)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller_tool import resources
from controller_tool.errors import OperatorError

WIRING = Path(__file__).with_name("wiring.toml")
_INVERTS = {
    "transistor": True, "opto-coupler": True, "contact": True,
    "break-contact": False, "isolator": False, "relay": False,
}  # fmt: skip
_CHIP_LINES = ("supply", "en", "boot")


@dataclass(frozen=True)
class Wire:
    """One wire.

    role: of the jig's pin in wiring.toml; pin: of the jig; end: the controller's, by its name in
    board.toml; to: its pin, UART or meter, -1 where it is none; watched: the jig listens.
    """

    role: str
    pin: int
    end: str
    to: int
    by: str
    watched: bool

    @property
    def inverts(self) -> bool:
        """Whether a 1 at one end is a 0 at the other."""
        return _INVERTS[self.by]

    def __str__(self) -> str:
        place = f" ({self.to})" if self.to >= 0 else ""
        if self.watched:
            return f"{self.role}: controller {self.end}{place} → jig pin {self.pin}"
        return f"{self.role}: jig pin {self.pin} → controller {self.end}{place}"


@dataclass(frozen=True)
class Wiring:
    """The wires of one board under test. kind: door or charger; uart: the jig's for cards."""

    board: str
    kind: str
    description: dict[str, Any]
    wires: dict[str, Wire]
    uart: int

    def __contains__(self, role: str) -> bool:
        return role in self.wires

    def __getitem__(self, role: str) -> Wire:
        return self.wires[role]


def read(board: str, path: Path = WIRING) -> Wiring:
    """The wires of a board by its name in controller-tool; OperatorError when there are none."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    description = resources.describe_board(board.replace("-", "_"))
    found = [bench for bench in told["bench"] if board in bench["boards"]]
    if not found:
        raise OperatorError(
            f"{path.name} has no wires for {board}", "Add a [[bench]] for it, or give --wiring"
        )
    pins = told["jig"]["pins"]
    wires = {}
    for row in found[0]["wires"]:
        end = row.get("to") or row["from"]
        to = _place(description["wiring"], end)
        if row["by"] not in _INVERTS:
            raise OperatorError(
                f"{path.name}: {row['jig']} of {board} goes through a {row['by']}",
                f"It can be {', '.join(_INVERTS)}",
            )
        wires[row["jig"]] = Wire(row["jig"], pins[row["jig"]], end, to, row["by"], "from" in row)
    return Wiring(board, description["kind"], description, wires, told["jig"]["card_uart"])


def _place(wiring: dict[str, Any], end: str) -> int:
    """The pin (UART, number of the meter) that an end of a wire is at."""
    if end in _CHIP_LINES:
        return -1
    group, name, *rest = end.split(".")
    if group == "relays":
        return int(wiring["relays"][name])
    if group == "inputs":
        return int(wiring["inputs"][name]["pin"])
    row = next(row for row in wiring[group] if row["kind"] == name)
    if rest == ["cf"]:
        return 0  # the first port's
    return int(row[rest[0]])


def twin_rows(wiring: Wiring, jig: Path, controller: Path) -> tuple[list[Any], list[Any]]:
    """The rows of sim/wires.py: those that start at the jig, those that start at the controller."""
    ours, theirs = [], []
    for wire in wiring.wires.values():
        row = {"kind": _kind(wire), "own": wire.pin, "to": wire.to, "inverts": wire.inverts}
        if wire.watched:
            theirs.append(row | {"own": wire.to, "to": wire.pin, "peer": str(jig)})
        elif wire.end.endswith(".uart"):
            ours.append(row | {"own": wiring.uart, "peer": str(controller)})
        else:
            ours.append(row | {"peer": str(controller)})
    return ours, theirs


def _kind(wire: Wire) -> str:
    group, *rest = wire.end.split(".")
    if group in _CHIP_LINES:
        return group
    if wire.watched:
        return "sense"
    if group == "readers":
        return "uart" if rest[-1] == "uart" else "pulses"
    return "count" if group == "meters" else "level"
