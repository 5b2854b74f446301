"""Exports a role's own site folder: its keys, its certificate, its data, and nothing more (host).

What each role gets stands in ROLES. Every folder has a registry key and a peer key of its own, so
that one that is lost can be shut out by its peer id. An installer's folder can make and enrol
controllers and signs nothing; an auditor's can read and verify and signs nothing.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect as inspected
from sqlalchemy import select

from controller_tool.channel import address
from controller_tool.channel.dial import SIM_FOLDER
from controller_tool.credentials import Credential
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.keys.files import save_key
from controller_tool.messages import t
from controller_tool.registry.houses import (
    Area,
    Case,
    Hazard,
    House,
    HousePoint,
    Inspection,
    Room,
    Sanction,
)
from controller_tool.registry.models import (
    Base,
    Card,
    Device,
    Grant,
    Operator,
    PeerLink,
    Person,
    Profile,
    Schedule,
    Setting,
)
from controller_tool.registry.records import (
    AuditEntry,
    DeviceConfig,
    JournalCheckpoint,
    JournalConflict,
    JournalHead,
    JournalRecord,
    JournalSector,
    ListVersion,
    LogText,
    Receipt,
    SentCard,
)
from controller_tool.registry.stays import Duty, Hold, Lease, PairAct, RosterImport
from controller_tool.rules import duty, words
from controller_tool.services import (
    audit,
    audit_pins,
    cards,
    peers,
    people,
    site_folder,
    trust_store,
)
from controller_tool.services.desk import operators
from controller_tool.services.peers import PEER_CA
from controller_tool.services.site import KEYS_FOLDER, ROLE_CODES, TRUST_FILE, Site
from controller_tool.services.site_init import AUDIT_KEY, DEVICE_CA
from protocol import preface

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.registry.sealing import Vault
    from controller_tool.services.site_folder import Draft

# what refers to its own table comes after what it refers to
_FIRST: dict[type[Base], Callable[[Any], int]] = {
    Area: lambda area: words.AREAS.index(area.kind),
    Lease: lambda lease: lease.host_lease_id is not None,
}
_WITHOUT_PEOPLE: dict[type[Base], dict[str, Any]] = {
    Card: {"person_id": None, "lease_id": None},
    House: {
        "landlord_name": "", "landlord_phone_sealed": None, "landlord_document_sealed": None,
    },
}  # fmt: skip
_JOURNAL = (JournalRecord, JournalConflict, JournalHead, JournalSector, JournalCheckpoint)
_LISTS = (ListVersion, Receipt, SentCard)
_RULES = (Setting, Schedule, Profile)
_HOUSES = (Area, House, Room, HousePoint)  # a list counts as long as their classes say
_CARDS = (Card, Grant)
_DESK = (Inspection, Hazard, Case, Sanction, Hold, PairAct, Duty, RosterImport)
_TOOL_KEYS = ("card_key", "receipt_key", "k_tool_access", "k_tool_alarm")


@dataclass(frozen=True)
class RoleFolder:
    """What a role's folder holds besides its peer key, the controllers' names and certificates.

    keys: private keys; certificates: of authorities; secrets: sealed columns of controllers;
    tables: copied as they are, sealed anew.
    """

    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    audit_keys: bool = False
    tables: tuple[type[Base], ...] = ()


ROLES = {
    "installer": RoleFolder(keys=(DEVICE_CA,), certificates=(DEVICE_CA, PEER_CA)),
    "desk": RoleFolder(
        keys=("whitelist", "ticket", "checkpoint"),
        certificates=(PEER_CA,),
        secrets=_TOOL_KEYS,
        audit_keys=True,
        tables=(
            Operator,
            Person,
            *_RULES,
            *_HOUSES,
            Lease,
            *_CARDS,
            *_DESK,
            *_LISTS,
            *_JOURNAL,
            DeviceConfig,
            AuditEntry,
            LogText,
        ),
    ),
    "technician": RoleFolder(keys=("ticket",)),
    "auditor": RoleFolder(
        keys=(AUDIT_KEY,), certificates=(PEER_CA,), audit_keys=True, tables=_JOURNAL
    ),
    "hub": RoleFolder(
        keys=("whitelist", "checkpoint"),
        certificates=(PEER_CA,),
        secrets=_TOOL_KEYS,
        tables=(*_RULES, *_HOUSES, *_CARDS, *_LISTS),
    ),
}


@dataclass(frozen=True)
class Exported:
    """The folder that was made. keys: private keys in it; devices: controllers it can speak to.

    handed_over: keys that are in it alone now.
    """

    role: str
    folder: Path
    peer_id: str
    keys: tuple[str, ...]
    devices: tuple[str, ...]
    handed_over: tuple[str, ...] = ()


def holds_log(role: str) -> bool:
    """Whether a folder of this role has the operators' log from its beginning on."""
    return role not in ROLES or AuditEntry in ROLES[role].tables


def export(
    site: Site, role: str, folder: Path, passphrase: str, hand_over: bool = False
) -> Exported:
    """Make ``folder`` for ``role``; only the office can. Raises OperatorError.

    hand_over: the auditor's private key lies in the new folder alone afterwards.
    """
    if role not in ROLES:
        raise OperatorError(
            t("There is no role {role}", role=role), t("Roles: {roles}", roles=", ".join(ROLES))
        )
    if hand_over and role != "auditor":
        raise OperatorError(t("Only an auditor's key is handed over"), t("Leave out --hand-over"))
    holds = ROLES[role]
    for name in (PEER_CA, *holds.keys):
        site.require(name)
    operators.require(site, duty.FOLDERS)
    passphrases.check_strength(passphrase)
    with site_folder.draft(folder, passphrase) as made:
        _copy_keys(site, made, holds)
        with site.registry.writing() as session:
            identity = peers.issue(site, session, role, made, folder.name)
            devices = _fill(site, session, made.path, role, identity, passphrase)
            audit.append(session, site.operator, "site.export", role=role, peer=identity.hex())
    if hand_over:
        site.forget(AUDIT_KEY)
    keys = (*holds.keys, f"peer-{role}")
    names = tuple(device.name for device in devices)
    return Exported(
        role, folder, identity.hex(), keys, names, (AUDIT_KEY,) if hand_over else ()
    )  # fmt: skip


