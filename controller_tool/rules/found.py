"""A lost card that was found again: when it may go on (host, pure).

- *not_lost*: only a card that was written down as lost is found
- *taken*: nobody else has that card now
- *barred*, *admission*: its house is let, as for every card (rules.stay)

It goes on as a new grant with a reference of its own, after a second operator's yes. Where its
dates are over, or the stay that it was issued for is, it is taken back instead: no house is asked,
and it may be issued anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.messages import t
from controller_tool.rules import stay
from controller_tool.rules.refusal import Refusal


@dataclass(frozen=True)
class Facts:
    """The card as the registry has it; minutes since 2020.

    taken_by: reference of the card that has the same credential now; stay_over: the stay that it
    was issued for has ended; house: where that stay is, None without one.
    """

    ref: str
    lost: bool
    until_min: int
    taken_by: str | None = None
    stay_over: bool = False
    house: stay.House | None = None


def refuse(card: Facts, now_min: int) -> Refusal | None:
    """The first rule that forbids it, or None."""
    for rule, holds, what, way_out in (
        ("not_lost", not card.lost, t("Card {card} is not lost", card=card.ref),
         t("See it with: card list")),
        ("taken", card.taken_by is not None,
         t("Card {card} is out again as {other}", card=card.ref, other=card.taken_by),
         t("Collect it first: card collect")),
    ):  # fmt: skip
        if holds:
            return Refusal(rule, what, way_out)
    return stay.admission(card.house) if card.house and goes_on(card, now_min) else None


def goes_on(card: Facts, now_min: int) -> bool:
    """Whether it has a time left to go on for."""
    return card.until_min > now_min and not card.stay_over
