"""What a charger's board.toml must hold besides, for a charger that fails has to fail open (host).

- each port has a relay and a meter
- with more than one port there is a way to say which is meant: each has its plug contact (`plug`,
  `plug2` …) or its button, or a reader has keys (`keypad` in its row: on a Wiegand line the bits of
  a key, else true)
- smoke reaches the controller
- the account of energy has its partition, and the journal still holds what it must
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.messages import t
from protocol.constants import RECORDS_PER_SECTOR, SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENERGY = (1, 0x44, 0x10000)  # type, subtype, bytes
_JOURNAL_RECORDS = 18000


def problems(description: dict[str, Any]) -> list[str]:
    """What is wrong with a charger's description."""
    wiring = description["wiring"]
    return [
        *_counts(description["capabilities"]["points"], wiring),
        *_choice(description["capabilities"]["points"], wiring),
        *_smoke(wiring),
        *_partitions(description["partitions"]),
    ]


def _counts(points: int, wiring: dict[str, Any]) -> Iterator[str]:
    meters = sum(
        len(row.get("pins", ())) + len(row.get("cf", ())) + sum(map(len, row.get("lines", ())))
        for row in wiring.get("meters", [])
    )
    if len(wiring["relays"]) != points or meters != points:
        yield t(
            "{points} ports have {relays} relays and {meters} meters",
            points=points, relays=len(wiring["relays"]), meters=meters,
        )  # fmt: skip


def _choice(points: int, wiring: dict[str, Any]) -> Iterator[str]:
    inputs = {*wiring.get("inputs", {})}
    ends = ["", *map(str, range(2, points + 1))]
    mute = [end or "1" for end in ends if not {f"plug{end}", f"button{end}"} & inputs]
    has_keys = any(row.get("keypad") for row in wiring.get("readers", []))
    if points > 1 and mute and not has_keys:
        yield t(
            "nobody can choose port {ports}: no plug contact, no button, and no reader with keys",
            ports=", ".join(mute),
        )


def _smoke(wiring: dict[str, Any]) -> Iterator[str]:
    if not {"smoke", "fire"} & ({*wiring.get("inputs", {})} | {*wiring.get("lines", {})}):
        yield t("no input or line tells of smoke or fire")


def _partitions(rows: list[dict[str, Any]]) -> Iterator[str]:
    by_label = {row["label"]: row for row in rows}
    energy = by_label.get("energy")
    if energy is None or (energy["type"], energy["subtype"], energy["size"]) != _ENERGY:
        yield t("the account of energy has no partition of its kind and size")
    journal = by_label.get("journal", {"size": 0})
    if journal["size"] // SECTOR_BYTES * RECORDS_PER_SECTOR < _JOURNAL_RECORDS:
        yield t("the journal holds less than {count} records", count=_JOURNAL_RECORDS)
