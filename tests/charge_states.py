"""Every transition of a charger's port, made from the code: `python -m tests.charge_states` (host).

Writes docs/charge-states.md; with `--check` it only says whether the page is what the code gives.
A state is brought about by what leads there, then each stimulus is applied to it alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protocol import codes
from protocol.names import END_NAMES, PORT_STATE_NAMES
from protocol.policy.charge_port import NO_END, OVER, WELDED, Port, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).resolve().parents[1] / "docs" / "charge-states.md"
KEY = b"the card"
LOAD_DW, TRICKLE_DW, OVER_DW = 3000, 150, 12000
QUOTA_WH, QUOTA_MIN = 400, 240
_SECOND_MS = 1000
_INTRODUCTION = (
    "Made by `python -m tests.charge_states` from `protocol/policy/charge_port.py`; a test holds"
    " the two together. Settings are the defaults, the port's limit 1000 W, the quota 400 Wh and"
    " four hours. What is not in the table changes nothing. An end opens the relay at once;"
    " *over* puts the session on record."
)


def drawn(port: Port, power_dw: int, seconds: int) -> str:
    """So much for so long, a reading a second; what the port said, and after how long."""
    for second in range(1, seconds + 1):
        for said in (port.tick(_SECOND_MS), port.read(power_dw, _SECOND_MS)):
            if said != NO_END:
                return f"{told(said)} after {_long(second)}"
    return "–"


def _long(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"


def told(said: int) -> str:
    """What a call returned, in words."""
    words = {NO_END: "–", WELDED: "welded", OVER: "over"}
    return words[said] if said in words else f"end {said}, {END_NAMES[said].replace('_', ' ')}"


def authorised() -> Port:
    """A port that a card was given."""
    port = Port(Rules())
    port.authorise(KEY, QUOTA_WH, QUOTA_MIN)
    return port


def ready() -> Port:
    """It was seen to draw nothing."""
    port = authorised()
    drawn(port, 0, 2)
    return port


def starting() -> Port:
    """Its relay has just closed."""
    port = ready()
    port.close()
    return port


def charging() -> Port:
    """A load was seen."""
    port = starting()
    port.read(LOAD_DW, _SECOND_MS)
    return port


def unlimited() -> Port:
    """A load was seen, and the card has no quota."""
    port = Port(Rules())
    port.authorise(KEY, 0, 0)
    port.close()
    port.read(LOAD_DW, _SECOND_MS)
    return port


def ending() -> Port:
    """Its card ended it."""
    port = charging()
    port.end(codes.END_CARD)
    return port


def locked() -> Port:
    """Its relay is welded."""
    port = ending()
    drawn(port, LOAD_DW, 9)
    return port


STATES: dict[str, Callable[[], Port]] = {
    "idle": lambda: Port(Rules()),
    "authorised": authorised,
    "ready to close": ready,
    "closed, no load yet": starting,
    "charging": charging,
    "charging without a quota": unlimited,
    "ended, opened": ending,
    "locked": locked,
}


def _trouble(bit: int) -> Callable[[Port], str]:
    def apply(port: Port) -> str:
        port.trouble |= bit
        return told(port.tick(_SECOND_MS))

    return apply


def _promised(port: Port) -> str:
    if port.state != codes.PORT_IDLE:  # the service asks for an idle one
        return "–"
    port.authorise(KEY, QUOTA_WH, QUOTA_MIN)
    return "–"


def _closed(port: Port) -> str:
    if port.ready:  # else the service does not close it
        port.close()
    return "–"


def _released(port: Port) -> str:
    port.release()
    return "–"


STIMULI: dict[str, Callable[[Port], str]] = {
    "a card is given the port": _promised,
    "its turn to close": _closed,
    "a reading without current": lambda p: told(p.read(0, _SECOND_MS)),
    "300 W, a reading": lambda p: told(p.read(LOAD_DW, _SECOND_MS)),
    "300 W for ten seconds": lambda p: drawn(p, LOAD_DW, 10),
    "300 W for ten hours": lambda p: drawn(p, LOAD_DW, 36000),
    "15 W for ten hours": lambda p: drawn(p, TRICKLE_DW, 36000),
    "nothing for ten hours": lambda p: drawn(p, 0, 36000),
    "1200 W for ten seconds": lambda p: drawn(p, OVER_DW, 10),
    "its card again, or a ticket": lambda p: told(p.end(codes.END_CARD)),
    "its plug is out": lambda p: told(p.pulled_out()),
    "smoke": lambda p: told(p.end(codes.END_SMOKE)),
    "its meter is silent": _trouble(codes.PORT_METER),
    "its output is lost": _trouble(codes.PORT_OUTPUT),
    "its sensor is broken": _trouble(codes.PORT_SENSOR),
    "reset on site": _released,
}


def rows() -> list[tuple[str, str, str, str]]:
    """(state, stimulus, what the port says, next state) where anything happens at all."""
    found: list[tuple[str, str, str, str]] = []
    for state, bring in STATES.items():
        for stimulus, apply in STIMULI.items():
            port = bring()
            before = (port.state, port.ready)
            said = apply(port)
            if state == "charging without a quota" and stimulus != "300 W for ten hours":
                continue  # as with one
            if said != "–" or (port.state, port.ready) != before:
                after = PORT_STATE_NAMES[port.state].replace("_", " ")
                found.append((state, stimulus, said, after + (", ready" if port.ready else "")))
    return found


def page() -> str:
    """The whole page."""
    lines = [
        "# States of a charger's port", "", _INTRODUCTION, "",
        "| state | stimulus | says | then |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    lines += ["| " + " | ".join(row) + " |" for row in rows()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """0; with --check 1 when the page is not what the code gives."""
    if "--check" in arguments:
        return int(PAGE.read_text("utf-8") != page())
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
