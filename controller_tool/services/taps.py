"""Cards tried at a controller while somebody watches its journal (host).

The installer holds cards to the readers; what the controller made of each is read back from its
own journal over the open session, and then pulled as any other record: the record of commissioning
says what stands in the journal, and nothing that somebody typed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from controller_tool.services import journal_index, journal_read, pull
from controller_tool.services.journal_filter import Filter, event_name, reason_name
from protocol import records
from protocol.codes import (
    EVENT_CHARGE_CHOOSES,
    EVENT_CHARGE_STARTED,
    EVENT_DENIED,
    EVENT_GRANTED,
    EVENT_UNLOCKED,
    REASON_FIRE,
    REASON_MODE,
    REASON_REX,
    REASON_TICKET,
)
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RING_ACCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.journal_read import Entry
    from controller_tool.services.site import Site

PER_TAP_S = 60.0  # a session lasts ten minutes in all
TAPS_MAX = 8
_STEP_S = 0.5
_SETTLE_S = 2.5  # a port closes once it was seen to draw nothing
_DECISIONS = frozenset({EVENT_GRANTED, EVENT_DENIED, EVENT_CHARGE_CHOOSES})
_CARDS = frozenset(map(event_name, _DECISIONS))
_OPENS = frozenset(map(event_name, (EVENT_GRANTED, EVENT_CHARGE_CHOOSES)))
_RELAY = frozenset(map(event_name, (EVENT_UNLOCKED, EVENT_CHARGE_STARTED)))
_NO_CARD = frozenset(
    reason_name(EVENT_UNLOCKED, reason)
    for reason in (REASON_REX, REASON_TICKET, REASON_FIRE, REASON_MODE)
)
_ENTRIES_MAX = 200


@dataclass(frozen=True)
class Tap:
    """One card: local ISO time, the card (its reference, or how the journal has it), door or port
    from 1, what was decided and why, by name; relay: the journal has it act for this card.
    """

    time: str
    card: str
    point: int
    decision: str
    reason: str
    relay: bool


@dataclass(frozen=True)
class Contact:
    """What else happened meanwhile: exit button, door contact; point: door or port from 1."""

    time: str
    event: str
    point: int


@dataclass(frozen=True)
class Trials:
    """wanted: how many cards were to be tried."""

    wanted: int
    taps: tuple[Tap, ...] = ()
    contacts: tuple[Contact, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether so many were."""
        return len(self.taps) >= self.wanted


def watch(
    site: Site,
    device: Device,
    client: Client,
    wanted: int,
    say: Callable[[str], None],
    per_tap_s: float = PER_TAP_S,
) -> Trials:
    """Waits for `wanted` cards, each in its time, and tells what the controller made of them."""
    first = client.head(RING_ACCESS).next_seq
    say(t("Now hold cards to its readers, a minute for each: {count}", count=wanted))
    _wait(client, first, wanted, say, per_tap_s)
    time.sleep(_SETTLE_S)
    pull.pull_ring(site, device, client, RING_ACCESS)
    wish = Filter(devices=(device.name,), ring=RING_ACCESS)
    journal_index.ensure(site, [device])
    entries = [
        entry for entry in journal_read.page(site, wish, _ENTRIES_MAX).entries if entry.seq >= first
    ]
    return Trials(wanted, tuple(_taps(entries)), tuple(_contacts(entries)))


def _wait(
    client: Client, first: int, wanted: int, say: Callable[[str], None], per_tap_s: float
) -> None:
    seen, known = 0, first
    until_s = time.monotonic() + per_tap_s
    while seen < wanted and time.monotonic() < until_s:
        end = client.head(RING_ACCESS).next_seq
        if end == known:
            time.sleep(_STEP_S)
            continue
        for page in client.records(RING_ACCESS, [(known, end)]):
            for at in range(0, len(page), RECORD_BYTES):
                body = records.unpack(page[at : at + RECORD_BODY_BYTES])
                if body.event in _DECISIONS:
                    seen += 1
                    until_s = time.monotonic() + per_tap_s
                    say(_heard(seen, wanted, body.event, body.point))
        known = end


def _heard(seen: int, wanted: int, event: int, point: int) -> str:
    return t("Card {number} of {count}: {decision}, {point}", number=seen, count=wanted,
             decision=name_of("event", event_name(event)), point=point + 1)  # fmt: skip


def _taps(entries: list[Entry]) -> Iterator[Tap]:
    """Decisions, each with whether its relay acted for it."""
    for at, entry in enumerate(entries):
        if entry.event not in _CARDS:
            continue
        relay = entry.event in _OPENS and _acted(entry, entries[at + 1 :])
        yield Tap(entry.time, entry.card, entry.point + 1, entry.event, entry.reason, relay)


def _acted(decision: Entry, later: list[Entry]) -> bool:
    """Before the next card at that door or port, and not for an exit button or a fire."""
    for entry in later:
        if entry.point == decision.point and entry.event in _CARDS:
            return False
        if entry.point == decision.point and entry.event in _RELAY:
            return entry.reason not in _NO_CARD
    return False


def _contacts(entries: list[Entry]) -> Iterator[Contact]:
    for entry in entries:
        if entry.event not in _CARDS | _RELAY:
            yield Contact(entry.time, entry.event, entry.point + 1)
