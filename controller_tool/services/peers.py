"""Peers: who may speak to controllers, each with a key, a certificate and an id (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.keys.certificates import (
    certificate_der,
    certificate_pem,
    issue_peer_certificate,
)
from controller_tool.keys.files import peer_id, save_key, write_private_file
from controller_tool.messages import t
from controller_tool.registry.models import Peer
from controller_tool.services.site import KEYS_FOLDER, ROLE_CODES
from protocol import trust

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from controller_tool.services.site_folder import Draft

PEER_CA = "peer-ca"
_LABEL_MAX = 64
_ID_START_MIN = 4  # so much of an id names a peer
_ROLE_NAMES = {code: name for name, code in ROLE_CODES.items()}


@dataclass(frozen=True)
class PeerView:
    """One peer of the site; own: the folder that shows it acts with it."""

    id: str
    role: str
    label: str
    issued_at_s: int
    own: bool
    revoked: bool


def overview(site: Site) -> list[PeerView]:
    """All peers that this registry has issued, by role and age; only the office's knows them."""
    revoked = trust.parse(site.trust_object()).revoked
    mine = own(site)
    with site.registry.session() as session:
        rows = list(session.scalars(select(Peer).order_by(Peer.role, Peer.issued_at_s)))
    return [
        PeerView(
            row.id, _ROLE_NAMES.get(row.role, str(row.role)), row.label, row.issued_at_s,
            bytes.fromhex(row.id) in mine, bytes.fromhex(row.id) in revoked,
        )
        for row in rows
    ]  # fmt: skip


def find(site: Site, wanted: str) -> PeerView:
    """The one peer with this id (or its beginning), label or role; the folder's own come last.

    OperatorError when there is none, or more than one.
    """
    everyone = overview(site)
    start = wanted.lower()
    by_id = [p for p in everyone if len(start) >= _ID_START_MIN and p.id.startswith(start)]
    named = by_id or [p for p in everyone if wanted in (p.label, p.role)]
    others = [p for p in named if not (p.own or p.revoked)]
    found = others or named
    if len(found) == 1:
        return found[0]
    if found:
        raise OperatorError(
            t("Several peers are called {name}", name=wanted),
            t("Name one by its id: {ids}", ids=", ".join(p.id for p in found)),
        )
    raise OperatorError(
        t("No peer is called {name}", name=wanted), t("See ids, labels and roles with: site show")
    )


def own(site: Site) -> set[bytes]:
    """Ids of the peers that this folder acts with."""
    keys = [site.certificate(f"peer-{role}").public_key() for role in site.facts.peers]
    return {peer_id(key) for key in keys if isinstance(key, ec.EllipticCurvePublicKey)}


def issue(site: Site, session: Session, role: str, made: Draft, label: str | None = None) -> bytes:
    """Make a peer of ``role`` whose key and certificate lie in the site folder ``made``.

    label: tells it from others of its role; the role itself when there is none.

    The peer CA of ``site`` signs it and its registry remembers it. Returns the peer's id.
    """
    key, certificate = issue_peer_certificate(
        site.ec_key(PEER_CA), site.certificate(PEER_CA), ROLE_CODES[role]
    )
    name = made.path / KEYS_FOLDER / f"peer-{role}"
    save_key(name.with_suffix(".pem"), key, made.key_password)
    write_private_file(name.with_suffix(".crt.pem"), certificate_pem(certificate))
    identity = peer_id(key.public_key())
    session.add(
        Peer(
            id=identity.hex(),
            role=ROLE_CODES[role],
            label=(label or role)[:_LABEL_MAX],
            certificate_der=certificate_der(certificate),
            issued_at_s=now_s(),
        )
    )
    return identity
