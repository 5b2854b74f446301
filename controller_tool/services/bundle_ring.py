"""Judges one controller of a bundle, with its rings (host)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509

from controller_tool.errors import OperatorError
from controller_tool.keys.certificates import NO_CERTIFICATE, device_host_name, from_strangers
from controller_tool.services import (
    audit_pins,
    bundle_layout,
    bundle_words,
    journal_check,
    journal_evidence,
    journal_store,
    journal_tags,
    journal_verify,
)
from controller_tool.services.journal_findings import DELETED
from controller_tool.services.journal_pins import Pins
from controller_tool.services.journal_words import RING_NAMES
from controller_tool.services.site_init import AUDIT_KEY
from protocol.constants import RECORD_BYTES, RSA_BYTES, SECTOR_HEADER_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.registry.models import Device
    from controller_tool.services.bundle_files import Source
    from controller_tool.services.bundle_manifest import Controller
    from controller_tool.services.bundle_words import Flaw
    from controller_tool.services.journal_check import Report
    from controller_tool.services.journal_findings import Finding
    from controller_tool.services.journal_reach import Budget
    from controller_tool.services.journal_tags import Key
    from controller_tool.services.journal_verify import Verification
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Judged:
    """One controller's verdict, flaws of its files, and what is to be said of it."""

    verification: Verification
    flaws: list[Flaw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Own:
    """What this folder pulled itself of one ring."""

    places: Sequence[tuple[int, bytes]] = ()
    heads: Sequence[journal_check.Head] = ()
    sectors: Sequence[bytes] = ()
    envelopes: Sequence[bytes] = ()
    noted: int = 0


def judge(
    site: Site, source: Source, controller: Controller, name: str, keys: list[bytes],
    budget: Budget,
) -> Judged:  # fmt: skip
    """The verdict on one controller; name: what to call it; keys: that speak for checkpoints."""
    return _Judge(site, source, controller, name, keys, budget).run()


def remember(site: Site, source: Source, controllers: Sequence[Controller]) -> None:
    """Note the sealed audit keys of a sound bundle, where this folder holds a key or has a pin.

    Elsewhere the first bundle, which anybody at the desk may have made up, would decide for good.
    """
    known = {device.id: device for device in site.devices()}
    for controller in controllers:
        device = known.get(controller.id)
        for ring in journal_store.RINGS:
            name = controller.file(bundle_layout.AUDIT_KEY, ring)
            if device is None or source.sizes.get(name) != RSA_BYTES:
                continue
            with site.registry.session() as session:
                told = audit_pins.is_known(session, device.id, ring)
            if told or getattr(device, f"k_audit_{RING_NAMES[ring]}"):
                audit_pins.note(site, device, ring, source.read(name), False)


class _Judge:
    def __init__(
        self, site: Site, source: Source, controller: Controller, name: str, keys: list[bytes],
        budget: Budget,
    ) -> None:  # fmt: skip
        self._budget = budget
        self._site = site
        self._source = source
        self._it = controller
        self._signers = keys
        self._device = next((d for d in site.devices() if d.id == controller.id), None)
        self._name = name
        self._board = self._device.board if self._device else controller.board
        self._flaws: list[Flaw] = []
        self._notes: list[str] = []
        self._names: dict[str, None] = {}  # of the keys that prove something

    def run(self) -> Judged:
        self._names_itself()
        self._certificate()
        envelopes = self._envelopes()
        reports = {ring: self._ring(ring, envelopes) for ring in journal_store.RINGS}
        if not self._names:
            self._flaw(bundle_words.NO_KEY, self._name)
        elif list(self._names) == ["disclosed"]:
            self._notes.append(bundle_words.disclosed(self._name))
        if self._device is None:
            self._notes.append(bundle_words.stranger(self._name))
        verification = journal_verify.summary(self._name, reports, self._pins(), tuple(self._names))
        return Judged(verification, self._flaws, self._notes)

    # --- the controller -------------------------------------------------------------------

    def _names_itself(self) -> None:
        if self._it.name != self._name:
            self._flaw(bundle_words.NAME, self._name, self._it.name)
        if self._it.board != self._board:
            self._flaw(bundle_words.BOARD, self._name, self._it.board)

    def _certificate(self) -> None:
        shown = self._read(bundle_layout.DEVICE)
        pinned = None if self._device is None else self._device.certificate_der
        name = device_host_name(bytes.fromhex(self._it.id))
        if (pinned is not None and shown != pinned) or not _is_named(shown, name):
            self._flaw(bundle_words.CERTIFICATE, self._name)

    def _envelopes(self) -> list[bytes]:
        try:
            return bundle_layout.checkpoints(self._read(bundle_layout.CHECKPOINTS))
        except ValueError:
            self._flaw(bundle_words.MALFORMED, self._it.file(bundle_layout.CHECKPOINTS))
            return []

    def _pins(self) -> Pins:
        found = Pins()
        with self._site.registry.session() as session:
            for ring in journal_store.RINGS:
                held, shown = self._sealed(ring)
                found.add(ring, audit_pins.judge(session, self._it.id, ring, shown, held))
        return found

    def _sealed(self, ring: int) -> tuple[bytes | None, bytes]:
        """The sealed audit key that this folder holds, and the one in the bundle."""
        held: bytes | None = getattr(self._device, f"k_audit_{RING_NAMES[ring]}", None)
        return held, self._read(bundle_layout.AUDIT_KEY, ring)

    # --- one ring -------------------------------------------------------------------------

    def _ring(self, ring: int, envelopes: list[bytes]) -> Report:
        part, own = self._it.rings[ring], self._own(ring)
        records = self._pieces(ring, "records", RECORD_BYTES)
        sectors = self._pieces(ring, "sectors", SECTOR_HEADER_BYTES)
        again = self._pieces(ring, "conflicts", RECORD_BYTES)
        heads = bundle_layout.heads(self._pieces(ring, "heads", bundle_layout.HEAD_BYTES))
        newest = (heads[-1].next_seq, heads[-1].chain.hex()) if heads else None
        if newest != part.head:
            self._flaw(bundle_words.HEAD, self._it.file(bundle_layout.HEADS, ring))
        places = list(zip(part.numbers(len(records)), records, strict=False))
        conflicts = [int.from_bytes(record[:4], "big") for record in again]
        pulled = dict(own.places)
        conflicts += [n for n, record in places if pulled.get(n, record) != record]
        mine = [number for number, _ in own.places]
        noted = max(own.noted, mine[-1] + 1 if mine else 0)
        signed = journal_evidence.checkpoints(
            [*envelopes, *own.envelopes], self._signers, self._site.id,
            bytes.fromhex(self._it.id), ring,
        )  # fmt: skip
        long = max(part.long, journal_verify.ring_records(self._board, ring))
        report = journal_check.check(
            journal_check.Ring(
                self._site.id, bytes.fromhex(self._it.id), ring, self._keys(ring, places),
                places, heads, long, noted, conflicts,
                list(dict.fromkeys((*sectors, *own.sectors))), signed.good, own.heads,
                mine,
            ),
            self._budget,
        )  # fmt: skip
        report.findings += signed.false
        if any(f.kind == DELETED and _any_within(mine, f) for f in report.findings):
            self._notes += {bundle_words.held_here(self._name)} - set(self._notes)
        return report

    def _own(self, ring: int) -> _Own:
        if self._device is None:
            return _Own()
        with self._site.registry.session() as session:
            return _Own(
                journal_evidence.places(session, self._device.id, ring),
                journal_evidence.heads(session, self._device.id, ring),
                journal_evidence.sectors(session, self._device.id, ring),
                journal_evidence.envelopes(session, self._device.id),
                journal_store.noted_seq(session, self._device.id, ring),
            )

    def _keys(self, ring: int, places: list[tuple[int, bytes]]) -> dict[str, bytes | Key]:
        """K of this folder, of a controller that it does not know K_audit from the bundle."""
        found: dict[str, bytes | Key] = {}
        device: Device | None = self._device
        if device is not None and getattr(device, f"k_tool_{RING_NAMES[ring]}_sealed"):
            found["tool"] = self._site.secret(device, f"k_tool_{RING_NAMES[ring]}")
            self._names["tool"] = None
        elif disclosed := self._read(bundle_layout.TOOL_T, ring):
            found["tool"] = journal_tags.Disclosed([number for number, _ in places], disclosed)
            self._names["disclosed"] = None
        with self._site.registry.session() as session:
            sealed = audit_pins.best(session, self._it.id, ring, self._sealed(ring))
        if sealed and self._site.holds(AUDIT_KEY):
            try:
                found["audit"] = journal_verify.unseal(self._site, self._name, sealed)
                self._names["audit"] = None
            except OperatorError:
                self._flaw(bundle_words.AUDIT_KEY_UNSEALED, self._name)
        return found

    def _pieces(self, ring: int, name: str, size: int) -> list[bytes]:
        """What a file holds, which must be as much as the manifest says of it."""
        data = self._read(f"{name}.bin", ring)
        if len(data) != self._it.rings[ring].counts[name] * size:
            self._flaw(bundle_words.FILE_CHANGED, self._it.file(f"{name}.bin", ring))
        return bundle_layout.pieces(data, size)

    def _read(self, name: str, ring: int | None = None) -> bytes:
        full = self._it.file(name, ring)
        return self._source.read(full) if full in self._source.sizes else b""

    def _flaw(self, kind: str, name: str, said: str = "") -> None:
        found = bundle_words.flaw(kind, name, said)
        if found not in self._flaws:
            self._flaws.append(found)


def _any_within(numbers: Sequence[int], span: Finding) -> bool:
    at = bisect_left(numbers, span.first_seq)
    return at < len(numbers) and numbers[at] <= span.last_seq


def _is_named(certificate: bytes, name: str) -> bool:
    """Whether it is a certificate of that name."""
    try:
        parsed = from_strangers(certificate)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.DNSName) == [name]
    except NO_CERTIFICATE:
        return False
