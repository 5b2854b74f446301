"""Who made a bundle: its manifest signed with a peer key, checked up to a peer CA (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from controller_tool.keys.certificates import NO_CERTIFICATE, certificate_der, from_strangers
from controller_tool.keys.files import peer_id
from controller_tool.services import bundle_layout
from controller_tool.services.peers import PEER_CA
from controller_tool.services.site import ROLE_CODES
from protocol import der
from protocol.messages import Refused

if TYPE_CHECKING:
    from controller_tool.services.bundle_manifest import Manifest
    from controller_tool.services.site import Site

_SCALAR_BYTES = 32


@dataclass(frozen=True)
class Maker:
    """What a folder says of itself in a bundle. ca: its peer CA, None where it holds none."""

    role: str
    id: bytes
    certificate: bytes
    ca: bytes | None


def own(site: Site) -> Maker:
    """The folder as a maker of bundles."""
    peer = site.peer()
    certificate = certificate_der(site.certificate(f"peer-{peer.role_name}"))
    return Maker(peer.role_name, peer.id, certificate, ca_of(site))


def ca_of(site: Site) -> bytes | None:
    """The peer CA that this folder has pinned; None in one that was exported without it."""
    if not site.certificate_path(PEER_CA).is_file():
        return None
    return certificate_der(site.certificate(PEER_CA))


def sign(site: Site, manifest: bytes) -> bytes:
    """Detached COSE_Sign1 over a manifest, by the folder's own peer key."""
    peer = site.peer()
    signed = bundle_layout.to_be_signed(peer.id, manifest)
    key = site.ec_key(f"peer-{peer.role_name}")
    try:
        made = key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    except UnsupportedAlgorithm:  # an OpenSSL before 3.2: as good, but other bytes each time
        made = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(made)
    signature = r.to_bytes(_SCALAR_BYTES, "big") + s.to_bytes(_SCALAR_BYTES, "big")
    return bundle_layout.signed(peer.id, signature)


def is_signed(manifest: Manifest, data: bytes, envelope: bytes, certificate: bytes) -> bool:
    """Whether the maker that the manifest names signed it, with the key of its certificate."""
    parts, key = bundle_layout.open_signature(envelope), _key(certificate)
    if parts is None or key is None:
        return False
    peer, signature = parts
    named = (ROLE_CODES.get(manifest.role), bytes.fromhex(manifest.peer))
    if peer_id(key) != peer or named != _identity(certificate) or peer != named[1]:
        return False
    scalars = (signature[:_SCALAR_BYTES], signature[_SCALAR_BYTES:])
    r, s = (int.from_bytes(scalar, "big") for scalar in scalars)
    try:
        key.verify(
            encode_dss_signature(r, s), bundle_layout.to_be_signed(peer, data),
            ec.ECDSA(hashes.SHA256()),
        )  # fmt: skip
    except InvalidSignature:
        return False
    return True


def is_issued(certificate: bytes, ca: bytes) -> bool:
    """Whether that authority issued the certificate."""
    try:
        authority = from_strangers(ca)
        from_strangers(certificate).verify_directly_issued_by(authority)
    except (*NO_CERTIFICATE, InvalidSignature):
        return False
    return True


def _key(certificate: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        key = from_strangers(certificate).public_key()
    except NO_CERTIFICATE:
        return None
    usable = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    return key if usable else None  # type: ignore[return-value]  # it was looked at


def _identity(certificate: bytes) -> tuple[int, bytes] | None:
    try:
        return der.peer_extension(certificate)
    except Refused:
        return None
