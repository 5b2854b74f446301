"""Cases: who answers for a breach, what was decided, when it ends (查处; host, pure).

- somebody answers for it: a name, or a stay in that house
- what is decided has a document with a number, while the case is open
- a case ends with a decision, or with a reason why none was called for
"""

from __future__ import annotations

from controller_tool.messages import t
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal

LANDLORD = words.PARTIES[0]


def opened(who: str, no_stay: bool, stays_here: bool) -> Refusal | None:
    """Why a case is not opened, or None."""
    if not stays_here:
        return Refusal(
            "party", t("That stay is in another house"), t("See who stays there: house show HOUSE")
        )
    if no_stay and not who:
        return Refusal(
            "party", t("Nobody is named who answers for it"), t("Give --who NAME or --stay STAY")
        )
    return None


def sanctioned(ref: str, is_closed: bool) -> Refusal | None:
    """Why nothing more is decided in a case, or None."""
    if not is_closed:
        return None
    return Refusal(
        "closed", t("Case {case} is closed", case=ref), t("Open a new one: case open HOUSE")
    )


def closed(ref: str, is_closed: bool, decided: bool, reason: str) -> Refusal | None:
    """Why a case is not closed, or None."""
    if is_closed or decided or reason:
        return sanctioned(ref, is_closed)
    return Refusal(
        "decision",
        t("Nothing was decided in case {case}", case=ref),
        t("Enter what was: case sanction; or say why nothing is called for: --reason TEXT"),
    )
