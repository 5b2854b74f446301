"""Who stands where when areas are compared (考评) (host, pure).

- a place where nobody counted houses or people stands behind all that were counted
- then by the mean of its rates; those of nothing ("n/a") do not count
- then by how much is missing in all, the least first; equal ones share a place
- a place of which there is no rate at all has no standing
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from controller_tool.rules.rates import RATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller_tool.rules.rates import Rate


@dataclass(frozen=True)
class Standing:
    """place: from 1, None of none; mean_tenths: tenths of a percent, never rounded up."""

    key: str
    place: int | None
    mean_tenths: int | None
    reached: int
    missing: int
    uncounted: int


def ranked(rates: Mapping[str, Mapping[str, Rate]]) -> list[Standing]:
    """The best first. rates: of each place by its key, then by the name of the rate."""
    scores = {key: _score(of) for key, of in rates.items()}
    order = sorted((key for key in rates if scores[key] is not None), key=lambda k: (scores[k], k))
    placed: dict[str, int] = {}
    for at, key in enumerate(order):
        same = at and scores[order[at - 1]] == scores[key]
        placed[key] = placed[order[at - 1]] if same else at + 1
    rest = sorted(key for key in rates if scores[key] is None)
    return [_standing(key, placed.get(key), rates[key]) for key in [*order, *rest]]


def _mean(rates: Mapping[str, Rate]) -> Fraction | None:
    there = [rates[name] for name in RATES if rates[name].denominator]
    parts = [Fraction(one.numerator, one.denominator) for one in there]
    return sum(parts, Fraction()) / len(parts) if parts else None


def _score(rates: Mapping[str, Rate]) -> tuple[bool, Fraction, int] | None:
    """The less, the better."""
    mean = _mean(rates)
    return None if mean is None else (_uncounted(rates) > 0, -mean, _missing(rates))


def _missing(rates: Mapping[str, Rate]) -> int:
    return sum(rates[name].missing for name in RATES)


def _uncounted(rates: Mapping[str, Rate]) -> int:
    return sum(rates[name].uncounted for name in RATES)


def _standing(key: str, place: int | None, rates: Mapping[str, Rate]) -> Standing:
    mean = _mean(rates)
    return Standing(
        key,
        place,
        None if mean is None else int(mean * 1000),
        sum(rates[name].reached for name in RATES),
        _missing(rates),
        _uncounted(rates),
    )
