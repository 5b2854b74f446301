"""Figures that a run measured, and what it could not measure and why (host)."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Measure:
    """One figure, in ms unless `unit` says otherwise.

    limit: that each value is held to, None where nobody set one; by: whose clock or count it is.
    """

    board: str
    name: str
    limit: float | None
    by: str
    unit: str = "ms"
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Of the values."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """The smallest value that 95 % do not exceed."""
        ordered = sorted(self.values)
        return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]

    @property
    def worst(self) -> float:
        """The largest value."""
        return max(self.values)

    @property
    def holds(self) -> bool:
        """Whether no value is over the limit."""
        return self.limit is None or self.worst <= self.limit


class Measures:
    """All figures of a run, by board and name."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str], Measure] = {}
        self.wires: dict[str, list[str]] = {}  # by board: what the wiring check proved
        self.told: dict[str, dict[str, object]] = {}  # by board: what it says of itself
        self.missing: dict[tuple[str, str], str] = {}  # (board, figure): why it was not measured

    def put(
        self, board: str, name: str, value: float, *, limit: float | None, by: str, unit: str
    ) -> Measure:
        """Takes a value; returns the figure so far."""
        made = self.all.setdefault((board, name), Measure(board, name, limit, by, unit))
        made.values.append(value)
        return made
