"""When a house is inspected again, when hazards are due, what class follows (整改; host, pure).

- a house is inspected again within the days of its class, counted from the newest visit
- a hazard is mended within the days of its grade, counted from the visit that found it; only a
  later visit proves it mended
- a visit that finds a major hazard, or leaves one open, has not passed; one that passed and found a
  major hazard is a contradiction, and so is a follow-up where nothing is open
- a major hazard suspends an admitted house: what admission needs is gone
- the class that follows is proposed, never set: a minor hazard that is overdue makes a house
  *watched* at least, an open major one *strict*, a major one that is overdue *barred*. Upward it
  goes one class, after two visits in a row that passed with nothing left open
- nobody gives a house a better class than its open hazards allow

The order gives no days for hazards (限期整改); HAZARD_DAYS are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from controller_tool.rules import classes, words
from controller_tool.rules.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HAZARD_DAYS = {words.MINOR: 15, words.MAJOR: 3}
GOOD_VISITS = 2
DAY_S = 86400


@dataclass(frozen=True)
class Open:
    """A hazard that nobody saw mended: its reference, grade, and when it is due."""

    ref: str
    grade: str
    due_s: int


def due_s(class4: str, inspected_at_s: int) -> int:
    """When a house of that class is inspected again after a visit, seconds since 2020."""
    return inspected_at_s + classes.of(class4).inspect_days * DAY_S


def is_due(class4: str, inspected_at_s: int | None, now_s: int) -> bool:
    """Whether a visit is due; where there was none, it is."""
    return inspected_at_s is None or now_s >= due_s(class4, inspected_at_s)


def hazard_due_s(grade: str, found_at_s: int) -> int:
    """When a hazard must be mended; KeyError for a grade that is none."""
    return found_at_s + HAZARD_DAYS[grade] * DAY_S


def is_overdue(hazard: Open, now_s: int) -> bool:
    """Whether its time is over: the moment it is due belongs to the time it has."""
    return now_s > hazard.due_s


def visit(
    kind: str, passed: bool, found: Sequence[str], mended: Collection[str], before: Sequence[Open]
) -> Refusal | None:
    """Why a visit cannot be as it was written down, or None.

    found: grades of the hazards that it found; mended: references of those that it saw mended;
    before: what was open when it began.
    """
    unknown = sorted(set(mended) - {hazard.ref for hazard in before})
    if unknown:
        return Refusal(
            "mended",
            t("{hazards} is no open hazard of this house", hazards=", ".join(unknown)),
            t("See them with: hazard list"),
        )
    if kind == words.FOLLOW_UP and not before:
        return Refusal(
            "follow_up",
            t("Nothing is open that a follow-up could see mended"),
            t("Write it down as periodic: --kind periodic"),
        )
    left = [hazard.ref for hazard in before
            if hazard.grade == words.MAJOR and hazard.ref not in mended]  # fmt: skip
    if passed and (words.MAJOR in found or left):
        return Refusal(
            "passed",
            t("A house with an open major hazard does not pass"),
            t("Write it down as --failed; or name what is mended: --mended {hazards}",
              hazards=", ".join(left))
            if left
            else t("Write it down as --failed"),
        )  # fmt: skip
    return None


def suspends(state: str, open_now: Sequence[Open]) -> bool:
    """Whether what is open now ends the admission of a house in that state."""
    return state == words.ADMITTED and any(hazard.grade == words.MAJOR for hazard in open_now)


def best_class(open_now: Sequence[Open], now_s: int) -> str:
    """The best class that open hazards allow."""
    best = words.TRUSTED
    for hazard in open_now:
        late = is_overdue(hazard, now_s)
        if hazard.grade == words.MAJOR:
            best = _worse(best, words.BARRED if late else words.STRICT)
        elif late:
            best = _worse(best, words.WATCHED)
    return best


def class_that_follows(
    class4: str, open_now: Sequence[Open], newest_passed: Sequence[bool], now_s: int
) -> str:
    """The class that a house should have; ``class4`` where none follows.

    newest_passed: of its visits, the newest first.
    """
    asked = _worse(class4, best_class(open_now, now_s))
    good = newest_passed[:GOOD_VISITS]
    if asked != class4 or open_now or len(good) < GOOD_VISITS or not all(good):
        return asked
    return words.CLASSES[max(0, words.CLASSES.index(class4) - 1)]


def classify(class4: str, asked: str, open_now: Sequence[Open], now_s: int) -> Refusal | None:
    """Why a house of ``class4`` is not given the class that is asked for, or None."""
    best = best_class(open_now, now_s)
    if _worse(asked, class4) == asked or _worse(asked, best) == asked:
        return None
    return Refusal(
        "class",
        t("With what is open, this house is {class4} at best",
          class4=name_of("class4", best)),
        t("Have the hazards mended first, and look again: hazard list"),
    )  # fmt: skip


def _worse(one: str, other: str) -> str:
    return max(one, other, key=words.CLASSES.index)
