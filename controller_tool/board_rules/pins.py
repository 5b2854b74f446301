"""What may stand on which pin (host).

- a pin has one use, and the chip has it
- pins of flash, PSRAM, console and USB are the chip's own
- a relay stands on no pin that moves while the chip boots, on none that chooses how it boots, and
  on an output
- what comes from outside has a level of its own, and stands on no pin that must be high or low
  while the chip boots; a line with a pull-up on none that must be low
- a pin that is an input only drives nothing
- analog is ADC1: the other stops with Wi-Fi
- pulses are counted by hardware that the chip has
- a relay that an expander holds through a reset of the controller needs that chip's reset or enable
  line, or a contactor
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from controller_tool.board_rules.chips import ANY, Chip
from controller_tool.board_rules.wiring import (
    ANALOG,
    BUS,
    DRIVEN,
    FROM_OUTSIDE,
    PULLED_UP,
    RELAY,
    Use,
    chip_uses,
    expander_pins,
    uses,
)
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterator


_RMII_CLOCK = 0  # where a board's oscillator may stand: the boards that do so start all the same


def problems(description: dict[str, Any], chip: Chip) -> list[str]:
    """What is wrong with the wiring of a board with that chip."""
    wiring = description["wiring"]
    found = [*_twice(wiring), *_counted(wiring, chip), *_fail_state(wiring)]
    for use in chip_uses(wiring):
        found += _one(use, chip)
    return found


def _twice(wiring: dict[str, Any]) -> Iterator[str]:
    named = uses(wiring)
    for pin, times in Counter(use.pin for use in named).items():
        if times > 1:
            names = ", ".join(use.name for use in named if use.pin == pin)
            yield t("pin {pin} has {times} uses: {names}", pin=pin, times=times, names=names)


def _one(use: Use, chip: Chip) -> Iterator[str]:
    pin = use.pin
    what = t("{name} on pin {pin}", name=use.name, pin=pin)
    if pin not in chip.pins:
        yield t("{what}: the {chip} has no such pin", what=what, chip=chip.name)
        return
    if pin in chip.taken:
        yield t("{what}: it belongs to the chip's {owner}", what=what, owner=chip.taken[pin])
    if use.role == RELAY and pin in chip.moves_at_boot:
        yield t("{what}: it moves at boot, no relay may hang on it", what=what)
    if use.role in DRIVEN and pin in chip.input_only:
        yield t("{what}: it is an input only and drives nothing", what=what)
    if use.role == ANALOG and pin not in chip.adc1:
        yield t("{what}: it is no input of ADC1, and the others stop with Wi-Fi", what=what)
    yield from _strapping(use, chip.strapping.get(pin), what)


def _strapping(use: Use, level: str | None, what: str) -> Iterator[str]:
    if level is None:
        return
    if use.role == RELAY:
        yield t("{what}: it chooses how the chip boots, no relay may hang on it", what=what)
    elif level == ANY or (use.name == "Ethernet" and use.pin == _RMII_CLOCK):
        return
    elif level == "high":
        yield t("{what}: it must be high at boot", what=what)
    elif use.role in FROM_OUTSIDE:
        yield t("{what}: it must be low at boot", what=what)
    elif use.role in {PULLED_UP, BUS}:
        yield t("{what}: it must be low at boot, no line with a pull-up may hang on it", what=what)


def _counted(wiring: dict[str, Any], chip: Chip) -> Iterator[str]:
    wanted = sum(2 for row in wiring.get("readers", []) if row["kind"] == "wiegand")
    wanted += sum(len(row.get("cf", [])) for row in wiring.get("meters", []))
    if wanted > chip.counters:
        yield t(
            "{wanted} lines are to be counted, the {chip} has {counters} counters",
            wanted=wanted, chip=chip.name, counters=chip.counters,
        )  # fmt: skip


def _fail_state(wiring: dict[str, Any]) -> Iterator[str]:
    contactor = wiring.get("contactor")
    relays = set(wiring["relays"].values())
    for row in wiring.get("expanders", []):
        if not expander_pins({"expanders": [row]}) & relays:
            continue
        if contactor is None and not {"reset", "enable"} & set(row):
            yield t(
                "{kind} has neither reset nor enable line, and the board no contactor",
                kind=row["kind"],
            )
    if contactor is not None and contactor in expander_pins(wiring):
        yield t("the contactor hangs on an expander")
