"""Orders of the police that keep personal data, by number (host, pure).

- *number*: an order has a number and an authority
- *end*: it ends after it begins
- *twice*: the same order stands once for one person or house
- it stands from its begin to its end, or until it is released; while it stands nothing of what it
  names is deleted (rules.retention)
"""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal

WORDS_MAX = 64


@dataclass(frozen=True)
class Order:
    """An order; seconds since 2020, ``until_s`` exclusive, None: until it is released."""

    number: str
    authority: str
    from_s: int
    until_s: int | None = None


def stands(from_s: int, until_s: int | None, released_at_s: int | None, now_s: int) -> bool:
    """Whether it keeps what it names."""
    return released_at_s is None and from_s <= now_s and (until_s is None or now_s < until_s)


def refuse(order: Order, there_already: bool) -> Refusal | None:
    """Why it cannot be written down, or None."""
    for text in (order.number, order.authority):
        if not text.strip() or len(text.strip()) > WORDS_MAX or not text.isprintable():
            return Refusal(
                "number", t("An order has a number and an authority, up to {n} characters each",
                            n=WORDS_MAX),
                t("Give both: --number, --authority"),
            )  # fmt: skip
    if order.until_s is not None and order.until_s <= order.from_s:
        return Refusal("end", t("The order would end before it begins"), t("Check the dates"))
    if there_already:
        return Refusal(
            "twice", t("Order {number} stands for this already", number=order.number.strip()),
            t("See the orders with: hold list"),
        )  # fmt: skip
    return None
