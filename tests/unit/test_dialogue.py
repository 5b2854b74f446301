"""The conversation of a check-in: one thing at a time, checked at once, mended at once (host)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.services.desk import check_in, dialogue, people_view
from controller_tool.services.desk.form import Form
from tests.unit.house_support import add_areas, add_house, day, number
from tests.unit.test_stays import LI, WANG, request

if TYPE_CHECKING:
    from controller_tool.services.desk.questions import Question

GOOD = WANG.id_number
UNTIL, TOO_LATE = day(60), day(500)


class Clerk:
    """Types these answers one after the other; remembers what was asked and what was wrong."""

    def __init__(self, *answers: str, agrees: bool = True) -> None:
        self.answers = list(answers)
        self.agrees = agrees
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.ways_out: list[str] = []
        self.questions: list[Question] = []
        self.summary: dict[str, str] = {}

    def ask(self, question: Question) -> str:
        self.asked.append(question.field)
        self.questions.append(question)
        return self.answers.pop(0)

    def fault(self, what: str, way_out: str) -> None:
        assert way_out
        self.faults.append(what)
        self.ways_out.append(way_out)

    def say(self, text: str) -> None:
        assert text

    def agree(self, summary: list[tuple[str, str]]) -> bool:
        self.summary = dict(summary)
        return self.agrees


@pytest.fixture(autouse=True)
def house(site, board, monkeypatch):
    assert board
    monkeypatch.setattr("controller_tool.messages._current", {"language": "en"})
    add_areas(site)
    return add_house(site)


def test_it_asks_for_one_thing_after_the_other_and_shows_all_before_the_yes(site) -> None:
    clerk = Clerk("h00001", "", "101", "", GOOD, "王伟", "", "", UNTIL, "0012345678", "")
    wanted = dialogue.fill(site, Form(), clerk)
    assert clerk.asked == [
        "house", "kind", "room", "document", "id_number", "name", "phone", "origin", "until",
        "card", "card",
    ]  # fmt: skip
    assert clerk.faults == []
    assert clerk.summary["ID number"] == "330***********0011"
    assert "101 (2), 102 (2)" in clerk.questions[2].hint
    assert wanted is not None
    assert check_in.check_in(site, wanted).cards[0].credential == "em4100:…614e"


def test_what_is_given_is_checked_and_not_asked_for(site) -> None:
    given = Form("H00001", "101", words.TENANT, document=words.ID_CARD, id_number=GOOD,
                 name="王伟", phone="13800000000", origin="安徽", until=UNTIL,
                 card_words=["0012345678"])  # fmt: skip
    clerk = Clerk()
    assert dialogue.fill(site, given, clerk) is not None
    assert clerk.asked == []


def test_a_wrong_id_number_is_named_at_once_and_asked_for_again(site) -> None:
    bad = GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1")
    clerk = Clerk("H00001", "", "101", "", bad, "123", GOOD, "王伟", "", "", UNTIL, "")
    assert dialogue.fill(site, Form(), clerk) is not None
    assert clerk.asked.count("id_number") == 3
    assert ["check digit" in clerk.faults[0], "18 characters" in clerk.faults[1]] == [True, True]


def test_a_full_room_and_a_house_that_is_not_admitted_are_said_before_anything_else_is_asked(
    site,
) -> None:
    add_house(site, "H00002", state=words.KNOWN)
    check_in.check_in(site, request())
    check_in.check_in(site, request(LI, cards=()))
    clerk = Clerk("H00002", "H00001", "", "101", "102", "", number("33019919930303003"), "张强",
                  "", "", UNTIL, "")  # fmt: skip
    wanted = dialogue.fill(site, Form(), clerk)
    assert wanted is not None
    assert (wanted.room, clerk.asked[:5]) == ("102", ["house", "house", "kind", "room", "room"])
    assert ["not admitted" in clerk.faults[0], "full" in clerk.faults[1]] == [True, True]


def test_a_rule_that_an_earlier_answer_broke_leads_back_to_it(site) -> None:
    check_in.check_in(site, request())
    clerk = Clerk("H00001", "", "101", "", GOOD, "王伟", LI.id_number, "李娜", "", "", UNTIL, "")
    assert dialogue.fill(site, Form(), clerk) is not None
    assert "already" in clerk.faults[0]
    assert clerk.asked[4:8] == ["id_number", "name", "id_number", "name"]


def test_a_stay_beyond_the_class_s_days_is_said_at_the_date(site) -> None:
    clerk = Clerk("H00001", "", "101", "", GOOD, "王伟", "", "", TOO_LATE, "nonsense", UNTIL, "")
    assert dialogue.fill(site, Form(), clerk) is not None
    assert "within 365 days" in clerk.faults[0]
    assert clerk.asked.count("until") == 3


def test_what_is_no_phone_number_is_said_at_the_phone_and_asked_for_again(site) -> None:
    clerk = Clerk("H00001", "", "101", "", GOOD, "王伟", "138", "１３８ 0000-0000", "", UNTIL, "")
    wanted = dialogue.fill(site, Form(), clerk)
    assert clerk.faults == ["This is no phone number"]
    assert clerk.asked[6:9] == ["phone", "phone", "origin"]
    assert wanted is not None
    stay = check_in.check_in(site, wanted)
    with site.registry.session() as session:
        assert people_view.show(site, stay.ref).phone == "138****0000"
        assert session.scalar(select(Lease)) is not None


def test_a_wrong_phone_that_was_given_is_asked_for_in_its_turn(site) -> None:
    clerk = Clerk("H00001", "", "101", "", GOOD, "王伟", "13800000000", "", UNTIL, "")
    assert dialogue.fill(site, Form(phone="138"), clerk) is not None
    assert clerk.asked[4:8] == ["id_number", "name", "phone", "origin"]


def test_the_last_day_that_is_allowed_stands_at_the_question(site) -> None:
    clerk = Clerk("H00001", "", "101", "", GOOD, "王伟", "", "", UNTIL, "")
    assert dialogue.fill(site, Form(), clerk) is not None
    hint = clerk.questions[8].hint
    latest = re.findall("[0-9]{4}-[0-9]{2}-[0-9]{2}", hint)[1]
    again = Clerk("H00001", "", "101", "", GOOD, "王伟", "", "", latest, "")
    assert dialogue.fill(site, Form(), again) is not None
    assert again.faults == []
    day_later = (date.fromisoformat(latest) + timedelta(days=1)).isoformat()
    late = Clerk("H00001", "", "101", "", GOOD, "王伟", "", "", day_later, latest, "")
    assert dialogue.fill(site, Form(), late) is not None
    assert "within 365 days" in late.faults[0]


def test_no_way_out_of_the_conversation_names_an_option(site) -> None:
    check_in.check_in(site, request())
    begins = day(-30)
    clerk = Clerk("H00001", "3", "L000001", "102", "101", "", LI.id_number, "李娜", "", "",
                  TOO_LATE, begins, "nonsense", f"{day(0)}T00:00")  # fmt: skip
    with pytest.raises(IndexError):
        dialogue.fill(site, Form(), clerk)
    tenant = Clerk("H00001", "", "102", "", LI.id_number, "李娜", "", "", TOO_LATE, begins, UNTIL,
                   "0012345678", "12345678", "")  # fmt: skip
    assert dialogue.fill(site, Form(), tenant) is not None
    assert len(clerk.ways_out + tenant.ways_out) > 6
    assert [way for way in clerk.ways_out + tenant.ways_out if "--" in way] == []


def test_a_card_that_is_out_says_who_has_it_where_and_how_it_comes_back(site) -> None:
    check_in.check_in(site, request())
    clerk = Clerk("H00001", "", "102", "", LI.id_number, "李娜", "", "", UNTIL, "0012345678", "")
    assert dialogue.fill(site, Form(), clerk) is not None
    assert clerk.faults == ["Card em4100:…614e is issued already: 王伟 H00001 101 K000001"]
    assert "tenant check-out L000001" in clerk.ways_out[0]
    assert "card collect K000001" in clerk.ways_out[0]


def test_a_visitor_names_whom_they_visit(site) -> None:
    check_in.check_in(site, request())
    clerk = Clerk("H00001", "3", "L000009", "L000001", "101", "", LI.id_number, "李娜", "", "",
                  TOO_LATE)  # fmt: skip
    with pytest.raises(IndexError):  # the clerk leaves at the date
        dialogue.fill(site, Form(), clerk)
    assert clerk.asked[1:4] == ["kind", "host", "host"]
    assert "24 hours" in clerk.faults[-1]


def test_a_card_that_is_out_is_asked_for_again_and_a_no_changes_nothing(site) -> None:
    check_in.check_in(site, request())
    clerk = Clerk("H00001", "", "101", "", LI.id_number, "李娜", "", "", UNTIL, "0012345678",
                  "0012345679\t", "", agrees=False)  # fmt: skip
    assert dialogue.fill(site, Form(), clerk) is None
    assert "issued already" in clerk.faults[0]
    with site.registry.session() as session:
        assert [lease.ref for lease in session.scalars(select(Lease))] == ["L000001"]


def test_who_has_no_document_is_sent_to_the_police_station(site) -> None:
    clerk = Clerk("H00001", "", "101", "4", "", GOOD, "王伟", "", "", UNTIL, "")
    assert dialogue.fill(site, Form(), clerk) is not None
    assert "without a document" in clerk.faults[0]
    assert clerk.asked[3:5] == ["document", "document"]


def test_what_no_question_is_about_ends_it_at_once(site) -> None:
    with pytest.raises(OperatorError):
        dialogue.fill(site, Form(profile="nobody's"), Clerk())
    with pytest.raises(OperatorError):
        dialogue.fill(site, Form(begin="soon"), Clerk())
