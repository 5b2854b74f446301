"""Rows of controllers, houses and heartbeats for hzaccess/1 (host)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from controller_tool import clock
from controller_tool.keys.certificates import from_strangers
from controller_tool.registry.houses import House, HousePoint
from controller_tool.registry.models import Device
from controller_tool.services import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime

_UNLOCKED, _OPEN, _FIRE, _FORCED = 1, 2, 4, 8  # bits of a door in info, protocol.cddl


def moment(time_s: int | None, local: SiteTime) -> str:
    """Local ISO 8601 text with its offset; empty for none."""
    return "" if time_s is None else clock.local_text(time_s, local.offset_min(time_s))


def houses(site: Site, session: Session, local: SiteTime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every house, whatever its state."""
    del site, local
    for house in session.scalars(select(House).order_by(House.id)):
        yield house.id, {
            "ref": house.ref, "address_code": house.address_code, "address": house.address,
            "type5": house.type5, "class4": house.class4, "state": house.state,
            "rooms": house.rooms_declared, "beds": house.beds_declared,
            "landlord": house.landlord_name, "grid": house.grid_code,
        }  # fmt: skip


def devices(site: Site, session: Session, local: SiteTime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every controller that was ever enrolled; house_ids: those it has a door or port of."""
    query = select(HousePoint.device_id, House.id, House.address_code).join(
        House, House.id == HousePoint.house_id
    )
    served: dict[str, dict[str, str]] = {}
    for device_id, house_id, code in session.execute(query.order_by(House.ref)):
        served.setdefault(device_id, {})[house_id] = code
    for device in session.scalars(select(Device).order_by(Device.id)):
        if device.enrolled_at_s is None and device.ended_how is None:
            continue
        noted = record.known(site, device)
        houses_ = served.get(device.id, {})
        yield device.id, {
            "sn": str(noted.get("mac", "")), "name": device.name, "type": device.kind,
            "board": device.board, "firmware": firmware_of(site, device),
            "site": site.id.hex(), "address_code": next(iter(houses_.values()), ""),
            "house_ids": list(houses_), "installer": str(noted.get("installer", "")),
            "enrolled_at": moment(device.enrolled_at_s, local),
            "state": device.ended_how or "in_use", "public_key": public_key(device),
        }  # fmt: skip


def heartbeats(
    site: Site, session: Session, local: SiteTime
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Controllers as they were last heard; what a controller does not tell is null."""
    del site
    query = select(Device).where(Device.last_heard_s.is_not(None), Device.ended_how.is_(None))
    for device in session.scalars(query.order_by(Device.id)):
        info = json.loads(device.info or "{}")
        yield device.id, {
            "time": moment(device.last_heard_s, local), "firmware": str(info.get("firmware", "")),
            "list_version": device.list_version_receipted,
            "list_behind": device.list_version_sent != device.list_version_receipted,
            "backlog": info.get("backlog"), "door_state": _doors(info.get("doors")),
            "flash_free": info.get("flash_free"), "rssi": info.get("rssi"),
            "clock_offset": info.get("clock_offset"),
        }  # fmt: skip


def firmware_of(site: Site, device: Device) -> str:
    """Version where a commissioning noted one, else what the controller says of its pack."""
    version = record.known(site, device).get("firmware_version")
    return str(version or json.loads(device.info or "{}").get("firmware", ""))


def public_key(device: Device) -> str:
    """SubjectPublicKeyInfo of its certificate, DER in base64."""
    key = from_strangers(device.certificate_der).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _doors(told: object) -> list[str]:
    """A word for each door."""
    try:
        states = bytes.fromhex(str(told or ""))
    except ValueError:
        return []
    return [_door(state) for state in states]


def _door(state: int) -> str:
    if state & _FIRE:
        return "fire"
    if state & _FORCED:
        return "forced_or_held"
    if state & _OPEN:
        return "open"
    return "unlocked" if state & _UNLOCKED else "closed"
