"""How far the keys of a ring are followed: no number that somebody names costs hours (host, pure).

- a key is hashed on once for each number. For numbers whose records are there, that is paid for by
  the records; steps over numbers that are missing are *spare* and come out of a budget
- a ring that needs more than is left is judged as far as that goes. From there on nothing of it is
  judged: *too_far*
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.services.journal_findings import HEAD_REACH
from controller_tool.wire_shapes import NUMBER_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.services.journal_findings import Ring

STEPS = 1 << 25  # spare ones for one controller here, or a whole bundle: half a minute of work
_FIRST_SEQ = slice(12, 16)  # in a sector header


class Budget:
    """Spare steps that are left, of all rings that share it."""

    def __init__(self, steps: int | None = None) -> None:
        self.left = STEPS if steps is None else steps


@dataclass(frozen=True)
class Reach:
    """ring: with what can be judged of it; count: of its numbers; beyond: (first, last) that not.

    last: the highest number whose record is there, judged or not.
    """

    ring: Ring
    count: int
    last: int
    beyond: tuple[int, int] | None


def within(ring: Ring, numbers: Sequence[int], budget: Budget) -> Reach:
    """How far to judge, and what that leaves of the budget; numbers: of its records, ascending."""
    keys = sum(isinstance(key, bytes) for key in ring.keys.values())
    last = numbers[-1] if numbers else 0
    points = _points(ring, min(last + HEAD_REACH, NUMBER_MAX))
    top = max(last, points[-1] if points else 0)

    def spare(number: int) -> int:
        return keys * (number - bisect_left(numbers, number))

    if spare(top) <= budget.left:
        budget.left -= spare(top)
        return Reach(ring, len(numbers), last, None)
    count = spared(numbers, budget.left // keys)
    at = bisect_left(points, budget.left + 1, key=spare)
    judged = max(numbers[count - 1] if count else 0, points[at - 1] if at else 0)
    end = min([*numbers[count : count + 1], *points[at : at + 1]])
    budget.left -= spare(judged)
    return Reach(_cut(ring, end), count, last, (end, top))


def spared(numbers: Sequence[int], steps: int) -> int:
    """How many of the numbers can be reached with so many spare steps of one key."""
    return bisect_left(range(len(numbers)), steps + 1, key=lambda at: numbers[at] - at)


def _points(ring: Ring, reach: int) -> list[int]:
    """Where heads and headers want a key; what is further off is false unseen."""
    heads = {head.next_seq for head in (*ring.heads, *ring.witnesses)}
    headers = {int.from_bytes(header[_FIRST_SEQ], "big") for header in ring.sectors}
    return sorted(number for number in heads | headers if 0 <= number <= reach)


def _cut(ring: Ring, end: int) -> Ring:
    """The ring without what stands at ``end`` or behind it."""
    return replace(
        ring,
        heads=[head for head in ring.heads if head.next_seq < end],
        witnesses=[head for head in ring.witnesses if head.next_seq < end],
        sectors=[one for one in ring.sectors if int.from_bytes(one[_FIRST_SEQ], "big") < end],
        checkpoints=[(number, c) for number, c in ring.checkpoints if number < end],
    )
