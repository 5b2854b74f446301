"""Tells apart what is missing from a ring: overwritten, or deleted (host, pure).

A number that is not there was *deleted*

- when the ring had not let it go yet
- when the folder that judges holds the record itself
- when a checkpoint and a head vouch for it. A checkpoint (n, c) is signed only by a registry that
  holds every record from the oldest number of its newest head, which stands at n, to n. It does not
  name the oldest number itself; a genuine head with the same n and c does, under its MACs. Where
  such heads differ, the highest counts; without one, or without a key for it, a checkpoint says
  nothing of gaps: the ring may have let records go before the first pull

and else *overwritten*.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from controller_tool.services.journal_findings import DELETED, OVERWRITTEN, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Span = tuple[int, int]  # first number, and the one after the last


def runs(numbers: Iterable[int]) -> list[Span]:
    """Ascending numbers as spans without a gap."""
    found: list[Span] = []
    first = after = -1
    for number in numbers:
        if number != after:
            if first >= 0:
                found.append((first, after))
            first = number
        after = number + 1
    return [*found, (first, after)] if first >= 0 else found


def vouched(
    checkpoints: Iterable[tuple[int, bytes]], oldest: Mapping[tuple[int, bytes], int]
) -> list[Span]:
    """What the makers of the checkpoints held; oldest: by number and c, of genuine heads."""
    return [(oldest[each], each[0]) for each in checkpoints if oldest.get(each, each[0]) < each[0]]


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in spans that ascend and do not touch."""
    found: list[Span] = []
    for first, after in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], after))
        elif first < after:
            found.append((first, after))
    return found


def without(missing: Span, there: Sequence[int]) -> Iterator[Span]:
    """The same without the numbers, ascending, of which something is there after all."""
    at, after = missing
    for number in there[bisect_left(there, at) : bisect_left(there, after)]:
        if at < number:
            yield at, number
        at = number + 1
    if at < after:
        yield at, after


def tell_apart(missing: Span, kept: Sequence[Span]) -> Iterator[Finding]:
    """Findings for one row of missing numbers, by what was `joined` of the kept ones."""
    at, after = missing
    for index in range(bisect_right(kept, at, key=lambda span: span[1]), len(kept)):
        first, end = max(kept[index][0], at), min(kept[index][1], after)
        if first >= after:
            break
        if at < first:
            yield Finding(OVERWRITTEN, at, first - 1)
        yield Finding(DELETED, first, end - 1)
        at = end
    if at < after:
        yield Finding(OVERWRITTEN, at, after - 1)
