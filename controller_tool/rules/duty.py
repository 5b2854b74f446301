"""Who may do what at the desk, and who may be the second of two (host, pure).

In this order:

- *ended*: an operator who has ended does nothing
- *role*: an act has its roles (MAY). Who is first seen by name is a clerk, who founded the site is
  its head
- what a clerk may not do is guarded: an operator who has a secret gives it
- *second*: an act of two operators is confirmed by another person, whose role stands in SECOND,
  with a secret of their own (services.desk.operators asks for it)
- *asker*: who asked for it may still ask, and has a secret that a head gave
- *name*: an operator's name can be read, and is no other one's however it was typed
- *own_role*: nobody ends themselves or changes their own role, so that a head always remains
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal
from controller_tool.rules.texts import readable
from controller_tool.rules.words import AUDITOR, CLERK, HEAD, POLICE, ROLES, SUPERVISOR

if TYPE_CHECKING:
    from collections.abc import Iterable

# acts (group "act")
CHECK_IN, CHECK_OUT, EXTEND, VISIT, ISSUE_MASTER, ISSUE_EMERGENCY, INSPECT, ASK_PAIR = (
    "check_in", "check_out", "extend", "visit", "issue_master", "issue_emergency", "inspect",
    "ask_pair",
)  # fmt: skip
CLASSIFY, ADMIT, CLOSE_HOUSE, SANCTION, EXPORT = (
    "classify", "admit", "close_house", "sanction", "export",
)  # fmt: skip
HOLD, RELEASE_HOLD, CONFIRM_PAIR, SEE_DOCUMENTS, SEE_AUDIT, RETENTION, OPERATORS = (
    "hold", "release_hold", "confirm_pair", "see_documents", "see_audit", "retention", "operators",
)  # fmt: skip
NAME_MAX = 64
FOLDERS = "folders"  # with keys, for other roles
KEEP = "keep"  # the registry: areas, houses, rooms, doors, profiles, schedules, policy

_DESK = frozenset({CLERK, SUPERVISOR, HEAD})
_OVER = frozenset({SUPERVISOR, POLICE, HEAD})

MAY: dict[str, frozenset[str]] = {
    CHECK_IN: _DESK,
    CHECK_OUT: _DESK,
    EXTEND: _DESK,
    VISIT: _DESK,
    ISSUE_MASTER: _DESK,
    ISSUE_EMERGENCY: frozenset({SUPERVISOR, HEAD}),  # no house, class or hour stops such a card
    INSPECT: _DESK | {POLICE},
    ASK_PAIR: _DESK | {POLICE},
    CLASSIFY: _OVER,
    ADMIT: frozenset({SUPERVISOR, HEAD}),
    CLOSE_HOUSE: _OVER,
    SANCTION: _OVER,
    EXPORT: _OVER,
    HOLD: _OVER,
    RELEASE_HOLD: frozenset({POLICE, HEAD}),
    CONFIRM_PAIR: _OVER,
    SEE_DOCUMENTS: _OVER,
    SEE_AUDIT: _OVER | {AUDITOR},
    RETENTION: frozenset({HEAD}),
    OPERATORS: frozenset({HEAD}),
    FOLDERS: frozenset({HEAD}),
    KEEP: _DESK,
}

# whose yes counts for what one operator asked for
SECOND: dict[str, frozenset[str]] = {
    words.FOUND: frozenset({SUPERVISOR, HEAD}),
    words.EVICTION: _OVER,
    words.LOSS_OF_DEVICE: _OVER,
}


@dataclass(frozen=True)
class Who:
    """An operator as rules see one; ended: is in service no more."""

    name: str
    role: str = CLERK
    ended: bool = False


def refuse(who: Who, act: str) -> Refusal | None:
    """Why this operator may not do the act, or None. KeyError for an act that is none."""
    return in_service(who) or _role(who, MAY[act], name_of("act", act))


def guarded(act: str) -> bool:
    """Whether it takes more than a clerk."""
    return CLERK not in MAY[act]


def in_service(who: Who) -> Refusal | None:
    """Who has ended does nothing."""
    if not who.ended:
        return None
    return Refusal(
        "ended", t("{name} is an operator no more", name=who.name),
        t("Work under your own name: --operator"),
    )  # fmt: skip


def new_name(name: str, known: Iterable[str]) -> Refusal | None:
    """Why nobody new works under this name, or None. known: of all operators there ever were."""
    if not readable(name) or not 0 < len(name) <= NAME_MAX or name != name.strip():
        return Refusal(
            "name",
            t("The name is empty, longer than {n} characters, or unprintable", n=NAME_MAX),
            t("Work under your own name: --operator"),
        )
    like = next((one for one in known if one != name and same_person(one, name)), None)
    if like is None:
        return None
    return Refusal(
        "name", t("{name} is there already", name=like),
        t("Take another name, or exactly this one if you are that person"),
    )  # fmt: skip


def second(act: str, first: str, who: Who) -> Refusal | None:
    """Why ``who`` may not confirm what ``first`` asked for, or None."""
    if same_person(first, who.name):
        return Refusal(
            "second", t("{name} asked for this: another person must confirm it", name=first),
            t("The second operator works under their own name: --operator"),
        )  # fmt: skip
    return in_service(who) or _role(who, SECOND[act], name_of("pair", act))


def first(who: Who, number: int, *, proven: bool) -> Refusal | None:
    """Why what ``who`` asked for as ``number`` is confirmed by nobody, or None.

    proven: they have a secret of their own that a head gave.
    """
    if proven and refuse(who, ASK_PAIR) is None:
        return None
    return Refusal(
        "asker", t("{name}, who asked for this, may ask for it no more", name=who.name),
        t("Refuse it, then somebody else asks anew: pair refuse {n}", n=number),
    )  # fmt: skip


def staffing(who: Who, whom: str) -> Refusal | None:
    """Why ``who`` may not end ``whom`` or change their role, or None."""
    if not same_person(who.name, whom):
        return None
    return Refusal(
        "own_role", t("Nobody ends themselves or changes their own role"),
        t("Another head does it"),
    )  # fmt: skip


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however they were typed."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _role(who: Who, allowed: frozenset[str], act: str) -> Refusal | None:
    if who.role in allowed:
        return None
    able = ", ".join(name_of("operator", role) for role in ROLES if role in allowed)
    return Refusal(
        "role",
        t("{name} ({role}) may not do this: {act}",
          name=who.name, role=name_of("operator", who.role), act=act),
        t("One of these does it: {roles}", roles=able),
    )  # fmt: skip
