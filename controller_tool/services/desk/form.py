"""A check-in as somebody fills it in: texts as typed, and what they mean (host).

Command, dialogue and a web page fill the same form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.messages import t
from controller_tool.rules import words
from controller_tool.services import card_enroll, list_content, moments, site_time
from controller_tool.services.desk import card_reader
from controller_tool.services.desk.check_in import Request
from controller_tool.services.people import Holder

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.credentials import Credential
    from controller_tool.services.site import Site

READER = "reader"
AT_DOOR = "@"
TEXTS = ("house", "room", "kind", "host", "document", "id_number", "name", "phone", "begin",
         "until", "profile", "contract", "bed", "sex", "origin")  # fmt: skip


@dataclass
class Form:
    """Texts; an empty one was not given. kind, document, sex: codes of rules.words.

    card_words: numbers as typed, READER for the desk's PC/SC reader, "@NAME" for a controller at
    whose reader a card is learned.
    """

    house: str = ""
    room: str = ""
    kind: str = ""
    host: str = ""
    document: str = ""
    id_number: str = ""
    name: str = ""
    phone: str = ""
    begin: str = ""
    until: str = ""
    profile: str = ""
    contract: str = ""
    bed: str = ""
    sex: str = ""
    origin: str = ""
    card_words: list[str] = field(default_factory=list)

    def missing(self) -> list[str]:
        """Fields that a check-in cannot do without and that are empty."""
        needed = ["house", "room", "name", "until"]
        if self.document != words.NO_DOCUMENT:
            needed.append("id_number")
        if self.kind == words.VISITOR:
            needed.append("host")
        return [name for name in needed if not getattr(self, name).strip()]

    def begin_min(self, site: Site) -> int:
        """First minute since 2020; now where none was given."""
        if not self.begin.strip():
            return now_s() // 60
        return moments.minute(site_time.of(site), self.begin.strip())

    def holder(self) -> Holder:
        """The person of the form."""
        return Holder(self.name, self.id_number.strip(), self.room.strip(), self.phone.strip(),
                      self.document or words.ID_CARD, self.sex, self.origin)  # fmt: skip

    def request(
        self, site: Site, cards: tuple[Credential, ...] = (), until_min: int | None = None
    ) -> Request:
        """What it asks for; OperatorError for a date that is none. until_min: in its place."""
        if until_min is None:
            until_min = moments.minute(site_time.of(site), self.until.strip(), last_day=True)
        return Request(
            self.holder(), self.house.strip(), self.room.strip(), self.begin_min(site), until_min,
            self.kind or words.TENANT, self.host.strip() or None, cards,
            self.profile.strip() or None, self.contract,
            bed=self.bed,
        )  # fmt: skip


def card_of(site: Site, word: str, say: Callable[[str], None]) -> Credential:
    """The credential that a word of ``card_words`` means, waited for where it must be."""
    word = word.strip()
    if word == READER:
        reader = card_reader.PcscReader()
        say(t("Hold the card to the desk reader"))
        return reader.wait()
    if word.startswith(AT_DOOR):
        return card_enroll.wait(site, word.removeprefix(AT_DOOR), notice=say).credential
    with site.registry.session() as session:
        version = list_content.number(session, "em4100_version")
    return card_reader.typed(word, version)
