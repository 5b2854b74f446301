"""The records of controllers' lists, made for many controllers at a time (host).

Each card is read and its credential opened once, however many controllers it is on; what is left
to do for each controller is one HMAC a card. Which cards have a record: list_content says it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, union

from controller_tool.clock import now_s
from controller_tool.registry.models import STATE_ISSUED, Card, Grant
from controller_tool.registry.records import SentCard
from protocol import cards as layout
from protocol.constants import (
    CARD_KEY_BYTES,
    CARD_RECORD_BYTES,
    CREDENTIAL_MAX_BYTES,
    FLAG_REVOKED,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

KEPT_MIN = 90 * 1440
NEVER_MIN = 2**53
_BLOCK_BYTES = 64
_NO_KEY = bytes(CARD_KEY_BYTES)
PROFILE_MAX = 255
_PROFILE_AT = CARD_RECORD_BYTES - CARD_KEY_BYTES - 2  # in what follows the key: profile, flags
_COLUMNS = (
    Card.id, Card.ref, Card.state, Card.flags, Card.profile_id, Card.from_min, Card.until_min,
    Card.ended_at_s, Card.credential_type, Card.credential_sealed,
    Card.credential_index,
)  # fmt: skip


@dataclass(frozen=True)
class Records:
    """The records of one list, sorted by key.

    owners: ids of the cards that open something by it, by their keys; contested: keys of
    credentials that were issued more than once; left_out: cards that should and have no room;
    first_end_min: the earliest end among its cards: KEPT_MIN later the list changes by itself;
    narrowed: (profile, mask of points) of grants that name points, by the number they go by here.
    """

    payload: bytes
    owners: dict[bytes, str] = field(repr=False)
    contested: frozenset[bytes] = field(repr=False)
    left_out: int
    first_end_min: int
    narrowed: dict[int, tuple[int, int]] = field(default_factory=dict)


class _Entry:
    """One card: what is the same on every controller. Its credential is opened when first asked.

    end_min: when it ended, by its dates or by being handed in; message: what its key is made of;
    tail: what follows the key in its record.
    """

    __slots__ = (
        "end_min", "id", "index", "issued", "message", "place", "profile_id", "row", "tail",
    )  # fmt: skip

    def __init__(self, row: Row[Any]) -> None:
        self.row: Row[Any] | None = row
        self.id: str = row.id
        self.index: bytes = row.credential_index
        self.issued: bool = row.state == STATE_ISSUED
        ended_min = NEVER_MIN if row.ended_at_s is None else row.ended_at_s // 60
        self.end_min: int = min(row.until_min, ended_min)
        self.place = 0
        self.profile_id: int = row.profile_id
        self.message = self.tail = b""

    def open(self, site: Site) -> None:
        row, self.row = self.row, None
        if row is None:
            return
        credential = site.vault.open("cards", row.id, "credential", row.credential_sealed)
        self.message = key_message(row.credential_type, credential)
        flags = row.flags if self.issued else row.flags | FLAG_REVOKED
        record = layout.pack(_NO_KEY, row.from_min, row.until_min, row.profile_id, flags)
        self.tail = record[CARD_KEY_BYTES:]


def oldest_min() -> int:
    """What ended before this minute has no record any more."""
    return now_s() // 60 - KEPT_MIN


def key_message(kind: int, credential: bytes) -> bytes:
    """What a card key is the HMAC of (protocol.cards.card_key)."""
    if not 0 < len(credential) <= CREDENTIAL_MAX_BYTES:
        raise ValueError("credential length")
    return bytes((kind, len(credential))) + credential


def card_keys(device_card_key: bytes, messages: Iterable[bytes]) -> list[bytes]:
    """protocol.cards.card_key of each message.

    The two hashes are brought beyond the key once and copied: half the work of an HMAC each.
    """
    size = len(device_card_key)
    key = device_card_key if size <= _BLOCK_BYTES else sha256(device_card_key).digest()
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block))
    outer = sha256(bytes(byte ^ 0x5C for byte in block))
    keys = []
    for message in messages:
        first = inner.copy()
        first.update(message)
        second = outer.copy()
        second.update(first.digest())
        keys.append(second.digest()[:CARD_KEY_BYTES])
    return keys


class Builder:
    """Builds the lists of these controllers from the registry as one transaction sees it."""

    def __init__(self, site: Site, session: Session, devices: Sequence[Device]) -> None:
        self._site = site
        self._session = session
        self._oldest_min = oldest_min()
        query = select(*_COLUMNS)
        if len(devices) == 1:
            of_it = union(_granted(devices[0]), _signed(devices[0])).subquery()
            query = query.where(Card.id.in_(select(of_it.c.card_id)))
        rows: list[Row[Any]] = sorted(session.execute(query), key=_rank)
        self._order = [_Entry(row) for row in rows]
        for place, entry in enumerate(self._order):
            entry.place = place
        self._entries = {entry.id: entry for entry in self._order}
        self._issued = {entry.id for entry in self._order if entry.issued}
        self._some_again = len({entry.index for entry in self._order}) < len(self._order)

    def build(self, device: Device) -> Records:
        """The records for one of the controllers."""
        wanted = self._wanted(device)
        again = self._issued_again(wanted)
        entries = [entry for entry in wanted if entry.end_min >= self._oldest_min]
        crowded, left_out = len(entries) > device.cards_max, 0
        sent = self._sent(device) if crowded else frozenset()
        if crowded:
            entries.sort(key=lambda entry: 2 if not entry.issued else entry.id not in sent)
        for entry in entries:
            if entry.row is not None:
                entry.open(self._site)
        keys = card_keys(
            self._site.secret(device, "card_key"), [entry.message for entry in entries]
        )
        if crowded or len(set(keys)) < len(keys):
            entries, keys, left_out = _with_room(device, entries, keys, sent)
        pairs = list(zip(keys, entries, strict=True))
        records, narrowed = _packed(pairs, self._masks(device))
        return Records(
            payload=b"".join(sorted(records)),
            owners={key: entry.id for key, entry in pairs if entry.issued},
            contested=frozenset(key for key, entry in pairs if entry.index in again)
            if again
            else frozenset(),
            left_out=left_out,
            first_end_min=min([entry.end_min for entry in entries], default=NEVER_MIN),
            narrowed=narrowed,
        )

    def _masks(self, device: Device) -> dict[str, int]:
        """Masks of the grants on it that name points, by card."""
        query = select(Grant.card_id, Grant.points_mask)
        named = query.where(Grant.device_id == device.id, Grant.points_mask.is_not(None))
        rows = self._session.connection().execute(named)
        return {card_id: mask for card_id, mask in rows if mask is not None}

    def _wanted(self, device: Device) -> list[_Entry]:
        """What may have a record: first what is issued, then what ended last."""
        self._session.flush()
        connection = self._session.connection()
        ids = self._issued.intersection(connection.scalars(_granted(device)))
        ids |= set(connection.scalars(_signed(device)))
        entries = self._entries
        order = self._order
        return [order[place] for place in sorted([entries[card_id].place for card_id in ids])]

    def _issued_again(self, wanted: list[_Entry]) -> frozenset[bytes]:
        """Indexes of the credentials that were issued more than once to this controller."""
        if not self._some_again:
            return frozenset()
        issues = Counter(entry.index for entry in wanted)
        return frozenset(index for index, count in issues.items() if count > 1)

    def _sent(self, device: Device) -> frozenset[str]:
        """Cards that the controller may know already."""
        sent = SentCard.first_version <= device.list_version_sent
        return frozenset(self._session.scalars(_signed(device).where(sent)))


def _packed(
    pairs: list[tuple[bytes, _Entry]], masks: dict[str, int]
) -> tuple[list[bytes], dict[int, tuple[int, int]]]:
    """The records, those of cards in ``masks`` by numbers of their own, and these numbers."""
    if not masks:
        return [key + entry.tail for key, entry in pairs], {}
    wanted = {entry.id: (entry.profile_id, masks[entry.id]) for _, entry in pairs
              if entry.id in masks}  # fmt: skip
    narrowed = _numbers(set(wanted.values()))
    number_of = {pair: bytes((number,)) for number, pair in narrowed.items()}
    return [
        key + (_with_profile(entry.tail, number_of[wanted[entry.id]]) if entry.id in wanted
               else entry.tail)
        for key, entry in pairs
    ], narrowed  # fmt: skip


def _numbers(pairs: set[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Numbers from the top, where the site's own profiles do not come.

    The lowest mask first: a room that is let for the first time moves no entrance's number.
    """
    ordered = sorted(pairs, key=lambda pair: (pair[1].bit_count(), pair[1], pair[0]))
    return {PROFILE_MAX - place: pair for place, pair in enumerate(ordered)}


def _with_profile(tail: bytes, number: bytes) -> bytes:
    return tail[:_PROFILE_AT] + number + tail[_PROFILE_AT + 1 :]


def _with_room(
    device: Device, entries: list[_Entry], keys: list[bytes], sent: frozenset[str]
) -> tuple[list[_Entry], list[bytes], int]:
    """Those for which there is room, each key once, and how many live cards were left out."""
    taken: dict[bytes, _Entry] = {}
    left_out = 0
    for key, entry in zip(keys, entries, strict=True):
        if len(taken) >= device.cards_max and not (entry.issued and entry.id in sent):
            left_out += entry.issued
        else:
            # the former issue of a credential that was issued anew comes later: no record
            taken.setdefault(key, entry)
    return list(taken.values()), list(taken), left_out


def _granted(device: Device) -> Any:
    return select(Grant.card_id).where(Grant.device_id == device.id)


def _signed(device: Device) -> Any:
    return select(SentCard.card_id).where(SentCard.device_id == device.id)


def _rank(row: Any) -> tuple[bool, int, str]:
    """The order in which cards get their room, but for what the controller knows already."""
    if row.state == STATE_ISSUED:
        return (False, 0, row.ref)
    return (True, -(row.ended_at_s or 0), row.ref)
