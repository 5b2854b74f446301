"""Follows the chain of a ring over its records, from one known point to the next (host, pure)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from controller_tool.services import journal_gaps, journal_tags
from controller_tool.services.journal_findings import (
    CHANGED,
    FORGED,
    FORKED,
    HEAD_REACH,
    NO_HEAD,
    OVERWRITTEN,
    TAG_CHANGED,
    TRUNCATED,
    Finding,
)
from controller_tool.services.journal_points import Evidence
from controller_tool.wire_shapes import NUMBER_MAX
from protocol import chain, records
from protocol.codes import EVENT_OVERWRITTEN
from protocol.constants import RECORD_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller_tool.services.journal_findings import Report
    from controller_tool.services.journal_reach import Reach

_SEGMENT = 4096  # records whose keys are made at once
_EVENT_AT = 6
_MISSING = "missing"  # told apart once the whole ring was walked


class Walk:
    """`run` first, then `findings`."""

    def __init__(
        self, reach: Reach, numbers: Sequence[int], held: Sequence[bytes], report: Report
    ) -> None:
        ring = self._ring = reach.ring
        self._whole = reach.beyond is None
        self._numbers = numbers[: reach.count]
        self._records = held[: reach.count]
        self._report = report
        self.evidence = Evidence(ring, reach.last)
        self._points = self.evidence.numbers()
        self._c: bytes | None = chain.start(ring.site, ring.device, ring.number)
        self._agreed = 0  # the last number whose c something else bore out
        self._since: list[tuple[int, int]] = []  # proven since, as (first, end)
        self._found: list[Finding] = []
        self._stays = 0  # by proven records, everything older may be gone

    def run(self) -> None:
        """Judge every record, and each head, header and checkpoint where its number comes."""
        expected = 0
        for index, first, end in self._runs():
            if first > expected:
                self._look_over(expected, first)
                self._find(_MISSING, expected, first - 1)
                self._c = None
            for start, stop in self._segments(first, end):
                self._look_at(start)
                at = index + start - first
                self._segment(self._records[at : at + stop - start], start)
            expected = end
        self._look_over(expected, (self._points or [0])[-1] + 1)
        if not self._whole:
            return  # nothing here says where it ends
        if not self._ring.heads and not self.evidence.heads:
            self._find(NO_HEAD, expected, expected)
        end = max(self._ring.noted, self.evidence.furthest)
        if expected < end:
            self._find(TRUNCATED, expected, end - 1)

    def findings(self, newest: int, damaged: Sequence[int] = ()) -> list[Finding]:
        """What was found, by number; newest: number of the newest head.

        damaged: numbers, ascending, of places that are not empty, but hold no record either.
        """
        kept = self._kept(newest) if any(f.kind == _MISSING for f in self._found) else []
        told: list[Finding] = []
        for finding in self._found:
            if finding.kind not in (_MISSING, TRUNCATED):
                told.append(finding)
                continue
            missing = finding.first_seq, finding.last_seq + 1
            for span in journal_gaps.without(missing, damaged):
                if finding.kind == TRUNCATED:
                    told.append(Finding(TRUNCATED, span[0], span[1] - 1))
                    continue
                apart = journal_gaps.tell_apart(span, kept)
                told += [f for f in apart if self._whole or f.kind != OVERWRITTEN]
        return told

    def _kept(self, newest: int) -> list[journal_gaps.Span]:
        """What had not been overwritten before somebody held it, or is not yet."""
        gone = max(0, min(self._stays, newest - self._ring.long))  # below it the ring let them go
        vouched = journal_gaps.vouched(self._ring.checkpoints, self.evidence.oldest)
        mine = journal_gaps.runs(self._ring.held)
        tail = [(gone, NUMBER_MAX + HEAD_REACH)] if self._whole else []
        return journal_gaps.joined([*vouched, *mine, *tail])

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """(index, first, end) of each row of numbers without a gap."""
        numbers, index = self._numbers, 0
        while index < len(numbers):
            ahead = numbers[index] - index
            after = bisect_right(
                range(len(numbers)), ahead, lo=index, key=lambda at: numbers[at] - at
            )
            yield index, numbers[index], numbers[after - 1] + 1
            index = after

    def _segments(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The same cut at each point, and into pieces that memory holds."""
        points = self._points
        while first < end:
            after = bisect_right(points, first)
            stop = min(points[after] if after < len(points) else end, end, first + _SEGMENT)
            yield first, stop
            first = stop

    def _look_over(self, first: int, end: int) -> None:
        """Look at each point of numbers whose records are missing."""
        for at in range(bisect_left(self._points, first), bisect_left(self._points, end)):
            if self._points[at] != first:
                self._c = None
            self._look_at(self._points[at])

    def _look_at(self, number: int) -> None:
        """Compare c with what heads, headers and checkpoints say, and take it from there."""
        values, signed = self.evidence.values(number), self.evidence.signed(number)
        if values:
            if len(values) > 1 or (self._c is not None and self._c not in values):
                self._doubt(FORGED, number)
            if self._c not in values:
                self._c = min(values)
        if self._c is not None and signed - {self._c}:
            self._doubt(FORKED, number)
        elif values or (signed and self._c is not None):
            self._agreed, self._since = number, []

    def _doubt(self, kind: str, number: int) -> None:
        """Something since the last point that agreed is not what the controller wrote."""
        first = min(self._agreed, number - 1)
        self._find(kind, max(first, 0), max(number - 1, 0))
        for start, end in self._since:
            self._report.proven -= end - start
            self._report.doubt(start, end)
        self._agreed, self._since = number, []

    def _segment(self, held: Sequence[bytes], first: int) -> None:
        end = first + len(held)
        ts = {} if self._c is None else self.evidence.tag_keys_of(first, len(held))
        if self._c is None or not ts:
            self._c = None
            self._report.doubt(first, end)
            return
        at = 0
        while True:
            stop, self._c = journal_tags.follow(self._c, held, at, ts)
            self._proved(held[at:stop], first + at)
            if stop == len(held):
                return
            c = journal_tags.links(self._c, held[stop])
            if not self._borne_out(held, first, stop, ts, c):
                self._find(CHANGED, first + stop, first + stop)
                self._report.doubt(first + stop + 1, end)
                self._c = None
                return
            self._find(TAG_CHANGED, first + stop, first + stop)
            self._proved(held[stop : stop + 1], first + stop)
            self._c, at = c, stop + 1

    def _borne_out(
        self, held: Sequence[bytes], first: int, at: int, ts: dict[str, list[bytes]], c: bytes
    ) -> bool:
        """Whether what follows proves c, though a tag of this record does not."""
        number = first + at + 1
        if at + 1 < len(held):
            keys = {name: row[at + 1] for name, row in ts.items()}
            return journal_tags.tags_fit(keys, journal_tags.links(c, held[at + 1]), held[at + 1])
        values = self.evidence.values(number)
        if values:
            return values == {c}
        index = bisect_left(self._numbers, number)
        if index == len(self._numbers) or self._numbers[index] != number:
            return False
        following, keys = self._records[index], self.evidence.tag_keys(number)
        fits = journal_tags.tags_fit(keys, journal_tags.links(c, following), following)
        return bool(keys) and fits

    def _proved(self, held: Sequence[bytes], first: int) -> None:
        if not held:
            return
        self._report.proven += len(held)
        self._since.append((first, first + len(held)))
        for record in held:
            if record[_EVENT_AT] == EVENT_OVERWRITTEN:
                body = records.unpack(record[:RECORD_BODY_BYTES])
                # it can only speak of what came before itself
                self._stays = max(self._stays, min(body.extra, body.seq))

    def _find(self, kind: str, first: int, last: int) -> None:
        self._found.append(Finding(kind, first, last))
