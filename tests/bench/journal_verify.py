"""How many records a second one core proves, by one key and by both, rows from SQLite (host)."""

from __future__ import annotations

import os
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from controller_tool.registry.models import Device
from controller_tool.registry.records import JournalRecord
from controller_tool.services import journal_check, journal_evidence, journal_tags, site_init
from protocol import chain, records
from protocol.codes import CLOCK_SYNCED, EVENT_GRANTED, REASON_CARD
from protocol.constants import RECORD_BODY_BYTES, RING_ACCESS, TAG_BYTES
from tests.bench.charged_house import row

if TYPE_CHECKING:
    from controller_tool.services.site import Site

NAME = "journal_verify"
RECORDS = 200_000
_AT_LEAST = 200_000
_KEYS = {"tool": b"t" * 16, "audit": b"a" * 16}
_DEVICE = b"device-1"


def run() -> list[dict[str, Any]]:
    """Records a second of one core's time, best of three, reading included."""
    with tempfile.TemporaryDirectory() as folder:
        wish = site_init.Wish("bench", "bench")
        site = site_init.init(Path(folder) / "site", wish, "of a house for one benchmark")
        try:
            head = _fill(site)
            rows = []
            for names in (("tool",), ("audit",), ("tool", "audit")):
                pace = max(_pace(site, head, names) for _ in range(3))
                wanted = _AT_LEAST if len(names) == 1 else None
                rows.append(row(f"{RECORDS} records by {' and '.join(names)}", pace, "1/s",
                                at_least=wanted))  # fmt: skip
            bare = max(_bare_pace() for _ in range(3))
            rows.append(row("as many bare SHA-256 as one key wants", bare, "1/s"))
            rows.append(row("one key / bare", max(r["value"] for r in rows[:2]) / bare, "ratio"))
            return rows
        finally:
            site.close()


def _bare_pace() -> float:
    """Records a second if proving one were its hashes alone: T, next K, chain and HMAC."""
    short, long = bytes(33), bytes(96)
    started = time.process_time()
    for _ in range(RECORDS):
        sha256(short).digest()
        sha256(short).digest()
        sha256(long).digest()
        sha256(long).digest()
        sha256(long).digest()
    return RECORDS / (time.process_time() - started)


def _pace(site: Site, head: journal_check.Head, names: tuple[str, ...]) -> float:
    started = time.process_time()
    with site.registry.session() as session:
        places = journal_evidence.places(session, _DEVICE.hex(), RING_ACCESS)
    report = journal_check.check(
        journal_check.Ring(
            site.id, _DEVICE, RING_ACCESS, {name: _KEYS[name] for name in names}, places, [head]
        )
    )
    took = time.process_time() - started
    if not report.ok or report.proven != RECORDS:
        raise RuntimeError(f"not proven: {report}")
    return RECORDS / took


def _fill(site: Site) -> journal_check.Head:
    """A journal as a controller writes it; returns its head."""
    c, keys = chain.start(site.id, _DEVICE, RING_ACCESS), dict(_KEYS)
    made = {name: journal_tags.Evolving(key) for name, key in keys.items()}
    ts = {name: key.of(0, RECORDS) or [] for name, key in made.items()}
    rows, body = [], bytearray(RECORD_BODY_BYTES)
    for seq in range(RECORDS):
        records.pack_into(
            body, 0, seq, 1, EVENT_GRANTED, REASON_CARD, 200_000_000 + seq, 5, CLOCK_SYNCED, 0,
            bytes(8), 1, 0,
        )  # fmt: skip
        c = chain.link(c, body)
        tags = [journal_tags.mac(ts[name][seq], c)[:TAG_BYTES] for name in ("tool", "audit")]
        rows.append({"device_id": _DEVICE.hex(), "ring": RING_ACCESS, "seq": seq, "boot": 1,
                     "record": bytes(body) + b"".join(tags), "pulled_at_s": 1})  # fmt: skip
    with site.registry.writing() as session:
        session.connection().execute(insert(Device), [_device()])
        session.connection().execute(insert(JournalRecord), rows)
    nonce = os.urandom(16)
    said = b"head" + nonce + bytes((RING_ACCESS,)) + RECORDS.to_bytes(4, "big") + c + bytes(4)
    last = {name: key.at(RECORDS) or b"" for name, key in made.items()}
    macs = {name: journal_tags.mac(t, said)[:16] for name, t in last.items()}
    return journal_check.Head(nonce, RECORDS, c, 0, macs)


def _device() -> dict[str, Any]:
    return {
        "id": _DEVICE.hex(), "name": "door-1", "kind": "door", "board": "virtual_door",
        "points": 1, "cards_max": 1, "created_at_s": 1, "enrolled_at_s": 1,
        "certificate_der": b"",
    }  # fmt: skip
