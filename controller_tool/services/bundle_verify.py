"""Judges an evidence bundle with whatever this folder holds: keys, pins, its own pulls (host).

Rules, in the order in which they are applied:

- what is no bundle, or not safe to read, is refused in one line
- the manifest is signed by the maker that it names, whose certificate the pinned peer CA issued;
  a folder without one says that it cannot know the maker
- every file is as the manifest says, none is missing, none is there besides
- there is a controller in it; one that this folder knows is called, and its ring is as long, as
  here, whatever the manifest says of it: another name or board is a flaw
- the trust object is this site's; checkpoints are signed by a checkpoint key of it
- each ring is judged as `journal verify` does, with K of this folder, else with the disclosed T;
  what this folder pulled itself (records, heads, sector headers, checkpoints, pins) counts as well
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import (
    bundle_layout,
    bundle_maker,
    bundle_manifest,
    bundle_ring,
    bundle_words,
    folding,
    journal_evidence,
    trust_store,
)
from controller_tool.services.bundle_files import Refused, Source
from controller_tool.services.journal_findings import TRUNCATED
from controller_tool.services.journal_reach import Budget
from protocol import messages, trust
from protocol.codes import KEY_CHECKPOINT

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.bundle_manifest import Manifest
    from controller_tool.services.bundle_words import Flaw
    from controller_tool.services.journal_verify import Verification
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class BundleVerification:
    """maker_known: its certificate was checked with a peer CA that this folder holds itself.

    flaws: a thousand at most, of every kind; flaws_count: how many there are.
    """

    ok: bool
    maker_role: str
    maker_peer: str
    maker_known: bool
    made_at_s: int
    flaws: tuple[Flaw, ...]
    flaws_count: int
    controllers: tuple[Verification, ...]
    notes: tuple[str, ...]


def verify(site: Site, path: Path) -> BundleVerification:
    """Judge the bundle; OperatorError when it is none, or of another site."""
    with Source(path) as source:
        return _Verifier(site, source).run()


class _Verifier:
    def __init__(self, site: Site, source: Source) -> None:
        self._site = site
        self._source = source
        self._flaws: list[Flaw] = []
        self._notes: list[str] = []
        self._called: dict[str, str] = {}  # names by id

    def run(self) -> BundleVerification:
        data, manifest = self._manifest()
        known = self._maker(manifest, data)
        self._files(manifest)
        keys = self._trust()
        self._controllers(manifest)
        done, verdicts = [], self._judge_all(manifest, keys)
        for controller in manifest.controllers:
            judged = verdicts[controller.id]
            self._flaws += judged.flaws
            self._notes += judged.notes
            done.append(judged.verification)
        if any(f.kind == TRUNCATED for each in done for f in each.findings):
            self._notes.append(bundle_words.older())
        ok = not self._flaws and all(each.ok for each in done)
        if ok and known:
            bundle_ring.remember(self._site, self._source, manifest.controllers)
        return BundleVerification(
            ok, manifest.role, manifest.peer, known, manifest.made_at_s,
            tuple(folding.fold(self._flaws, folding.IN_JSON)), len(self._flaws), tuple(done),
            tuple(self._notes),
        )  # fmt: skip

    def _judge_all(self, manifest: Manifest, keys: list[bytes]) -> dict[str, bundle_ring.Judged]:
        """The verdicts by id. Who costs the budget most comes last, strangers after all others."""
        known, budget = {device.id for device in self._site.devices()}, Budget()
        order = sorted(manifest.controllers, key=lambda c: (c.id not in known, c.missing))
        return {
            each.id: bundle_ring.judge(
                self._site, self._source, each, self._called[each.id], keys, budget
            )
            for each in order
        }

    def _manifest(self) -> tuple[bytes, Manifest]:
        for name in (bundle_layout.MANIFEST, bundle_layout.SIGNATURE):
            if name not in self._source.sizes:
                raise Refused(t("{name} is missing", name=name))
        data = self._source.read(bundle_layout.MANIFEST, bundle_layout.MANIFEST_MAX_BYTES)
        try:
            manifest = bundle_manifest.decode(data)
        except ValueError:
            raise Refused(t("{name} cannot be read", name=bundle_layout.MANIFEST)) from None
        if manifest.site != self._site.id.hex():
            raise OperatorError(
                t("The bundle is of another site"), t("Use a folder of the site {site}",
                                                      site=manifest.site)
            )  # fmt: skip
        return data, manifest

    def _maker(self, manifest: Manifest, data: bytes) -> bool:
        """Whether who made it is known for certain."""
        certificate = self._optional(bundle_layout.MAKER)
        envelope = self._source.read(bundle_layout.SIGNATURE, bundle_layout.MANIFEST_MAX_BYTES)
        if not bundle_maker.is_signed(manifest, data, envelope, certificate):
            self._flaws.append(bundle_words.flaw(bundle_words.SIGNATURE))
            return False
        ca, shown = bundle_maker.ca_of(self._site), self._optional(bundle_layout.PEER_CA)
        if ca is None:
            self._notes.append(bundle_words.known_by_nobody())
        if (ca or shown) and not bundle_maker.is_issued(certificate, ca or shown):
            self._flaws.append(bundle_words.flaw(bundle_words.MAKER))
            return False
        if bytes.fromhex(manifest.peer) in trust.parse(self._site.trust_object()).revoked:
            self._notes.append(bundle_words.revoked())
        return ca is not None

    def _files(self, manifest: Manifest) -> None:
        signed = {bundle_layout.MANIFEST, bundle_layout.SIGNATURE}
        for name in sorted(set(manifest.files) - set(self._source.sizes)):
            self._flaws.append(bundle_words.flaw(bundle_words.FILE_MISSING, name))
        for name in sorted(set(self._source.sizes) - set(manifest.files) - signed):
            self._flaws.append(bundle_words.flaw(bundle_words.FILE_UNKNOWN, name))
        for name in sorted(set(manifest.files) & set(self._source.sizes)):
            data = self._source.read(name)
            if manifest.files[name] != (sha256(data).hexdigest(), len(data)):
                self._flaws.append(bundle_words.flaw(bundle_words.FILE_CHANGED, name))

    def _controllers(self, manifest: Manifest) -> None:
        """Whether there are any, which are not there, and what each is called here.

        The manifest is the maker's word: an unknown one cannot have the name of another.
        """
        known = {device.id: device.name for device in self._site.devices()}
        there = {controller.id for controller in manifest.controllers}
        taken = set(known.values())
        for controller in manifest.controllers:
            free = controller.id if controller.name in taken else controller.name
            self._called[controller.id] = known.get(controller.id, free)
            taken.add(self._called[controller.id])
        if not there:
            self._flaws.append(bundle_words.flaw(bundle_words.EMPTY))
        if left_out := sorted(name for id_, name in known.items() if id_ not in there):
            self._notes.append(bundle_words.left_out(left_out))

    def _trust(self) -> list[bytes]:
        """Checkpoint keys of this folder, and of the bundle's trust object if it follows."""
        keys = journal_evidence.checkpoint_keys(self._site)
        data = self._optional(bundle_layout.TRUST)
        if data in trust_store.objects(self._site).values() or data == self._site.trust_object():
            return keys
        try:
            shown = trust.verify(data, trust.parse(self._site.trust_object()))
        except (messages.Refused, ValueError):
            self._flaws.append(bundle_words.flaw(bundle_words.TRUST))
            return keys
        return keys + shown.moduli(KEY_CHECKPOINT)

    def _optional(self, name: str) -> bytes:
        """A file, empty when it is missing (which is a flaw of its own where it was named)."""
        return self._source.read(name) if name in self._source.sizes else b""
