"""Who may stay where, for how long, with which cards: the desk's rules of a stay (host, pure).

Check-in, in this order:

- *admission*: the house is admitted (no admission, no card); of a barred house (禁租) nothing goes
- *document*: somebody without a document, or whose number nobody took, is not checked in
- *kind*: a visitor has a host, nobody else has one
- *duplicate*: nobody stays in one room twice
- *elsewhere*: nobody lives in two rooms at once, in whichever houses; a visit is no living there
- *dates*: the stay begins before it ends, ends after now, begins within AHEAD_DAYS
- *ceiling*: it ends within the days of the house's class, counted from its begin or from now,
  whichever is later
- *visit_room*, *visit*: a visitor goes to the host's room, stays as long as the class allows, and
  not longer than the host; *visit_twice*, *visit_often*, *guests*: rules.visits
- *capacity*: a bed is free; visitors and those who have left take none
- *bed*: a bed that is named is not somebody else's

Extension: nobody was checked out (one past its last day, whose person is still there, may go on),
the new end is later, and elsewhere, admission, ceiling and visit hold anew.
A card ends with its stay at the latest.

A card that is issued without a stay, for controllers that serve houses, has master and emergency
cards for its exception; of every other one:

- *barred*, *admission*: each house that one of them serves is admitted (no admission, no card)
- *ceiling*: it ends within the days of the strictest of their classes
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.rules import classes, visits, words
from controller_tool.rules.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AHEAD_DAYS = 60
_DAY_MIN = 1440


@dataclass(frozen=True)
class House:
    """The house as rules see it: its reference, class and state."""

    ref: str
    class4: str
    state: str


@dataclass(frozen=True)
class Room:
    """A room, its beds, and how many stay there now without visitors.

    in_beds: reference of the stay in each bed that was named.
    """

    number: str
    beds: int
    taken: int
    in_beds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """Whom a visitor visits: reference of the stay, its end, whether it lives in this house.

    in_room: in the room that the visitor is let into, for a visit opens that room's door too.
    """

    ref: str
    until_min: int
    here: bool
    in_room: bool = True


@dataclass(frozen=True)
class Living:
    """Another stay of the person that goes on and is no visit: where it is, and its minutes."""

    ref: str
    house: str
    room: str
    from_min: int
    until_min: int


@dataclass(frozen=True)
class Wish:
    """What is asked for; minutes since 2020, ``until_min`` exclusive. document: a code.

    there_already: reference of a stay of this person in this room; living: theirs in other rooms;
    visits: their other visits, those of the last days too; guests: who else visits that host
    meanwhile; numbered: the document's number was taken; bed: as it is marked in the room, empty
    where none is named.
    """

    kind: str
    document: str
    from_min: int
    until_min: int
    host: Host | None = None
    there_already: str | None = None
    living: tuple[Living, ...] = ()
    numbered: bool = True
    bed: str = ""
    visits: tuple[visits.Visit, ...] = ()
    guests: int = 0


def check_in(house: House, room: Room, wish: Wish, now_min: int) -> Refusal | None:
    """The first rule that forbids the stay, or None."""
    return next(iter(refusals(house, room, wish, now_min)), None)


def refusals(house: House, room: Room, wish: Wish, now_min: int) -> list[Refusal]:
    """Every rule that forbids the stay, in their order."""
    judged = (
        admission(house), document(wish), _kind(wish), _duplicate(room, wish),
        _elsewhere(wish, now_min),
        _dates(wish, now_min), _ceiling(house, wish, now_min), _visit(house, wish),
        capacity(room, wish.kind), bed(room, wish),
    )  # fmt: skip
    return [one for one in judged if one is not None]


def extension(house: House, wish: Wish, was_until_min: int, now_min: int) -> Refusal | None:
    """The first rule that forbids the new end of a stay that is there, or None.

    wish: the stay as it would be; its from_min is its true begin.
    """
    if wish.until_min <= was_until_min:
        return Refusal(
            "extension", t("The new end is not later than the old one"),
            t("Give a later end, or end the stay: tenant check-out"),
        )  # fmt: skip
    return (
        admission(house) or _elsewhere(wish, now_min) or _dates(wish, now_min)
        or _ceiling(house, wish, now_min) or _visit(house, wish)
    )  # fmt: skip


def admission(house: House) -> Refusal | None:
    """No admission, no card."""
    if house.class4 == words.BARRED:
        return Refusal(
            "barred", t("House {house} is barred from letting: nothing is issued", house=house.ref),
            t("Its class must change first: house classify"),
        )  # fmt: skip
    if house.state != words.ADMITTED:
        return Refusal(
            "admission", t("House {house} is not admitted", house=house.ref),
            t("Inspect it and admit it: house inspect, house admit"),
        )  # fmt: skip
    return None


def card_without_stay(
    served: Sequence[House], from_min: int, until_min: int, now_min: int, excepted: bool = False
) -> Refusal | None:
    """Why no card goes to controllers that serve these houses, or None; none are served: None.

    excepted: it is a master or an emergency card.
    """
    if excepted:
        return None
    for house in served:
        refused = admission(house)
        if refused is not None:
            return refused
    ends = (_ceiling(house, Wish("", "", from_min, until_min), now_min) for house in served)
    return next(filter(None, ends), None)


def latest_end_min(house: House, kind: str, from_min: int, now_min: int) -> int:
    """The latest end that class and kind allow, minutes since 2020."""
    rules = classes.of(house.class4)
    if kind == words.VISITOR:
        return from_min + rules.visit_h * 60
    return max(from_min, now_min) + rules.stay_days * _DAY_MIN


def document(wish: Wish) -> Refusal | None:
    """Who shows no document stays nowhere; by its number somebody is known a second time."""
    if wish.document == words.NO_DOCUMENT:
        return Refusal(
            "document", t("Nobody is checked in without a document"),
            t("Send the person to the police station for a proof of identity"),
        )  # fmt: skip
    if not wish.numbered:
        return Refusal(
            "document", t("The document's number is missing"), t("Take it from the document")
        )
    return None


def _kind(wish: Wish) -> Refusal | None:
    if wish.kind == words.VISITOR and wish.host is None:
        return Refusal(
            "host", t("A visitor names a host"), t("Say whom they visit: a stay or a card")
        )
    if wish.kind != words.VISITOR and wish.host is not None:
        return Refusal("host", t("Only a visitor has a host"), t("Name no host"))
    return None


def _duplicate(room: Room, wish: Wish) -> Refusal | None:
    if wish.there_already is None:
        return None
    return Refusal(
        "duplicate",
        t("This person stays in room {room} already ({stay})", room=room.number,
          stay=wish.there_already),
        t("Extend that stay, or give another card: tenant extend, tenant card"),
    )  # fmt: skip


def _elsewhere(wish: Wish, now_min: int) -> Refusal | None:
    """One that is over goes on until the person is checked out."""
    if wish.kind == words.VISITOR:
        return None
    for one in wish.living:
        if one.from_min < wish.until_min and wish.from_min < max(one.until_min, now_min + 1):
            return Refusal(
                "elsewhere",
                t("This person lives in room {room} of house {house} already ({stay})",
                  room=one.room, house=one.house, stay=one.ref),
                t("They move here: tenant move {stay}; or end that stay: tenant check-out {stay}",
                  stay=one.ref),
            )  # fmt: skip
    return None


def _dates(wish: Wish, now_min: int) -> Refusal | None:
    if wish.until_min <= wish.from_min:
        return Refusal(
            "dates", t("The stay ends before it begins"), t("Check its first and its last day")
        )
    if wish.until_min <= now_min:
        return Refusal("dates", t("The stay is over already"), t("Check its last day"))
    if wish.from_min > now_min + AHEAD_DAYS * _DAY_MIN:
        return Refusal(
            "dates", t("The stay begins more than {n} days from now", n=AHEAD_DAYS),
            t("Check the person in nearer to that day"),
        )  # fmt: skip
    return None


def _ceiling(house: House, wish: Wish, now_min: int) -> Refusal | None:
    if wish.kind == words.VISITOR:
        return None
    if wish.until_min <= latest_end_min(house, wish.kind, wish.from_min, now_min):
        return None
    return Refusal(
        "ceiling",
        t("In a house of this class a stay ends within {n} days",
          n=classes.of(house.class4).stay_days),
        t("Give an earlier last day and extend the stay later"),
    )  # fmt: skip


def host(wish: Wish) -> Refusal | None:
    """Whoever is visited stays in this house."""
    if wish.host is None or wish.host.here:
        return None
    return Refusal(
        "host", t("The host does not stay in this house"), t("Give the stay of somebody there")
    )


def host_room(wish: Wish) -> Refusal | None:
    """A visitor is let into the host's room alone."""
    if wish.host is None or wish.host.in_room:
        return None
    return Refusal(
        "visit_room", t("A visitor goes to the host's room"), t("Give the room of the host")
    )


