"""Signed lists: when one is signed, what may be on its way, what is proven by receipts (host).

A list counts as one that the controller may know from the moment it is signed: another desk may
end a card while the list that shows it is on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import update

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
)
from controller_tool.services import audit, list_state, list_update, standing
from controller_tool.services.list_signing import SIGNING_KEY, check_capacity, sign
from controller_tool.services.list_update import Base
from protocol import receipt
from protocol.codes import LIST_FULL
from protocol.constants import CARD_RECORD_BYTES
from protocol.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from controller_tool.client import DeviceState
    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class SignedList:
    """One list as it goes to a controller.

    count, digest: of the list that the controller then holds; payload: what goes over the wire;
    rest: changes that have to follow in a list of their own; left_out: cards without room in it.
    """

    version: int
    kind: int
    count: int
    digest: bytes
    envelope: bytes
    payload: bytes
    left_out: int
    rest: int = 0

    @property
    def changes(self) -> int:
        """Records that go over the wire."""
        return len(self.payload) // CARD_RECORD_BYTES


def next_for(
    site: Site,
    device: Device,
    force: bool = False,
    state: DeviceState | None = None,
    full: bool = False,
    prepared: Mapping[str, Content] | None = None,
) -> SignedList | None:
    """The list that the controller should have and has not; None when it is up to date.

    Signs only when the content changed, when half the time to refresh_by is over, when the delta
    that waits fits no more, or with ``force``. state: what the controller reported; without it,
    with ``force`` or ``full`` only a full list will do. Raises a ToolError when it does not fit,
    or while the controller holds a list of another registry.
    """
    site.unlock()
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        standing.refuse_fork(row)
        base = None if force or full else _base(session, site, row, state)
        newest = standing.newest(session, row)
        if not site.holds(SIGNING_KEY):
            return _by_other_folder(site, newest, base)
        current = list_state.current(site, session, row, prepared)
        if (
            newest is not None
            and not force
            and list_state.still_good(site, newest, current.hash(), row)
        ):
            if newest.state in standing.ON_DEVICE:
                return None
            if _fits(newest, base):
                return _signed(newest)
        check_capacity(row, current.content)
        update = list_update.plan(current.content, base, row.cards_max)
        signed = sign(site, session, row, update, newest)
        current.remember()
        return replace(_signed(signed), rest=update.rest)


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


def raise_floor(site: Site, device: Device, version: int) -> None:
    """The controller takes no number up to this one: the next list gets a higher one."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        if version > row.version_floor:
            row.version_floor = version
            audit.append(session, site.operator, "list.floor", device=row.name, version=version)


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


def _by_other_folder(
    site: Site, newest: ListVersion | None, base: Base | None
) -> SignedList | None:
    """What a folder without the signing key can send: a list as another one has signed it."""
    if newest is None or newest.state in standing.ON_DEVICE:
        return None
    if not _fits(newest, base):
        site.require(SIGNING_KEY)
    return _signed(newest)


def _base(session: Session, site: Site, row: Device, state: DeviceState | None) -> Base | None:
    """The list that the controller reports, if it is one of ours and its records are kept."""
    if state is None:
        return None
    held = standing.known(session, row, state.epoch, state.version, state.digest)
    if held is None or held.epoch != site.epoch or not standing.records_kept(held):
        return None
    return Base(held.version, held.result_digest, held.payload, state.overlay)


def _fits(signed: ListVersion, base: Base | None) -> bool:
    """Whether the controller can take it as it is: a delta only upon the list that it names."""
    if signed.kind == LIST_FULL:
        return True
    return (
        base is not None
        and (signed.base_version, signed.base_digest) == (base.version, base.digest)
        and base.has_room(len(signed.update or b"") // CARD_RECORD_BYTES)
    )


def _drop_old_payloads(session: Session, proven: ListVersion) -> None:
    """Older lists are never sent again: their signed manifests stay, their records may go."""
    older = (ListVersion.device_id == proven.device_id) & (ListVersion.version < proven.version)
    session.execute(update(ListVersion).where(older).values(payload=b""))
    was_delta = older & ListVersion.update.is_not(None)
    session.execute(update(ListVersion).where(was_delta).values(update=b""))


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
    payload = row.payload if row.update is None else row.update
    return SignedList(
        row.version, row.kind, row.count, row.result_digest, row.envelope, payload, row.left_out
    )
