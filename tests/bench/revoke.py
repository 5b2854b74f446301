"""From the word of the desk to the receipts of both controllers, at a dormitory's 300 cards (host).

Open: the desk holds its sessions; cold: it opens them first, each with an ESP32's handshake.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Way, dial
from controller_tool.services import cards, push
from controller_tool.services.devices_ops import in_parallel
from tests.bench.charged_house import charged_house, numbers, row

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.services.virtual_house import VirtualHouse

NAME = "revoke"
CARDS = 300
_LIMITS_S = {"open": 1.0, "cold": 2.5}


def run() -> list[dict[str, Any]]:
    """One row for each wire, open and cold: seconds until the last receipt."""
    rows: list[dict[str, Any]] = []
    with charged_house() as house:
        issued = numbers(CARDS)
        house.issue(issued)
        push.push(house.site)
        for via in ("wifi", "serial"):
            clients = _sessions(house, via)
            rows.append(_revoke(house, clients, via, "open", issued.pop()))
            for client in clients.values():
                client.close()
            rows.append(_revoke(house, None, via, "cold", issued.pop()))
    return rows


def _sessions(house: VirtualHouse, via: str) -> dict[str, Client]:
    return {
        name: dial(house.site, house.site.device(name), Way(via), "desk")
        for name in house.controllers
    }


def _revoke(
    house: VirtualHouse, clients: dict[str, Client] | None, via: str, how: str, card: str
) -> dict[str, Any]:
    def one(name: str) -> push.PushResult:
        device = house.site.device(name)
        if clients is not None:
            return push.push_open(house.site, device, clients[name])
        with dial(house.site, device, Way(via), "desk") as client:
            return push.push_open(house.site, device, client)

    started = time.monotonic()
    cards.collect(house.site, card)
    results = in_parallel(one, list(house.controllers))
    took_s = time.monotonic() - started
    if not (all(r.ok for r in results) and cards.card_status(house.site, card).deregistered):
        raise RuntimeError(f"revoke over {via}: {results}")
    return row(f"{via}: revoke to both receipts, {how}", took_s, "s", at_most=_LIMITS_S[how])
