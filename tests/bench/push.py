"""Full push of 10 000 cards: bytes on the wire, use of a 115 200 baud line, the loop (host)."""

from __future__ import annotations

import time
from typing import Any

from controller_tool.channel.dial import Way
from controller_tool.services import push
from tests.bench.charged_house import charged_house, numbers, row

NAME = "push"
CARDS = 10_000
_DOOR = "door-1"
_BYTE_S = 10 / 115_200
_RATIO_MAX = {"wifi": 1.1, "serial": 1.2}
_SHARE_MIN = 0.8
_GAP_MAX_MS = 100


class Transfer:
    """When the controller took the announcement, and when the list was all there."""

    def __init__(self) -> None:
        self.began_s = 0.0
        self.ended_s = 0.0

    def __call__(self, _: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done == 0:
            self.began_s = now
        if done == total:
            self.ended_s = now

    @property
    def seconds(self) -> float:
        return self.ended_s - self.began_s


def run() -> list[dict[str, Any]]:
    """One row a figure: name, value, unit, limit, and whether it is kept."""
    rows: list[dict[str, Any]] = []
    with charged_house({_DOOR: "virtual-door"}) as house:
        house.issue(numbers(CARDS))
        for via in ("wifi", "serial"):
            board = house.boards[_DOOR]
            board.stimulate("clear_gap")
            transfer = Transfer()
            [result] = push.push(house.site, [_DOOR], transfer, Way(via), force=True)
            if not result.ok:
                raise RuntimeError(f"push over {via}: {result.what}")
            rows += _rows(via, result, transfer, board.counters())
    return rows


def _rows(
    via: str, result: push.PushResult, transfer: Transfer, counters: dict[str, Any]
) -> list[dict[str, Any]]:
    ratio = result.sent_bytes / result.payload_bytes
    rows = [
        row(f"{via}: bytes on the wire / list", ratio, "", at_most=_RATIO_MAX[via]),
        row(f"{via}: transfer of {result.payload_bytes} bytes", transfer.seconds, "s"),
        row(f"{via}: from the first request to the receipt", result.seconds, "s"),
        row(f"{via}: longest stretch without yielding", counters["gap_us"] / 1000, "ms",
             at_most=_GAP_MAX_MS),
    ]  # fmt: skip
    if via == "serial":
        share = result.payload_bytes * _BYTE_S / transfer.seconds
        rows.append(row("serial: payload / what the line carries", share, "", at_least=_SHARE_MIN))
    return rows
