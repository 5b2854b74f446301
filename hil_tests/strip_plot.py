"""A strip plot as SVG: one mark a value, median, 95th percentile and limit (host)."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _EDGE = 720, 74, 24
_ROWS, _ROW_PX, _TOP = 4, 6, 16
_AXIS_Y = 50
_TICKS = 6
_LABEL = 45
_NEAR = 0.6  # a limit far beyond the values is told and not drawn: it would press them together


def draw(values: Sequence[float], limit: float | None, unit: str) -> str:
    """`values` along an axis from zero; the limit where it can be seen beside them."""
    shows_limit = limit is not None and limit * (1 - _NEAR) <= max(values) * 1.2
    top = _nice(max([*values, limit if shows_limit and limit else 0]) * 1.05)

    def x(value: float) -> float:
        return round(_EDGE + (_WIDTH - 2 * _EDGE) * value / top, 1)

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            'width="100%" role="img" font-family="system-ui,sans-serif" font-size="10">'
        ),
        _line(_EDGE, _AXIS_Y, _WIDTH - _EDGE, _AXIS_Y, "#8c959f"),
    ]
    for step in range(_TICKS + 1):
        at = top * step / _TICKS
        parts.append(_line(x(at), _AXIS_Y, x(at), _AXIS_Y + 4, "#8c959f"))
        label = f"{at:g}" + (f" {unit}" if step == _TICKS else "")
        anchor = "end" if step == _TICKS else "middle"
        place = x(at) + (_EDGE if step == _TICKS else 0)
        parts.append(f'<text x="{place}" y="64" text-anchor="{anchor}">{label}</text>')
    parts += [
        f'<circle cx="{x(value)}" cy="{_TOP + 8 + _ROW_PX * (number % _ROWS)}" r="3" '
        f'fill="#0969da" fill-opacity=".55"/>'
        for number, value in enumerate(values)
    ]
    median = x(statistics.median(values))
    is_apart = not shows_limit or limit is None or abs(x(limit) - median) > _LABEL
    parts.append(_mark(median, "median" if is_apart else "", "#1b1f24"))
    if shows_limit and limit is not None:
        parts.append(_mark(x(limit), "limit", "#a40e26"))
    elif limit is not None:
        parts.append(
            f'<text x="{_WIDTH - 4}" y="10" text-anchor="end" fill="#a40e26">'
            f"limit {limit:g} →</text>"
        )
    return "".join(parts) + "</svg>"


def _nice(value: float) -> float:
    """The next of 1.2, 3, 6, 12, …: six even steps."""
    if value <= 0:
        return 6.0
    decade = float(10 ** math.floor(math.log10(value)))
    return next(n * decade for n in (1.2, 1.8, 3, 6, 12) if n * decade >= value)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def _mark(x: float, name: str, colour: str) -> str:
    anchor = "end" if x > _WIDTH - 60 else "middle"
    return (
        _line(x, 13, x, _AXIS_Y, colour)
        + f'<text x="{x}" y="10" text-anchor="{anchor}" fill="{colour}">{name}</text>'
    )
