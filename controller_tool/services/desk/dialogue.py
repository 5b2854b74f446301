"""Check-in as a conversation: one thing at a time, each answer checked at once (host).

It asks through `Asker`, so a terminal, a web page and a test can lead it. What it asks, in order:
house, kind of stay, host of a visitor, room, document, its number, name, phone, end, cards; then
it shows all and asks for a yes. What the form has already is checked and not asked for. A wrong
answer is told with the way out and asked for again; a rule that an earlier answer broke leads back
to that answer. Every check is one of the services that check in, none is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from controller_tool import id_number
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError, ToolError
from controller_tool.messages import name_of, t
from controller_tool.registry.houses import Room
from controller_tool.rules import masking, words
from controller_tool.rules import stay as rules
from controller_tool.rules.refusal import RuleRefused, require
from controller_tool.services import moments, people, profiles, site_time
from controller_tool.services.desk import check_in, form, places

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.credentials import Credential
    from controller_tool.services.desk.check_in import Request
    from controller_tool.services.desk.form import Form
    from controller_tool.services.site import Site


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


class Asker(Protocol):
    """Who leads the conversation; whoever gives up raises what ends it."""

    def ask(self, question: Question) -> str:
        """One answer as typed."""

    def fault(self, what: str, way_out: str) -> None:
        """The answer was wrong; the question comes again."""

    def say(self, text: str) -> None:
        """What goes on."""

    def agree(self, summary: list[tuple[str, str]]) -> bool:
        """Everything as it would be; whether to do it."""


@dataclass(frozen=True)
class _Step:
    """ask: the question, None where it does not apply; check: raises a ToolError for a wrong one.

    optional: an empty answer is one.
    """

    field: str
    ask: Callable[[Site, Form], Question | None]
    check: Callable[[Site, Form], None]
    optional: bool = False


# which answer a rule is about, where it is not the one that was just given
_ABOUT = {
    "admission": "house", "barred": "house", "capacity": "room", "duplicate": "id_number",
    "document": "document", "host": "host", "kind": "kind", "dates": "until",
    "ceiling": "until", "visit": "until", "visit_room": "room", "phone": "phone",
}  # fmt: skip
CARD_FIELD = "card"


def fill(site: Site, filled: Form, asker: Asker) -> Request | None:
    """Asks for what the form lacks; the check-in to do, None when the answer was no.

    The form comes back as it was answered.
    """
    site.require_cards()
    _check_fixed(site, filled)
    asked: set[str] = set()
    at = 0
    while at < len(_STEPS):
        step = _STEPS[at]
        question = step.ask(site, filled)
        if question is not None and not getattr(filled, step.field):
            if step.field in asked and step.optional:
                at += 1
                continue
            asked.add(step.field)
            setattr(filled, step.field, _answer(asker, question))
        if question is None:
            at += 1
            continue
        try:
            _filled(filled, step)
            step.check(site, filled)
        except ToolError as error:
            asker.fault(error.what, error.next_step)
            at = _back(filled, step, error, at)
            asked -= {later.field for later in _STEPS[at:]}
            continue
        at += 1
    cards = _cards(site, filled, asker)
    request = filled.request(site, cards)
    return request if asker.agree(summary(site, filled, request)) else None


def _answer(asker: Asker, question: Question) -> str:
    """What was answered: of a choice its code, whichever way it was named."""
    text = asker.ask(question).strip()
    if not text and question.default is not None:
        return question.default
    for number, (code, name) in enumerate(question.choices, 1):
        if text.casefold() in {str(number), code.casefold(), name.casefold()}:
            return code
    return text


def _filled(filled: Form, step: _Step) -> None:
    if not step.optional and not getattr(filled, step.field):
        raise OperatorError(t("Nothing was typed"), t("This is needed; Ctrl-C ends it"))


def _back(filled: Form, step: _Step, error: ToolError, at: int) -> int:
    """Empties the answer that is to be given anew; the place of the step to go on with."""
    name = step.field
    if isinstance(error, RuleRefused):
        name = _ABOUT.get(error.refusal.rule, name)
    places_ = [one.field for one in _STEPS]
    where = places_.index(name) if name in places_ else at
    if where > at and getattr(filled, name):
        setattr(filled, name, "")
        return at  # it was given, and is asked for in its turn
    where = min(where, at)
    setattr(filled, _STEPS[where].field, "")
    if _STEPS[where].field == "id_number":
        filled.name = ""  # another number is another person
    return where


def _cards(site: Site, filled: Form, asker: Asker) -> tuple[Credential, ...]:
    """Cards until there are no more; each is tried as the check-in would take it."""
    found: list[Credential] = []
    waiting = list(filled.card_words)
    given = bool(waiting)
    while True:
        if waiting:
            word = waiting.pop(0)
        elif given:
            return tuple(found)
        else:
            word = asker.ask(_card_question(len(found))).strip()
        if not word:
            return tuple(found)
        try:
            credential = form.card_of(site, word, asker.say)
            if credential not in found:  # a reader that beeps twice has one card
                check_in.check_in(site, filled.request(site, (*found, credential)), dry_run=True)
                found.append(credential)
        except ToolError as error:
            asker.fault(error.what, error.next_step)
            given = False
            continue
        asker.say(t("Card {number}: {card}", number=len(found), card=credential.masked()))


def summary(site: Site, filled: Form, request: Request) -> list[tuple[str, str]]:
    """The check-in in pairs of name and value, without a number that could be copied."""
    seen = check_in.check_in(site, request, dry_run=True)
    rows = [
        (t("house"), f"{seen.house} {seen.address}"), (t("room"), seen.room),
        (t("kind of stay"), name_of("stay", seen.kind)), (name_of("person", "name"), seen.name),
        (t("ID number"), masking.document(id_number.normalise(filled.id_number), words.CLERK)),
        (t("until"), filled.until), (t("host"), filled.host),
        (t("cards"), ", ".join(card.masked() for card in request.cards) or t("none")),
    ]  # fmt: skip
    return [row for row in rows if row[1]]


# --- questions ------------------------------------------------------------------------------


def _ask_house(_site: Site, _filled: Form) -> Question:
    return Question("house", t("House"), t("its number, such as H00001, or its address code"))


def _ask_kind(_site: Site, _filled: Form) -> Question:
    kinds = tuple((code, name_of("stay", code)) for code in words.STAYS)
    return Question("kind", t("Kind of stay"), choices=kinds, default=words.TENANT)


def _ask_host(_site: Site, filled: Form) -> Question | None:
    if filled.kind != words.VISITOR:
        return None
    return Question("host", t("Whom do they visit"), t("stay or card of the host"))


def _ask_room(site: Site, filled: Form) -> Question:
    if filled.host:
        with site.registry.session() as session:
            room = session.get_one(Room, places.lease(site, session, filled.host).room_id).number
        return Question("room", t("Room"), t("Enter: the host's, {room}", room=room), default=room)
    return Question("room", t("Room"), t("free beds: {rooms}", rooms=_free(site, filled)))


def _ask_document(_site: Site, _filled: Form) -> Question:
    kinds = tuple((code, name_of("document", code)) for code in words.DOCUMENTS)
    return Question("document", t("Document"), choices=kinds, default=words.ID_CARD)


def _ask_number(_site: Site, filled: Form) -> Question:
    if filled.document == words.PASSPORT:
        return Question("id_number", t("Number of the passport"))
    return Question("id_number", t("ID number"), t("18 characters, as on the card"))


def _ask_name(_site: Site, _filled: Form) -> Question:
    return Question("name", t("Name"), t("as in the document"))


def _ask_phone(_site: Site, _filled: Form) -> Question:
    return Question("phone", t("Phone"), t("Enter for none"), default="")


def _ask_until(site: Site, filled: Form) -> Question:
    local = site_time.of(site)
    latest_min = _latest_min(site, filled)
    if filled.kind == words.VISITOR:
        latest = moments.told(local, latest_min)
        hint = t("such as 2030-03-31T18:00; {end} at the latest", end=latest)
        return Question("until", t("Until when"), hint)
    day = moments.last(local, moments.midnight_before(local, latest_min))
    return Question("until", t("Last day"), t("such as 2030-03-31; {end} at the latest", end=day))


def _card_question(count: int) -> Question:
    return Question(
        CARD_FIELD,
        t("One card more") if count else t("Card"),
        t("hold it to the desk reader, or type its number; @NAME learns it at that door;"
          " Enter for none"),
        default="",
    )  # fmt: skip


# --- checks: each is what the check-in itself asks ------------------------------------------


def _check_house(site: Site, filled: Form) -> None:
    with site.registry.session() as session:
        house = places.house(session, filled.house)
        require(rules.admission(places.facts(house)))


def _check_code(known: tuple[str, ...]) -> Callable[[str], None]:
    def check(code: str) -> None:
        if code not in known:
            raise OperatorError(
                t("{text} is none of these", text=code), t("Type its number or its name")
            )

    return check


def _check_kind(_site: Site, filled: Form) -> None:
    _check_code(words.STAYS)(filled.kind)


def _check_host(site: Site, filled: Form) -> None:
    with site.registry.session() as session:
        found = check_in.host(site, session, places.house(session, filled.house), filled.host)
        wish = rules.Wish(words.VISITOR, words.ID_CARD, 0, 0, found)
        require(rules.host(wish))


def _check_room(site: Site, filled: Form) -> None:
    with site.registry.session() as session:
        house = places.house(session, filled.house)
        room = places.room(session, house, filled.room)
        require(rules.capacity(places.room_facts(session, room), filled.kind))
        if filled.host:
            found = check_in.host(site, session, house, filled.host, room)
            require(rules.host_room(rules.Wish(filled.kind, "", 0, 0, found)))


def _check_document(_site: Site, filled: Form) -> None:
    _check_code(words.DOCUMENTS)(filled.document)
    require(rules.document(rules.Wish(filled.kind, filled.document, 0, 0)))


def _check_number(_site: Site, filled: Form) -> None:
    people.good_number(filled.holder())


def _check_person(site: Site, filled: Form) -> None:
    """As it would be with the latest end that is allowed: name, number and room fit together."""
    latest_min = _latest_min(site, filled)
    check_in.check_in(site, filled.request(site, until_min=latest_min), dry_run=True)


def _latest_min(site: Site, filled: Form) -> int:
    """The latest end that class, kind and host allow."""
    with site.registry.session() as session:
        house = places.house(session, filled.house)
        begin_min = filled.begin_min(site)
        latest = rules.latest_end_min(places.facts(house), filled.kind, begin_min, now_s() // 60)
        if filled.host:
            found = check_in.host(site, session, house, filled.host)
            latest = min(latest, found.until_min) if found else latest
    return latest


def _check_until(site: Site, filled: Form) -> None:
    check_in.check_in(site, filled.request(site), dry_run=True)


def _check_fixed(site: Site, filled: Form) -> None:
    """What no question is about: raised as it is."""
    filled.begin_min(site)
    if filled.profile:
        with site.registry.session() as session:
            profiles.find(session, filled.profile)


def _check_phone(_site: Site, filled: Form) -> None:
    people.good_phone(filled.phone)


def _free(site: Site, filled: Form) -> str:
    with site.registry.session() as session:
        house = places.house(session, filled.house)
        query = select(Room).where(Room.house_id == house.id).order_by(Room.number)
        facts = [places.room_facts(session, room) for room in session.scalars(query)]
    free = [f"{one.number} ({one.beds - one.taken})" for one in facts if one.taken < one.beds]
    return ", ".join(free[:_ROOMS_SHOWN]) + (" …" if len(free) > _ROOMS_SHOWN else "") or t("none")


_ROOMS_SHOWN = 12
_STEPS = (
    _Step("house", _ask_house, _check_house),
    _Step("kind", _ask_kind, _check_kind),
    _Step("host", _ask_host, _check_host),
    _Step("room", _ask_room, _check_room),
    _Step("document", _ask_document, _check_document),
    _Step("id_number", _ask_number, _check_number),
    _Step("name", _ask_name, _check_person),
    _Step("phone", _ask_phone, _check_phone, optional=True),
    _Step("until", _ask_until, _check_until),
)
