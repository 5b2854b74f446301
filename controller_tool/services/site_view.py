"""What a site folder is, without asking for its passphrase (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool.registry.models import STATE_ISSUED, Card
from controller_tool.services import audit, backup, export, peers, restored, trust_store
from controller_tool.services.site import KEYS_FOLDER
from controller_tool.services.site_init import SIGNING_KEYS

if TYPE_CHECKING:
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class SiteView:
    """keys: names of the private keys in the folder; audit_ok: the operators' log is whole.

    trusted_keys: how many keys controllers believe, by role; last_backup_s, restored_from_s: when
    the last backup was made, and the one that this folder was restored from, since 2020; registry:
    URL of its server, empty where it is a file of the folder.
    """

    name: str
    id: str
    role: str
    operator: str
    epoch: int
    trust_version: int
    root: str
    acts_as: tuple[str, ...]
    keys: tuple[str, ...]
    controllers: int
    enrolled: int
    cards_issued: int
    audit_ok: bool
    last_backup_s: int | None
    restored_from_s: int | None
    trusted_keys: dict[str, int]
    peers: list[peers.PeerView]
    registry: str


def view(site: Site) -> SiteView:
    """The folder as it lies there."""
    held = trust_store.newest(site)
    facts = site.facts
    files = (site.path / KEYS_FOLDER).glob("*.pem")
    with site.registry.session() as session:
        issued = select(func.count()).select_from(Card).where(Card.state == STATE_ISSUED)
        cards_issued = session.execute(issued).scalar() or 0
        last_backup_s = backup.newest(session)
        found = restored.newest(session)
        audit_ok = audit.first_broken(session) is None
        if export.holds_log(site.role):
            audit_ok = audit_ok and not audit.unknown_head(session)
    return SiteView(
        name=site.name,
        id=site.id.hex(),
        role=site.role,
        operator=site.operator,
        epoch=site.epoch,
        trust_version=facts.trust_version,
        root=f"{facts.root_threshold}/{facts.root_keys}",
        acts_as=facts.peers,
        keys=tuple(sorted(path.stem for path in files if "." not in path.stem)),
        controllers=len(site.devices()),
        enrolled=len(site.devices(enrolled=True)),
        cards_issued=cards_issued,
        audit_ok=audit_ok,
        last_backup_s=last_backup_s,
        restored_from_s=found.made_at_s if found else None,
        trusted_keys={name: len(held.moduli(code)) for name, code in SIGNING_KEYS.items()},
        peers=peers.overview(site),
        registry=facts.registry,
    )
