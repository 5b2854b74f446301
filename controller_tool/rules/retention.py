"""When personal data is deleted, and what keeps it (host, pure).

The first of these that holds keeps it:

- *erased*: it is deleted already
- *stay*: the person stays here, or nobody wrote down that they left
- *card_out*: a card of theirs is out
- *unproven*: a card of theirs is not proven dead wherever it was sent
- *hold*: an order of the police stands for them, or for a house they stayed in
- *case*: a case against them is open
- *early*: fewer than ``days`` have passed since the last stay, or the last card, ended

What a case tells goes with its person; of a case without one the first of these keeps it:

- *case*: it is open
- *hold*: an order of the police stands for its house
- *early*: fewer than ``days`` have passed since it was closed

The landlord of a house that is closed goes by the rules of persons, from its closing on.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal

DEFAULT_DAYS = 365
DAYS_MIN, DAYS_MAX = 1, 3650
_DAY_S = 86_400


@dataclass(frozen=True)
class Facts:
    """What counts for one person. last_end_s: when the last stay or card ended, else when the

    person was written down; stays, cards_out, unproven, holds, cases: references of each.
    """

    last_end_s: int
    erased: bool = False
    stays: tuple[str, ...] = ()
    cards_out: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


def refuse_days(days: int) -> Refusal | None:
    """Why personal data cannot be kept for so long, or None."""
    if DAYS_MIN <= days <= DAYS_MAX:
        return None
    return Refusal(
        "days", t("{days} days are not possible", days=days),
        t("Between {least} and {most}", least=DAYS_MIN, most=DAYS_MAX),
    )  # fmt: skip


def due_s(last_end_s: int, days: int) -> int:
    """When it may be deleted, unless something keeps it."""
    return last_end_s + days * _DAY_S


def keeps(facts: Facts, days: int, now_s: int) -> Refusal | None:
    """The first rule that keeps the person's data, or None: it is to be deleted."""
    if facts.erased:
        return Refusal("erased", t("Deleted already"), "")
    for rule, what, way_out, found in (
        ("stay", t("Stays here: {refs}", refs=_named(facts.stays)),
         t("When they leave: tenant check-out"), facts.stays),
        ("card_out", t("Has a card: {refs}", refs=_named(facts.cards_out)),
         t("Collect it: card collect"), facts.cards_out),
        ("unproven", t("Not proven dead everywhere: {refs}", refs=_named(facts.unproven)),
         t("Bring the controllers up to date: push"), facts.unproven),
        ("hold", t("Kept by order {refs}", refs=_named(facts.holds)),
         t("See the orders with: hold list"), facts.holds),
        ("case", t("A case is open: {refs}", refs=_named(facts.cases)),
         t("It waits until the case is closed"), facts.cases),
    ):  # fmt: skip
        if found:
            return Refusal(rule, what, way_out)
    left_s = due_s(facts.last_end_s, days) - now_s
    if left_s > 0:
        return Refusal(
            "early", t("Due in {n} days", n=-(-left_s // _DAY_S)), t("It waits until then")
        )
    return None


def keeps_case(
    ref: str, closed_at_s: int | None, holds: tuple[str, ...], days: int, now_s: int
) -> Refusal | None:
    """As keeps, for what a case without a person tells of people."""
    if closed_at_s is None:
        return Refusal(
            "case", t("A case is open: {refs}", refs=ref), t("It waits until the case is closed")
        )
    return keeps(Facts(closed_at_s, holds=holds), days, now_s)


def _named(refs: tuple[str, ...]) -> str:
    return ", ".join(refs)
