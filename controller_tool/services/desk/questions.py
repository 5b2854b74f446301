"""What a check-in asks for, one question a field of the form (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.messages import name_of, t
from controller_tool.registry.houses import Room
from controller_tool.rules import stay as rules
from controller_tool.rules import words
from controller_tool.services import moments, site_time
from controller_tool.services.desk import check_in, places

if TYPE_CHECKING:
    from controller_tool.services.desk.form import Form
    from controller_tool.services.site import Site

CARD_FIELD = "card"
_ROOMS_SHOWN = 12


@dataclass(frozen=True)
class Question:
    """field: of the form; hint: what can be answered; choices: codes and their names; default: the
    answer that an empty one means, None where one is needed.
    """

    field: str
    text: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    default: str | None = None


def house(_site: Site, _filled: Form) -> Question:
    """Which house."""
    return Question("house", t("House"), t("its number, such as H00001, or its address code"))


def kind(_site: Site, _filled: Form) -> Question:
    """Which kind of stay."""
    kinds = tuple((code, name_of("stay", code)) for code in words.STAYS)
    return Question("kind", t("Kind of stay"), choices=kinds, default=words.TENANT)


def host(_site: Site, filled: Form) -> Question | None:
    """Of a visitor: whom they visit."""
    if filled.kind != words.VISITOR:
        return None
    return Question("host", t("Whom do they visit"), t("stay or card of the host"))


def room(site: Site, filled: Form) -> Question:
    """Which room; a visitor's is the host's."""
    if filled.host:
        with site.registry.session() as session:
            here = session.get_one(Room, places.lease(site, session, filled.host).room_id).number
        return Question("room", t("Room"), t("Enter: the host's, {room}", room=here), default=here)
    return Question("room", t("Room"), t("free beds: {rooms}", rooms=_free(site, filled)))


def bed(site: Site, filled: Form) -> Question | None:
    """Where beds of this room go by name."""
    with site.registry.session() as session:
        there = places.room(session, places.house(session, filled.house), filled.room)
        taken = places.room_facts(session, there).in_beds
    if not taken or filled.kind == words.VISITOR:
        return None
    hint = t("taken: {beds}; Enter for none", beds=", ".join(sorted(taken)))
    return Question("bed", t("Bed"), hint, default="")


def document(_site: Site, _filled: Form) -> Question:
    """Which kind of document."""
    kinds = tuple((code, name_of("document", code)) for code in words.DOCUMENTS)
    return Question("document", t("Document"), choices=kinds, default=words.ID_CARD)


def number(_site: Site, filled: Form) -> Question:
    """Its number."""
    if filled.document == words.PASSPORT:
        return Question("id_number", t("Number of the passport"))
    if filled.document == words.TRAVEL_PERMIT:
        hint = t("H or M and 8 digits, or 8 digits alone")
        return Question("id_number", t("Number of the travel permit"), hint)
    return Question("id_number", t("ID number"), t("18 characters, as on the card"))


def name(_site: Site, _filled: Form) -> Question:
    """The name."""
    return Question("name", t("Name"), t("as in the document"))


def sex(_site: Site, filled: Form) -> Question | None:
    """Where no number says it."""
    if filled.document == words.ID_CARD:
        return None
    return Question("sex", t("Sex"), choices=tuple((c, name_of("sex", c)) for c in words.SEXES))


def origin(_site: Site, _filled: Form) -> Question:
    """Where the household is registered, or which country."""
    hint = t("place or country, as in the document; Enter for none")
    return Question("origin", t("Where the household is registered"), hint, default="")


def phone(_site: Site, _filled: Form) -> Question:
    """A phone, or none."""
    return Question("phone", t("Phone"), t("Enter for none"), default="")


def until(site: Site, filled: Form) -> Question:
    """The end, with the latest that is allowed."""
    local = site_time.of(site)
    end_min = latest_min(site, filled)
    if filled.kind == words.VISITOR:
        latest = moments.told(local, end_min)
        hint = t("such as 2030-03-31T18:00; {end} at the latest", end=latest)
        return Question("until", t("Until when"), hint)
    day = moments.last(local, moments.midnight_before(local, end_min))
    return Question("until", t("Last day"), t("such as 2030-03-31; {end} at the latest", end=day))


def card(count: int) -> Question:
    """A card, or one more than ``count``."""
    return Question(
        CARD_FIELD,
        t("One card more") if count else t("Card"),
        t("hold it to the desk reader, or type its number; @NAME learns it at that door;"
          " Enter for none"),
        default="",
    )  # fmt: skip


def latest_min(site: Site, filled: Form) -> int:
    """The latest end that class, kind and host allow."""
    with site.registry.session() as session:
        there = places.house(session, filled.house)
        begin_min = filled.begin_min(site)
        latest = rules.latest_end_min(places.facts(there), filled.kind, begin_min, now_s() // 60)
        if filled.host:
            found = check_in.host(site, session, there, filled.host)
            latest = min(latest, found.until_min) if found else latest
    return latest


def _free(site: Site, filled: Form) -> str:
    with site.registry.session() as session:
        there = places.house(session, filled.house)
        query = select(Room).where(Room.house_id == there.id).order_by(Room.number)
        facts = [places.room_facts(session, one) for one in session.scalars(query)]
    free = [f"{one.number} ({one.beds - one.taken})" for one in facts if one.taken < one.beds]
    return ", ".join(free[:_ROOMS_SHOWN]) + (" …" if len(free) > _ROOMS_SHOWN else "") or t("none")
