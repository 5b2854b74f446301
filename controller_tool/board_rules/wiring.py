"""What stands on which pin, as [wiring] of a board.toml says (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# what a pin is used for
RELAY, OUTPUT, CONTACT, INPUT, ANALOG, BUS, PULLED_UP = (
    "relay", "output", "contact", "input", "analog", "bus", "line with a pull-up",
)  # fmt: skip
DRIVEN = frozenset({RELAY, OUTPUT, PULLED_UP, BUS})
FROM_OUTSIDE = frozenset({CONTACT, INPUT, ANALOG})
_READER_PINS = {
    "rx": INPUT, "tx": OUTPUT, "d0": INPUT, "d1": INPUT, "lamp": OUTPUT, "buzzer": OUTPUT,
    "cs": OUTPUT, "sck": OUTPUT, "mosi": OUTPUT, "miso": INPUT, "direction": OUTPUT,
}  # fmt: skip
_EXPANDER_PINS = {
    "latch": OUTPUT, "sck": OUTPUT, "mosi": OUTPUT, "enable": PULLED_UP, "reset": PULLED_UP,
}  # fmt: skip


@dataclass(frozen=True)
class Use:
    """A pin of the chip, what for, and by which name."""

    pin: int
    role: str
    name: str


def expander_pins(wiring: dict[str, Any]) -> set[int]:
    """Numbers that stand for pins of expanders and inputs of multiplexers, not of the chip."""
    return {pin for row in wiring.get("expanders", []) for pin in expander_row_pins(row)}


def expander_row_pins(row: dict[str, Any]) -> set[int]:
    """Those of one row."""
    count = {"mcp23017": 16, "pcf8574": 8}.get(row["kind"], 8 * row.get("chips", 1))
    return set(range(row["first"], row["first"] + count))


def uses(wiring: dict[str, Any]) -> list[Use]:
    """Every use of a pin, those of expanders too: nothing may stand on one pin twice."""
    return list(_all(wiring))


def chip_uses(wiring: dict[str, Any]) -> list[Use]:
    """Uses of the chip's own pins."""
    elsewhere = expander_pins(wiring)
    return [use for use in uses(wiring) if use.pin not in elsewhere]


def _all(wiring: dict[str, Any]) -> Iterator[Use]:
    for name, pin in (wiring["relays"] | wiring.get("spare_relays", {})).items():
        yield Use(pin, RELAY, name)
    for name, role in (("contactor", RELAY), ("indicator", OUTPUT)):
        if name in wiring:
            yield Use(wiring[name], role, name)
    yield from _contacts(wiring)
    for name, pin in wiring.get("bus", {}).items():
        yield Use(pin, BUS, name)
    for pin in wiring.get("ethernet", {}).get("pins", []):
        yield Use(pin, BUS, "Ethernet")
    yield from _readers(wiring.get("readers", []))
    yield from _meters(wiring.get("meters", []))
    for row in wiring.get("expanders", []):
        for key, role in _EXPANDER_PINS.items():
            if key in row:
                yield Use(row[key], role, f"{key} of {row['kind']}")
    yield from _sensors(wiring.get("thermistors", {}))


def _contacts(wiring: dict[str, Any]) -> Iterator[Use]:
    for name, row in wiring.get("inputs", {}).items():
        yield Use(row["pin"], CONTACT, name)
    for name, row in wiring.get("lines", {}).items():
        yield Use(row["pin"], ANALOG, f"line {name}")
    if "supply" in wiring:
        yield Use(wiring["supply"]["pin"], ANALOG, "supply")


def _readers(rows: list[dict[str, Any]]) -> Iterator[Use]:
    lines: set[int] = set()  # several OSDP readers share one
    for number, row in enumerate(rows, 1):
        if row["kind"] == "osdp":
            if row["uart"] in lines:
                continue
            lines.add(row["uart"])
        for key, role in _READER_PINS.items():
            if isinstance(row.get(key), int):
                yield Use(row[key], role, f"{key} of reader {number}")


def _meters(rows: list[dict[str, Any]]) -> Iterator[Use]:
    for row in rows:
        for pin in row.get("pins", []):
            yield Use(pin, ANALOG, f"{row['kind']} meter")
        for pin in row.get("cf", []):
            yield Use(pin, INPUT, f"CF of {row['kind']}")
        for pin in row.get("select", []):
            yield Use(pin, OUTPUT, "selection of meters")
        for key in ("rx", "tx"):
            if key in row:
                yield Use(row[key], _READER_PINS[key], f"{key} of meters")


def _sensors(sensors: dict[str, Any]) -> Iterator[Use]:
    for pin in sensors.get("ports", []):
        yield Use(pin, ANALOG, "thermistor")
    if "board" in sensors:
        yield Use(sensors["board"], ANALOG, "thermistor of the board")
    multiplexer = sensors.get("multiplexer", {})
    if "pin" in multiplexer:
        yield Use(multiplexer["pin"], ANALOG, "multiplexer")
    for pin in multiplexer.get("select", []):
        yield Use(pin, OUTPUT, "selection of thermistors")
