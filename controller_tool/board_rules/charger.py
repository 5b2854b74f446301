"""What a charger's board.toml must hold besides, for a charger that fails has to fail open (host).

- each port has a relay and a meter
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
