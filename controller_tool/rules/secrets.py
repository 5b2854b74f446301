"""What a secret of an operator must be, and how long one waits after wrong ones (host, pure).

- *short*: SHORTEST to LONGEST characters, and not the operator's own name
- *pause*: after FREE_TRIES wrong ones in a row each further try waits, twice as long each time, up
  to PAUSE_MAX_S. A right one forgets them
"""

from __future__ import annotations

import unicodedata

from controller_tool.messages import t
from controller_tool.rules.duty import same_person
from controller_tool.rules.refusal import Refusal

SHORTEST, LONGEST = 8, 128
FREE_TRIES = 5
PAUSE_S = 30
PAUSE_MAX_S = 900


def normal(secret: str) -> str:
    """The same text from any input method: full-width digits are digits."""
    return unicodedata.normalize("NFKC", secret)


def refuse_new(secret: str, name: str) -> Refusal | None:
    """Why this can be no secret, or None."""
    if SHORTEST <= len(normal(secret)) <= LONGEST and not same_person(secret, name):
        return None
    return Refusal(
        "short",
        t("A secret has {least} to {most} characters and is not the operator's name",
          least=SHORTEST, most=LONGEST),
        t("Choose another one; a few random words are good"),
    )  # fmt: skip


def refuse_try(wrong: int, since_s: int, name: str) -> Refusal | None:
    """Why nobody may try now after so many wrong ones, the last of them ``since_s`` ago."""
    left_s = pause_s(wrong) - max(since_s, 0)
    if left_s <= 0:
        return None
    return Refusal(
        "pause", t("Too many wrong secrets for {name}", name=name),
        t("Wait {n} s, or have a head give a new one: operator secret NAME --reset", n=left_s),
    )  # fmt: skip


def pause_s(wrong: int) -> int:
    """Seconds to wait after so many wrong ones in a row."""
    if wrong < FREE_TRIES:
        return 0
    return min(PAUSE_S << min(wrong - FREE_TRIES, 8), PAUSE_MAX_S)
