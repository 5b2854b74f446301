"""Five million journal records of 20 doors: what a page of them costs, and what storing one (host).

Building takes some minutes. Records are what doors write: a card in four, its door in the other
three, with denials, unknown cards, one card that is used all the time and one kind of record that
is as good as never there.
"""

from __future__ import annotations

import random
import statistics
import struct
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from controller_tool.registry.models import Card, Device
from controller_tool.services import (
    cards,
    journal_read,
    journal_rows,
    journal_store,
    list_records,
)
from controller_tool.services.journal_filter import Filter
from protocol import chain
from protocol.codes import (
    CLOCK_SYNCED,
    EVENT_DENIED,
    EVENT_DOOR_CLOSED,
    EVENT_DOOR_OPENED,
    EVENT_GRANTED,
    EVENT_UNLOCKED,
    REASON_CARD,
    REASON_QUOTA,
    REASON_SCHEDULE,
    REASON_UNKNOWN_CARD,
)
from protocol.constants import CHAIN_KEY_BYTES, RING_ACCESS
from tests.bench.charged_house import row
from tests.bench.tool_lists import large_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.site import Site

NAME = "journal_registry"
DOORS, CARDS = 20, 2000
RECORDS = 5_000_000
PAGE = 5000
_STEP_S = 250  # two years for a quarter of a million records
_FROM_S = 150_000_000
_BODY = struct.Struct(">IHBBIHBB8sII16s")
_LIMIT_MS, _LIMIT_US = 100.0, 25.0
_RUNS = 5


def run(records: int = RECORDS) -> list[dict[str, Any]]:
    """Milliseconds for each page; microseconds for a record that is stored."""
    with tempfile.TemporaryDirectory() as folder:
        site = large_site(Path(folder) / "site", DOORS, CARDS)
        try:
            stored_us = _build(site, records)
            return [*_pages(site), *_rest(site, records, stored_us)]
        finally:
            site.close()


def _rest(site: Site, records: int, stored_us: float) -> list[dict[str, Any]]:
    size = sum(path.stat().st_size for path in site.path.glob("registry.sqlite*"))
    device = site.device("door-000")
    end = journal_rows.next_seq(site, device, RING_ACCESS)
    started = time.perf_counter()
    gaps = journal_store.missing_ranges(site, device, RING_ACCESS, 0, end)
    took_ms = (time.perf_counter() - started) * 1000
    if gaps:
        raise RuntimeError(f"missing: {gaps}")
    return [
        row(f"{records} records: stored last, each", stored_us, "us", at_most=_LIMIT_US),
        row("that none of a ring is missing", took_ms, "ms", at_most=_LIMIT_MS),
        row("registry file, each record", size / records, "bytes"),
    ]


