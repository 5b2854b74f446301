"""Controllers in the registry: made with all their secrets, then kept up to date (host).

Rules of ``create``, in this order:

- an unknown name: a new controller
- the name of one that was made but never enrolled: the same again, so that an interrupted
  provisioning goes on where it stopped
- the name of an enrolled one: refused, unless it is to be replaced (``again``); then the old one
  stays on the books under another name, because what it was sent is not proven dead, and its
  cards are granted to the new one
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.keys.certificates import certificate_der, issue_device_certificate
from controller_tool.messages import t
from controller_tool.registry.houses import HousePoint
from controller_tool.registry.models import Device, Grant
from controller_tool.services import audit, audit_pins, boards, list_content
from controller_tool.services.peers import PEER_CA
from controller_tool.services.site_init import DEVICE_CA
from protocol import cbor, chain, keyslot
from protocol.constants import (
    CHAIN_KEY_BYTES,
    ID_BYTES,
    KEY_SLOT_BYTES,
    RING_ACCESS,
    RING_ALARM,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

SECRET_BYTES = 32
NEW, SAME, REPLACES = "new", "the same again", "replaces"  # what a name is, before it is given
DEFAULT_CARDS_MAX = 20_000
_NAME = re.compile(r"[^\W_][\w.-]{0,30}")  # letters of any script; it is a TLS and file name too
_TRUST_VERSION = "trust_version"  # among what a controller has said of itself
_RINGS = {RING_ACCESS: "k_tool_access", RING_ALARM: "k_tool_alarm"}


@dataclass(frozen=True)
class NewDevice:
    """Everything that provisioning puts on a board to make it this controller.

    key_der, cert_der: its own; ca_der: of the peers it lets in; trust: signed trust object;
    config: /cfg/config.cbor; seed_slots: first key cell of the access and of the alarm ring.
    """

    device: Device
    key_der: bytes = field(repr=False)
    cert_der: bytes
    ca_der: bytes
    trust: bytes
    config: bytes = field(repr=False)
    seed_slots: tuple[bytes, bytes] = field(repr=False)


@dataclass(frozen=True)
class Overview:
    """One controller as lists of controllers show it; no secret in it."""

    name: str
    id: str
    kind: str
    board: str
    enrolled_at_s: int | None
    ended_how: str | None
    last_heard_s: int | None
    list_version_sent: int
    list_version_receipted: int
    serial_address: str | None
    tcp_address: str | None
    trust_version: int | None
    trust_behind: bool | None


def overview(site: Site) -> list[Overview]:
    """All controllers by name; what trust object they had when they told it last."""
    names = [n for n in Overview.__dataclass_fields__ if not n.startswith("trust_")]
    return [
        Overview(**{n: getattr(device, n) for n in names}, **trust_standing(site, device))
        for device in site.devices()
    ]


def trust_standing(site: Site, device: Device) -> dict[str, Any]:
    """Version of the controller's trust object, and whether this folder has a newer one."""
    version = json.loads(device.info or "{}").get(_TRUST_VERSION)
    behind = None if version is None else version < site.facts.trust_version
    return {"trust_version": version, "trust_behind": behind}


def create(
    site: Site,
    name: str,
    board: str,
    kind: str | None = None,
    wifi: tuple[str, str] | None = None,
    again: bool = False,
) -> NewDevice:
    """A controller of this name and what goes on its board; rules in the module's docstring.

    board: name or folder of the board; kind: "door" or "charger" where the board leaves a choice;
    wifi: (ssid, password). Raises OperatorError.
    """
    site.require(DEVICE_CA)
    described = boards.show(board)
    _require_name(name)
    site.unlock()
    with site.registry.writing() as session:
        held = session.scalar(select(Device).where(Device.name == name))
        if held is not None and _standing(held, described, again) == SAME:
            if wifi is not None:
                held.wifi_sealed = _seal(site, held.id, "wifi", _wifi_text(wifi))
            return _assemble(site, held)
        device = _new(site, name, described, kind or described.kind)
        if held is not None:
            step_aside(session, held)
        session.add(device)
        session.flush()
        if held is not None:
            take_over_grants(session, held, device)
            list_content.require_room(session, [device])
        if wifi is not None:
            device.wifi_sealed = _seal(site, device.id, "wifi", _wifi_text(wifi))
        audit.append(
            session, site.operator, "device.create", name=name, id=device.id,
            replaces=held.id if held else None,
        )  # fmt: skip
        return _assemble(site, device)


