"""Peers: who may speak to controllers, each with a key, a certificate and an id (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.keys.certificates import (
    certificate_der,
    certificate_pem,
    issue_peer_certificate,
)
from controller_tool.keys.files import peer_id, save_key, write_private_file
from controller_tool.registry.models import Peer
from controller_tool.services.site import KEYS_FOLDER, ROLE_CODES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from controller_tool.services.site_folder import Draft

PEER_CA = "peer-ca"


def issue(site: Site, session: Session, role: str, made: Draft) -> bytes:
    """Make a peer of ``role`` whose key and certificate lie in the site folder ``made``.

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
            label=role,
            certificate_der=certificate_der(certificate),
            issued_at_s=now_s(),
        )
    )
    return identity
