"""What there is to judge of a journal ring, and what can be found (host, pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller_tool.services.journal_tags import Key

OVERWRITTEN, DELETED, TRUNCATED = "overwritten", "deleted", "truncated"
CHANGED, TAG_CHANGED = "changed", "tag_changed"
SWAPPED, REPLAYED = "swapped", "replayed"
FALSE_HEAD, FALSE_SECTOR, FALSE_CHECKPOINT = "false_head", "false_sector", "false_checkpoint"
FORGED, FORKED, ROLLED_BACK = "forged", "forked", "rolled_back"
NO_HEAD, CONFLICTING, TOO_FAR = "no_head", "conflicting", "too_far"
HARMLESS = (OVERWRITTEN,)
HEAD_REACH = 1 << 20  # records; a head further ahead of all records than that is not followed


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
    """Which ring is judged, with what. keys: K before the first record, or T, by name.

    places: (number of the place, 48 bytes) as stored or exported; heads: in the order in which
    they came; long: records that the ring holds at least; noted: the highest number that the
    operators' log, or the judging folder, knows to be reached; conflicts: numbers of records that
    came again with other bytes; sectors: headers of 64 bytes, tags unchecked; checkpoints:
    (number, c) of checkpoints whose signatures were found good; witnesses: heads from elsewhere, in
    no order; held: numbers, ascending, of records that the folder which judges what another handed
    on holds itself.
    """

    site: bytes
    device: bytes
    number: int
    keys: Mapping[str, bytes | Key] = field(repr=False)
    places: Sequence[tuple[int, bytes]] = field(repr=False)
    heads: Sequence[Head] = field(repr=False)
    long: int = 0
    noted: int = 0
    conflicts: Sequence[int] = ()
    sectors: Sequence[bytes] = field(default=(), repr=False)
    checkpoints: Sequence[tuple[int, bytes]] = field(default=(), repr=False)
    witnesses: Sequence[Head] = field(default=(), repr=False)
    held: Sequence[int] = field(default=(), repr=False)


@dataclass
class Report:
    """proven: records that are as they were written; unproven: those behind a break.

    unproven_ranges: (first, last) of the unproven; last_head_seq: of the newest genuine head.
    """

    records: int
    proven: int = 0
    unproven: int = 0
    findings: list[Finding] = field(default_factory=list)
    last_head_seq: int | None = None
    unproven_ranges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing missing but what was overwritten, nothing altered, nothing left unproven."""
        return not self.unproven and all(f.kind in HARMLESS for f in self.findings)

    def doubt(self, first: int, end: int) -> None:
        """The records first … end-1 are not proven."""
        if first < end:
            self.unproven += end - first
            before = self.unproven_ranges.pop() if self.unproven_ranges else (first, first - 1)
            if before[1] == first - 1:
                self.unproven_ranges.append((before[0], end - 1))
            else:
                self.unproven_ranges += [before, (first, end - 1)]