def _build(site: Site, records: int) -> float:
    """Store them door by door, page by page; microseconds a record of the last tenth."""
    with site.registry.writing() as session:
        for device in site.devices():
            sealed = site.vault.seal("devices", device.id, "k_tool_access", bytes(CHAIN_KEY_BYTES))
            session.execute(
                update(Device).where(Device.id == device.id).values(k_tool_access_sealed=sealed)
            )
    messages = _messages(site)
    writers = [
        (device, _door(site, device, messages, number))
        for number, device in enumerate(site.devices())
    ]
    spent_s = 0.0
    rounds = records // (DOORS * PAGE)
    for number in range(rounds):
        for device, pages in writers:
            page = next(pages)
            started = time.perf_counter()
            journal_store.append(site, device, RING_ACCESS, page)
            if number >= rounds - max(1, rounds // 10):
                spent_s += time.perf_counter() - started
    return spent_s / (max(1, rounds // 10) * DOORS * PAGE) * 1e6


def _messages(site: Site) -> list[bytes]:
    with site.registry.session() as session:
        credentials = [
            cards.credential_of(site, card)
            for card in session.scalars(select(Card).order_by(Card.ref))
        ]
    return [list_records.key_message(one.type, one.data) for one in credentials]


def _door(site: Site, device: Device, messages: list[bytes], number: int) -> Iterator[bytes]:
    """Pages that a door would give, one after the other."""
    chance = random.Random(number)
    keys = list_records.card_keys(site.secret(device, "card_key"), messages)
    k_tool, seq = site.secret(device, "k_tool_access"), 0
    while True:
        page = []
        for _ in range(PAGE):
            event, reason, point, key = _what(chance, keys, seq, number)
            masked = chain.masked(key, k_tool)
            when_s = _FROM_S + seq * _STEP_S + chance.randrange(_STEP_S)
            page.append(_BODY.pack(seq, 1, event, reason, when_s, 0, CLOCK_SYNCED, point, masked,
                                   1, 0, chance.randbytes(16)))  # fmt: skip
            k_tool = chain.evolve(k_tool)
            seq += 1
        yield b"".join(page)


def _what(
    chance: random.Random, keys: list[bytes], seq: int, door: int
) -> tuple[int, int, int, bytes]:
    nobody = bytes(8)
    if seq in (7, 7000) and door == DOORS // 2:
        return EVENT_DENIED, REASON_QUOTA, 3, keys[1]
    if seq % 4:
        event = (EVENT_UNLOCKED, EVENT_DOOR_OPENED, EVENT_DOOR_CLOSED)[seq % 4 - 1]
        return event, REASON_CARD if event == EVENT_UNLOCKED else 0, 0, nobody
    dice = chance.random()
    if dice < 0.16:  # 4 in 100 of all: 200 000
        return EVENT_GRANTED, REASON_CARD, 0, keys[0]
    if dice < 0.2:
        return EVENT_DENIED, REASON_UNKNOWN_CARD, 0, chance.randbytes(8)
    if dice < 0.28:
        return EVENT_DENIED, REASON_SCHEDULE, 0, chance.choice(keys)
    return EVENT_GRANTED, REASON_CARD, 0, chance.choice(keys)


def _cases() -> dict[str, Filter]:
    long_ago = Filter(since_s=_FROM_S + 86400, until_s=_FROM_S + 2 * 86400)
    return {
        "no filter": Filter(),
        "one controller": Filter(devices=("door-007",)),
        "granted, all controllers": Filter(result="granted"),
        "denied, one controller": Filter(devices=("door-003",), result="denied"),
        "a reason that is rare": Filter(reasons=frozenset(("quota",))),
        "a kind that never was": Filter(devices=("door-001",), reasons=frozenset(("lockdown",))),
        "a point that is rare": Filter(points=frozenset((3,))),
        "several events": Filter(events=frozenset(("door_opened", "denied", "unlocked"))),
        "a day two years ago": long_ago,
        "denied on a day two years ago": replace(long_ago, result="denied"),
        "the alarm ring, empty": Filter(ring=1),
        "a card with 200 000 records": Filter(who="K000001"),
        "that card, denied": Filter(who="K000001", result="denied"),
        "that card long ago": replace(long_ago, who="K000001"),
        "a card that is seldom used": Filter(who="K001999"),
        "a card nobody was issued": Filter(who="4294967295"),
        "that card at one door": Filter(who="K000001", devices=("door-019",)),
        "unknown cards": Filter(who="unknown"),
    }  # fmt: skip


def _pages(site: Site) -> list[dict[str, Any]]:
    rows = []
    for name, wanted in _cases().items():
        first, page = _timed(site, wanted, None)
        rows.append(row(f"{name} ({len(page.entries)})", first, "ms", at_most=_LIMIT_MS))
        if page.older is not None:
            older, _ = _timed(site, wanted, page.older)
            rows.append(row("  the page before it", older, "ms", at_most=_LIMIT_MS))
    return rows


def _timed(site: Site, wanted: Filter, before: str | None) -> tuple[float, journal_read.Page]:
    """Milliseconds for one page, the median of some; and the page."""
    took = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        page = journal_read.page(site, wanted, 50, before)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took), page
