"""When an entry of a person is corrected: a slip of the pen, found by a spot check (host, pure).

- *nothing*: something becomes otherwise
- *erased*: an entry whose data was deleted stays empty
- *hold*: while an order of the police stands, nothing is written over
- *sex*: an ID number says it itself
- *taken*: the right number is nobody else's entry
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal


@dataclass(frozen=True)
class Facts:
    """fields: what would be otherwise; holds: orders that stand; taken: the number is another's.

    other_sex: than the ID number says.
    """

    fields: tuple[str, ...]
    erased: bool = False
    holds: tuple[str, ...] = ()
    taken: bool = False
    other_sex: bool = False


def refuse(facts: Facts) -> Refusal | None:
    """Why it is not corrected, or None."""
    if facts.erased:
        return Refusal("erased", t("Deleted already"), t("Check the person in anew"))
    if not facts.fields:
        return Refusal("nothing", t("Nothing of it is otherwise"), t("Say what is right"))
    if facts.holds:
        return Refusal(
            "hold", t("Kept by order {refs}", refs=", ".join(facts.holds)),
            t("See the orders with: hold list"),
        )  # fmt: skip
    if facts.other_sex:
        return Refusal(
            "sex", t("The ID number says otherwise"), t("Compare the number with the document")
        )
    if facts.taken:
        return Refusal(
            "taken", t("This ID number is another person's entry"),
            t("Check this stay out, and that person in"),
        )  # fmt: skip
    return None
