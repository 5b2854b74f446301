"""Judges one ring of a journal, offline and without a registry (host, pure).

Rules, in the order in which they are applied:

- a record whose own number is not that of its place was moved: two that changed places are
  *swapped*, else it is *replayed*; judged further where its own number belongs
- a head or sector header counts when it is right under each key at hand; else it is a
  *false_head* or *false_sector*. Each gives the chain value before its number: there the chain is
  taken up again behind what is missing or altered
- a record with a tag that does not fit is *changed*, unless the next record (every tag of it), a
  head or a sector header proves that its body is as it was written: then it is *tag_changed*. One
  tag that fits is not enough: the desk holds one of the two keys
- what is no record by its length is *changed* and nothing else: it is not missing
- all tags fit, and a head or sector header does not: *forged* somewhere since the last point that
  agreed, by whoever holds the keys at hand
- a signed checkpoint that the chain does not pass through: *forked* since that point
- a number that is not there is *overwritten* when a proven record says so, it lies further back
  than the ring is long, and nobody is known to have held it (journal_gaps.py); *truncated* when it
  comes after all that is there and before the highest head, sector header, checkpoint, or number
  that was noted elsewhere; else *deleted*
- a head that lies behind an earlier one: the controller's journal was *rolled_back*
- no head at all: *no_head*, for nothing says where the journal ends
- a record that came a second time with other bytes: *conflicting*
- what cannot be reached without hashing over more missing numbers than is worth while: *too_far*
  (journal_reach.py). It is not judged, nor is what is missing before it told apart by age

Records between a break and the next head or sector header are counted as not proven. What nobody
can see here: a controller whose whole flash was put back to a state after the newest head or
checkpoint, what came after the newest head, and what was never written.
"""

from __future__ import annotations

import itertools
import sys
from array import array
from operator import lt
from typing import TYPE_CHECKING

from controller_tool.services import journal_gaps, journal_reach
from controller_tool.services.journal_findings import (
    CHANGED,
    CONFLICTING,
    DELETED,
    FALSE_CHECKPOINT,
    FALSE_HEAD,
    FALSE_SECTOR,
    FORGED,
    FORKED,
    HARMLESS,
    HEAD_REACH,
    NO_HEAD,
    OVERWRITTEN,
    REPLAYED,
    ROLLED_BACK,
    SWAPPED,
    TAG_CHANGED,
    TOO_FAR,
    TRUNCATED,
    Finding,
    Head,
    Report,
    Ring,
)
from controller_tool.services.journal_reach import Budget
from controller_tool.services.journal_walk import Walk
from controller_tool.wire_shapes import NUMBER_MAX
from protocol.constants import RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CHANGED", "CONFLICTING", "DELETED", "FALSE_CHECKPOINT", "FALSE_HEAD", "FALSE_SECTOR",
    "FORGED", "FORKED", "HARMLESS", "HEAD_REACH", "KEY_NAMES", "NO_HEAD", "NUMBER_MAX",
    "OVERWRITTEN", "REPLAYED", "ROLLED_BACK", "SWAPPED", "TAG_CHANGED", "TOO_FAR", "TRUNCATED",
    "Finding", "Head", "Report", "Ring", "check",
]  # fmt: skip
KEY_NAMES = ("tool", "audit")  # in the order of a record's tags


def check(ring: Ring, budget: Budget | None = None) -> Report:
    """Judge the ring; never raises for what it holds. budget: of spare steps, else its own."""
    report = Report(len(ring.places))
    numbers, records = _sort(ring.places, report)
    damaged = sorted({f.first_seq for f in report.findings if f.kind == CHANGED})
    reach = journal_reach.within(ring, numbers, budget or Budget())
    walk = Walk(reach, numbers, records, report)
    walk.run()
    genuine = [head for head in reach.ring.heads if walk.evidence.is_genuine(head)]
    newest = max((head.next_seq for head in (*genuine, *walk.evidence.heads)), default=None)
    report.last_head_seq = newest
    report.findings += walk.evidence.false
    report.findings += _fallen_back(genuine)
    report.findings += [Finding(CONFLICTING, seq, seq) for seq in sorted(set(ring.conflicts))]
    report.findings += walk.findings(newest or 0, damaged)
    if reach.beyond is not None:
        report.findings.append(Finding(TOO_FAR, *reach.beyond))
        for first, end in journal_gaps.runs(numbers[reach.count :]):
            report.doubt(first, end)
    return report


def _sort(
    places: Sequence[tuple[int, bytes]], report: Report
) -> tuple[Sequence[int], Sequence[bytes]]:
    """Numbers, ascending, and their records; moved ones are reported."""
    if places:
        at, records = zip(*places, strict=True)
        if _in_order(at, records):
            return at, records
    own = _sort_moved(places, report)
    numbers = sorted(own)
    return numbers, [own[number] for number in numbers]


def _in_order(at: Sequence[int], records: Sequence[bytes]) -> bool:
    """Whether each record is whole, stands at its own place, and the places ascend."""
    if set(map(len, records)) != {RECORD_BYTES} or not 0 <= at[0] <= at[-1] <= NUMBER_MAX:
        return False
    words = array("I", b"".join(records))  # the first word of a record is its number
    numbers = words[:: RECORD_BYTES // words.itemsize]
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tolist() == list(at) and all(map(lt, at, at[1:]))


def _sort_moved(places: Sequence[tuple[int, bytes]], report: Report) -> dict[int, bytes]:
    own: dict[int, bytes] = {}
    at_place = {place: _number(record) for place, record in places if _whole(record)}
    last = max((place for place in at_place if place <= NUMBER_MAX), default=-1)
    seen: set[int] = set()
    for place, record in places:
        if not _whole(record) or place > NUMBER_MAX:
            report.findings.append(Finding(CHANGED, place, place))
            continue
        number = _number(record)
        exchanged = at_place.get(number) == place and place not in seen
        if exchanged and number not in seen and number != place:
            report.findings.append(Finding(SWAPPED, place, place, number))
        elif not exchanged:
            report.findings.append(Finding(REPLAYED, place, place, number))
        # a moved record is evidence of its own number where nothing else is
        if exchanged or (number not in at_place and number < last):
            own.setdefault(number, record)
        seen.add(place)
    return own


def _whole(record: bytes) -> bool:
    return len(record) == RECORD_BYTES


def _number(record: bytes) -> int:
    return int.from_bytes(record[:4], "big")


def _fallen_back(heads: Sequence[Head]) -> list[Finding]:
    found = []
    for before, head in itertools.pairwise(heads):
        if head.next_seq < before.next_seq:
            found.append(Finding(ROLLED_BACK, head.next_seq, before.next_seq - 1))
    return found