def _copy_keys(site: Site, made: Draft, holds: RoleFolder) -> None:
    keys = made.path / KEYS_FOLDER
    for name in holds.keys:
        save_key(keys / f"{name}.pem", site.private_key(name), made.key_password)
    for name in holds.certificates:
        shutil.copyfile(site.certificate_path(name), keys / f"{name}.crt.pem")
    shutil.copyfile(site.path / TRUST_FILE, made.path / TRUST_FILE)
    trust_store.copy(site, made.path)


def _fill(
    site: Site, source: Session, made: Path, role: str, identity: bytes, passphrase: str
) -> list[Device]:
    """Registry and site.toml of the new folder; returns its controllers."""
    facts = replace(site.facts, role=role, peers=(role,), keyring=False, registry="")
    facts.write(made)
    target = Site(made, facts, passphrase, new=True)
    try:
        target.unlock()
        with target.registry.writing() as session:
            devices = list(source.scalars(select(Device).order_by(Device.name)))
            for device in devices:
                copy = _device(site.vault, target.vault, device, ROLES[role])
                _leave_simulator(copy, site.path / SIM_FOLDER)
                session.add(copy)
            session.flush()
            for device in devices:
                session.add(_peer_link(site, target, device, ROLE_CODES[role], identity))
            _copy_tables(site.vault, target.vault, source, session, ROLES[role])
            if ROLES[role].audit_keys:
                _copy_pins(source, session, devices)
    finally:
        target.close()
    return devices


def _leave_simulator(device: Device, sim_root: Path) -> None:
    """A virtual board by its network address: by name only the folder that started it finds it."""
    network = device.tcp_address or ""
    if not network.startswith("sim+tcp://"):
        return
    try:
        device.tcp_address = str(address.parse(network, sim_root))
    except OperatorError:
        return  # removed since; what the new folder then says names the way
    if (device.serial_address or "").startswith("sim://"):
        device.serial_address = None  # another one after each start


def _device(old: Vault, new: Vault, device: Device, holds: RoleFolder) -> Device:
    values = _values(device)
    for column in values:
        name = column.removesuffix("_sealed")
        if name != column:
            kept = name in holds.secrets
            values[column] = _reseal(old, new, device, column) if kept else None
    if not holds.audit_keys:
        values["k_audit_access"] = values["k_audit_alarm"] = None
    return Device(**values)


def _peer_link(site: Site, target: Site, device: Device, role: int, identity: bytes) -> PeerLink:
    key = preface.peer_key(site.link_secret(device), role, identity)
    row_id = device.id + identity.hex()
    sealed = target.vault.seal("peer_links", row_id, "key", key)
    return PeerLink(device_id=device.id, peer_id=identity.hex(), role=role, key_sealed=sealed)


def _copy_pins(source: Session, session: Session, devices: list[Device]) -> None:
    audit_pins.copy(source, session)
    for device in devices:  # those that were enrolled before there were pins
        for ring, sealed in enumerate((device.k_audit_access, device.k_audit_alarm)):
            if sealed is not None:
                audit_pins.add(session, device.id, ring, audit_pins.digest(sealed), False)


def _copy_tables(
    old: Vault, new: Vault, source: Session, session: Session, holds: RoleFolder
) -> None:
    with_people = Person in holds.tables
    for model in holds.tables:
        for row in sorted(source.scalars(select(model)), key=_FIRST.get(model, _as_read)):
            values = _values(row)
            for column in [name for name in values if name.endswith("_sealed")]:
                values[column] = _reseal(old, new, row, column)
            _INDEXES.get(model, _keep)(old, new, row, values)
            if not with_people:
                values.update(_WITHOUT_PEOPLE.get(model, {}))
            session.add(model(**values))
        session.flush()


def _as_read(_: Base) -> int:
    return 0


def _values(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in inspected(type(row)).columns}


def _reseal(old: Vault, new: Vault, row: Any, column: str) -> bytes | None:
    """The sealed value under the other registry key; None stays None."""
    sealed = getattr(row, column)
    if sealed is None:
        return None
    table, name = row.__tablename__, column.removesuffix("_sealed")
    return new.seal(table, row.id, name, old.open(table, row.id, name, sealed))


def _keep(old: Vault, new: Vault, row: Any, values: dict[str, Any]) -> None:
    """No keyed index in this table."""


def _index_card(old: Vault, new: Vault, row: Any, values: dict[str, Any]) -> None:
    data = old.open("cards", row.id, "credential", row.credential_sealed)
    values["credential_index"] = cards.index(new, Credential(row.credential_type, data))


def _index_person(old: Vault, new: Vault, row: Any, values: dict[str, Any]) -> None:
    number = old.open("persons", row.id, "id_number", row.id_number_sealed).decode()
    told = people.indexed(row.document, number).encode()
    values["id_number_index"] = people.index(new, told, row.id)


_INDEXES: dict[type[Base], Callable[[Vault, Vault, Any, dict[str, Any]], None]] = {
    Card: _index_card,
    Person: _index_person,
}
