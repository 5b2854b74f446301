"""One list is signed and put on the books: manifest, envelope, which cards it shows (host)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.registry.records import LIST_SIGNED, ListVersion
from controller_tool.services import audit
from controller_tool.services.list_accounts import Books
from protocol import manifest
from protocol.card_digest import digest as list_digest
from protocol.codes import ERR_CAPACITY, LIST_DELTA, LIST_FULL
from protocol.constants import AAD_MANIFEST
from protocol.messages import Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.list_content import Content
    from controller_tool.services.list_update import Update
    from controller_tool.services.site import Site

SIGNING_KEY = "whitelist"


def check_capacity(device: Device, content: Content) -> None:
    """DeviceError when the controller holds less than that."""
    if content.count > device.cards_max:
        raise DeviceError(
            t("{device} holds {max} cards and would get {count}",
              device=device.name, max=device.cards_max, count=content.count),
            t("Collect cards, or use a board with more room"), ERR_CAPACITY,
        )  # fmt: skip


def sign(
    site: Site,
    session: Session,
    device: Device,
    update: Update,
    newest: ListVersion | None,
    books: Books | None = None,
) -> ListVersion:
    """The signed list of the next free number, in the caller's transaction.

    books: of a caller who signs several lists, and writes them then.
    """
    content, base = update.content, update.base
    version = max(newest.version if newest else 0, device.version_floor) + 1
    if version > manifest.NUMBER_MAX:
        raise OperatorError(
            t("The list numbers of {device} are used up", device=device.name),
            t("Run `site new-epoch`"),
        )
    m = _manifest(site, session, device, update, version)
    signed = ListVersion(
        device_id=device.id, version=version, epoch=site.epoch, state=LIST_SIGNED,
        envelope=_envelope(site, m), payload=content.payload, result_digest=m.result_digest,
        content_hash=content.hash(), count=content.count, left_out=content.left_out,
        signed_at_s=m.issued_at_s, refresh_by_s=m.refresh_by_s, kind=m.kind,
        base_version=base.version if base else None, base_digest=base.digest if base else None,
        update=update.payload if base else None,
    )  # fmt: skip
    session.add(signed)
    accounts = books or Books(session)
    accounts.note(device, version, content.live)
    if books is None:
        accounts.write()
    left_out = {"left_out": content.left_out} if content.left_out else {}
    base_version = {"base": base.version} if base else {}
    audit.append(
        session, site.operator, "list.sign", device=device.name, version=version,
        count=content.count, **base_version, **left_out,
    )  # fmt: skip
    return signed


def _manifest(
    site: Site, session: Session, device: Device, update: Update, version: int
) -> manifest.Manifest:
    content, base = update.content, update.base
    issued_s = now_s()
    m = manifest.Manifest()
    m.site, m.device, m.epoch, m.version = site.id, device.id_bytes, site.epoch, version
    m.kind, m.base_version, m.base_digest = LIST_FULL, 0, b""
    if base is not None:
        m.kind, m.base_version, m.base_digest = LIST_DELTA, base.version, base.digest
    m.result_digest, m.count = list_digest(content.payload), content.count
    m.payload_bytes = len(update.payload)
    m.payload_sha256 = sha256(update.payload).digest()
    m.issued_at_s, m.refresh_by_s = issued_s, issued_s + content.refresh_h * 3600
    m.profiles = [tuple(row) for row in content.profiles]
    m.schedules, m.policy = content.schedules, (content.policy[0], content.policy[1])
    m.trust_version, m.audit_head = site.facts.trust_version, audit.head(session)
    m.utc_offsets, m.holidays = content.utc_offsets, content.holidays
    return m


def _envelope(site: Site, m: manifest.Manifest) -> bytes:
    try:
        return site.sign(SIGNING_KEY, AAD_MANIFEST, manifest.encode(m))
    except (Refused, ValueError):
        raise OperatorError(
            t("Profiles, schedules and holidays are more than a controller takes"),
            t("Remove some of them"),
        ) from None
