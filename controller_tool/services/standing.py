"""What a controller says of its list, compared with what this registry signed for it (host).

The word of a controller is never a proof; its receipt is. Standing of a controller, by the
(version, digest) that it reports:

- blank: it has no list, and this registry has no receipt that says otherwise
- in_step: the newest list, and its receipt is here
- unreceipted: the newest list; its receipt got lost
- behind: an older list of ours, as expected
- rolled_back: an older one than it has receipted, or none at all; receipts are pending again
- fork: one that this registry never signed (a restored backup, a second desk); the same, and
  nothing is signed for it until a person accepts that this registry's cards replace the others
  (services.forks): a card proven dead by the other registry may be alive in this one
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import DeviceError
from controller_tool.messages import t
from controller_tool.registry.models import Device
from controller_tool.registry.records import LIST_HELD, LIST_RECEIPTED, ListVersion
from controller_tool.services import audit
from protocol.constants import CARD_RECORD_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

BLANK, IN_STEP, UNRECEIPTED = "blank", "in_step", "unreceipted"
BEHIND, ROLLED_BACK, FORK = "behind", "rolled_back", "fork"
ON_DEVICE = (LIST_HELD, LIST_RECEIPTED)


def note(site: Site, device: Device, epoch: int, version: int, digest: bytes) -> str:
    """Compare what a controller says that it holds with the registry; returns its standing."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        last = newest(session, row)
        held = known(session, row, epoch, version, digest)
        found = _compare(row, last, held, version)
        if found == FORK:
            mark_fork(site, session, row, epoch, version, digest)
            return found
        row.fork_seen = row.fork_accepted = None
        if found == UNRECEIPTED and last is not None:
            last.state = LIST_HELD
        if found == ROLLED_BACK:
            _fall_back(site, session, row, found, epoch, version, digest)
        return found


def mark_fork(
    site: Site, session: Session, row: Device, epoch: int, version: int, digest: bytes
) -> None:
    """The controller holds a list of another registry: what it receipted counts no more."""
    seen = b"%d.%d." % (epoch, version) + digest
    if seen == row.fork_seen:
        return  # else every try would need another number, and none go on where it stopped
    row.fork_seen = seen
    _fall_back(site, session, row, FORK, epoch, version, digest)


def refuse_fork(row: Device) -> None:
    """DeviceError when a foreign list was seen there and nobody has accepted to replace it."""
    if row.fork_seen is not None and row.fork_seen != row.fork_accepted:
        raise foreign_list(row)


def accept(site: Site, session: Session, row: Device) -> None:
    """The foreign list that was seen there may be replaced; services.forks has compared it."""
    if row.fork_accepted != row.fork_seen:
        row.fork_accepted = row.fork_seen
        audit.append(session, site.operator, "list.fork_accepted", device=row.name)


def foreign_list(row: Device) -> DeviceError:
    """What a person is told about a fork."""
    return DeviceError(
        t("{device} holds a list that this registry did not sign", device=row.name),
        t(
            "Is this folder a restored backup, or does another one push too? See what differs with:"
            " device compare {device}; push --accept-fork replaces it and ends here what was ended"
            " there",
            device=row.name,
        ),
    )


def newest(session: Session, device: Device) -> ListVersion | None:
    """The list with the highest number that was signed here for the controller."""
    query = select(ListVersion).where(ListVersion.device_id == device.id)
    return session.scalar(query.order_by(ListVersion.version.desc()).limit(1))


def known(
    session: Session, device: Device, epoch: int, version: int, digest: bytes
) -> ListVersion | None:
    """The list of this registry that has this epoch, number and digest."""
    found = session.get(ListVersion, (device.id, version))
    if found is None or found.epoch != epoch:
        return None
    return found if found.result_digest == digest else None


def records_kept(row: ListVersion) -> bool:
    """Whether all its records are still here, not its signed manifest alone."""
    return len(row.payload) == row.count * CARD_RECORD_BYTES


def _fall_back(
    site: Site, session: Session, row: Device, found: str, epoch: int, version: int, digest: bytes
) -> None:
    last = newest(session, row)
    row.list_version_receipted = 0
    # beyond both what it held once and what it holds now: its floor may be either; but the number
    # of an older epoch is no floor in this one, however far somebody has driven it up
    held = version if epoch >= site.epoch else 0
    row.version_floor = max(row.version_floor, held, last.version if last else 0)
    audit.append(
        session, site.operator, f"list.{found}", device=row.name, version=version,
        digest=digest.hex(),
    )  # fmt: skip


def _compare(
    device: Device, last: ListVersion | None, held: ListVersion | None, version: int
) -> str:
    if version and (held is None or last is None):
        return FORK
    newest_was_there = last is not None and last.state in ON_DEVICE
    if version < device.list_version_receipted or (newest_was_there and last is not held):
        return ROLLED_BACK
    if held is None:
        return BLANK
    if last is not held:
        return BEHIND
    return IN_STEP if held.version == device.list_version_receipted else UNRECEIPTED
