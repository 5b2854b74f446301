"""Makes an acceptance bundle (验收) of a site: what was built, proven and measured, signed (host).

docs/acceptance.md describes the files. Signed with the checkpoint key; no name of a tenant, no card
and no document is in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import Area, House, HousePoint, Room
from controller_tool.registry.models import Device
from controller_tool.registry.records import JournalRecord
from controller_tool.rules import duty
from controller_tool.services import (
    audit,
    bundle_layout,
    bundle_output,
    journal_evidence,
    journal_rows,
    record,
)
from controller_tool.services.bundle_manifest import canonical
from controller_tool.services.city import rows_places
from controller_tool.services.desk import operators
from controller_tool.services.journal_checkpoint import CHECKPOINT_KEY
from controller_tool.services.journal_words import RING_NAMES
from protocol import cbor

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

FORMAT = "controller-tool acceptance 1"
AAD = b"acceptance"
PLAN, DEVICES, RECORDS = "plan.json", "devices.json", "commissioning.json"
KPIS, JOURNALS, CHECKPOINTS = "kpis.json", "journals.json", "checkpoints.cbor"
# of a commissioning record, what is not of its network or its people
_NOTED = (
    "way", "chip", "mac", "flash_bytes", "image_sha256", "image_word", "image_version", "tool",
    "installer", "at_s", "clock", "self_test", "first_list", "firmware", "firmware_version",
    "trials", "finished_at_s",
)  # fmt: skip
Kpis = Callable[["Site"], Any]


@dataclass(frozen=True)
class Made:
    """missing: what is not in it, in words, each with the reason."""

    path: Path
    houses: int
    devices: int
    files: int
    missing: tuple[str, ...]


def figures(site: Site) -> dict[str, Any]:
    """The rates of the whole site: numerator, denominator, places not counted; no gap's name."""
    from controller_tool.services.desk import rates  # noqa: PLC0415 - it looks at everything

    found = rates.report(site)
    said = {name: vars(rate) for name, rate in found.whole.rates.items()}
    return {"at_s": found.at_s, "rates": said}


def make(
    site: Site, path: Path, kpis: Kpis | None = None, force: bool = False, dry_run: bool = False
) -> Made:
    """Write the bundle, a .zip file; OperatorError. kpis: makes the key figures, as JSON takes."""
    site.require_cards()
    site.require(CHECKPOINT_KEY)
    operators.require(site, duty.EXPORT)
    if path.suffix.lower() != ".zip":
        raise OperatorError(
            t("{name} is no .zip file", name=path.name), t("Name it such as acceptance.zip")
        )
    said, missing = _content(site, kpis)
    counts = len(said[PLAN]["houses"]), len(said[DEVICES])
    if dry_run:
        return Made(path, *counts, len(said), missing)
    with bundle_output.output(path, force) as sink:
        audit.export_begun(site, "acceptance", said)
        sink.put(bundle_layout.TRUST, site.trust_object())
        for name, value in said.items():
            sink.put(name, value if isinstance(value, bytes) else canonical(value))
        manifest = canonical(
            {
                "format": FORMAT, "site": site.id.hex(), "name": site.name,
                "made_at_s": now_s(), "missing": list(missing),
                "files": {n: {"sha256": h, "size": size} for n, (h, size) in sink.files.items()},
            }
        )  # fmt: skip
        sink.put(bundle_layout.MANIFEST, manifest)
        payload = cbor.encode([FORMAT, site.id, sha256(manifest).digest()])
        sink.put(bundle_layout.SIGNATURE, site.sign(CHECKPOINT_KEY, AAD, payload))
    with site.registry.writing() as session:
        digest = sha256(manifest).hexdigest()
        audit.append(session, site.operator, "acceptance.make", manifest_sha256=digest)
    return Made(path, *counts, len(sink.files), missing)


def _content(site: Site, kpis: Kpis | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Files by name, and what is missing from them."""
    missing = []
    with site.registry.session() as session:
        devices = list(session.scalars(select(Device).order_by(Device.id)))
        used = [d for d in devices if d.ended_how is None and d.enrolled_at_s is not None]
        said: dict[str, Any] = {
            PLAN: _plan(session),
            DEVICES: [_device(site, device) for device in devices],
            RECORDS: {device.id: _noted(site, device) for device in used},
            JOURNALS: {device.id: _journal(session, device) for device in devices},
            CHECKPOINTS: bundle_layout.checkpoint_file(
                envelope
                for device in devices
                for envelope in journal_evidence.envelopes(session, device.id)[-1:]
            ),
        }
    if not said[PLAN]["houses"]:
        missing.append(t("no house is registered"))
    missing += [
        t("{device}: no commissioning record", device=device.name)
        for device in used
        if not record.finished(site, device)
    ]
    if kpis is None:
        missing.append(t("no key figures"))
    else:
        said[KPIS] = json.loads(json.dumps(kpis(site), ensure_ascii=False))
    return said, tuple(missing)


def _plan(session: Session) -> dict[str, Any]:
    """Houses with their rooms, and the doors and ports that serve them."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    numbers: dict[str, str] = {}
    for room in session.scalars(select(Room).order_by(Room.number)):
        rooms.setdefault(room.house_id, []).append({"number": room.number, "beds": room.beds})
        numbers[room.id] = room.number
    points: dict[str, list[dict[str, Any]]] = {}
    query = select(HousePoint).order_by(HousePoint.device_id, HousePoint.point)
    for one in session.scalars(query):
        points.setdefault(one.house_id, []).append(
            {"device": one.device_id, "point": one.point, "use": one.use,
             "room": numbers.get(one.room_id or ""), "camera": one.camera}
        )  # fmt: skip
    return {
        "areas": [
            {"code": a.code, "kind": a.kind, "name": a.name, "parent": a.parent_code}
            for a in session.scalars(select(Area).order_by(Area.code))
        ],
        "houses": [
            {"ref": house.ref, "address_code": house.address_code, "address": house.address,
             "grid": house.grid_code, "type5": house.type5, "class4": house.class4,
             "state": house.state, "rooms": rooms.get(house.id, []),
             "points": points.get(house.id, [])}
            for house in session.scalars(select(House).order_by(House.ref))
        ],
    }  # fmt: skip


def _device(site: Site, device: Device) -> dict[str, Any]:
    return {
        "id": device.id, "name": device.name, "kind": device.kind, "board": device.board,
        "points": device.points, "firmware": rows_places.firmware_of(site, device),
        "enrolled_at_s": device.enrolled_at_s, "ended_how": device.ended_how,
        "list_version": device.list_version_receipted,
        "certificate_sha256": sha256(device.certificate_der).hexdigest(),
    }  # fmt: skip


def _noted(site: Site, device: Device) -> dict[str, Any]:
    known = record.known(site, device)
    return {name: known[name] for name in _NOTED if name in known}


def _journal(session: Session, device: Device) -> dict[str, Any]:
    """How many records are held of each ring, and the newest head that the controller gave."""
    said = {}
    for ring, name in RING_NAMES.items():
        held = select(func.count()).where(
            JournalRecord.device_id == device.id, JournalRecord.ring == ring
        )
        head = journal_rows.newest_head(session, device.id, ring)
        told = None if head is None else {"next_seq": head.next_seq, "chain": head.chain.hex()}
        said[name] = {"records": session.scalar(held) or 0, "head": told}
    return said
