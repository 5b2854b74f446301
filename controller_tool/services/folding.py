"""Bounds long lists of findings without hiding a kind (host, pure)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

ON_SCREEN, IN_JSON = 20, 1000


class Kinded(Protocol):
    """Anything that is of a kind."""

    @property
    def kind(self) -> str: ...
    def __hash__(self) -> int: ...


_T = TypeVar("_T", bound=Kinded)


def fold(found: Iterable[_T], most: int) -> list[_T]:
    """At most so many, in their order, equal ones once: the first of each kind, then the second …

    Whoever puts sixty thousand false heads before one deleted record shall not hide it.
    """
    seen: Counter[Hashable] = Counter()
    ranked = []
    for order, one in enumerate(dict.fromkeys(found)):
        ranked.append((seen[one.kind], order, one))
        seen[one.kind] += 1
    kept = sorted(ranked, key=lambda each: each[:2])[:most]
    return [one for _, _, one in sorted(kept, key=lambda each: each[1])]
