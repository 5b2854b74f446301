"""When somebody who visits may visit again: no visits in a row make a tenant (host, pure).

In this order:

- *visit_twice*: one person has one visit at a time, in whichever house
- *visit_often*: in WEEK_DAYS days the visits of one person in one house add up to WEEK_TIMES the
  hours of one visit in a house of its class at most: 72 hours, in a strict one (严管) 24. Who comes
  each evening for three hours stays far below it; who comes back as soon as a visit is over lives
  there, and is a tenant
- *guests*: one host has GUESTS_MAX visitors at once
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

WEEK_DAYS = 7
WEEK_TIMES = 3
GUESTS_MAX = 10
_WEEK_MIN = WEEK_DAYS * 1440


@dataclass(frozen=True)
class Visit:
    """Another visit of the same person: reference, house, minutes since 2020, ``until`` exclusive.

    until_min: when they left, if they did. over: they were checked out.
    """

    ref: str
    house: str
    from_min: int
    until_min: int
    over: bool = False


def refused(
    house: str, visit_h: int, from_min: int, until_min: int, others: Sequence[Visit], guests: int
) -> Refusal | None:
    """Why there is no such visit in this house, or None.

    visit_h: hours of one visit there; guests: other visitors of the same host in these minutes.
    """
    for one in others:
        if not one.over and one.from_min < until_min and from_min < one.until_min:
            return Refusal(
                "visit_twice",
                t("This person is on a visit in house {house} then ({stay})", house=one.house,
                  stay=one.ref),
                t("End that visit first: tenant check-out {stay}", stay=one.ref),
            )  # fmt: skip
    spans = [(one.from_min, one.until_min) for one in others if one.house == house]
    most = WEEK_TIMES * visit_h
    if _busiest_min([*spans, (from_min, until_min)], from_min, until_min) > most * 60:
        return Refusal(
            "visit_often",
            t("The visits of this person in house {house} would add up to more than {n} hours in"
              " {days} days", house=house, n=most, days=WEEK_DAYS),
            t("Give fewer hours or a later day; who stays longer is a tenant: tenant check-in"),
        )  # fmt: skip
    if guests >= GUESTS_MAX:
        return Refusal(
            "guests", t("The host has {n} visitors at once already", n=guests),
            t("Check out who has left (tenant list), or give a later hour"),
        )  # fmt: skip
    return None


def _busiest_min(spans: Sequence[tuple[int, int]], from_min: int, until_min: int) -> int:
    """Minutes of visits in the busiest week that has something of this one in it.

    The busiest one ends with a visit, for moved back to that end it loses nothing.
    """
    ends = {end for _, end in spans if from_min < end < until_min + _WEEK_MIN}
    weeks = (
        sum(max(0, min(until, end) - max(begin, end - _WEEK_MIN)) for begin, until in spans)
        for end in ends
    )
    return max(weeks, default=0)  # nothing of one that ends before it begins: its dates are told
