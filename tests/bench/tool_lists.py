"""The tool's own work for a large site: lists of 500 controllers with 2 000 cards each (host)."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Grant
from controller_tool.services import cards, list_batch, lists, site_init
from protocol.constants import ID_BYTES
from tests.bench.charged_house import row

if TYPE_CHECKING:
    from controller_tool.services.site import Site

NAME = "tool-lists"
DEVICES, CARDS = 500, 2000
_LIMIT_S = 10.0
_MONTH_MIN = 30 * 1440
_CARDS_MAX = 20_000


def run() -> list[dict[str, Any]]:
    """Seconds for all lists, for none, for one card that ended; then one controller's by itself."""
    with tempfile.TemporaryDirectory() as folder:
        site = large_site(Path(folder) / "site", DEVICES, CARDS)
        names = [device.name for device in site.devices()]
        site.signer("whitelist")  # the passphrase is stretched before, as in any command
        try:
            return _rows(site, names)
        finally:
            site.close()


def _rows(site: Site, names: list[str]) -> list[dict[str, Any]]:
    made_s, contents = _timed(lambda: list_batch.prepare(site, names))
    signed_s, first = _timed(lambda: list_batch.sign_all(site, names))
    same_s, same = _timed(lambda: list_batch.sign_all(site, names))
    one_s, _ = _timed(lambda: lists.next_for(site, site.device(names[0])))
    cards.collect(site, "0000000001")
    ended_s, ended = _timed(lambda: list_batch.sign_all(site, names))
    counts = (len(contents), len(first.signed), len(same.unchanged), len(ended.signed))
    if counts != (DEVICES,) * 4:
        raise RuntimeError(f"lists that were made, signed, unchanged, signed again: {counts}")
    size = f"{DEVICES} x {CARDS}"
    return [
        row(f"{size}: made, not signed", made_s, "s"),
        row(f"{size}: made, signed and on the books", signed_s, "s", at_most=_LIMIT_S),
        row(f"{size}: the same again, nothing changed", same_s, "s"),
        row(f"{size}: the same again, one card ended", ended_s, "s", at_most=_LIMIT_S),
        row("one controller, nothing changed", one_s, "s"),
    ]


def _timed(work: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def large_site(folder: Path, devices: int, count: int) -> Site:
    """A site whose controllers nobody provisioned; every card is granted on all of them."""
    wish = site_init.Wish("bench", "bench")
    site = site_init.init(folder, wish, "of a house that lives for one benchmark")
    doors = [_door(site, number) for number in range(devices)]
    issued = [_card(site, number) for number in range(1, count + 1)]
    grants = [{"card_id": c["id"], "device_id": d["id"]} for c in issued for d in doors]
    with site.registry.writing() as session:
        for model, rows in ((Device, doors), (Card, issued), (Grant, grants)):
            session.connection().execute(insert(model), rows)
    return site


def _door(site: Site, number: int) -> dict[str, Any]:
    row_id = os.urandom(ID_BYTES).hex()
    return {
        "id": row_id, "name": f"door-{number:03d}", "kind": "door", "board": "virtual_door",
        "points": 1, "cards_max": _CARDS_MAX, "created_at_s": now_s(), "enrolled_at_s": now_s(),
        "card_key_sealed": site.vault.seal("devices", row_id, "card_key", os.urandom(32)),
        "certificate_der": b"",
    }  # fmt: skip


def _card(site: Site, number: int) -> dict[str, Any]:
    row_id, credential = os.urandom(ID_BYTES).hex(), credentials.parse(f"{number:010d}")
    begin_min = now_s() // 60
    return {
        "id": row_id, "ref": f"K{number:06d}", "state": STATE_ISSUED, "profile_id": 1, "flags": 0,
        "credential_type": credential.type,
        "credential_sealed": site.vault.seal("cards", row_id, "credential", credential.data),
        "credential_index": cards.index(site.vault, credential),
        "from_min": begin_min, "until_min": begin_min + _MONTH_MIN, "issued_at_s": now_s(),
    }  # fmt: skip
