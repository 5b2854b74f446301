"""A slip of the pen in a person's entry is corrected, and by whom and where is on record (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Person
from controller_tool.registry.records import AuditEntry
from controller_tool.rules import corrections, words
from controller_tool.rules.holds import Order
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services.desk import (
    check_in,
    check_out,
    correct,
    holds,
    operator_secret,
    people_view,
    verify,
)
from controller_tool.services.desk.correct import Wish
from controller_tool.services.people import Holder
from tests.unit.house_support import number
from tests.unit.operator_support import hire
from tests.unit.test_roles import stay
from tests.unit.test_stays import LI, WANG, card, request

__all__ = ["stay"]  # a fixture
RIGHT = number("33019919900101002")  # of a woman


def refused(call, *args) -> str:
    with pytest.raises(RuleRefused) as caught:
        call(*args)
    return caught.value.refusal.rule


@pytest.mark.both_registries
def test_a_wrong_name_and_number_are_corrected_and_compared_with_nobody_yet(site, stay) -> None:
    verify.verify(site, stay, right=False)
    done = correct.correct(site, stay, Wish("王卫", f" {RIGHT.lower()} ", phone="13812345678"))
    assert done.fields == ("name", "id_number", "phone")
    assert (done.person.name, done.person.sex) == ("王卫", "F")
    with site.registry.session() as session:
        person = session.query(Person).one()
        assert (person.verified_good, person.verified_at_s) == (None, None)
        [entry] = session.query(AuditEntry).filter_by(act="person.correct")
    assert json.loads(entry.details) == {
        "fields": ["name", "id_number", "phone"], "person": done.person.id,
    }  # fmt: skip
    assert people_view.show(site, RIGHT).id == done.person.id
    with pytest.raises(OperatorError, match="Nobody"):
        people_view.show(site, WANG.id_number)
    check_out.check_out(site, stay)
    again = check_in.check_in(site, request(Holder("王卫", RIGHT)))
    assert again.person_id == done.person.id, "the right number finds the person again"


def test_a_dry_run_corrects_nothing(site, stay) -> None:
    assert correct.correct(site, stay, Wish(name="王卫"), dry_run=True).person.name == "王卫"
    assert people_view.show(site, stay).name == "王伟"


def test_what_may_not_be_corrected(site, open_site, stay, monkeypatch) -> None:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)
    other = check_in.check_in(site, request(LI, cards=(card("0012345679"),)))
    assert refused(correct.correct, site, stay, Wish()) == "nothing"
    assert refused(correct.correct, site, stay, Wish(name="王伟")) == "nothing"
    assert refused(correct.correct, site, stay, Wish(id_number=LI.id_number)) == "taken"
    for wrong in (Wish(id_number="330199199001010012"), Wish(name="王\u200b卫"), Wish(name=" ")):
        with pytest.raises(OperatorError):
            correct.correct(site, stay, wrong)
    auditor = hire(site, open_site, "赵刚", words.AUDITOR)
    assert refused(correct.correct, auditor, stay, Wish(name="王卫")) == "role"
    holds.add(site, Order("5号", "分局", now_s() - 1), person=stay)
    for wish in (Wish(name="王卫"), Wish(phone="13812345678")):
        assert refused(correct.correct, site, stay, wish) == "hold", "the police keep what it says"
    correct.correct(site, other.ref, Wish(origin="贵州"))


def test_who_was_deleted_stays_deleted() -> None:
    gone = corrections.refuse(corrections.Facts(("name",), erased=True))
    assert gone is not None
    assert gone.rule == "erased"
