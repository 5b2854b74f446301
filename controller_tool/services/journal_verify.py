"""Verifies pulled journals offline, with whatever keys this folder holds (host).

An office or desk checks the tool's tags, an auditor those that only the auditor's key opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import (
    audit_pins,
    boards,
    folding,
    journal_check,
    journal_evidence,
    journal_store,
    journal_words,
)
from controller_tool.services.journal_pins import Pins
from controller_tool.services.journal_reach import Budget
from controller_tool.services.journal_words import RING_NAMES, Named, RingReport
from controller_tool.services.site_init import AUDIT_KEY
from protocol.constants import (
    CHAIN_KEY_BYTES,
    RECORDS_PER_SECTOR,
    RING_ACCESS,
    RING_ALARM,
    SECTOR_BYTES,
)

if TYPE_CHECKING:
    from controller_tool.registry.models import Device
    from controller_tool.services.journal_check import Report
    from controller_tool.services.site import Site

__all__ = ["RING_NAMES", "Named", "RingReport", "Verification", "keys_of", "verify"]
PARTITIONS = {RING_ACCESS: "journal", RING_ALARM: "alarm"}
_NOT_FULL_SECTORS = 3  # being filled, erased ahead, and as many places as cut writes may have cost
_SMALLEST_SECTORS = {RING_ACCESS: 233, RING_ALARM: 16}


@dataclass(frozen=True)
class Verification:
    """One controller's journal. ok: nothing missing, nothing altered; keys: what proves it.

    findings: a thousand at most, of every kind; findings_count: how many there are; notes: in
    words, what the verdict does not cover.
    """

    device: str
    ok: bool
    keys: tuple[str, ...]
    rings: tuple[RingReport, ...]
    findings: tuple[Named, ...]
    findings_count: int
    notes: tuple[str, ...] = ()

    @property
    def pulled(self) -> bool:
        """Whether there is anything of it: a record, a head, or a note that there were some."""
        return any(ring.records or ring.head_seq is not None for ring in self.rings) or any(
            finding.kind != journal_check.NO_HEAD for finding in self.findings
        )


def verify(site: Site, device: Device) -> Verification:
    """Judge what is stored of one controller; OperatorError when no key of it is here."""
    budget = Budget()
    reports = {ring: _check(site, device, ring, budget) for ring in journal_store.RINGS}
    return _summary(site, device, reports)


def _check(site: Site, device: Device, ring: int, budget: Budget) -> Report:
    """Judge what is stored of one ring with the keys of this folder."""
    keys = keys_of(site, device, ring)
    with site.registry.session() as session:
        places = journal_evidence.places(session, device.id, ring)
        heads = journal_evidence.heads(session, device.id, ring)
        sectors = journal_evidence.sectors(session, device.id, ring)
        envelopes = journal_evidence.envelopes(session, device.id)
        conflicts = [row.seq for row in journal_store.conflicts(session, device.id, ring)]
        noted = journal_store.noted_seq(session, device.id, ring)
    known = journal_evidence.checkpoint_keys(site) if envelopes else []
    signed = journal_evidence.checkpoints(envelopes, known, site.id, device, ring)
    report = journal_check.check(
        journal_check.Ring(
            site.id, device.id_bytes, ring, keys, places, heads, ring_records(device.board, ring),
            noted, conflicts, sectors, signed.good,
        ),
        budget,
    )  # fmt: skip
    report.findings += signed.false
    return report


def _summary(site: Site, device: Device, reports: dict[int, Report]) -> Verification:
    """The reports of a controller's rings in words."""
    return summary(
        device.name, reports, _pins(site, device), tuple(keys_of(site, device, RING_ACCESS))
    )


def summary(
    name: str, reports: dict[int, Report], pins: Pins, keys: tuple[str, ...]
) -> Verification:
    """What was found of a controller; keys: what proves it, by name."""
    found = [
        journal_words.named(ring, finding)
        for ring, report in reports.items()
        for finding in folding.fold(report.findings, folding.IN_JSON // len(reports))
    ]
    count = sum(len(report.findings) for report in reports.values()) + len(pins.findings)
    rings = tuple(
        journal_words.ring_report(ring, report, bool(keys) and ring not in pins.faulty)
        for ring, report in reports.items()
    )
    return Verification(
        name, all(ring.ok for ring in rings), keys, rings,
        (*found, *pins.findings), count,
        (*journal_words.notes(reports.items()), *pins.notes()),
    )  # fmt: skip


def _pins(site: Site, device: Device) -> Pins:
    found = Pins()
    with site.registry.session() as session:
        for ring in journal_store.RINGS:
            sealed: bytes | None = getattr(device, f"k_audit_{RING_NAMES[ring]}")
            found.add(ring, audit_pins.judge(session, device.id, ring, sealed))
    return found


def keys_of(site: Site, device: Device, ring: int) -> dict[str, bytes]:
    """K before the first record by name, as far as this folder can open them."""
    name = RING_NAMES[ring]
    keys = {}
    if getattr(device, f"k_tool_{name}_sealed") is not None:
        keys["tool"] = site.secret(device, f"k_tool_{name}")
    sealed: bytes | None = getattr(device, f"k_audit_{name}")
    if sealed is not None and site.holds(AUDIT_KEY):
        keys["audit"] = unseal(site, device.name, sealed)
    if not keys:
        raise OperatorError(
            t("This {role} folder holds no key for the journal of {device}",
              role=name_of("role", site.role), device=device.name),
            t("Export the folder again from the office: it knows the newer controllers"),
        )  # fmt: skip
    return keys


def unseal(site: Site, name: str, sealed: bytes) -> bytes:
    """K_audit before the first record; OperatorError when it is not sealed to this auditor."""
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    try:
        key = site.rsa_key(AUDIT_KEY).decrypt(sealed, oaep)
    except ValueError:
        key = b""
    if len(key) != CHAIN_KEY_BYTES:
        raise OperatorError(
            t("The audit key of {device} is not sealed to this auditor", device=name),
            t("Use the auditor's folder of the time when it was enrolled"),
        )
    return key


def ring_records(board: str, ring: int) -> int:
    """Records that the ring holds at least, by the flash layout of its board."""
    sectors = _SMALLEST_SECTORS[ring]
    try:
        rows = boards.show(board).partitions
    except OperatorError:  # a board that a newer tool knows
        rows = ()
    for row in rows:
        if row["label"] == PARTITIONS[ring]:
            sectors = row["size"] // SECTOR_BYTES
    return (sectors - _NOT_FULL_SECTORS) * RECORDS_PER_SECTOR
