"""Signed lists: when one is signed, what may be on its way, what is proven by receipts (host).

A list counts as one that the controller may know from the moment it is signed: another desk may
end a card while the list that shows it is on the wire.
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
    LIST_RECEIPTED,
    LIST_SENT,
    LIST_SIGNED,
    ListVersion,
    Receipt,
    SentCard,
)
from controller_tool.services import audit, list_content, standing, trust_push
from protocol import manifest, receipt
from protocol.cards import digest as list_digest
from protocol.codes import ERR_CAPACITY, LIST_FULL
from protocol.constants import AAD_MANIFEST
from protocol.messages import Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site

SIGNING_KEY = "whitelist"


@dataclass(frozen=True)
class SignedList:
    """One list as it goes to a controller; left_out: cards that had no room in it."""

    version: int
    count: int
    digest: bytes
    envelope: bytes
    payload: bytes
    left_out: int


def next_for(site: Site, device: Device, force: bool = False) -> SignedList | None:
    """The list that the controller should have and has not; None when it is up to date.

    Signs only when the content changed, when half the time to refresh_by is over, or with
    ``force``. Raises a ToolError when it does not fit, or while the controller holds a list of
    another registry.
    """
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        standing.refuse_fork(row)
        newest = standing.newest(session, row)
        if not site.holds(SIGNING_KEY):
            return None if newest is None or newest.state in standing.ON_DEVICE else _signed(newest)
        content = list_content.collect(site, session, row)
        if newest is not None and not force and _still_good(site, newest, content, row):
            return None if newest.state in standing.ON_DEVICE else _signed(newest)
        return _signed(_sign(site, session, row, content, newest))


def mark_sent(site: Site, device: Device, version: int) -> None:
    """The list goes out now. OperatorError when a newer one was signed since: it counts alone."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        newest = standing.newest(session, row)
        if newest is not None and newest.version > version:
            raise OperatorError(
                t("A newer list was signed for {device} meanwhile", device=row.name),
                t("Push again"),
            )
        row.list_version_sent = max(row.list_version_sent, version)
        sent = session.get_one(ListVersion, (device.id, version))
        if sent.state == LIST_SIGNED:
            sent.state, sent.sent_at_s = LIST_SENT, now_s()


def record_receipt(site: Site, device: Device, data: bytes, nonce: bytes) -> int:
    """Check a receipt and keep it; returns the version that it proves.

    Raises DeviceError when it is false, for another question, or for a list never signed here.
    """
    proof = _read_receipt(site, device, data, nonce)
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        held = standing.known(session, row, proof.epoch, proof.version, proof.digest)
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
            row.fork_seen = row.fork_accepted = None
            _drop_old_payloads(session, held)
        else:
            standing.mark_fork(site, session, row, proof.epoch, proof.version, proof.digest)
    if held is None:
        raise standing.foreign_list(device)
    return proof.version


def _drop_old_payloads(session: Session, proven: ListVersion) -> None:
    """Older lists are never sent again: their signed manifests stay, their records may go."""
    older = (ListVersion.device_id == proven.device_id) & (ListVersion.version < proven.version)
    session.execute(update(ListVersion).where(older).values(payload=b""))


def _still_good(site: Site, newest: ListVersion, content: Content, device: Device) -> bool:
    """Whether the newest signed list says what it should, for long enough, with a free number.

    And whether it is of the epoch and of the key that are in force.
    """
    if newest.content_hash != content.hash():
        return False
    if newest.version <= device.version_floor or newest.epoch != site.epoch:
        return False
    if not trust_push.signed_by_now(site, newest.envelope):
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
        content_hash=content.hash(), count=content.count, left_out=content.left_out,
        signed_at_s=issued_s, refresh_by_s=m.refresh_by_s,
    )  # fmt: skip
    session.add(signed)
    _account(session, device, version, content.live)
    left_out = {"left_out": content.left_out} if content.left_out else {}
    audit.append(
        session, site.operator, "list.sign", device=device.name, version=version,
        count=content.count, **left_out,
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
        if card_id in live:
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
    return SignedList(
        row.version, row.count, row.result_digest, row.envelope, row.payload, row.left_out
    )
