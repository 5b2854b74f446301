"""A curve in a terminal: columns of block characters with a scale; and bars (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.services.energy_read import Step

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ENDS = " ▏▎▍▌▋▊▉"
_EIGHTHS = 8
_NICE = (1, 1.2, 1.6, 2, 2.4, 3, 4, 6, 8, 10)
_MARKS = 4  # on the scale of values


def columns(steps: Sequence[Step], begin_s: int, end_s: int, count: int) -> list[float]:
    """Mean power of each of ``count`` equal times between two moments."""
    width_s = (end_s - begin_s) / count
    energy = [0.0] * count
    for step in steps:
        first = max(0, int((step.begin_s - begin_s) / width_s))
        last = min(count - 1, int((step.end_s - begin_s) / width_s))
        for column in range(first, last + 1):
            left = begin_s + column * width_s
            overlap = min(step.end_s, left + width_s) - max(step.begin_s, left)
            if overlap > 0:
                energy[column] += step.power_w * overlap
    return [one / width_s for one in energy]


def top_of(values: Sequence[float]) -> float:
    """The least round number that all of them fit under."""
    most = max([*values, 1.0])
    power = 1.0
    while power * 10 < most:
        power *= 10
    return next(power * nice for nice in _NICE if power * nice >= most)


def rows(values: Sequence[float], height: int, unit: str) -> list[str]:
    """Lines from the top down: the scale, then a character for each value."""
    top = top_of(values)
    labels = {}
    for mark in range(_MARKS + 1):
        row = round(height * mark / _MARKS)
        labels[row] = f"{top * row / height:g} {unit}"
    margin = max(map(len, labels.values()))
    filled = [round(value / top * height * _EIGHTHS) for value in values]
    made = []
    for row in range(height - 1, -1, -1):
        # a level stands at the top edge of its row
        label = labels.get(row + 1, "")
        cells = (_BLOCKS[min(max(one - row * _EIGHTHS, 0), _EIGHTHS)] for one in filled)
        made.append(f"{label:>{margin}} ┤{''.join(cells)}")
    made.append(f"{labels[0]:>{margin}} └{'─' * len(values)}")
    return made


def bar(part: int, whole: int, width: int) -> str:
    """A bar that is full only when ``part`` is all of ``whole``; nothing where that is nothing."""
    eighths = part * width * _EIGHTHS // whole if whole else 0
    full, rest = divmod(eighths, _EIGHTHS)
    return ("█" * full + _ENDS[rest] if full < width else "█" * full).rstrip()


def times(labels: Sequence[tuple[int, str]], margin: int, width: int) -> str:
    """A line of words, each from its column on, where there is room left of the next one."""
    line = ""
    for column, label in labels:
        at = margin + column
        if at >= len(line) + bool(line) and at + len(label) <= margin + width:
            line = line.ljust(at) + label
    return line
