"""Cards: who has one, what ends it, and when it may be called deregistered (host)."""

from __future__ import annotations

import pytest

from controller_tool import clock, credentials
from controller_tool.credentials import Credential
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Person
from controller_tool.services import card_grants, cards, explain, people
from protocol.codes import CREDENTIAL_EM4100, CREDENTIAL_ISO14443A, CREDENTIAL_WIEGAND26
from protocol.constants import FLAG_EMERGENCY, TIME_END_MIN
from tests.unit.registry_support import Board

CARD = "0012345678"
NOW_MIN = clock.now_s() // 60


def issue(site, number: str = CARD, holder=None, **terms) -> cards.CardStatus:
    fields = {"from_min": NOW_MIN - 10, "until_min": NOW_MIN + 1440, **terms}
    return cards.issue(site, credentials.parse(number), cards.Terms(**fields), holder)


def verdict(site, device: str = "door-1", text: str = CARD, **asked) -> explain.Verdict:
    [found] = explain.explain(site, text, device, **asked)
    return found.now


@pytest.mark.parametrize(
    ("text", "credential"),
    [
        ("0012345678", Credential(CREDENTIAL_EM4100, bytes.fromhex("0000bc614e"))),
        ("4294967295", Credential(CREDENTIAL_EM4100, bytes.fromhex("00ffffffff"))),
        (" 188,24910 ", Credential(CREDENTIAL_WIEGAND26, bytes.fromhex("bc614e"))),
        ("188，24910", Credential(CREDENTIAL_WIEGAND26, bytes.fromhex("bc614e"))),
        ("iso14443a:04A2b3c4", Credential(CREDENTIAL_ISO14443A, bytes.fromhex("04a2b3c4"))),
    ],
)
def test_card_numbers_as_people_write_them(text, credential) -> None:
    assert credentials.parse(text) == credential
    assert credentials.parse(str(credential)) == credential


@pytest.mark.parametrize(
    "text",
    ["", "1", "12345678", "4294967296", "256,00001", "001,65536", "iso14443a:04a2b3", "em4100:00",
     "visa:00", "iso14443a:0", "text:", "text:" + "00" * 33, "00123456７8"],
)  # fmt: skip
def test_what_is_no_card_number_is_refused(text) -> None:
    with pytest.raises(OperatorError, match="is not a card number"):
        credentials.parse(text)


def test_a_card_is_found_by_reference_and_by_number(site) -> None:
    status = issue(site, holder=people.Holder("张伟", room="A-101"))
    assert (status.ref, status.holder, status.word) == ("K000001", "张伟", "issued")
    assert cards.card_status(site, "k000001") == cards.card_status(site, CARD) == status


def test_a_card_that_is_out_is_not_issued_again(site) -> None:
    issue(site)
    with pytest.raises(OperatorError, match="issued already"):
        issue(site)


@pytest.mark.parametrize(
    "dates",
    [(NOW_MIN, NOW_MIN), (NOW_MIN + 1, NOW_MIN), (-1, 5), (NOW_MIN, TIME_END_MIN + 1)],
)
def test_impossible_dates_are_refused(site, dates) -> None:
    with pytest.raises(OperatorError, match="end before it begins"):
        issue(site, from_min=dates[0], until_min=dates[1])


def test_a_person_is_known_by_the_id_number(site) -> None:
    holder = people.Holder("王伟", "330199199001010011", "A-101")
    issue(site, holder=holder)
    issue(site, "0012345679", people.Holder("王伟", "330199199001010011", "B-202"))
    assert [s.room for s in cards.list_cards(site)] == ["B-202", "B-202"]
    with pytest.raises(OperatorError, match="another name"):
        issue(site, "0012345680", people.Holder("王军", "330199199001010011"))
    with pytest.raises(OperatorError, match="check digit"):
        issue(site, "0012345680", people.Holder("王军", "330199199001010012"))
    with site.registry.session() as session:
        assert session.query(Person).count() == 1


