"""Judges one ring of a journal, offline and without a registry (host, pure).

Rules, in the order in which they are applied:

- a head counts when its MAC is right under each key at hand; else it is a *false_head*
- a record whose own number is not that of its place was moved: two that changed places are
  *swapped*, else it is *replayed*; judged further where its own number belongs
- a number that is not there is *overwritten* when a head says that the ring had already let it go
  and it lies further back than the ring is long; *truncated* when it comes after all that is
  there and before the highest head, or the highest that was noted elsewhere; else *deleted*
- a record with a tag that does not fit is *changed*, unless the next record (every tag of it) or
  a head proves that its body is as it was written: then it is *tag_changed*. One tag that fits is
  not enough: the desk holds one of the two keys
- all tags fit, and a head does not: *forged*, by whoever holds the keys at hand
- a head that lies behind an earlier one: the controller's journal was *rolled_back*
- no head at all: *no_head*, for nothing says where the journal ends
- a record that came a second time with other bytes: *conflicting*

The chain cannot be taken up behind a record that is missing or changed: what follows is counted
as not proven, and the finding names where that begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protocol import chain
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERWRITTEN, DELETED, TRUNCATED = "overwritten", "deleted", "truncated"
CHANGED, TAG_CHANGED = "changed", "tag_changed"
SWAPPED, REPLAYED = "swapped", "replayed"
FALSE_HEAD, FORGED, ROLLED_BACK = "false_head", "forged", "rolled_back"
NO_HEAD, CONFLICTING = "no_head", "conflicting"
HARMLESS = (OVERWRITTEN,)
_HEAD_REACH = 1 << 20  # records; a head further ahead than that is not followed


@dataclass(frozen=True)
class Finding:
    """What is wrong with the records first_seq … last_seq (one record: the same number).

    other_seq: the second record of an exchange, or the one that was put in place of this.
    """

    kind: str
    first_seq: int
    last_seq: int
    other_seq: int | None = None


@dataclass(frozen=True)
class Head:
    """A head as the controller gave it for our nonce; MACs by name of the key."""

    nonce: bytes
    next_seq: int
    chain: bytes
    oldest_seq: int
    macs: dict[str, bytes]


@dataclass(frozen=True)
class Ring:
    """Which ring is judged, with what. keys: K before the first record, by name, in tag order.

    places: (number of the place, 48 bytes) as stored or exported; long: records that the ring
    holds at least; noted: the highest number of a head that the operators' log remembers;
    conflicts: numbers of records that came again with other bytes.
    """

    site: bytes
    device: bytes
    number: int
    keys: dict[str, bytes] = field(repr=False)
    places: Sequence[tuple[int, bytes]] = field(repr=False)
    heads: Sequence[Head] = field(repr=False)
    long: int = 0
    noted: int = 0
    conflicts: Sequence[int] = ()


@dataclass
class Report:
    """proven: records that are as they were written; unproven: those behind a break."""

    records: int
    proven: int = 0
    unproven: int = 0
    findings: list[Finding] = field(default_factory=list)
    last_head_seq: int | None = None

    @property
    def ok(self) -> bool:
        """Nothing missing but what was overwritten, nothing altered, nothing left unproven."""
        return not self.unproven and all(f.kind in HARMLESS for f in self.findings)


KEY_NAMES = ("tool", "audit")  # in the order of a record's tags


def check(ring: Ring) -> Report:
    """Judge the ring; never raises for what it holds."""
    report = Report(len(ring.places))
    by_seq = _sort(ring, report)
    heads = _genuine(ring, report)
    report.last_head_seq = max((head.next_seq for head in heads), default=None)
    report.findings += [Finding(CONFLICTING, seq, seq) for seq in sorted(set(ring.conflicts))]
    _Walk(ring, by_seq, report).run(heads)
    return report


def _sort(ring: Ring, report: Report) -> dict[int, bytes]:
    """Records by their own number; moved ones are reported."""
    own: dict[int, bytes] = {}
    at_place = {place: _number(record) for place, record in ring.places if _whole(record)}
    last = max(at_place, default=-1)
    seen: set[int] = set()
    for place, record in ring.places:
        if not _whole(record):
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


def _genuine(ring: Ring, report: Report) -> list[Head]:
    """Heads whose MACs are right; the others are reported."""
    reach = len(ring.places) + _HEAD_REACH
    wanted = {head.next_seq for head in ring.heads if head.next_seq <= reach}
    keys_at = {name: _keys_at(key, wanted) for name, key in ring.keys.items()}
    good: list[Head] = []
    for head in ring.heads:
        if head.next_seq not in wanted or not all(
            chain.head_mac(
                keys[head.next_seq], head.nonce, ring.number, head.next_seq, head.chain,
                head.oldest_seq,
            ) == head.macs.get(name)
            for name, keys in keys_at.items()
        ):  # fmt: skip
            report.findings.append(Finding(FALSE_HEAD, head.next_seq, head.next_seq))
            continue
        if good and head.next_seq < good[-1].next_seq:
            report.findings.append(Finding(ROLLED_BACK, head.next_seq, good[-1].next_seq - 1))
        good.append(head)
    return good


def _keys_at(key: bytes, wanted: set[int]) -> dict[int, bytes]:
    """K at each wanted number."""
    found = {}
    for number in range(max(wanted, default=-1) + 1):
        if number in wanted:
            found[number] = key
        key = chain.evolve(key)
    return found


class _Walk:
    """Follows the chain from the first record on, for as long as it goes."""

    def __init__(self, ring: Ring, by_seq: dict[int, bytes], report: Report) -> None:
        self._ring = ring
        self._by_seq = by_seq
        self._report = report
        self._c = chain.start(ring.site, ring.device, ring.number)
        self._keys = dict(ring.keys)
        self._broken = False

    def run(self, heads: list[Head]) -> None:
        """Judge every record, and each head where its number comes."""
        values: dict[int, set[bytes]] = {}
        for head in heads:
            values.setdefault(head.next_seq, set()).add(head.chain)
        expected = 0
        for seq in sorted(self._by_seq):
            if seq != expected:
                self._missing(expected, seq - 1, heads)
            self._compare(seq, values)
            self._judge(seq, self._by_seq[seq], values)
            expected = seq + 1
        self._compare(expected, values)
        if not self._ring.heads:
            self._found(NO_HEAD, expected, expected)
        end = max(self._ring.noted, *values, 0)
        if expected < end:
            self._found(TRUNCATED, expected, end - 1)

    def _compare(self, seq: int, values: dict[int, set[bytes]]) -> None:
        if not self._broken and values.get(seq, {self._c}) != {self._c}:
            self._found(FORGED, max(0, seq - 1), max(0, seq - 1))
            self._broken = True

    def _judge(self, seq: int, record: bytes, values: dict[int, set[bytes]]) -> None:
        if self._broken:
            self._report.unproven += 1
            return
        c = chain.link(self._c, record[:RECORD_BODY_BYTES])
        if not _tags_fit(self._keys, c, record):
            if not self._borne_out(seq, c, values):
                self._found(CHANGED, seq, seq)
                self._broken = True
                return
            self._found(TAG_CHANGED, seq, seq)
        self._c = c
        self._keys = {name: chain.evolve(key) for name, key in self._keys.items()}
        self._report.proven += 1

    def _borne_out(self, seq: int, c: bytes, values: dict[int, set[bytes]]) -> bool:
        """Whether a head or the next record proves c, though a tag of this record does not."""
        if seq + 1 in values:
            return values[seq + 1] == {c}
        following = self._by_seq.get(seq + 1)
        if following is None:
            return False
        keys = {name: chain.evolve(key) for name, key in self._keys.items()}
        return _tags_fit(keys, chain.link(c, following[:RECORD_BODY_BYTES]), following)

    def _missing(self, first: int, last: int, heads: list[Head]) -> None:
        self._broken = True
        oldest = max((head.oldest_seq for head in heads), default=0)
        newest = max((head.next_seq for head in heads), default=0)
        gone = min(oldest, newest - self._ring.long)  # below it the ring had let records go
        if first < gone:
            self._found(OVERWRITTEN, first, min(last, gone - 1))
        if last >= gone:
            self._found(DELETED, max(first, gone), last)

    def _found(self, kind: str, first: int, last: int) -> None:
        self._report.findings.append(Finding(kind, first, last))


def _tags_fit(keys: dict[str, bytes], c: bytes, record: bytes) -> bool:
    """Whether the tag of every key at hand is that of c."""
    for place, name in enumerate(KEY_NAMES):
        at = RECORD_BODY_BYTES + place * TAG_BYTES
        if name in keys and chain.tag(chain.tag_key(keys[name]), c) != record[at : at + TAG_BYTES]:
            return False
    return True
