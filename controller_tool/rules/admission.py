"""A house from registration to its end: known, admitted, suspended, closed (准入; host, pure).

- a house is *known* when it is registered; only an *admitted* one issues anything
- *barred*: a house of class 禁租 is never admitted
- *state*: what is admitted is not admitted again
- *landlord*, *rooms*, *survey*: a landlord is named, a room with a bed is there, somebody has
  counted on foot
- *inspection*: there was an admission inspection, after the house was closed last; the newest visit
  passed, be it that one or the follow-up to it, and is no older than its class allows
- *hazard*: no major hazard is open
- *suspend*: only an admitted house is suspended; it comes back by being admitted anew
- a house that is barred while it is admitted is suspended
- *close*: any house but a closed one; one that is let again is admitted anew after an inspection

Suspending, closing and barring stop what is issued and end no stay and no card: whoever lives
there goes by check-out or eviction, and leaving is free at every door meanwhile (ADR-0034).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from controller_tool.rules import inspections, words
from controller_tool.rules.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL_LACKS = "admission"


@dataclass(frozen=True)
class House:
    """What admission looks at; times in seconds since 2020.

    beds: in rooms that are registered; surveyed: rooms, beds and people were counted;
    looked_at: there was an admission inspection since it was closed last; newest_passed,
    inspected_at_s: of the newest visit of any kind; open_major: references of major hazards that
    nobody saw mended.
    """

    ref: str
    class4: str
    state: str
    landlord: str
    beds: int
    surveyed: bool
    looked_at: bool
    newest_passed: bool
    inspected_at_s: int | None
    open_major: tuple[str, ...]


def admit(house: House, now_s: int) -> Refusal | None:
    """Why it is not admitted, or None. Whatever lacks is told at once, in one refusal."""
    never = _barred(house) or _admitted(house)
    if never is not None:
        return never
    lacks = list(chain(_papers(house), _inspected(house, now_s), _hazards(house)))
    if len(lacks) <= 1:
        return lacks[0] if lacks else None
    return Refusal(
        ALL_LACKS,
        "; ".join(lack.what for lack in lacks),
        "; ".join(dict.fromkeys(lack.way_out for lack in lacks)),
    )


def suspend(house: House) -> Refusal | None:
    """Why it is not suspended, or None."""
    if house.state == words.ADMITTED:
        return None
    return Refusal(
        "state",
        t("House {house} is not suspended: it is {state}", house=house.ref, state=_state(house)),
        t("Only an admitted house issues anything that could stop"),
    )


def close(house: House) -> Refusal | None:
    """Why it is not closed, or None."""
    if house.state != words.CLOSED:
        return None
    return Refusal(
        "state",
        t("House {house} is {state} already", house=house.ref, state=_state(house)),
        t("To let it again, inspect and admit it: house inspect, house admit"),
    )


def state_of(class4: str, state: str) -> str:
    """The state that goes with a class: what is barred is not admitted."""
    return words.SUSPENDED if (class4, state) == (words.BARRED, words.ADMITTED) else state


def _barred(house: House) -> Refusal | None:
    if house.class4 != words.BARRED:
        return None
    return Refusal(
        "barred",
        t("House {house} is barred from letting: it is not admitted", house=house.ref),
        t("When everything is mended, inspect it and change its class: house classify"),
    )


def _admitted(house: House) -> Refusal | None:
    if house.state != words.ADMITTED:
        return None
    return Refusal(
        "state",
        t("House {house} is {state} already", house=house.ref, state=_state(house)),
        t("Check people in: tenant check-in"),
    )


def _papers(house: House) -> Iterator[Refusal]:
    if not house.landlord:
        yield Refusal(
            "landlord",
            t("House {house} has no landlord named", house=house.ref),
            t("Name who answers for it: house change {house} --landlord NAME", house=house.ref),
        )
    if not house.beds:
        yield Refusal(
            "rooms",
            t("House {house} has no room with a bed", house=house.ref),
            t("Add its rooms: house room add {house}", house=house.ref),
        )
    if not house.surveyed:
        yield Refusal(
            "survey",
            t("Nobody has counted rooms, beds and people of house {house}", house=house.ref),
            t("Count on foot and enter it: house survey {house}", house=house.ref),
        )


def _inspected(house: House, now_s: int) -> Iterator[Refusal]:
    inspect = t("Inspect it: house inspect {house} --kind admission", house=house.ref)
    if not house.looked_at:
        yield Refusal(
            "inspection", t("House {house} had no admission inspection", house=house.ref), inspect
        )
    elif not house.newest_passed:
        yield Refusal(
            "inspection", t("House {house} failed its last inspection", house=house.ref), inspect
        )
    elif inspections.is_due(house.class4, house.inspected_at_s, now_s):
        yield Refusal(
            "inspection",
            t("The last inspection of house {house} is too long ago for its class",
              house=house.ref),
            inspect,
        )  # fmt: skip


def _hazards(house: House) -> Iterator[Refusal]:
    if house.open_major:
        yield Refusal(
            "hazard",
            t("House {house} has major hazards that nobody saw mended: {hazards}",
              house=house.ref, hazards=", ".join(house.open_major)),
            t("Look again: house inspect {house} --kind follow_up --mended HAZARD",
              house=house.ref),
        )  # fmt: skip


def _state(house: House) -> str:
    return name_of("house", house.state)
