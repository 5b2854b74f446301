"""A rule's no: which rule, what happened, and the way out (host, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Refusal:
    """rule: its name, such as "capacity"; what, way_out: a line each, for people."""

    rule: str
    what: str
    way_out: str


class RuleRefused(OperatorError):
    """A rule of the desk says no. ``refusal.rule`` names it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.what, refusal.way_out)
        self.refusal = refusal


def unknown(word: str, known: Iterable[str]) -> Refusal | None:
    """Why a code is refused that is none of ``known``, or None."""
    if word in known:
        return None
    return Refusal("word", t("{word} is no word for that", word=word), ", ".join(known))


def require(*refusals: Refusal | None) -> None:
    """Raises RuleRefused for the first that is one."""
    for refusal in refusals:
        if refusal is not None:
            raise RuleRefused(refusal)
