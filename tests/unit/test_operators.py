"""Operators in the registry: who they are, what proves it, what they answer for (host)."""

from __future__ import annotations

from typing import Any

import pytest

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.registry.models import Operator
from controller_tool.registry.records import AuditEntry
from controller_tool.rules import duty, words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import audit, cards
from controller_tool.services.desk import duties, operator_secret, operators
from protocol import cbor
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.operator_support import HEAD, SECRETS, hire
from tests.unit.test_cards import CARD, issue


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch) -> None:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)
    monkeypatch.delenv(passphrase.OWN_VARIABLE, raising=False)


def refused(call, *args, **more) -> str:
    with pytest.raises(RuleRefused) as caught:
        call(*args, **more)
    assert caught.value.what
    return caught.value.refusal.rule


def clock_at(monkeypatch, later_s: int) -> None:
    now = clock.now_s() + later_s
    monkeypatch.setattr(operators, "now_s", lambda: now)


@pytest.mark.both_registries
def test_the_founder_is_the_head_and_who_comes_by_name_is_a_clerk(site, open_site) -> None:
    issue(site)
    cards.collect(open_site(site.path, operator="李明"), CARD)
    shown = [(view.name, view.role, view.proves) for view in operators.list_operators(site)]
    assert shown == [("李明", words.CLERK, "none"), (HEAD, words.HEAD, "none")]


def test_a_clerk_works_as_before_and_does_no_more(site, open_site) -> None:
    clerk = open_site(site.path, operator="李明")
    operators.require(clerk, duty.CHECK_IN)
    assert refused(operators.require, clerk, duty.OPERATORS) == "role"
    assert refused(operators.add, clerk, "陈静", words.HEAD) == "role"


@pytest.mark.both_registries
def test_a_first_secret_opens_nothing_but_its_own_change(site, open_site) -> None:
    given = operators.add(site, "陈静", words.SUPERVISOR).first_secret
    theirs = open_site(site.path, operator="陈静")
    assert refused(operators.require, theirs, duty.ADMIT, given) == "first_secret"
    assert refused(operators.set_secret, theirs, SECRETS["陈静"], "not the given one") == "secret"
    operators.set_secret(theirs, SECRETS["陈静"], given)
    operators.require(theirs, duty.ADMIT, SECRETS["陈静"])
    assert refused(operators.require, theirs, duty.ADMIT, given) == "secret"


def test_who_has_a_secret_gives_it_for_what_takes_more_than_a_clerk(
    site, open_site, monkeypatch
) -> None:
    head = open_site(site.path)
    operators.require(head, duty.OPERATORS)  # nobody has set one yet
    operators.set_secret(head, SECRETS[HEAD])
    operators.require(head, duty.CHECK_IN)
    with pytest.raises(OperatorError, match="nobody to ask"):
        operators.require(head, duty.OPERATORS)
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "something else")
    assert refused(operators.require, head, duty.OPERATORS) == "secret"
    monkeypatch.setenv(passphrase.OWN_VARIABLE, SECRETS[HEAD])
    operators.require(head, duty.OPERATORS)
    monkeypatch.delenv(passphrase.OWN_VARIABLE)
    operators.require(head, duty.OPERATORS)  # once in a run
    with pytest.raises(OperatorError, match="nobody to ask"):
        operators.require(open_site(site.path), duty.OPERATORS)


def test_full_width_digits_are_the_same_secret(site) -> None:
    operators.set_secret(site, "１２３４５６７８")
    operators.require(site, duty.OPERATORS, "12345678")


@pytest.mark.both_registries
def test_wrong_secrets_are_counted_audited_and_paused(site, monkeypatch) -> None:
    operators.set_secret(site, SECRETS[HEAD])
    for _ in range(5):
        assert refused(operators.prove, site, HEAD, "wrong words") == "secret"
    assert refused(operators.prove, site, HEAD, SECRETS[HEAD]) == "pause", "even the right one"
    with site.registry.session() as session:
        query = session.query(AuditEntry).filter_by(act="operator.secret_wrong")
        assert query.count() == 5
        assert audit.first_broken(session) is None
    clock_at(monkeypatch, 31)
    assert refused(operators.prove, site, HEAD, "wrong words") == "secret"
    assert refused(operators.prove, site, HEAD, SECRETS[HEAD]) == "pause"
    clock_at(monkeypatch, 31 + 61)
    operators.prove(site, HEAD, SECRETS[HEAD])
    assert refused(operators.prove, site, HEAD, "wrong words") == "secret", "they begin anew"


@pytest.mark.sqlite_only  # reads the file
def test_no_secret_stands_in_the_registry_or_its_log(site) -> None:
    given = operators.add(site, "陈静", words.HEAD).first_secret
    operators.set_secret(site, SECRETS[HEAD])
    content: bytes = b"".join(
        path.read_bytes() for path in site.path.glob("registry.sqlite*") if path.is_file()
    )
    assert SECRETS[HEAD].encode() not in content
    assert given is not None
    assert given.encode() not in content
    assert "陈静".encode() in content, "the right files were read"