def _visit(house: House, wish: Wish) -> Refusal | None:
    if wish.host is None:
        return None
    absent = host(wish)
    if absent is not None:
        return absent
    elsewhere = host_room(wish)
    if elsewhere is not None:
        return elsewhere
    hours = classes.of(house.class4).visit_h
    if wish.until_min - wish.from_min > hours * 60:
        return Refusal(
            "visit", t("In a house of this class a visit lasts {n} hours at most", n=hours),
            t("Give an earlier end; who stays longer is a tenant"),
        )  # fmt: skip
    if wish.until_min > wish.host.until_min:
        return Refusal(
            "visit", t("The visit would outlast the host's stay"), t("Give an earlier end")
        )
    return visits.refused(house.ref, hours, wish.from_min, wish.until_min, wish.visits, wish.guests)


def bed(room: Room, wish: Wish) -> Refusal | None:
    """A bed that is named is nobody else's."""
    taken = room.in_beds.get(wish.bed) if wish.bed else None
    if taken is None:
        return None
    return Refusal(
        "bed",
        t("Bed {bed} of room {room} is taken ({stay})", bed=wish.bed, room=room.number, stay=taken),
        t("Name another bed, or none; see who has it: tenant show {stay}", stay=taken),
    )  # fmt: skip


def capacity(room: Room, kind: str) -> Refusal | None:
    """A bed is free, or the kind of stay takes none."""
    if kind == words.VISITOR or room.taken < room.beds:
        return None
    return Refusal(
        "capacity",
        t("Room {room} is full: {taken} of {beds} beds are taken", room=room.number,
          taken=room.taken, beds=room.beds),
        t("Check out who has left (tenant list), or choose another room"),
    )  # fmt: skip
