"""A controller leaves service for good: wiped with a receipt, or stolen (host).

Rules of ``retire``, in this order:

- its journal is pulled and checkpointed over the session that is open; records that stay out of
  reach are given up with ``force`` alone
- a ticket retires it: it stops to serve, erases itself, answers with its wipe receipt and becomes a
  blank board
- a receipt that is not its own, not for this ticket or not of everything changes nothing here
- it leaves every *m* (services.cards) and steps aside under another name, as a replaced one does:
  its own name is free. A session with it is opened no more

``stolen`` asks nobody. The controller steps aside in the same way, but what it was sent stays
pending: nothing is proven by a theft. Two operators may state that it is lost for good
(services.desk.device_loss).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.messages import name_of, t
from controller_tool.registry.models import (
    ENDED_LOST,
    ENDED_STOLEN,
    ENDED_WIPED,
    STATE_ISSUED,
    Card,
    Device,
)
from controller_tool.registry.records import SentCard
from controller_tool.services import audit, cards, devices, devices_ops, pull
from protocol import cbor, wipe_receipt
from protocol.codes import TICKET_RETIRE
from protocol.constants import AAD_TICKET
from protocol.messages import Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.client import Client
    from controller_tool.services.site import Site

_KEY = "ticket"
_CHARGER = "charger"


@dataclass(frozen=True)
class Exposed:
    """A card that a stolen controller may be made to tell: its credential can be copied."""

    ref: str
    credential: str
    holder: str
    room: str


@dataclass(frozen=True)
class Ended:
    """What became of a controller, or would. how: "wiped" or "stolen"; kept_as: its name now;

    pulled, missing: records of its journal; erased: what it says it erased (WIPED_ bits), 0 for a
    stolen one; pending: cards that are not proven dead there; reissue: of these, issued ones.
    """

    device: str
    how: str
    kept_as: str
    pulled: int = 0
    missing: int = 0
    erased: int = 0
    pending: int = 0
    reissue: tuple[Exposed, ...] = ()


def retire(
    site: Site,
    name: str,
    *,
    force: bool = False,
    dry_run: bool = False,
    way: Way | None = None,
    notice: Notice | None = None,
) -> Ended:
    """Wipe it and take it out of every *m*; raises a ToolError, with nothing changed here."""
    device = site.device(name)
    site.require(_KEY)
    site.pinned_certificate(device)  # one that has ended is called on no more
    key = site.secret(device, "receipt_key")
    kept_as = devices.aside(device)
    if dry_run:
        return Ended(name, ENDED_WIPED, kept_as)
    with dial(site, device, way, devices_ops.list_role(site), notice) as client:
        pulled = pull.pull_open(site, device, client)
        if pulled.missing and not force:
            raise OperatorError(
                t("{device} has {n} records that nobody has, and cannot read them",
                  device=name, n=pulled.missing),
                t("Retire it with --force to give them up"),
            )  # fmt: skip
        data, nonce = _wipe(site, device, client, force)
    erased = _proven(site, device, key, data, nonce)
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        end(site, session, row, ENDED_WIPED)
        row.wipe_receipt = data
    return Ended(name, ENDED_WIPED, kept_as, pulled.new, pulled.missing, erased)


def stolen(site: Site, name: str, *, dry_run: bool = False) -> Ended:
    """It is believed no more; the cards that whoever has it may copy."""
    device = site.device(name)
    if device.ended_how == ENDED_WIPED:
        raise OperatorError(
            t("{device} was wiped: there is nothing on it to be stolen", device=name),
            t("Its wipe receipt is in the registry"),
        )
    if device.ended_how == ENDED_LOST:
        raise OperatorError(
            t("{device} counts for no card any more: {how}", device=name,
              how=name_of("ending", ENDED_LOST)),
            t("See the controllers with: device list"),
        )  # fmt: skip
    with site.registry.session() as session:
        listed, pending = exposed(site, session, device)
    done = Ended(name, ENDED_STOLEN, devices.aside(device), pending=pending, reissue=tuple(listed))
    if not dry_run and device.ended_how is None:
        with site.registry.writing() as session:
            end(site, session, session.get_one(Device, device.id), ENDED_STOLEN)
    return done


def _wipe(site: Site, device: Device, client: Client, force: bool) -> tuple[bytes, bytes]:
    nonce = client.nonce()
    fields: list[cbor.Value] = [site.id, device.id_bytes, nonce, TICKET_RETIRE, 0, int(force)]
    try:
        data = client.retire(site.sign(_KEY, AAD_TICKET, cbor.encode(fields)))
    except LinkError as error:
        raise LinkError(
            t("{device} was retired, but its wipe receipt did not come ({detail})",
              device=device.name, detail=error.what),
            t("It wipes itself all the same; what it was sent stays pending. Take it out of trust:"
              " device retire {device} --stolen", device=device.name),
        ) from error  # fmt: skip
    return data, nonce


def _proven(site: Site, device: Device, key: bytes, data: bytes, nonce: bytes) -> int:
    """The bits of what was erased; DeviceError unless the receipt is of everything."""
    try:
        told = wipe_receipt.read(key, data)
    except (Refused, TypeError) as error:
        raise _unproven(device) from error
    if (told.site, told.device, told.nonce) != (site.id, device.id_bytes, nonce):
        raise _unproven(device)
    needed = wipe_receipt.WIPED_NEEDED
    if device.kind == _CHARGER:
        needed |= wipe_receipt.WIPED_ENERGY
    if told.erased & needed != needed:
        raise _unproven(device)
    return told.erased


def _unproven(device: Device) -> DeviceError:
    return DeviceError(
        t("{device} does not prove that it is wiped", device=device.name),
        t("Erase its flash with esptool; what it was sent stays pending. Take it out of trust:"
          " device retire {device} --stolen", device=device.name),
    )  # fmt: skip


def end(site: Site, session: Session, row: Device, how: str) -> None:
    """It leaves service in the caller's transaction, and steps aside. how: ENDED_…."""
    name = row.name
    row.ended_how, row.ended_at_s = how, now_s()
    devices.step_aside(session, row)
    audit.append(session, site.operator, f"device.{how}", name=name, id=row.id)


def exposed(site: Site, session: Session, device: Device) -> tuple[list[Exposed], int]:
    """Cards that still open somewhere and were sent to it; how many are not proven dead there."""
    query = (
        select(Card, SentCard)
        .join(SentCard, SentCard.card_id == Card.id)
        .where(SentCard.device_id == device.id)
        .order_by(Card.ref)
    )
    found, pending = [], 0
    for card, sent in session.execute(query):
        pending += not cards.proven_dead(sent, device)
        if card.state == STATE_ISSUED:
            said = cards.status_of(site, session, card)
            found.append(Exposed(said.ref, said.credential, said.holder, said.room))
    return found, pending