@pytest.mark.parametrize("damage", ["cut", "cost", "text"])
def test_a_row_that_was_altered_is_refused_and_costs_nothing(site, damage) -> None:
    operators.set_secret(site, SECRETS[HEAD])
    with site.registry.writing() as session:
        row = operators.get(session, HEAD)
        kept = row.secret or b""
        fields: Any = cbor.decode(kept)
        row.secret = {
            "cut": kept[:-3],
            "cost": cbor.encode([fields[0], 30, *fields[2:]]),
            "text": b"sesame",
        }[damage]
    with pytest.raises(OperatorError, match="altered"):
        operators.prove(site, HEAD, SECRETS[HEAD])


def test_who_has_ended_does_nothing_more(site, open_site) -> None:
    clerk = open_site(site.path, operator="李明")
    issue(clerk)
    operators.end(site, "李明")
    with pytest.raises(RuleRefused, match="operator no more"):
        open_site(site.path, operator="李明")
    with pytest.raises(RuleRefused, match="operator no more"):
        cards.collect(clerk, CARD)  # whoever had it open before
    assert cards.card_status(site, CARD).state == "issued"
    assert refused(operators.require, clerk, duty.CHECK_IN) == "ended"
    assert refused(operators.set_secret, clerk, "some new words") == "ended"


def test_who_comes_back_proves_themselves_anew(site, open_site) -> None:
    theirs = hire(site, open_site, "陈静", words.SUPERVISOR)
    operators.end(site, "陈静")
    given = operators.add(site, "陈静", words.SUPERVISOR).first_secret
    assert refused(operators.require, theirs, duty.ADMIT, SECRETS["陈静"]) == "first_secret"
    operators.set_secret(theirs, "other new words", given)
    operators.require(theirs, duty.ADMIT, "other new words")


def test_nobody_ends_themselves_so_a_head_remains(site) -> None:
    assert refused(operators.end, site, HEAD) == "own_role"
    assert refused(operators.set_role, site, HEAD, words.CLERK) == "own_role"
    assert refused(operators.reset_secret, site, HEAD) == "own_role"


def test_a_clerk_who_is_raised_gets_a_first_secret(site, open_site) -> None:
    """What stands under a clerk's name, anybody may have set."""
    operators.set_secret(open_site(site.path, operator="李明"), "planted words")
    raised = operators.set_role(site, "李明", words.SUPERVISOR)
    assert (raised.proves, bool(raised.first_secret)) == ("first", True)
    assert refused(operators.prove, site, "李明", "planted words") == "first_secret"
    theirs = hire(site, open_site, "陈静", words.SUPERVISOR)
    assert operators.set_role(site, "陈静", words.HEAD).proves == "own", "a known one keeps it"
    operators.require(theirs, duty.OPERATORS, SECRETS["陈静"])


def test_a_lost_secret_is_reset_by_another_head(site, open_site) -> None:
    theirs = hire(site, open_site, "陈静", words.SUPERVISOR)
    given = operators.reset_secret(site, "陈静").first_secret
    operators.set_secret(theirs, "other new words", given)
    operators.require(theirs, duty.ADMIT, "other new words")


def test_a_dry_run_changes_nothing(site) -> None:
    operators.add(site, "李明", words.CLERK)
    operators.add(site, "陈静", words.HEAD, dry_run=True)
    operators.set_role(site, "李明", words.HEAD, dry_run=True)
    operators.end(site, "李明", dry_run=True)
    with site.registry.session() as session:
        rows = {row.name: (row.role, row.ended_at_s) for row in session.query(Operator)}
    assert rows == {HEAD: (words.HEAD, None), "李明": (words.CLERK, None)}


@pytest.mark.both_registries
def test_named_people_answer_for_named_places(site, board) -> None:
    assert board
    add_areas(site)
    add_house(site)
    operators.add(site, "李明", words.CLERK)
    made = duties.add(site, "李明", "grid_keeper", area=GRID)
    duties.add(site, "李明", "guard", house="h00001")
    shown = [(d.operator, d.duty, d.area or d.house) for d in duties.list_duties(site)]
    assert shown == [("李明", "grid_keeper", GRID), ("李明", "guard", "H00001")]
    with pytest.raises(OperatorError, match="has this duty already"):
        duties.add(site, "李明", "grid_keeper", area=GRID)
    duties.end(site, made.id)
    assert [d.duty for d in duties.list_duties(site, "李明")] == ["guard"]
    assert len(duties.list_duties(site, ended=True)) == 2
    duties.add(site, "李明", "grid_keeper", area=GRID)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("李明", "king", GRID, ""), "no duty king"),
        (("李明", "guard", "", ""), "one area or one house"),
        (("李明", "guard", GRID, "H00001"), "one area or one house"),
        (("李明", "guard", "330114-99", ""), "no area"),
        (("李明", "guard", "", "H99999"), "no house"),
        (("无名", "guard", GRID, ""), "No operator"),
    ],
)
def test_a_duty_that_makes_no_sense_is_refused(site, asked, said) -> None:
    add_areas(site)
    operators.add(site, "李明", words.CLERK)
    with pytest.raises(OperatorError, match=said):
        duties.add(site, *asked)
