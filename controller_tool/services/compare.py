"""What a controller really stores, compared with what it should, card by card (host).

The hashes of 256 buckets show where the two differ; only those buckets' records are fetched. It
is compared with the list that this registry signed for what the controller says that it holds;
where there is none, or its records are not kept, with what would be signed now.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Person
from controller_tool.services import devices, list_content, standing
from controller_tool.services.devices_ops import list_role
from protocol import cards as layout
from protocol import deltas
from protocol.constants import FLAG_REVOKED

if TYPE_CHECKING:
    from collections.abc import Container

    from sqlalchemy.orm import Session

    from controller_tool.client import Client, DeviceState
    from controller_tool.services.site import Site

SIGNED, NOW = "signed", "now"  # what it was compared with
ABSENT, LIVE, REVOKED = "absent", "live", "revoked"


@dataclass(frozen=True)
class Difference:
    """One card that is not the same on both sides.

    card: its reference, empty when this registry knows no card of that key; there, here: ABSENT,
    LIVE or REVOKED, on the controller and in this registry; fields: what differs in the records.
    """

    card: str
    holder: str
    room: str
    key: bytes
    there: str
    here: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """How the list that is stored on a controller differs.

    version: that it reports; intact: whether what is stored has the digest that it reports;
    against: SIGNED or NOW.
    """

    device: str
    standing: str
    version: int
    intact: bool
    against: str
    differences: tuple[Difference, ...]


def compare(
    site: Site, name: str, way: Way | None = None, notice: Notice | None = None
) -> Comparison:
    """Asks one controller; changes nothing on it."""
    site.require_cards()
    device = site.device(name)
    with dial(site, device, way, list_role(site), notice) as client:
        state = client.state()
        found = standing.note(site, device, state.epoch, state.version, state.digest)
        comparison = compare_open(site, device, client, state, found)
    devices.note_heard(site, device)
    return comparison


def compare_open(
    site: Site, device: Device, client: Client, state: DeviceState, found: str
) -> Comparison:
    """The same over a session that is open. found: its standing by that state."""
    against, expected = _expected(site, device, state)
    if not state.version:  # it has no list that it could be asked for
        missing = _differences(site, device, deltas.by_key(expected), {})
        return Comparison(device.name, found, 0, True, against, missing)
    buckets = client.buckets()
    intact = sha256(b"".join(buckets)).digest() == state.digest
    ours, theirs = _differing(client, buckets, expected)
    return Comparison(
        device.name, found, state.version, intact, against,
        _differences(site, device, ours, theirs),
    )  # fmt: skip


def cards_by_key(
    site: Site, session: Session, device: Device, wanted: Container[bytes]
) -> dict[bytes, list[Card]]:
    """Cards of this registry by their key on that controller: issued before ended, new before old.

    wanted: only these keys.
    """
    card_key = site.secret(device, "card_key")
    found: dict[bytes, list[Card]] = {}
    for card in session.scalars(select(Card).order_by(Card.ref.desc())):
        credential = site.vault.open("cards", card.id, "credential", card.credential_sealed)
        key = layout.card_key(card_key, card.credential_type, credential)
        if key in wanted:
            found.setdefault(key, []).append(card)
    for cards in found.values():
        cards.sort(key=lambda card: card.state != STATE_ISSUED)
    return found


def _expected(site: Site, device: Device, state: DeviceState) -> tuple[str, bytes]:
    """What it is compared with, and its records."""
    with site.registry.session() as session:
        row = session.get_one(Device, device.id)
        held = standing.known(session, row, state.epoch, state.version, state.digest)
        if held is not None and standing.records_kept(held):
            return SIGNED, held.payload
        return NOW, list_content.collect(site, session, row).payload


def _differing(
    client: Client, buckets: list[bytes], expected: bytes
) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """Records by key, ours and theirs, of the buckets that differ."""
    wrong = [
        number
        for number, ours in enumerate(deltas.bucket_hashes(expected))
        if ours != buckets[number]
    ]
    theirs = deltas.by_key(b"".join(client.bucket_records(number) for number in wrong))
    ours = {key: rec for key, rec in deltas.by_key(expected).items() if key[0] in wrong}
    return ours, theirs


def _differences(
    site: Site, device: Device, ours: dict[bytes, bytes], theirs: dict[bytes, bytes]
) -> tuple[Difference, ...]:
    keys = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
    if not keys:
        return ()
    with site.registry.session() as session:
        known = cards_by_key(site, session, device, set(keys))
        return tuple(
            _difference(session, key, known.get(key, []), theirs.get(key), ours.get(key))
            for key in keys
        )


def _difference(
    session: Session, key: bytes, cards: list[Card], there: bytes | None, here: bytes | None
) -> Difference:
    card = cards[0] if cards else None
    person = session.get(Person, card.person_id) if card and card.person_id else None
    return Difference(
        card=card.ref if card else "",
        holder=person.name if person else "",
        room=person.room if person else "",
        key=key,
        there=_word(there),
        here=_word(here),
        fields=_fields(there, here),
    )


def _word(record: bytes | None) -> str:
    if record is None:
        return ABSENT
    return REVOKED if layout.flags(record) & FLAG_REVOKED else LIVE


def _fields(there: bytes | None, here: bytes | None) -> tuple[str, ...]:
    """What differs of a card that both have, by the names of the record's fields."""
    if there is None or here is None:
        return ()
    readers = (layout.from_min, layout.until_min, layout.profile, layout.flags)
    return tuple(read.__name__ for read in readers if read(there) != read(here))
