"""Stored journals in words: who, which point, when, why (host).

The card of a record is known by the controller's own key for it, masked anew in each record with
a key of the tool; a folder without that key (the auditor's) shows the masked bytes.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.keys.files import FILE_MODE
from controller_tool.messages import t
from controller_tool.registry.models import Card, Person
from controller_tool.registry.records import SentCard
from controller_tool.services import cards, journal_store
from controller_tool.services.journal_verify import RING_NAMES
from protocol import cards as layout
from protocol import chain, records
from protocol.codes import (
    EVENT_CHARGE_ENDED,
    EVENT_DENIED,
    EVENT_GRANTED,
    EVENT_LIST_REFUSED,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_SESSION_CLOSED,
    EVENT_SESSION_OPENED,
    EVENT_UNLOCKED,
)
from protocol.constants import CARD_KEY_BYTES, FLAG_EMERGENCY, FLAG_MASTER, RECORD_BODY_BYTES
from protocol.names import (
    CLOCK_NAMES,
    END_NAMES,
    ERROR_NAMES,
    EVENT_NAMES,
    REASON_NAMES,
    ROLE_NAMES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
CONTROLLER = 255  # the point of records that belong to no door, port or reader
_NO_KEY = bytes(CARD_KEY_BYTES)
_Known = tuple[str, str, str]  # reference, holder and flag of a card
_SESSIONS = (EVENT_SESSION_OPENED, EVENT_SESSION_CLOSED)
_REASONS = {
    EVENT_LIST_REFUSED: ERROR_NAMES,
    EVENT_CHARGE_ENDED: END_NAMES,
    EVENT_SESSION_OPENED: ROLE_NAMES,
    EVENT_SESSION_CLOSED: ROLE_NAMES,
    **dict.fromkeys(
        (EVENT_GRANTED, EVENT_DENIED, EVENT_UNLOCKED, EVENT_REVOKED_CARD_PRESENTED), REASON_NAMES
    ),
}


@dataclass(frozen=True)
class Entry:
    """One record. time: local ISO 8601; card: reference, "unknown" or, masked, its bytes.

    holder: of the card; for a session the peer id. flag: "master" or "emergency" where such a card
    was used. reason: by name where it has one for this event; record: all 48 bytes as hex.
    """

    ring: str
    seq: int
    boot: int
    time: str
    clock: str
    event: str
    reason: str
    point: int
    card: str
    holder: str
    flag: str
    list_version: int
    extra: int
    record: str


def entries(site: Site, device: Device, ring: int | None = None) -> list[Entry]:
    """Stored records of one ring, or of both, start by start and by time within each.

    Never by time alone: before a clock is set it counts from the floor.
    """
    with site.registry.session() as session:
        known = _known_cards(site, session, device)
        found = [
            entry
            for number in (journal_store.RINGS if ring is None else (ring,))
            for entry in _ring(site, session, device, number, known)
        ]
    return sorted(found, key=lambda e: (e.boot, e.time)) if ring is None else found


def export(site: Site, device: Device, path: Path, force: bool = False) -> int:
    """Write all entries to ``path``: .csv, or .ndjson/.jsonl; returns how many.

    The file is the owner's alone, for it holds names. One that is there already is left alone
    without ``force``, and never written through a link.
    """
    found = entries(site, device)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".ndjson", ".jsonl"):
        raise OperatorError(
            t("{name} is neither .csv nor .ndjson", name=path.name), t("Name the file so")
        )
    try:
        # spreadsheets take a CSV file for UTF-8 by its mark only
        encoding = "utf-8-sig" if suffix == ".csv" else "utf-8"
        if force:
            path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "w", encoding=encoding, newline="") as file:
            if suffix == ".csv":
                writer = csv.DictWriter(file, list(Entry.__dataclass_fields__))
                writer.writeheader()
                writer.writerows(_cells(entry) for entry in found)
            else:
                file.writelines(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in found)
    except FileExistsError:
        raise OperatorError(
            t("{path} is there already", path=path), t("Name a new file, or add --force")
        ) from None
    except OSError:
        raise OperatorError(
            t("{path} cannot be written", path=path), t("Check the folder and its permissions")
        ) from None
    return len(found)


def _cells(entry: Entry) -> dict[str, object]:
    """As a spreadsheet takes it: text that it would calculate with gets a quote before it."""
    return {
        name: f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
        for name, value in asdict(entry).items()
    }


def _known_cards(site: Site, session: Session, device: Device) -> dict[bytes, _Known]:
    """Reference, holder and flag by the key under which the controller knows a card."""
    if device.card_key_sealed is None:
        return {}
    card_key = site.secret(device, "card_key")
    sent = select(SentCard.card_id).where(SentCard.device_id == device.id)
    query = (
        select(Card, Person.name)
        .outerjoin(Person, Person.id == Card.person_id)
        .where(Card.id.in_(sent))
        .order_by(Card.ref)
    )
    known = {}
    for card, holder in session.execute(query):
        credential = cards.credential_of(site, card)
        key = layout.card_key(card_key, credential.type, credential.data)
        known[key] = (card.ref, holder or "", _flag(card.flags))
    return known


def _ring(
    site: Site, session: Session, device: Device, ring: int, known: dict[bytes, _Known]
) -> Iterator[Entry]:
    rows = journal_store.rows(session, device.id, ring)
    masks = _masks(site, device, ring, [row.seq for row in rows])
    for row in rows:
        body = records.unpack(row.record[:RECORD_BODY_BYTES])
        mask = masks.get(row.seq)
        card, holder, flag = _card(body.event, body.key, mask, known)
        names = _REASONS.get(body.event, {})
        yield Entry(
            ring=RING_NAMES[ring],
            seq=row.seq,
            boot=body.boot,
            time=f"{clock.local_text(body.time_s)[:-6]}.{body.ms:03d}",
            clock=CLOCK_NAMES.get(body.quality, str(body.quality)),
            event=EVENT_NAMES.get(body.event, str(body.event)),
            reason=names.get(body.reason, str(body.reason) if body.reason else ""),
            point=body.point,
            card=card,
            holder=holder,
            flag=flag,
            list_version=body.version,
            extra=body.extra,
            record=row.record.hex(),
        )


def _masks(site: Site, device: Device, ring: int, seqs: Sequence[int]) -> dict[int, bytes]:
    """K_tool before each record; empty where this folder has no such key."""
    name = f"k_tool_{RING_NAMES[ring]}"
    if getattr(device, f"{name}_sealed") is None:
        return {}
    wanted = set(seqs)
    key = site.secret(device, name)
    found = {}
    for seq in range(max(wanted, default=-1) + 1):
        if seq in wanted:
            found[seq] = key
        key = chain.evolve(key)
    return found


def _card(event: int, masked: bytes, k_tool: bytes | None, known: dict[bytes, _Known]) -> _Known:
    if k_tool is None:
        return masked.hex(), "", ""
    key = chain.masked(masked, k_tool)
    if key == _NO_KEY:
        return "", "", ""
    if event in _SESSIONS:
        return "", key.hex(), ""
    return known.get(key, ("unknown", "", ""))


def _flag(flags: int) -> str:
    if flags & FLAG_EMERGENCY:
        return "emergency"
    return "master" if flags & FLAG_MASTER else ""
