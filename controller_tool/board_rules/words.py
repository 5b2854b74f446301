"""Words of [wiring] that these rules know: what they do not know, they cannot look at (host).

- each table and row has known words alone: a pin under another name would be nobody's
- numbers of an expander's pins are none of the chip's, and of one expander only
- relays hang on outputs and contacts on inputs
- a UART is one line: readers of one bus share it, nothing else does, and the prompt's is taken
- Ethernet is on the chip's own pins for it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.board_rules.wiring import expander_row_pins
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.board_rules.chips import Chip

_TABLES = {
    "relays", "spare_relays", "contactor", "indicator", "inputs", "lines", "supply", "bus",
    "clock_chip", "ethernet", "readers", "meters", "expanders", "thermistors",
}  # fmt: skip
_ROWS = {
    "readers": {
        "kind", "uart", "rx", "tx", "d0", "d1", "lamp", "buzzer", "keypad", "cs", "sck", "mosi",
        "miso", "direction", "address", "baud",
    },
    "meters": {
        "kind", "uart", "rx", "tx", "select", "lines", "pins", "cf", "shunt_uohm", "divider",
    },
    "expanders": {
        "kind", "address", "first", "inputs", "chips", "latch", "sck", "mosi", "enable", "reset",
    },
    "inputs": {"pin", "active", "rest"},
    "lines": {"pin", "rest_mv", "active_mv"},
}  # fmt: skip
_EXPANDERS = {"mcp23017", "pcf8574", "hc595"}
_UARTS = (1, 2)


def problems(wiring: dict[str, Any], chip: Chip) -> list[str]:
    """What is wrong with the words of a board's wiring."""
    found = [*_unknown(wiring), *_expanders(wiring, chip), *_uarts(wiring)]
    return found + list(_ethernet(wiring, chip))


def _unknown(wiring: dict[str, Any]) -> Iterator[str]:
    for name in sorted(wiring.keys() - _TABLES):
        yield t("nothing is known of {name} in [wiring]", name=name)
    for table, known in _ROWS.items():
        rows = wiring.get(table, [])
        for row in rows.values() if isinstance(rows, dict) else rows:
            for name in sorted(row.keys() - known):
                yield t("nothing is known of {name} in [wiring]", name=f"{table}: {name}")


def _expanders(wiring: dict[str, Any], chip: Chip) -> Iterator[str]:
    taken: set[int] = set()
    outputs: set[int] = set()
    inputs: set[int] = set()
    for row in wiring.get("expanders", []):
        if row["kind"] not in _EXPANDERS:
            yield t("nothing drives an expander {kind}", kind=row["kind"])
        pins = expander_row_pins(row)
        if pins & chip.pins:
            yield t(
                "the pins of {kind} have numbers of the {chip}'s own: let them begin at {first}",
                kind=row["kind"], chip=chip.name, first=max(chip.pins) + 1,
            )  # fmt: skip
        if pins & taken:
            yield t("two expanders have pins of one number")
        taken |= pins
        (inputs if row.get("inputs") else outputs).update(pins)
    relays = {*wiring["relays"].values(), *wiring.get("spare_relays", {}).values()}
    contacts = {row["pin"] for row in wiring.get("inputs", {}).values()}
    for pin in sorted(relays & inputs):
        yield t("a relay on pin {pin}: that expander has inputs alone", pin=pin)
    for pin in sorted(contacts & outputs):
        yield t("a contact on pin {pin}: that expander has outputs alone", pin=pin)


def _uarts(wiring: dict[str, Any]) -> Iterator[str]:
    lines: dict[int, tuple[Any, ...]] = {}
    rows = [*wiring.get("readers", []), *wiring.get("meters", [])]
    for row in rows:
        if "uart" not in row:
            continue
        uart = row["uart"]
        if uart not in _UARTS:
            yield t("UART {uart} is not for {kind}: take 1 or 2", uart=uart, kind=row["kind"])
        line = tuple(row.get(key) for key in ("kind", "rx", "tx", "direction"))
        if uart in lines and (lines[uart] != line or row["kind"] != "osdp"):
            yield t("UART {uart} has two lines", uart=uart)
        lines[uart] = line


def _ethernet(wiring: dict[str, Any], chip: Chip) -> Iterator[str]:
    if "ethernet" not in wiring:
        return
    pins = set(wiring["ethernet"].get("pins", []))
    if not chip.rmii:
        yield t("the {chip} has no Ethernet of its own", chip=chip.name)
    elif not chip.rmii <= pins:
        missing = ", ".join(map(str, sorted(chip.rmii - pins)))
        yield t("Ethernet of the {chip} wants pins {pins} too", chip=chip.name, pins=missing)
