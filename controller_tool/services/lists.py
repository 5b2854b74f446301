"""Signed lists: when one is signed, what is known to lie on a controller, what is proven (host).

The word of a controller about its list (`note_state`) is never a proof; its receipt is. Standing
of a controller, by the (version, digest) that it reports:

- blank: it has no list, and this registry has no receipt that says otherwise
- in_step: the newest list, and its receipt is here
- unreceipted: the newest list; its receipt got lost
- behind: an older list of ours, as expected
- rolled_back: an older one than it has receipted, or none at all; receipts are pending again
- fork: one that this registry never signed (a restored backup, a second desk); the same
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Device
from controller_tool.registry.records import (
    LIST_HELD,
    LIST_RECEIPTED,
    LIST_SENT,
    LIST_SIGNED,
    ListVersion,
    Receipt,
    SentCard,
)
from controller_tool.services import audit, list_content
from protocol import manifest, receipt
from protocol.cards import digest as list_digest
from protocol.codes import ERR_CAPACITY, LIST_FULL
from protocol.constants import AAD_MANIFEST
from protocol.messages import Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site

BLANK, IN_STEP, UNRECEIPTED = "blank", "in_step", "unreceipted"
BEHIND, ROLLED_BACK, FORK = "behind", "rolled_back", "fork"
SIGNING_KEY = "whitelist"
_ON_DEVICE = (LIST_HELD, LIST_RECEIPTED)


@dataclass(frozen=True)
class SignedList:
    """One list as it goes to a controller."""

    version: int
    count: int
    digest: bytes
    envelope: bytes
    payload: bytes


def next_for(site: Site, device: Device, force: bool = False) -> SignedList | None:
    """The list that the controller should have and has not; None when it is up to date.

    Signs only when the content changed, when half the time to refresh_by is over, or with
    ``force``. Raises OperatorError when it does not fit or this folder cannot sign.
    """
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        newest = _newest(session, row)
        if not site.holds(SIGNING_KEY):
            return None if newest is None or newest.state in _ON_DEVICE else _signed(newest)
        content = list_content.collect(site, session, row)
        if newest is not None and not force and _still_good(newest, content, row):
            return None if newest.state in _ON_DEVICE else _signed(newest)
        return _signed(_sign(site, session, row, content, newest))


def mark_sent(site: Site, device: Device, version: int) -> None:
    """From now on the controller may know the cards of this list."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        row.list_version_sent = max(row.list_version_sent, version)
        sent = session.get_one(ListVersion, (device.id, version))
        if sent.state == LIST_SIGNED:
            sent.state, sent.sent_at_s = LIST_SENT, now_s()


