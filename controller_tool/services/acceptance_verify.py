"""Judges an acceptance bundle offline with the site's public keys (host).

Rules, in the order in which they are applied:

- what is no bundle, or not safe to read, is refused in one line
- the manifest is signed by a checkpoint key of this site's trust object
- every file is as the manifest says, none is missing, none is there besides
- checkpoints are signed, and say what this folder's controllers can have
- controllers that this folder knows have the certificates that it has pinned
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import acceptance, bundle_layout, journal_evidence
from controller_tool.services.bundle_files import Refused, Source
from controller_tool.services.bundle_manifest import canonical
from protocol import cbor, cose

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site

_JSON_MAX_BYTES = 1 << 26


@dataclass(frozen=True)
class Judged:
    """flaws: what is wrong, in words; missing: what its maker says is not in it."""

    ok: bool
    site: str
    name: str
    made_at_s: int
    houses: int
    devices: int
    flaws: tuple[str, ...]
    missing: tuple[str, ...]


def verify(site: Site, path: Path) -> Judged:
    """The verdict; OperatorError when it is no such bundle, or of another site."""
    with Source(path) as source:
        data, manifest = _manifest(source)
        if manifest["site"] != site.id.hex():
            raise OperatorError(
                t("The bundle is of another site"),
                t("Use a folder of the site {site}", site=manifest["site"]),
            )
        keys = journal_evidence.checkpoint_keys(site)
        flaws = [] if _is_signed(source, data, keys, site.id) else [t("its signature is wrong")]
        flaws += _files(source, manifest)
        flaws += _checkpoints(source, keys)
        plan, devices = _json(source, acceptance.PLAN), _json(source, acceptance.DEVICES)
        flaws += _devices(site, devices)
        houses = plan.get("houses") if isinstance(plan, dict) else None
        return Judged(
            not flaws, manifest["site"], manifest["name"], manifest["made_at_s"],
            len(houses) if isinstance(houses, list) else 0,
            len(devices) if isinstance(devices, list) else 0, tuple(flaws),
            tuple(manifest["missing"]),
        )  # fmt: skip


def _manifest(source: Source) -> tuple[bytes, dict[str, Any]]:
    for name in (bundle_layout.MANIFEST, bundle_layout.SIGNATURE):
        if name not in source.sizes:
            raise Refused(t("{name} is missing", name=name))
    data = source.read(bundle_layout.MANIFEST, bundle_layout.MANIFEST_MAX_BYTES)
    try:
        said = json.loads(data)
        good = (
            said["format"] == acceptance.FORMAT
            and canonical(said) == data
            and all(isinstance(said[name], str) for name in ("site", "name"))
            and type(said["made_at_s"]) is int
            and 0 <= said["made_at_s"] < 1 << 32
            and all(isinstance(one, str) for one in said["missing"])
            and all(isinstance(one, dict) for one in said["files"].values())
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        good = False
    if not good:
        raise Refused(t("{name} cannot be read", name=bundle_layout.MANIFEST))
    return data, said


def _is_signed(source: Source, data: bytes, keys: list[bytes], site_id: bytes) -> bool:
    envelope = source.read(bundle_layout.SIGNATURE, bundle_layout.MANIFEST_MAX_BYTES)
    try:
        payload = bytes(cose.verify(envelope, acceptance.AAD, keys))
    except (cbor.Malformed, cose.UnknownKey, cose.BadSignature):
        return False
    return payload == cbor.encode([acceptance.FORMAT, site_id, sha256(data).digest()])


def _files(source: Source, manifest: dict[str, Any]) -> list[str]:
    named = manifest["files"]
    there = set(source.sizes) - {bundle_layout.MANIFEST, bundle_layout.SIGNATURE}
    flaws = [t("{name} is missing", name=name) for name in sorted(set(named) - there)]
    flaws += [t("{name} is not in the manifest", name=name) for name in sorted(there - set(named))]
    for name in sorted(there & set(named)):
        data = source.read(name)
        if named[name] != {"sha256": sha256(data).hexdigest(), "size": len(data)}:
            flaws.append(t("{name} was changed", name=name))
    return flaws


def _checkpoints(source: Source, keys: list[bytes]) -> list[str]:
    if acceptance.CHECKPOINTS not in source.sizes:
        return []
    try:
        envelopes = bundle_layout.checkpoints(source.read(acceptance.CHECKPOINTS))
        wrong = sum(not journal_evidence.is_signed(envelope, keys) for envelope in envelopes)
    except (cbor.Malformed, IndexError):
        return [t("{name} cannot be read", name=acceptance.CHECKPOINTS)]
    return [t("{n} checkpoints are not signed by this site", n=wrong)] if wrong else []


def _devices(site: Site, devices: Any) -> list[str]:
    pinned = {d.id: (d.name, sha256(d.certificate_der).hexdigest()) for d in site.devices()}
    try:
        said = {one["id"]: one["certificate_sha256"] for one in devices}
    except (TypeError, KeyError):
        return [t("{name} cannot be read", name=acceptance.DEVICES)]
    return [
        t("{device} has another certificate than here", device=name)
        for id_, (name, digest) in sorted(pinned.items())
        if said.get(id_, digest) != digest
    ]


def _json(source: Source, name: str) -> Any:
    if name not in source.sizes:
        return None
    try:
        return json.loads(source.read(name, _JSON_MAX_BYTES))
    except (ValueError, RecursionError):
        return None
