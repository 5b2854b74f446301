"""Acts of two operators: asked for, then done, refused or lapsed (host, pure).

    asked --yes of a second--> done
          --no of a second, or of who asked--> refused
          --LAPSE_S pass--> lapsed

- *document*: an act of two has a document with a number
- *asked_already*: one question about one subject at a time
- *decided*: what was decided, or lapsed, stays so; it is asked for anew
- the second one: rules.duty.second
"""

from __future__ import annotations

from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal

LAPSE_S = 24 * 3600
DOCUMENT_MAX = 64


def state_at(state: str, asked_at_s: int, now_s: int) -> str:
    """The state now: what nobody decided in time has lapsed."""
    return words.LAPSED if state == words.ASKED and now_s - asked_at_s >= LAPSE_S else state


def refuse_document(number: str) -> Refusal | None:
    """Why this is no document's number, or None."""
    if number.strip() and len(number.strip()) <= DOCUMENT_MAX and number.isprintable():
        return None
    return Refusal(
        "document", t("This takes a document with a number of up to {n} characters",
                      n=DOCUMENT_MAX),
        t("Give --document NUMBER"),
    )  # fmt: skip


def refuse_question(open_number: int | None, subject: str) -> Refusal | None:
    """Why it cannot be asked for now, or None. open_number: of the question that stands."""
    if open_number is None:
        return None
    return Refusal(
        "asked_already",
        t("{subject} is asked for already, as number {n}", subject=subject, n=open_number),
        t("Have it decided: pair confirm {n}, or pair refuse {n}", n=open_number),
    )  # fmt: skip


def refuse_decision(number: int, state: str) -> Refusal | None:
    """Why it cannot be decided any more, or None. state: as state_at says."""
    if state == words.ASKED:
        return None
    return Refusal(
        "decided",
        t("Number {n} is decided: {state}", n=number, state=name_of("pair_state", state)),
        t("Ask for it anew"),
    )  # fmt: skip
