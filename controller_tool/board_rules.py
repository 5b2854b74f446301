"""What a charger's board.toml must hold, for a charger that fails has to fail open (host).

- an expander keeps its outputs through a reset of the controller: without a reset or an enable line
  the board has a contactor, on a pin of the controller of its own
- relays, contactor and enable line stand on pins that do not move while the chip boots; an enable
  line, which is pulled up, not on one whose level then chooses how it boots
- each port has a relay and a meter
- the account of energy has its partition, and the journal still holds what it must
- no pin has two uses
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from protocol.constants import RECORDS_PER_SECTOR, SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHIP_PINS = 40
_FIRST_INPUT_ONLY = 34
_MOVES_AT_BOOT = {0, 1, 3, 5, 14, 15}
_LOW_AT_BOOT = {2, 12}
_ENERGY = (1, 0x44, 0x10000)  # type, subtype, bytes
_JOURNAL_RECORDS = 18000


def problems(description: dict[str, Any]) -> list[str]:
    """What is wrong with a board's description; a door's is of no concern here."""
    if description["kind"] != "charger":
        return []
    wiring = description["wiring"]
    return [
        *_fail_state(wiring),
        *_counts(description["capabilities"]["points"], wiring),
        *_partitions(description["partitions"]),
        *_shared_pins(wiring),
    ]


def _fail_state(wiring: dict[str, Any]) -> Iterator[str]:
    expanders = wiring.get("expanders", [])
    contactor = wiring.get("contactor")
    for row in expanders:
        if contactor is None and not {"reset", "enable"} & set(row):
            yield f"{row['kind']} has neither reset nor enable line, and the board no contactor"
    if contactor is not None and contactor >= _CHIP_PINS:
        yield "the contactor hangs on an expander"
    driven = [pin for pin in wiring["relays"].values() if pin < _CHIP_PINS]
    lines = [row[line] for row in expanders for line in ("reset", "enable") if line in row]
    for pin in [*driven, *lines, *([] if contactor is None else [contactor])]:
        if pin in _MOVES_AT_BOOT or _FIRST_INPUT_ONLY <= pin < _CHIP_PINS:
            yield f"pin {pin} moves at boot or drives nothing: no relay may hang on it"
    for pin in lines:
        if pin in _LOW_AT_BOOT:
            yield f"pin {pin} must be low at boot: no enable line with its pull-up may hang on it"


def _counts(points: int, wiring: dict[str, Any]) -> Iterator[str]:
    meters = sum(
        len(row.get("pins", ())) + len(row.get("cf", ())) + sum(map(len, row.get("lines", ())))
        for row in wiring.get("meters", [])
    )
    if len(wiring["relays"]) != points or meters != points:
        yield f"{points} ports have {len(wiring['relays'])} relays and {meters} meters"


def _partitions(rows: list[dict[str, Any]]) -> Iterator[str]:
    by_label = {row["label"]: row for row in rows}
    energy = by_label.get("energy")
    if energy is None or (energy["type"], energy["subtype"], energy["size"]) != _ENERGY:
        yield "the account of energy has no partition of its kind and size"
    sectors = by_label["journal"]["size"] // SECTOR_BYTES
    if sectors * RECORDS_PER_SECTOR < _JOURNAL_RECORDS:
        yield f"the journal holds less than {_JOURNAL_RECORDS} records"
    end = 0
    for row in sorted(rows, key=lambda row: int(row["offset"])):
        if row["offset"] < end:
            yield f"{row['label']} begins before its neighbour ends"
        end = row["offset"] + row["size"]


def _shared_pins(wiring: dict[str, Any]) -> Iterator[str]:
    used = [*wiring["relays"].values(), *wiring.get("bus", {}).values()]
    used += [wiring[name] for name in ("contactor",) if name in wiring]
    used += [row["pin"] for row in wiring["inputs"].values()]
    used += [row["pin"] for row in wiring.get("lines", {}).values()]
    used += [wiring["supply"]["pin"]] if "supply" in wiring else []
    for row in wiring.get("meters", []):
        used += [*row.get("pins", []), *row.get("cf", []), *row.get("select", [])]
    for row in wiring.get("expanders", []):
        used += [row[name] for name in ("latch", "enable", "reset") if name in row]
    sensors = wiring.get("thermistors", {})
    multiplexer = sensors.get("multiplexer", {"select": []})
    used += [*sensors.get("ports", []), *multiplexer["select"]]
    used += [where["pin"] for where in (multiplexer,) if "pin" in where]
    used += [sensors["board"]] if "board" in sensors else []
    for pin, times in Counter(used).items():
        if times > 1:
            yield f"pin {pin} has {times} uses"