def test_cards_are_listed_by_state_and_room(site) -> None:
    issue(site, holder=people.Holder("张伟", room="A-101"))
    issue(site, "0012345679", people.Holder("李娜", room="A-102"))
    cards.lost(site, CARD)
    assert [s.holder for s in cards.list_cards(site, "lost")] == ["张伟"]
    assert [s.holder for s in cards.list_cards(site, "issued")] == ["李娜"]
    assert [s.holder for s in cards.list_cards(site, room="A-102")] == ["李娜"]


def test_deregistered_takes_a_receipt_from_every_controller_that_was_sent_the_card(site) -> None:
    boards = [Board(site, f"door-{number}") for number in (1, 2, 3)]
    issue(site)
    for board in boards[:2]:
        board.update()
    status = cards.collect(site, CARD)
    assert (status.word, status.pending) == ("pending 0/2", ("door-1", "door-2"))
    boards[0].update()
    boards[1].take(boards[1].next(), proven=False)
    status = cards.card_status(site, CARD)
    assert (status.word, status.pending) == ("pending 1/2", ("door-2",)), "sent is not proven"
    boards[1].update()
    assert cards.card_status(site, CARD).deregistered


def test_a_replaced_controller_stays_in_the_count(site) -> None:
    board = Board(site, "door-1")
    issue(site)
    board.update()
    new = Board(site, "door-1", again=True)
    cards.collect(site, CARD)
    new.update()
    status = cards.card_status(site, CARD)
    assert status.word == "pending 0/1", "nobody knows where the old board is"
    assert status.pending[0].startswith("door-1~")


def test_collecting_twice_changes_nothing(site, board) -> None:
    issue(site)
    board.update()
    cards.collect(site, CARD)
    board.update()
    assert cards.collect(site, CARD).word == "deregistered"
    assert cards.lost(site, CARD).state == "collected"


def test_an_unknown_card_is_refused_by_name(site) -> None:
    with pytest.raises(OperatorError, match="No card em4100:…614e was ever issued"):
        cards.collect(site, CARD)


def test_cards_are_granted_on_a_controller_that_came_later(site, board) -> None:
    issue(site)
    later = Board(site, "door-2")
    assert later.update().count == 0
    assert card_grants.grant_all(site, "door-2", dry_run=True) == 1  # and granted nothing:
    assert card_grants.grant_all(site, "door-2") == 1
    assert card_grants.grant_all(site, "door-2") == 0
    assert later.update().count == board.update().count == 1


def test_explain_tells_what_is_proven_there_from_what_comes_next(site, board) -> None:
    issue(site)
    [before] = explain.explain(site, CARD)
    assert (before.version, before.now.reason) == (0, "no_list")
    assert before.after_push == explain.Verdict(True, "card")
    board.update()
    assert verdict(site) == explain.Verdict(True, "card")
    cards.collect(site, CARD)
    [after] = explain.explain(site, CARD)
    assert (after.now.granted, after.after_push) == (True, explain.Verdict(False, "revoked"))
    board.update()
    assert verdict(site) == explain.Verdict(False, "revoked")


@pytest.mark.parametrize(
    ("at_min", "reason"),
    [(NOW_MIN - 11, "not_yet_valid"), (NOW_MIN, "card"), (NOW_MIN + 1440, "expired")],
)
def test_explain_judges_dates(site, board, at_min, reason) -> None:
    issue(site)
    board.update()
    assert verdict(site, at_s=at_min * 60).reason == reason


def test_explain_knows_staleness_and_emergency_cards(site, board) -> None:
    issue(site, until_min=TIME_END_MIN)
    issue(site, "0012345679", until_min=TIME_END_MIN, flags=FLAG_EMERGENCY)
    board.update()
    hours = {h: clock.now_s() + h * 3600 for h in (71, 143, 145)}
    assert [verdict(site, at_s=at).reason for at in hours.values()] == [
        "card",
        "card",
        "list_stale",
    ]
    assert verdict(site, text="0012345679", at_s=hours[145]).reason == "emergency_card"


def test_explain_judges_points_and_strangers(site, board) -> None:
    issue(site)
    board.update()
    assert verdict(site, point=20).reason == "not_for_this_point"
    assert verdict(site, text="0099999999").reason == "unknown_card"
