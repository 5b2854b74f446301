"""A rule's no: which rule, what happened, and the way out (host, pure)."""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.errors import OperatorError


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


def require(*refusals: Refusal | None) -> None:
    """Raises RuleRefused for the first that is one."""
    for refusal in refusals:
        if refusal is not None:
            raise RuleRefused(refusal)
