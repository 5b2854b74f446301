"""Firmware for controllers as a signed bundle: one pack, what is said of it, who says so (host).

The manifest [site, board, version, api, length, SHA-256 of the pack] is signed by the site's
firmware key (docs/protocol.md section 2). Controllers take a version that is lower than theirs only
if root keys have signed [SHA-256 of the manifest, highest version whose place it may take], as many
of them as the trust object wants: what came later is out of an old endorsement's reach. A bundle
file is [magic, envelope, endorsements, pack] in CBOR; it holds no secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.keys.files import write_private_file
from controller_tool.messages import t
from controller_tool.pack import beside_api, build_pack
from controller_tool.services import boards
from protocol import cbor, cose, rsa, trust
from protocol.codes import KEY_FIRMWARE, KEY_ROOT
from protocol.constants import (
    AAD_FIRMWARE,
    AAD_FIRMWARE_ROOT,
    ENVELOPE_MAX_BYTES,
    FIRMWARE_VERSION_MAX,
    PACK_MAX_BYTES,
)
from protocol.version import VERSION, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.keys.signing import Signer
    from controller_tool.services.site import Site
    from protocol.trust import Trust

_MAGIC = b"CTFW1"
_KEY = "firmware"
_ENDORSEMENTS_MAX = 8
_FILE_MAX_BYTES = PACK_MAX_BYTES + (_ENDORSEMENTS_MAX + 2) * ENVELOPE_MAX_BYTES


@dataclass(frozen=True)
class Bundle:
    """One board's firmware of one version; endorsements: what root keys have signed of it."""

    board: str
    version: int
    envelope: bytes
    endorsements: tuple[bytes, ...]
    pack: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 by which a controller names what it runs: the end of the pack."""
        return self.pack[-hashlib.sha256().digest_size :]

    @property
    def text(self) -> str:
        """The version as people write it."""
        return text_of(self.version)


def make(site: Site, board: str, version: int = VERSION) -> Bundle:
    """This tool's firmware for a board, signed by this folder; OperatorError without its key."""
    site.require(_KEY)
    described = boards.show(board)
    name = described.name
    pack = build_pack(described.folder, version)
    payload = cbor.encode(
        [site.id, name, version, beside_api(), len(pack), hashlib.sha256(pack).digest()]
    )
    return Bundle(name, version, site.sign(_KEY, AAD_FIRMWARE, payload), (), pack)


def endorse(site: Site, bundle: Bundle, roots: list[Signer], over: int | None = None) -> Bundle:
    """The bundle with the signatures of these root keys, each once.

    over: the highest version whose place it may take; None: what those before have said, else the
    tool's own. Raises OperatorError where those before have said another one.
    """
    said = _over(bundle)
    if over is not None and said not in (None, over):
        raise OperatorError(
            t("Root has signed already that it may take the place of {version}",
              version=text_of(said or 0)),
            t("Say the same, or begin anew with a file of `site firmware`"),
        )  # fmt: skip
    if said is None:
        said = max(VERSION, bundle.version) if over is None else over
    known = {cose.open_envelope(envelope).kid for envelope in bundle.endorsements}
    payload = _endorsement(bytes(cose.open_envelope(bundle.envelope).payload), said)
    held = trust.parse(site.trust_object()).moduli(KEY_ROOT)
    of_use = [root for root in roots if root.modulus in held and root.kid not in known]
    if not of_use:
        raise OperatorError(
            t("This folder has no root key that has not signed yet"),
            t("Do this in a folder that holds another one"),
        )
    added = tuple(root.envelope(AAD_FIRMWARE_ROOT, payload) for root in of_use)
    return replace(bundle, endorsements=bundle.endorsements + added)


def _endorsement(manifest: bytes, over: int) -> bytes:
    return cbor.encode([hashlib.sha256(manifest).digest(), over])


def _over(bundle: Bundle) -> int | None:
    """The highest version whose place it may take, as root keys have said; None before that."""
    if not bundle.endorsements:
        return None
    return _said(bytes(cose.open_envelope(bundle.endorsements[0]).payload))


def _said(endorsement: bytes) -> int:
    _, over = cbor.decode(endorsement)
    if not 0 <= over <= FIRMWARE_VERSION_MAX:
        raise ValueError
    return int(over)


def missing(site: Site, bundle: Bundle) -> int:
    """How many root keys have still to sign before a controller takes a lower version."""
    [threshold] = [row[1] for row in trust.parse(site.trust_object()).keys if row[0] == KEY_ROOT]
    return max(0, int(threshold) - len(bundle.endorsements))


def write(path: Path, bundle: Bundle) -> None:
    """The file that `read` reads."""
    rows: list[cbor.Value] = list(bundle.endorsements)
    write_private_file(path, cbor.encode([_MAGIC, bundle.envelope, rows, bundle.pack]))


def read(site: Site, path: Path) -> Bundle:
    """A bundle that this site's controllers would believe; OperatorError for any other file."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= _FILE_MAX_BYTES else b""
    except OSError as error:
        raise OperatorError(
            t("Cannot read {path} ({detail})", path=str(path), detail=error.strerror or "?"),
            t("Give a file that `site firmware` has written"),
        ) from error
    try:
        return _parsed(site, data)
    except (ValueError, TypeError):
        raise OperatorError(
            t("{path} is no firmware that this site has signed", path=str(path)),
            t("Give a file that `site firmware` has written"),
        ) from None


def _parsed(site: Site, data: bytes) -> Bundle:
    """ValueError or TypeError for anything but a bundle whose every signature is this site's."""
    magic, envelope, endorsements, pack = cbor.decode(data)
    roots = trust.parse(site.trust_object())
    payload = _proven(roots, KEY_FIRMWARE, AAD_FIRMWARE, envelope)
    wanted_site, board, version, _, length, digest = cbor.decode(payload)
    said = {_proven(roots, KEY_ROOT, AAD_FIRMWARE_ROOT, one) for one in endorsements}
    sound = (
        magic == _MAGIC
        and wanted_site == site.id
        and 0 <= version <= FIRMWARE_VERSION_MAX
        and len(pack) == length
        and hashlib.sha256(pack).digest() == digest
        and len(endorsements) <= _ENDORSEMENTS_MAX
        and len(said) <= 1
        and all(_endorsement(payload, _said(one)) == one for one in said)
        and len({cose.open_envelope(one).kid for one in endorsements}) == len(endorsements)
    )
    if not sound:
        raise ValueError
    return Bundle(str(board), int(version), envelope, tuple(endorsements), pack)


def _proven(roots: Trust, role: int, aad: bytes, envelope: bytes) -> bytes:
    """The payload that a key of this role has signed; ValueError when none has."""
    found = cose.open_envelope(envelope)
    modulus = roots.find_key(role, bytes(found.kid))
    digest = cose.sig_structure_digest(cose.protected(found.kid), aad, found.payload)
    if modulus is None or not rsa.verify(modulus, found.signature, digest):
        raise ValueError("not signed")
    return bytes(found.payload)