def note_state(site: Site, device: Device, epoch: int, version: int, digest: bytes) -> str:
    """Compare what a controller says that it holds with the registry; returns its standing."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        newest = _newest(session, row)
        held = _known(session, site, row, epoch, version, digest)
        standing = _standing(row, newest, held, version)
        if standing == UNRECEIPTED and newest is not None:
            newest.state = LIST_HELD
        if standing in (ROLLED_BACK, FORK):
            row.list_version_receipted = 0
            # beyond both what it held once and what it holds now: its floor may be either
            row.version_floor = max(row.version_floor, version, newest.version if newest else 0)
            audit.append(
                session, site.operator, f"list.{standing}", device=row.name,
                version=version, digest=digest.hex(),
            )  # fmt: skip
        return standing


def record_receipt(site: Site, device: Device, data: bytes, nonce: bytes) -> int:
    """Check a receipt and keep it; returns the version that it proves.

    Raises DeviceError when it is false, for another question, or for a list never signed here.
    """
    proof = _read_receipt(site, device, data, nonce)
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        held = _known(session, site, row, proof.epoch, proof.version, proof.digest)
        session.add(
            Receipt(
                device_id=row.id, version=proof.version, digest=proof.digest,
                signed_here=held is not None, raw=data, received_at_s=now_s(),
            )
        )  # fmt: skip
        if held is not None:
            held.state, held.receipted_at_s = LIST_RECEIPTED, now_s()
            row.list_version_receipted = held.version
            row.list_version_sent = max(row.list_version_sent, held.version)
            _drop_old_payloads(session, held)
    if held is None:
        raise DeviceError(
            t("{device} holds a list that this registry did not sign", device=device.name),
            t("Push again: the list of this registry goes over it"),
        )
    return proof.version


def _drop_old_payloads(session: Session, proven: ListVersion) -> None:
    """Older lists are never sent again: their signed manifests stay, their records may go."""
    older = (ListVersion.device_id == proven.device_id) & (ListVersion.version < proven.version)
    session.execute(update(ListVersion).where(older).values(payload=b""))


def _newest(session: Session, device: Device) -> ListVersion | None:
    query = select(ListVersion).where(ListVersion.device_id == device.id)
    return session.scalar(query.order_by(ListVersion.version.desc()).limit(1))


def _known(
    session: Session, site: Site, device: Device, epoch: int, version: int, digest: bytes
) -> ListVersion | None:
    found = session.get(ListVersion, (device.id, version))
    if found is None or epoch != site.epoch or found.epoch != epoch:
        return None
    return found if found.result_digest == digest else None


def _standing(
    device: Device, newest: ListVersion | None, held: ListVersion | None, version: int
) -> str:
    if version and (held is None or newest is None):
        return FORK
    newest_was_there = newest is not None and newest.state in _ON_DEVICE
    if version < device.list_version_receipted or (newest_was_there and newest is not held):
        return ROLLED_BACK
    if held is None:
        return BLANK
    if newest is not held:
        return BEHIND
    return IN_STEP if held.version == device.list_version_receipted else UNRECEIPTED


def _still_good(newest: ListVersion, content: Content, device: Device) -> bool:
    """Whether the newest signed list says what it should, for long enough, with a free number."""
    if newest.content_hash != content.hash():
        return False
    if newest.version <= device.version_floor:
        return False
    return now_s() < (newest.signed_at_s + newest.refresh_by_s) // 2


def _sign(
    site: Site, session: Session, device: Device, content: Content, newest: ListVersion | None
) -> ListVersion:
    _check_capacity(device, content)
    version = max(newest.version if newest else 0, device.version_floor) + 1
    issued_s = now_s()
    m = manifest.Manifest()
    m.site, m.device, m.epoch, m.version = site.id, device.id_bytes, site.epoch, version
    m.kind, m.base_version, m.base_digest = LIST_FULL, 0, b""
    m.result_digest, m.count = list_digest(content.payload), content.count
    m.payload_bytes = len(content.payload)
    m.payload_sha256 = sha256(content.payload).digest()
    m.issued_at_s, m.refresh_by_s = issued_s, issued_s + content.refresh_h * 3600
    m.profiles = [tuple(row) for row in content.profiles]
    m.schedules, m.policy = content.schedules, (content.policy[0], content.policy[1])
    m.trust_version, m.audit_head = site.facts.trust_version, audit.head(session)
    m.utc_offsets, m.holidays = content.utc_offsets, content.holidays
    signed = ListVersion(
        device_id=device.id, version=version, epoch=site.epoch, state=LIST_SIGNED,
        envelope=_envelope(site, m), payload=content.payload, result_digest=m.result_digest,
        content_hash=content.hash(), count=content.count,
        signed_at_s=issued_s, refresh_by_s=m.refresh_by_s,
    )  # fmt: skip
    session.add(signed)
    _account(session, device, version, content.live)
    audit.append(
        session, site.operator, "list.sign", device=device.name, version=version,
        count=content.count,
    )  # fmt: skip
    return signed


def _envelope(site: Site, m: manifest.Manifest) -> bytes:
    try:
        return site.sign(SIGNING_KEY, AAD_MANIFEST, manifest.encode(m))
    except (Refused, ValueError):
        raise OperatorError(
            t("Profiles, schedules and holidays are more than a controller takes"),
            t("Remove some of them"),
        ) from None


def _check_capacity(device: Device, content: Content) -> None:
    if content.count > device.cards_max:
        raise DeviceError(
            t("{device} holds {max} cards and would get {count}",
              device=device.name, max=device.cards_max, count=content.count),
            t("Collect cards, or use a board with more room"), ERR_CAPACITY,
        )  # fmt: skip


def _account(session: Session, device: Device, version: int, live: frozenset[str]) -> None:
    """Write down which cards this version shows to the controller, and which it ends."""
    known = {
        row.card_id: row
        for row in session.scalars(select(SentCard).where(SentCard.device_id == device.id))
    }
    for card_id, row in known.items():
        if row.first_version > device.list_version_sent and card_id not in live:
            session.delete(row)  # signed once, never sent: the controller never saw it
        elif card_id in live:
            row.dead_from_version = None
        elif row.dead_from_version is None:
            row.dead_from_version = version
    session.add_all(
        SentCard(card_id=card_id, device_id=device.id, first_version=version)
        for card_id in live - known.keys()
    )


def _read_receipt(site: Site, device: Device, data: bytes, nonce: bytes) -> receipt.Receipt:
    try:
        proof = receipt.read(site.secret(device, "receipt_key"), data)
    except Refused:
        proof = None
    if (
        proof is None
        or proof.nonce != nonce
        or (proof.site, proof.device) != (site.id, device.id_bytes)
    ):
        raise DeviceError(
            t("The receipt of {device} is not genuine", device=device.name),
            t("Push again; if it stays so, the board is not the one that was provisioned"),
        )
    return proof


def _signed(row: ListVersion) -> SignedList:
    return SignedList(row.version, row.count, row.result_digest, row.envelope, row.payload)
