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
from controller_tool.services import boards, journal_check, journal_store
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
    from controller_tool.registry.records import JournalHead
    from controller_tool.services.journal_check import Finding, Report
    from controller_tool.services.site import Site

RING_NAMES = {RING_ACCESS: "access", RING_ALARM: "alarm"}
PARTITIONS = {RING_ACCESS: "journal", RING_ALARM: "alarm"}
_NOT_FULL_SECTORS = 2  # the one that is being filled and the one that is erased ahead
_SMALLEST_SECTORS = {RING_ACCESS: 233, RING_ALARM: 16}


@dataclass(frozen=True)
class Named:
    """A finding, with its ring, in words."""

    ring: str
    kind: str
    first_seq: int
    last_seq: int
    other_seq: int | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class RingReport:
    """One ring: records stored, proven, behind a break; the number the controller was at."""

    ring: str
    records: int
    proven: int
    unproven: int
    head_seq: int | None


@dataclass(frozen=True)
class Verification:
    """One controller's journal. ok: nothing missing, nothing altered; keys: what proves it."""

    device: str
    ok: bool
    keys: tuple[str, ...]
    rings: tuple[RingReport, ...]
    findings: tuple[Named, ...]

    @property
    def pulled(self) -> bool:
        """Whether there is anything of it: a record, a head, or a note that there were some."""
        return any(ring.records or ring.head_seq is not None for ring in self.rings) or any(
            finding.kind != journal_check.NO_HEAD for finding in self.findings
        )


def verify(site: Site, device: Device) -> Verification:
    """Judge what is stored of one controller; OperatorError when no key of it is here."""
    return _summary(site, device, {r: _check(site, device, r) for r in journal_store.RINGS})


def _check(site: Site, device: Device, ring: int) -> Report:
    """Judge the stored records and heads of one ring with the keys of this folder."""
    keys = keys_of(site, device, ring)
    with site.registry.session() as session:
        places = [(row.seq, row.record) for row in journal_store.rows(session, device.id, ring)]
        heads = [_head(row) for row in journal_store.heads(session, device.id, ring)]
        conflicts = [row.seq for row in journal_store.conflicts(session, device.id, ring)]
        noted = journal_store.noted_seq(session, device.id, ring)
    return journal_check.check(
        journal_check.Ring(
            site.id, device.id_bytes, ring, keys, places, heads, _ring_records(device, ring),
            noted, conflicts,
        )
    )  # fmt: skip


def _summary(site: Site, device: Device, reports: dict[int, Report]) -> Verification:
    """The reports of a controller's rings in words."""
    found = [
        _named(ring, finding) for ring, report in reports.items() for finding in report.findings
    ]
    return Verification(
        device.name,
        all(report.ok for report in reports.values()),
        tuple(keys_of(site, device, RING_ACCESS)),
        tuple(
            RingReport(
                RING_NAMES[ring], report.records, report.proven, report.unproven,
                report.last_head_seq,
            )
            for ring, report in reports.items()
        ),
        tuple(found),
    )  # fmt: skip


def keys_of(site: Site, device: Device, ring: int) -> dict[str, bytes]:
    """K before the first record by name, as far as this folder can open them."""
    name = RING_NAMES[ring]
    keys = {}
    if getattr(device, f"k_tool_{name}_sealed") is not None:
        keys["tool"] = site.secret(device, f"k_tool_{name}")
    sealed: bytes | None = getattr(device, f"k_audit_{name}")
    if sealed is not None and site.holds(AUDIT_KEY):
        keys["audit"] = _unseal(site, device, sealed)
    if not keys:
        raise OperatorError(
            t("This {role} folder holds no key for the journal of {device}",
              role=name_of("role", site.role), device=device.name),
            t("Export the folder again from the office: it knows the newer controllers"),
        )  # fmt: skip
    return keys


def _unseal(site: Site, device: Device, sealed: bytes) -> bytes:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    try:
        key = site.rsa_key(AUDIT_KEY).decrypt(sealed, oaep)
    except ValueError:
        key = b""
    if len(key) != CHAIN_KEY_BYTES:
        raise OperatorError(
            t("The audit key of {device} is not sealed to this auditor", device=device.name),
            t("Use the auditor's folder of the time when it was enrolled"),
        )
    return key


def _head(row: JournalHead) -> journal_check.Head:
    macs = {"tool": row.tool_mac, "audit": row.audit_mac}
    return journal_check.Head(row.nonce, row.next_seq, row.chain, row.oldest_seq, macs)


def _ring_records(device: Device, ring: int) -> int:
    """Records that the ring holds at least, by the flash layout of its board."""
    sectors = _SMALLEST_SECTORS[ring]
    try:
        rows = boards.show(device.board).partitions
    except OperatorError:  # a board that a newer tool knows
        rows = ()
    for row in rows:
        if row["label"] == PARTITIONS[ring]:
            sectors = row["size"] // SECTOR_BYTES
    return (sectors - _NOT_FULL_SECTORS) * RECORDS_PER_SECTOR


def _named(ring: int, finding: Finding) -> Named:
    name = RING_NAMES[ring]
    span = str(finding.first_seq)
    if finding.last_seq != finding.first_seq:
        span += f"–{finding.last_seq}"
    text = _sentences()[finding.kind].format(ring=t(name), seq=span, other=finding.other_seq)
    return Named(name, finding.kind, finding.first_seq, finding.last_seq, finding.other_seq, text)


def _sentences() -> dict[str, str]:
    return {
        journal_check.OVERWRITTEN: t("{ring} ring: {seq} overwritten, the ring was full"),
        journal_check.DELETED: t("{ring} ring: {seq} deleted"),
        journal_check.TRUNCATED: t("{ring} ring: cut off, {seq} missing at the end"),
        journal_check.CHANGED: t("{ring} ring: {seq} changed"),
        journal_check.TAG_CHANGED: t("{ring} ring: a tag of {seq} changed, the record is genuine"),
        journal_check.SWAPPED: t("{ring} ring: {seq} and {other} swapped"),
        journal_check.REPLAYED: t("{ring} ring: at {seq} stands a copy of {other}"),
        journal_check.FALSE_HEAD: t("{ring} ring: a head at {seq} is not the controller's"),
        journal_check.FORGED: t("{ring} ring: {seq} is not what the controller's head covers"),
        journal_check.ROLLED_BACK: t("{ring} ring: the controller lost {seq} that it once had"),
        journal_check.NO_HEAD: t("{ring} ring: nothing proves that it ends before {seq}: pull it"),
        journal_check.CONFLICTING: t("{ring} ring: {seq} came again with other content"),
    }
