"""The smallest update that brings a controller's list to what it should be: policy, no I/O (host).

Rules, in the order in which they are applied:

- it holds no list whose records are kept here: the full list
- the changes have room beside its base and are less than the full list: one delta, unless it
  takes something away and has more than a chunk of other changes
- something is taken away, and that has room: a delta of it alone, before the rest; a card that
  ended must not wait for those that come
- else the full list

Taken away is what opens something now and leaves, is revoked, or loses in dates, profile or flags.
So is any change of a credential that was issued more than once, to this person or another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from protocol import cards, deltas
from protocol.constants import (
    CARD_RECORD_BYTES,
    CHUNK_BYTES,
    FLAG_ABSENT,
    FLAG_REVOKED,
    OVERLAY_RECORDS_MAX,
)

if TYPE_CHECKING:
    from controller_tool.services.list_content import Content

CHUNK_RECORDS = CHUNK_BYTES // CARD_RECORD_BYTES


@dataclass(frozen=True)
class Base:
    """The list that a controller holds. overlay: changes that it holds beside its own base."""

    version: int
    digest: bytes
    payload: bytes
    overlay: int

    def has_room(self, records: int) -> bool:
        """Whether a delta of so many records can be held beside it."""
        return self.overlay + records <= OVERLAY_RECORDS_MAX


@dataclass(frozen=True)
class Update:
    """What is signed next. base: None for a full list; payload: what goes over the wire.

    content: the list after it; rest: changes that are still to come then.
    """

    content: Content
    base: Base | None
    payload: bytes
    rest: int = 0


def plan(content: Content, base: Base | None, cards_max: int) -> Update:
    """The update that leads towards ``content``; rules in the module's docstring."""
    full = Update(content, None, content.payload)
    if base is None:
        return full
    takes, others = _split(base, content)
    delta = Update(content, base, _joined({**takes, **others}))
    fits = _fits(delta, full)
    if fits and not (takes and len(others) > CHUNK_RECORDS):
        return delta
    if takes and others:
        payload = _joined(takes)
        first = Update(_after(content, base, payload), base, payload, len(others))
        if _fits(first, full) and first.content.count <= cards_max:
            return first
    return delta if fits else full


def _fits(delta: Update, full: Update) -> bool:
    """Whether the controller has room for it and it is less to send."""
    records = len(delta.payload) // CARD_RECORD_BYTES
    has_room = delta.base is not None and delta.base.has_room(records)
    return has_room and len(delta.payload) < len(full.payload)


def _split(base: Base, content: Content) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The changes by key: those that take something away, and the others."""
    before = deltas.by_key(base.payload)
    takes: dict[bytes, bytes] = {}
    others: dict[bytes, bytes] = {}
    for key, record in deltas.by_key(deltas.between(base.payload, content.payload)).items():
        takes_away = _takes_away(before.get(key), record, key in content.contested)
        (takes if takes_away else others)[key] = record
    return takes, others


def _takes_away(old: bytes | None, new: bytes, contested: bool) -> bool:
    if old is None or cards.flags(old) & FLAG_REVOKED:
        return False
    if contested or cards.flags(new) & (FLAG_REVOKED | FLAG_ABSENT):
        return True
    return (
        cards.from_min(new) > cards.from_min(old)
        or cards.until_min(new) < cards.until_min(old)
        or cards.profile(new) != cards.profile(old)
        or cards.flags(new) != cards.flags(old)
    )


def _after(content: Content, base: Base, takes: bytes) -> Content:
    """The list between: what it shows as live is live, and no more."""
    payload = deltas.applied(base.payload, takes)
    live = {key for key, record in deltas.by_key(payload).items() if not revoked(record)}
    owners = {key: card_id for key, card_id in content.owners.items() if key in live}
    count = len(payload) // CARD_RECORD_BYTES
    return replace(content, payload=payload, count=count, owners=owners)


def revoked(record: bytes) -> bool:
    """Whether a record opens nothing any more."""
    return bool(cards.flags(record) & FLAG_REVOKED)


def _joined(changes: dict[bytes, bytes]) -> bytes:
    return b"".join(changes[key] for key in sorted(changes))
