"""Acts of two operators: un-losing a card, evicting somebody, writing a controller off (host)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.registry.models import ENDED_LOST, Card, Grant
from controller_tool.registry.stays import Lease
from controller_tool.rules import pairs, words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import cards, device_retire
from controller_tool.services.desk import (
    card_found,
    change_stay,
    check_in,
    check_out,
    device_loss,
    eviction,
    operator_secret,
    operators,
    pair_acts,
)
from tests.unit.house_support import add_areas, add_house
from tests.unit.operator_support import HEAD, SECRETS, hire, prove
from tests.unit.registry_support import Board
from tests.unit.test_cards import CARD, issue
from tests.unit.test_stays import LI
from tests.unit.test_stays import card as credential
from tests.unit.test_stays import request as stay_request

PAPER = "杭公新〔2030〕17号"


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch) -> None:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)


@pytest.fixture
def second(site, open_site):
    """The site as a supervisor opens it, who has a secret of their own."""
    return hire(site, open_site, "陈静", words.SUPERVISOR)


@pytest.fixture
def clerk(site, open_site, second):
    assert second
    return prove(hire(site, open_site, "李明", words.CLERK))


def confirm(site, number: int) -> pair_acts.PairView:
    return pair_acts.decide(site, number, True, SECRETS[site.operator])


def refused(call, *args, **more) -> str:
    with pytest.raises(RuleRefused) as caught:
        call(*args, **more)
    return caught.value.refusal.rule


def lose(site) -> str:
    ref = issue(site).ref
    cards.lost(site, ref)
    return ref


# --- two operators ---------------------------------------------------------------------------


@pytest.mark.both_registries
def test_a_found_card_goes_on_after_a_second_operators_yes(site, board, second, clerk) -> None:
    lost = issue(clerk).ref
    board.update()
    cards.lost(clerk, lost)
    asked = card_found.ask(clerk, CARD, PAPER)
    assert (asked.state, asked.subject, asked.asked_by) == (words.ASKED, lost, "李明")
    assert cards.card_status(site, CARD).state == "lost", "asking alone changes nothing"
    done = confirm(second, asked.id)
    assert (done.state, done.decided_by) == (words.DONE, "陈静")
    new, old = cards.card_status(site, CARD), cards.card_status(site, lost)
    assert (new.ref, new.state, new.devices) == (done.result["card"], "issued", ("door-1",))
    assert new.ref != lost
    assert (old.state, old.word) == ("lost", "pending 0/1")
    board.update()
    assert cards.card_status(site, lost).deregistered, "receipts prove the former one gone"
    assert cards.card_status(site, CARD).pending == ()


def test_nobody_confirms_what_they_asked_for(site, second) -> None:
    ref = lose(site)
    operators.set_secret(site, SECRETS[HEAD])
    asked = card_found.ask(prove(site), ref, PAPER)
    assert refused(confirm, site, asked.id) == "second"
    confirm(second, asked.id)


def test_a_clerk_is_no_second_operator(site, second, clerk) -> None:
    asked = card_found.ask(prove(second), lose(site), PAPER)
    assert refused(pair_acts.decide, clerk, asked.id, True, "whatever it is") == "role"


def test_a_second_operator_without_a_secret_of_their_own_counts_for_nothing(site, clerk) -> None:
    asked = card_found.ask(clerk, lose(site), PAPER)
    assert refused(pair_acts.decide, site, asked.id, True, "whatever it is") == "no_secret"


def test_the_second_operators_secret_is_asked_for_each_time(site, second, clerk) -> None:
    asked = card_found.ask(clerk, lose(site), PAPER)
    second.proven_operator = second.operator
    with pytest.raises(OperatorError, match="nobody to ask"):
        pair_acts.decide(second, asked.id, yes=True)
    assert refused(pair_acts.decide, second, asked.id, True, "not the secret") == "secret"
    assert pair_acts.list_acts(site)[0].state == words.ASKED


# --- who asks --------------------------------------------------------------------------------


ASKS = {
    "found": lambda who: card_found.ask(who, "K000001", PAPER),
    "evict": lambda who: eviction.ask(who, "L000001", PAPER),
    "loss": lambda who: device_loss.ask(who, "door-1", PAPER),
}


@pytest.fixture
def housed(site, board):
    """A stay with a lost card, and its door."""
    assert board
    add_areas(site)
    add_house(site)
    cards.lost(site, check_in.check_in(site, stay_request()).cards[0].ref)
    return True


@pytest.mark.usefixtures("housed")
@pytest.mark.parametrize("act", ASKS)
def test_nobody_asks_under_a_name_that_they_made_up(site, open_site, act) -> None:
    ghost = open_site(site.path, operator="路人")
    assert refused(ASKS[act], ghost) == "no_secret"
    operators.set_secret(ghost, "ghosts own words")
    ghost.proven_operator = ghost.operator
    assert refused(ASKS[act], ghost) == "no_secret", "whoever comes by a name may choose one"
    operators.set_secret(ghost, "ghosts other words", "ghosts own words")
    assert refused(ASKS[act], ghost) == "no_secret"
    assert pair_acts.list_acts(site) == []


@pytest.mark.usefixtures("housed")
@pytest.mark.parametrize("act", ASKS)
def test_nobody_asks_in_somebody_elses_name(site, open_site, clerk, act) -> None:
    assert clerk
    another = open_site(site.path, operator="李明")
    with pytest.raises(OperatorError, match="nobody to ask"):
        ASKS[act](another)
    given = operators.reset_secret(site, "李明").first_secret
    assert given
    another.proven_operator = another.operator
    assert refused(ASKS[act], another) == "first_secret"


@pytest.mark.usefixtures("housed")
def test_who_asks_gives_the_secret(clerk, monkeypatch) -> None:
    clerk.proven_operator = None
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "not the secret")
    assert refused(ASKS["found"], clerk) == "secret"
    monkeypatch.setenv(passphrase.OWN_VARIABLE, SECRETS["李明"])
    assert ASKS["found"](clerk).asked_by == "李明"


@pytest.mark.usefixtures("housed")
def test_a_secret_that_a_head_gave_makes_an_asker(site, open_site) -> None:
    newcomer = open_site(site.path, operator="李明")
    operators.set_secret(newcomer, "somebodys own words")
    given = operators.reset_secret(site, "李明").first_secret
    operators.set_secret(newcomer, SECRETS["李明"], given)
    assert ASKS["found"](prove(newcomer)).asked_by == "李明"


@pytest.mark.usefixtures("housed")
@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda site: operators.end(site, "李明"),
        lambda site: operators.set_role(site, "李明", words.AUDITOR),
        lambda site: operators.reset_secret(site, "李明"),
    ],
)
def test_who_asked_still_counts_at_the_yes(site, second, clerk, meanwhile) -> None:
    asked = ASKS["evict"](clerk)
    meanwhile(site)
    assert refused(confirm, second, asked.id) == "asker"
    assert pair_acts.decide(second, asked.id, False, SECRETS["陈静"]).state == words.REFUSED


def test_a_no_changes_nothing_and_stays(site, second, clerk) -> None:
    ref = lose(site)
    asked = card_found.ask(clerk, ref, PAPER)
    done = pair_acts.decide(second, asked.id, False, SECRETS["陈静"])
    assert done.state == words.REFUSED
    assert cards.card_status(site, ref).state == "lost"
    assert refused(confirm, second, asked.id) == "decided"
    card_found.ask(clerk, ref, PAPER)


def test_who_asked_may_take_it_back(site, clerk) -> None:
    asked = card_found.ask(clerk, lose(site), PAPER)
    assert pair_acts.decide(clerk, asked.id, yes=False).state == words.REFUSED


@pytest.mark.both_registries
@pytest.mark.parametrize("words_", [(True, True), (True, False), (False, False)])
def test_of_two_who_decide_at_once_one_decides(
    site, board, open_site, second, clerk, monkeypatch, words_
) -> None:
    """Both have seen the question open and proven themselves; then they meet at the lock."""
    assert board
    other = hire(site, open_site, "赵刚", words.HEAD)
    ref = lose(site)
    asked = card_found.ask(clerk, ref, PAPER)
    met = threading.Barrier(2)
    monkeypatch.setattr(operators, "prove", lambda *_: met.wait(20))

    def decide(who, yes: bool) -> str:
        try:
            return pair_acts.decide(who, asked.id, yes, "").state
        except RuleRefused as error:
            return error.refusal.rule

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(decide, (second, other), words_))
    assert told.count("decided") == 1
    [done] = pair_acts.list_acts(site)
    assert done.state in told
    out = [one.ref for one in cards.list_cards(site) if one.state == "issued"]
    assert len(out) == (done.state == words.DONE)


def test_what_nobody_decides_lapses_after_a_day(site, second, clerk, monkeypatch) -> None:
    ref = lose(site)
    asked = card_found.ask(clerk, ref, PAPER)
    now = clock.now_s()
    monkeypatch.setattr(pair_acts, "now_s", lambda: now + pairs.LAPSE_S + 1)
    assert pair_acts.list_acts(site)[0].state == words.LAPSED
    assert refused(confirm, second, asked.id) == "decided"
    again = card_found.ask(clerk, ref, PAPER)
    assert again.id != asked.id
    assert refused(card_found.ask, clerk, ref, PAPER) == "asked_already"
    assert confirm(second, again.id).state == words.DONE
    assert refused(confirm, second, asked.id) == "decided"


@pytest.mark.parametrize(
    ("meanwhile", "rule"),
    [
        (lambda _, clerk, number: pair_acts.decide(clerk, number, yes=False), "decided"),
        (lambda site, *_: operators.set_role(site, "陈静", words.CLERK), "role"),
    ],
)
def test_what_changed_while_the_secret_was_typed_counts(
    site, second, clerk, monkeypatch, meanwhile, rule
) -> None:
    operators.set_secret(site, SECRETS[HEAD])
    site.proven_operator = site.operator
    asked = card_found.ask(clerk, lose(site), PAPER)
    monkeypatch.setattr(operators, "prove", lambda *_: meanwhile(site, clerk, asked.id))
    assert refused(confirm, second, asked.id) == rule
    assert cards.card_status(site, CARD).state == "lost"


def test_one_question_about_one_card_at_a_time(site, clerk) -> None:
    ref = lose(site)
    card_found.ask(clerk, ref, PAPER)
    assert refused(card_found.ask, clerk, ref, PAPER) == "asked_already"


def test_an_act_rests_on_a_document(site, clerk) -> None:
    assert refused(card_found.ask, clerk, lose(site), " ") == "document"


def test_a_dry_run_asks_nobody(site, clerk) -> None:
    card_found.ask(clerk, lose(site), PAPER, dry_run=True)
    assert pair_acts.list_acts(site) == []


# --- cards -----------------------------------------------------------------------------------


def test_a_card_that_somebody_else_has_now_is_not_found(site, second, clerk) -> None:
    ref = lose(site)
    asked = card_found.ask(clerk, ref, PAPER)
    with site.registry.writing() as session:  # somebody has it by other ways, such as a merged list
        session.query(Card).filter_by(ref=issue(site, "0012345670").ref).update(
            {"credential_index": session.query(Card).filter_by(ref=ref).one().credential_index}
        )
    assert refused(confirm, second, asked.id) == "taken"
    assert pair_acts.list_acts(site)[0].state == words.ASKED, "nothing of it was done"
    assert refused(card_found.ask, clerk, issue(site, "0012345679").ref, PAPER) == "not_lost"


def test_a_found_card_keeps_its_doors_flags_and_stay(site, board, second, clerk) -> None:
    assert board
    add_areas(site)
    add_house(site)
    stay = check_in.check_in(site, stay_request())
    cards.lost(site, stay.cards[0].ref)
    with site.registry.writing() as session:
        session.query(Grant).update({"points_mask": 1})
    asked = card_found.ask(clerk, stay.cards[0].ref, PAPER)
    new_ref = confirm(second, asked.id).result["card"]
    with site.registry.session() as session:
        new = session.query(Card).filter_by(ref=new_ref).one()
        lease = session.query(Lease).one()
        assert new.lease_id == lease.id
        assert [g.points_mask for g in session.query(Grant).filter_by(card_id=new.id)] == [1]


# --- eviction --------------------------------------------------------------------------------


@pytest.mark.both_registries
def test_an_eviction_takes_two_operators_and_a_document(site, board, second, clerk) -> None:
    add_areas(site)
    add_house(site)
    stay = check_in.check_in(site, stay_request())
    board.update()
    asked = eviction.ask(clerk, stay.ref, PAPER)
    assert cards.card_status(site, str(credential())).state == "issued"
    done = confirm(second, asked.id)
    assert done.result == {"stay": stay.ref, "visitors": [], "cards": [stay.cards[0].ref]}
    with site.registry.session() as session:
        lease = session.query(Lease).one()
        assert (lease.end_reason, lease.ended_at_s is None) == (words.EVICTED, False)
    status = cards.card_status(site, stay.cards[0].ref)
    assert (status.state, status.word) == ("lost", "pending 0/1"), "it was not handed in"
    assert refused(eviction.ask, clerk, stay.ref, PAPER) == "over"


# --- a lost card's number --------------------------------------------------------------------


ISSUES: dict[str, Callable[[Any], object]] = {
    "issue": issue,
    "check-in": lambda desk: check_in.check_in(desk, stay_request(LI)),
    "card": lambda desk: change_stay.add_card(desk, "L000001", credential()),
    "in place of itself": lambda desk: change_stay.add_card(
        desk, "L000001", credential(), in_place_of="K000001"
    ),
}


@pytest.mark.both_registries
@pytest.mark.parametrize("way", ISSUES)
def test_one_clerk_issues_no_lost_card_again(site, housed, way) -> None:
    assert housed
    with pytest.raises(RuleRefused, match="is lost: 王伟 H00001 101 K000001") as caught:
        ISSUES[way](site)
    assert caught.value.refusal.rule == "lost"
    assert "card found K000001" in caught.value.refusal.way_out
    assert cards.card_status(site, "K000001").state == "lost"


@pytest.mark.usefixtures("board")
def test_a_card_in_place_of_itself_is_lost_and_stays_so(site) -> None:
    add_areas(site)
    add_house(site)
    check_in.check_in(site, stay_request())
    assert refused(ISSUES["in place of itself"], site) == "lost"


@pytest.mark.parametrize("ending", ["evicted", "left without it", "dates over"])
def test_a_lost_card_of_a_stay_that_is_over_is_taken_back_by_two(
    site, board, second, clerk, monkeypatch, ending
) -> None:
    assert board
    add_areas(site)
    add_house(site)
    stay = check_in.check_in(site, stay_request())
    if ending == "evicted":
        confirm(second, eviction.ask(clerk, stay.ref, PAPER).id)
    elif ending == "left without it":
        check_out.check_out(site, stay.ref, lost=True)
    else:
        cards.lost(site, CARD)
        later = clock.now_s() + 61 * 86_400
        monkeypatch.setattr(card_found, "now_s", lambda: later)
    assert refused(check_in.check_in, site, stay_request(LI, room="102")) == "lost"
    done = confirm(second, card_found.ask(clerk, CARD, PAPER).id)
    assert done.result == {"back": "K000001"}
    assert cards.card_status(site, "K000001").state == "collected"
    new = check_in.check_in(site, stay_request(LI, room="102"))
    assert [card.ref for card in new.cards] == ["K000002"]


def test_a_found_card_is_collected_and_issued_anew(site, board, second, clerk) -> None:
    assert board
    confirm(second, card_found.ask(clerk, lose(site), PAPER).id)
    cards.collect(site, CARD)
    assert issue(site).ref == "K000003"


# --- controllers -----------------------------------------------------------------------------


@pytest.mark.both_registries
def test_two_operators_take_a_lost_controller_out_of_every_m(site, second, clerk) -> None:
    boards = [Board(site, f"door-{number}") for number in (1, 2)]
    ref = issue(site).ref
    for board in boards:
        board.update()
    cards.collect(site, ref)
    boards[0].update()
    assert cards.card_status(site, ref).word == "pending 1/2"
    asked = device_loss.ask(clerk, "door-2", PAPER)
    assert asked.facts["pending"] == 1
    assert cards.card_status(site, ref).word == "pending 1/2"
    done = confirm(second, asked.id)
    assert cards.card_status(site, ref).word == "deregistered"
    assert cards.unproven(site) == []
    device = site.device(done.result["kept_as"])
    assert device.ended_how == ENDED_LOST
    with pytest.raises(OperatorError, match="lost"):
        site.pinned_certificate(device)
    assert refused(device_loss.ask, clerk, device.name, PAPER) == "left_already"
    with pytest.raises(OperatorError, match="counts for no card any more"):
        device_retire.stolen(site, device.name)


def test_a_stolen_controller_may_be_written_off_later(site, board, second, clerk) -> None:
    ref = issue(site).ref
    board.update()
    device_retire.stolen(site, "door-1")
    [kept_as] = [device.name for device in site.devices()]
    cards.collect(site, ref)
    assert cards.card_status(site, ref).word == "pending 0/1"
    asked = device_loss.ask(clerk, kept_as, PAPER)
    assert confirm(second, asked.id).result["kept_as"] == kept_as
    assert cards.card_status(site, ref).deregistered