def standing(site: Site, name: str, board: str, again: bool = False) -> str:
    """What `create` would make of the name: NEW, SAME or REPLACES; raises what it would raise."""
    site.require(DEVICE_CA)
    described = boards.show(board)
    _require_name(name)
    with site.registry.session() as session:
        held = session.scalar(select(Device).where(Device.name == name))
        return NEW if held is None else _standing(held, described, again)


def mark_enrolled(
    site: Site, device: Device, sealed: tuple[bytes, bytes], info: dict[str, Any]
) -> None:
    """The controller has handed over its audit keys, sealed to the auditor: it is in service."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        row.k_audit_access, row.k_audit_alarm = sealed
        row.enrolled_at_s = row.last_heard_s = now_s()
        row.info = _info_text(info)
        for ring, key in enumerate(sealed):
            audit_pins.add(session, row.id, ring, audit_pins.digest(key), True)
        audit.append(session, site.operator, "device.enroll", name=row.name, id=row.id)


def note_address(
    site: Site, device: Device, serial: str | None = None, tcp: str | None = None
) -> None:
    """Where the controller answered; None leaves what was known."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        row.serial_address = serial or row.serial_address
        row.tcp_address = tcp or row.tcp_address


def note_heard(site: Site, device: Device, info: dict[str, Any] | None = None) -> None:
    """The controller has answered through the channel, perhaps with what it says of itself."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        row.last_heard_s = now_s()
        if info is not None:
            row.info = _info_text(info)


def note_trust(site: Site, device: Device, version: int) -> None:
    """The trust object that the controller has now."""
    with site.registry.writing() as session:
        row = session.get_one(Device, device.id)
        row.info = json.dumps({**json.loads(row.info or "{}"), _TRUST_VERSION: version})


def _standing(held: Device, described: boards.Board, again: bool) -> str:
    if held.enrolled_at_s is None and held.board == described.folder:
        return SAME
    if held.enrolled_at_s is not None and not again:
        raise OperatorError(
            t("A controller named {name} is enrolled already", name=held.name),
            t("Take another name, or --again if this board replaces it"),
        )
    return REPLACES


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise OperatorError(
            t("{name} cannot be the name of a controller", name=name),
            t("Take up to 31 letters, digits, dots and dashes, beginning with a letter or digit"),
        )


def _new(site: Site, name: str, board: boards.Board, kind: str) -> Device:
    identity = os.urandom(ID_BYTES)
    key_der, cert_der = issue_device_certificate(
        site.ec_key(DEVICE_CA), site.certificate(DEVICE_CA), identity
    )
    secrets = {
        "link_root": os.urandom(SECRET_BYTES),
        "card_key": os.urandom(SECRET_BYTES),
        "receipt_key": os.urandom(SECRET_BYTES),
        "device_key": key_der,
        **{column: os.urandom(CHAIN_KEY_BYTES) for column in _RINGS.values()},
    }
    row_id = identity.hex()
    return Device(
        id=row_id,
        name=name,
        kind=kind,
        board=board.folder,
        points=board.points,
        cards_max=int(board.capabilities.get("cards", DEFAULT_CARDS_MAX)),
        created_at_s=now_s(),
        certificate_der=cert_der,
        list_version_sent=0,
        list_version_receipted=0,
        version_floor=0,
        **{f"{c}_sealed": _seal(site, row_id, c, value) for c, value in secrets.items()},
    )


def aside(held: Device) -> str:
    """The name that a controller is kept under once it has left service."""
    return held.name if held.name.endswith(f"~{held.id[:6]}") else f"{held.name}~{held.id[:6]}"


def step_aside(session: Session, held: Device) -> None:
    """Keep one that left service on the books, under a name that nobody types by mistake."""
    held.name = aside(held)
    held.enrolled_at_s = None
    held.serial_address = held.tcp_address = None
    session.flush()


def take_over_grants(session: Session, old: Device, new: Device) -> int:
    """Every card of the old one is on the new one too, for the same points and no more.

    The new one serves the houses of the old one. Returns how many cards it did not have.
    """
    _take_over_houses(session, old, new)
    there = set(session.scalars(select(Grant.card_id).where(Grant.device_id == new.id)))
    held = select(Grant).where(Grant.device_id == old.id).order_by(Grant.card_id)
    coming = [grant for grant in session.scalars(held) if grant.card_id not in there]
    every = (1 << new.points) - 1
    for grant in coming:
        # "all" of a smaller board is not all of a larger one: its other doors are other rooms'
        had = (1 << old.points) - 1 if grant.points_mask is None else grant.points_mask
        mask = had & every
        if mask:
            session.add(Grant(card_id=grant.card_id, device_id=new.id,
                              points_mask=None if mask == every else mask))  # fmt: skip
    return len(coming)


def _take_over_houses(session: Session, old: Device, new: Device) -> None:
    """What the old one opened of houses, the new one opens; points that it lacks go."""
    for point in list(session.scalars(select(HousePoint).where(HousePoint.device_id == old.id))):
        session.delete(point)
        if point.point < new.points:
            session.add(HousePoint(
                device_id=new.id, point=point.point, house_id=point.house_id, use=point.use,
                room_id=point.room_id, camera=point.camera,
            ))  # fmt: skip
    session.flush()


def _assemble(site: Site, device: Device) -> NewDevice:
    return NewDevice(
        device=device,
        key_der=site.secret(device, "device_key"),
        cert_der=device.certificate_der,
        ca_der=certificate_der(site.certificate(PEER_CA)),
        trust=site.trust_object(),
        config=_config(site, device),
        seed_slots=(_seed(site, device, RING_ACCESS), _seed(site, device, RING_ALARM)),
    )


def _config(site: Site, device: Device) -> bytes:
    wifi = None
    if device.wifi_sealed is not None:
        wifi = json.loads(site.secret(device, "wifi"))
    return cbor.encode({
        1: site.id,
        2: device.id_bytes,
        3: device.name,
        4: site.secret(device, "link_root"),
        5: site.secret(device, "card_key"),
        6: site.secret(device, "receipt_key"),
        7: wifi,
        8: site.epoch,
        9: {},
    })  # fmt: skip


def _seed(site: Site, device: Device, ring: int) -> bytes:
    """First key cell: the chain's beginning and K_tool; K_audit is the controller's to make."""
    slot = bytearray(KEY_SLOT_BYTES)
    keyslot.pack_into(
        slot, 0, keyslot.STATE_SEED,
        0, 0, 0, 0, 0, 0,  # boot, next seq, sector, place, version floor, trust floor
        site.epoch,
        chain.start(site.id, device.id_bytes, ring),
        site.secret(device, _RINGS[ring]),
        bytes(CHAIN_KEY_BYTES),
    )  # fmt: skip
    return bytes(slot)


def _seal(site: Site, row_id: str, column: str, value: bytes) -> bytes:
    return site.vault.seal("devices", row_id, column, value)


def _wifi_text(wifi: tuple[str, str]) -> bytes:
    return json.dumps(list(wifi), ensure_ascii=False).encode()


def _info_text(info: dict[str, Any]) -> str:
    readable = {k: v.hex() if isinstance(v, bytes) else v for k, v in info.items()}
    return json.dumps(readable, ensure_ascii=False)
