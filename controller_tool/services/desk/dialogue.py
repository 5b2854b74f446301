"""Check-in as a conversation: one thing at a time, each answer checked at once (host).

It asks through `Asker`, so a terminal, a web page and a test can lead it. What it asks, in order:
house, kind of stay, host of a visitor, room, bed where they have names, document, its number, sex
where the number does not say it, name, phone, origin, end, cards; then it shows all and asks for a
yes. What the form has already is checked and not asked for. A wrong answer is told with the way out
and asked for again; a rule that an earlier answer broke leads back to that answer. Every check is
one of the services that check in, none is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller_tool import id_number
from controller_tool.errors import OperatorError, ToolError
from controller_tool.messages import name_of, t
from controller_tool.rules import masking, words
from controller_tool.rules import stay as rules
from controller_tool.rules.refusal import RuleRefused, require
from controller_tool.services import people, profiles
from controller_tool.services.desk import check_in, form, places, questions

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.credentials import Credential
    from controller_tool.services.desk.check_in import Request
    from controller_tool.services.desk.form import Form
    from controller_tool.services.desk.questions import Question
    from controller_tool.services.site import Site


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
    "elsewhere": "id_number", "document": "document", "host": "host", "kind": "kind",
    "dates": "until", "ceiling": "until", "visit": "until", "visit_room": "room",
    "phone": "phone",
}  # fmt: skip


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
            word = asker.ask(questions.card(len(found))).strip()
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
        (questions.number(site, filled).text,
         masking.document(id_number.normalise(filled.id_number), words.CLERK)),
        (t("sex"), name_of("sex", filled.sex) if filled.sex else ""),
        (t("phone"), filled.phone), (t("household"), filled.origin), (t("bed"), seen.bed),
        (t("from"), filled.begin), (t("until"), filled.until), (t("host"), filled.host),
        (t("cards"), ", ".join(card.masked() for card in request.cards) or t("none")),
    ]  # fmt: skip
    return [row for row in rows if row[1]]


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


def _check_bed(site: Site, filled: Form) -> None:
    with site.registry.session() as session:
        room = places.room(session, places.house(session, filled.house), filled.room)
        wish = rules.Wish(filled.kind, "", 0, 0, bed=filled.bed.strip())
        require(rules.bed(places.room_facts(session, room), wish))


def _check_document(_site: Site, filled: Form) -> None:
    _check_code(words.DOCUMENTS)(filled.document)
    require(rules.document(rules.Wish(filled.kind, filled.document, 0, 0)))


def _check_number(_site: Site, filled: Form) -> None:
    people.good_number(filled.holder())


def _check_person(site: Site, filled: Form) -> None:
    """As it would be with the latest end that is allowed: name, number and room fit together."""
    latest_min = questions.latest_min(site, filled)
    check_in.check_in(site, filled.request(site, until_min=latest_min), dry_run=True)


def _check_until(site: Site, filled: Form) -> None:
    check_in.check_in(site, filled.request(site), dry_run=True)


def _check_fixed(site: Site, filled: Form) -> None:
    """What no question is about: raised as it is."""
    filled.begin_min(site)
    if filled.profile:
        with site.registry.session() as session:
            profiles.find(session, filled.profile)


def _check_sex(_site: Site, filled: Form) -> None:
    _check_code(words.SEXES)(filled.sex)


def _check_origin(_site: Site, filled: Form) -> None:
    people.short(filled.origin, people.NAME_MAX)


def _check_phone(_site: Site, filled: Form) -> None:
    people.good_phone(filled.phone)


_STEPS = (
    _Step("house", questions.house, _check_house),
    _Step("kind", questions.kind, _check_kind),
    _Step("host", questions.host, _check_host),
    _Step("room", questions.room, _check_room),
    _Step("bed", questions.bed, _check_bed, optional=True),
    _Step("document", questions.document, _check_document),
    _Step("id_number", questions.number, _check_number),
    _Step("sex", questions.sex, _check_sex),
    _Step("name", questions.name, _check_person),
    _Step("phone", questions.phone, _check_phone, optional=True),
    _Step("origin", questions.origin, _check_origin, optional=True),
    _Step("until", questions.until, _check_until),
)
