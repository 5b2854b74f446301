"""How long a board looks at no reader, in the time of the computer that runs it (host).

A board's process that waits for the processor looks at no reader either. What the firmware does
comes again in each trial; what the computer does seldom comes three times running.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.sim.service import Board

TRIALS = 3


def longest_gap_us(board: Board, trial: Callable[[], object], limit_us: int) -> int:
    """Longest stretch of the first trial that keeps the limit, or the shortest of all trials'."""
    gaps: list[int] = []
    for _ in range(TRIALS):
        board.stimulate("clear_gap")
        trial()
        assert within(lambda: board.counters()["gap_us"] > 0)
        gaps.append(board.counters()["gap_us"])
        if gaps[-1] < limit_us:
            break
    return min(gaps)
