"""What of a person each role sees on a screen (host, pure).

- names: whole for those who meet people; an auditor sees the first character
- numbers of documents and phones: their ends, as forms in China show them; of a short one the last
  quarter; an auditor sees none
- *reveal*: a whole number takes a role that may (rules.duty.SEE_DOCUMENTS) and a reason, and each
  look is on record
"""

from __future__ import annotations

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal
from controller_tool.rules.words import AUDITOR

REASON_MAX = 200
_STAR = "*"
_HIDDEN_MIN = 4
_HIDDEN = _STAR * _HIDDEN_MIN


def name(text: str, role: str) -> str:
    """A name as the role sees it."""
    return text[:1] + _STAR * len(text[1:]) if role == AUDITOR else text


def document(number: str, role: str) -> str:
    """A document's number: first three and last four characters, as forms in China show it."""
    return _ends(number, 3, 4, role)


def phone(number: str, role: str) -> str:
    """A phone number: first three and last four digits."""
    return _ends(number, 3, 4, role)


def refuse_reveal(reason: str) -> Refusal | None:
    """Why a look at whole numbers is refused, or None. The role is rules.duty's matter."""
    if reason.strip() and len(reason) <= REASON_MAX and reason.isprintable():
        return None
    return Refusal(
        "reason", t("A look at whole numbers takes a reason of up to {n} characters", n=REASON_MAX),
        t("Say why: --reveal REASON"),
    )  # fmt: skip


def _ends(text: str, first: int, last: int, role: str) -> str:
    if not text:
        return ""
    if role == AUDITOR:
        return _HIDDEN
    if len(text) < first + last + _HIDDEN_MIN:  # a short one would be given away by its ends
        first, last = 0, len(text) // 4
    return text[:first] + _STAR * (len(text) - first - last) + text[len(text) - last :]
