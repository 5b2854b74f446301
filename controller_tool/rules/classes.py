"""What a house's class allows (四级: 放心, 关注, 严管, 禁租), after mission.md (host, pure).

- a stay and its card end within ``stay_days``; of a barred house (禁租) there is none
- a visitor stays at most ``visit_h``
- controllers' lists count ``refresh_h``, then ``grace_h`` powered hours more
- the house is inspected again within ``inspect_days``
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.rules import words


@dataclass(frozen=True)
class ClassRules:
    """Numbers of one class; stay_days 0: nothing is issued."""

    stay_days: int
    visit_h: int
    refresh_h: int
    grace_h: int
    inspect_days: int


BY_CLASS = {
    words.TRUSTED: ClassRules(365, 24, 72, 72, 180),
    words.WATCHED: ClassRules(180, 24, 72, 72, 90),
    words.STRICT: ClassRules(30, 8, 12, 12, 30),
    # nothing is issued; who lives there goes by check-out or eviction (ADR-0034)
    words.BARRED: ClassRules(0, 0, 12, 12, 30),
}


def of(class4: str) -> ClassRules:
    """The numbers of a class; KeyError for a word that is none."""
    return BY_CLASS[class4]


def list_windows(classes: set[str], refresh_h: int, grace_min: int) -> tuple[int, int]:
    """Refresh window in hours and grace in minutes of a controller that serves such houses.

    refresh_h, grace_min: of the site's policy; the strictest of all counts.
    """
    rules = [of(class4) for class4 in classes]
    return (
        min([refresh_h, *(rule.refresh_h for rule in rules)]),
        min([grace_min, *(rule.grace_h * 60 for rule in rules)]),
    )
