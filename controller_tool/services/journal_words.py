"""Findings of the journal in words, and what no finding can say (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.services import journal_findings as kinds
from controller_tool.services.folding import ON_SCREEN
from protocol.constants import RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller_tool.services.journal_findings import Finding, Report

RING_NAMES = {RING_ACCESS: "access", RING_ALARM: "alarm"}
AUDIT_KEY_CHANGED, AUDIT_KEY_FOREIGN = "audit_key_changed", "audit_key_foreign"


@dataclass(frozen=True)
class Named:
    """A finding, with its ring, in words; without numbers when it is about no record."""

    ring: str
    kind: str
    first_seq: int | None
    last_seq: int | None
    other_seq: int | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class RingReport:
    """One ring: records stored, proven, behind a break; the number the controller was at.

    changed: altered, moved, or of no shape; findings: how many there are in all.
    """

    ring: str
    records: int
    proven: int
    unproven: int
    changed: int
    head_seq: int | None
    findings: int
    ok: bool


def ring_report(ring: int, report: Report, proof: bool) -> RingReport:
    """The figures of one ring; proof: whether the key that proves it is the one that it must be."""
    changed = max(0, report.records - report.proven - report.unproven)
    return RingReport(
        RING_NAMES[ring], report.records, report.proven, report.unproven, changed,
        report.last_head_seq, len(report.findings), report.ok and proof,
    )  # fmt: skip


def what_next() -> str:
    """One line for who sees that a registry's journal is not whole, whoever that is."""
    return t("What next: keep a copy of this folder, pull again (journal pull), and verify again;"
             " ask whoever had it in hand about what is still named then")  # fmt: skip


def named(ring: int, finding: Finding) -> Named:
    """One finding about records."""
    name = RING_NAMES[ring]
    span = _span(finding.first_seq, finding.last_seq)
    text = _sentences()[finding.kind].format(ring=t(name), seq=span, other=finding.other_seq)
    return Named(name, finding.kind, finding.first_seq, finding.last_seq, finding.other_seq, text)


def about_ring(ring: int, kind: str) -> Named:
    """One finding about a whole ring."""
    name = RING_NAMES[ring]
    return Named(name, kind, None, None, None, _sentences()[kind].format(ring=t(name)))


def notes(reports: Iterable[tuple[int, Report]]) -> list[str]:
    """What the verdict does not cover, ring by ring and in general."""
    said = []
    for ring, report in reports:
        left = len(report.unproven_ranges) - ON_SCREEN
        for first, last in report.unproven_ranges[:ON_SCREEN]:
            said.append(
                t("{ring} ring: {seq} could not be proven, being behind a break",
                  ring=t(RING_NAMES[ring]), seq=_span(first, last))
            )  # fmt: skip
        if left > 0:
            said.append(t("{ring} ring: and {n} more behind a break", ring=t(RING_NAMES[ring]),
                          n=left))  # fmt: skip
    said.append(
        t("Judged is what came before the newest head. Nobody can see events that never reached the"
          " journal, nor that the whole flash of a controller was put back to a state after it")
    )  # fmt: skip
    return said


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _sentences() -> dict[str, str]:
    return {
        kinds.OVERWRITTEN: t("{ring} ring: {seq} overwritten, the ring was full"),
        kinds.DELETED: t("{ring} ring: {seq} deleted"),
        kinds.TRUNCATED: t("{ring} ring: cut off, {seq} missing at the end"),
        kinds.CHANGED: t("{ring} ring: {seq} changed"),
        kinds.TAG_CHANGED: t("{ring} ring: a tag of {seq} changed, the record is genuine"),
        kinds.SWAPPED: t("{ring} ring: {seq} and {other} swapped"),
        kinds.REPLAYED: t("{ring} ring: at {seq} stands a copy of {other}"),
        kinds.FALSE_HEAD: t("{ring} ring: a head at {seq} is not the controller's"),
        kinds.FALSE_SECTOR: t("{ring} ring: a sector header at {seq} is not the controller's"),
        kinds.FALSE_CHECKPOINT: t("{ring} ring: a checkpoint at {seq} is not signed by this site"),
        kinds.FORGED: t("{ring} ring: {seq} is not what the controller's head covers"),
        kinds.FORKED: t("{ring} ring: {seq} is not what the checkpoint at its end says"),
        kinds.ROLLED_BACK: t("{ring} ring: the controller lost {seq} that it once had"),
        kinds.NO_HEAD: t("{ring} ring: nothing proves that it ends before {seq}: pull it"),
        kinds.CONFLICTING: t("{ring} ring: {seq} came again with other content"),
        kinds.TOO_FAR: t("{ring} ring: {seq} not judged: too far beyond all that is there"),
        AUDIT_KEY_CHANGED: t(
            "{ring} ring: its sealed audit key is not the one that was seen before"
        ),
        AUDIT_KEY_FOREIGN: t(
            "{ring} ring: the sealed audit key here is not the one that the controller showed"
        ),
    }
