"""Who sees what of a person, who looked, and when it is deleted (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import Case, House
from controller_tool.registry.models import Person
from controller_tool.registry.records import AuditEntry, LogText
from controller_tool.registry.stays import DeliveryReject, Lease
from controller_tool.rules import words
from controller_tool.rules.holds import Order
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import audit_query, cards
from controller_tool.services.audit_query import Wish
from controller_tool.services.desk import (
    cases,
    check_in,
    check_out,
    holds,
    houses,
    operator_secret,
    operators,
    people_view,
    retention,
)
from controller_tool.services.people import Holder
from tests.unit.house_support import add_areas, add_house, number
from tests.unit.operator_support import SECRETS, hire
from tests.unit.raw_registry import raw
from tests.unit.test_stays import card, request

if TYPE_CHECKING:
    from tests.unit.registry_support import Board

ID = "330199199001010011"
PHONE = "13812345678"
WANG = Holder("王伟", ID, phone=PHONE, origin="贵州毕节", employer="新湾纺织")
LI = Holder("李娜", number("33019919920202002"))
YEAR_S = 366 * 86_400


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch) -> None:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)


@pytest.fixture
def house(site, board: Board) -> Board:
    add_areas(site)
    add_house(site)
    return board


@pytest.fixture
def stay(site, house):
    """王伟 lives here, and the door knows his card."""
    made = check_in.check_in(site, request(WANG))
    house.update()
    return made


@pytest.fixture
def gone(site, house, stay):
    """He left, and his card is proven dead."""
    check_out.check_out(site, stay.ref)
    house.update()
    return stay


@pytest.fixture
def a_year_later(monkeypatch) -> None:
    now = now_s() + YEAR_S
    for module in (retention, holds):
        monkeypatch.setattr(module, "now_s", lambda: now)


def refused(call, *args, **more) -> str:
    with pytest.raises(RuleRefused) as caught:
        call(*args, **more)
    return caught.value.refusal.rule


def logged(site, act: str) -> list[dict[str, Any]]:
    with site.registry.session() as session:
        return [json.loads(entry.details)
                for entry in session.query(AuditEntry).filter_by(act=act)]  # fmt: skip


# --- who sees what ---------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["王伟", ID, " 330199 19900101 0011 ", "L000001", "k000001"])
def test_a_clerk_finds_a_person_and_sees_masked_numbers(site, open_site, stay, who) -> None:
    assert stay
    seen = people_view.show(open_site(site.path, operator="李明"), who)
    assert (seen.name, seen.number, seen.phone) == ("王伟", "330***********0011", "138****5678")
    assert (seen.origin, seen.revealed) == ("贵州毕节", False)
    assert people_view.show(site, seen.id) == seen


@pytest.mark.usefixtures("stay")
def test_an_auditor_sees_neither_name_nor_number(site, open_site) -> None:
    auditor = hire(site, open_site, "赵刚", words.AUDITOR)
    seen = people_view.show(auditor, "L000001")
    assert (seen.name, seen.number, seen.phone) == ("王*", "****", "****")


@pytest.mark.both_registries
@pytest.mark.usefixtures("stay")
def test_a_whole_number_is_seen_by_who_may_and_written_down_with_the_reason(
    site, open_site
) -> None:
    police = hire(site, open_site, "赵刚", words.POLICE)
    seen = people_view.reveal(police, "王伟", "案件2030-17", SECRETS["赵刚"])
    assert (seen.number, seen.phone, seen.revealed) == (ID, PHONE, True)
    [entry] = audit_query.search(site, Wish(act="person.view")).entries
    assert entry.details == {"person": seen.id, "reason": "案件2030-17"}
    assert ID not in json.dumps(logged(site, "person.view"))


@pytest.mark.usefixtures("stay")
def test_who_may_not_see_it_sees_nothing_and_nothing_is_written(site, open_site) -> None:
    clerk = open_site(site.path, operator="李明")
    assert refused(people_view.reveal, clerk, "王伟", "curious") == "role"
    police = hire(site, open_site, "赵刚", words.POLICE)
    assert refused(people_view.reveal, police, "王伟", "reason", "wrong words") == "secret"
    assert refused(people_view.reveal, police, "王伟", " ", SECRETS["赵刚"]) == "reason"
    assert logged(site, "person.view") == []


@pytest.mark.usefixtures("house")
def test_a_name_that_two_people_have_names_nobody(site) -> None:
    check_in.check_in(site, request(WANG))
    other = Holder("王伟", "E12345678", document=words.PASSPORT)
    check_in.check_in(site, request(other, cards=(card("0012345679"),)))
    with pytest.raises(OperatorError, match="Several people"):
        people_view.show(site, "王伟")
    assert people_view.show(site, "e12345678").number == "*******78"
    for unknown in ("", "  ", "无名", "K999999"):
        with pytest.raises(OperatorError, match="Nobody is known"):
            people_view.show(site, unknown)


# --- deletion --------------------------------------------------------------------------------


@pytest.mark.both_registries
@pytest.mark.usefixtures("a_year_later")
def test_a_year_after_the_last_stay_personal_data_is_deleted(site, house, gone) -> None:
    person_id = people_view.show(site, "王伟").id
    assert retention.erase_due(site, dry_run=True).erased == (person_id,)
    assert people_view.show(site, "王伟").erased_at_s is None
    assert retention.erase_due(site).erased == (person_id,)
    seen = people_view.show(site, gone.ref)
    shown = (seen.name, seen.number, seen.phone, seen.origin, seen.employer, seen.sex)
    assert (seen.id, shown) == (person_id, ("",) * 6)
    with site.registry.session() as session:
        row = session.get_one(Person, person_id)
        assert (row.phone_sealed, row.room) == (None, "")
        assert session.query(Lease).one().person_id == person_id, "journals still lead somewhere"
    with pytest.raises(OperatorError, match="Nobody"):
        people_view.show(site, ID)
    assert retention.erase_due(site).erased == ()
    assert logged(site, "person.erase") == [{"days": 365, "persons": [person_id]}]
    assert cards.card_status(site, "K000001").deregistered
    assert house


@pytest.mark.usefixtures("gone")
def test_not_a_day_earlier(site) -> None:
    assert retention.erase_due(site).kept == {"early": 1}
    assert retention.set_days(site, 1, dry_run=True) == 1
    assert retention.days(site) == 365
    retention.set_days(site, 30)
    assert retention.days(site) == 30
    assert logged(site, "site.retention") == [{"before": 365, "days": 30}]
    assert refused(retention.set_days, site, 0) == "days"


@pytest.mark.usefixtures("a_year_later")
def test_never_while_a_stay_lives_or_a_card_is_not_proven_dead(site, house, stay) -> None:
    assert retention.erase_due(site).kept == {"stay": 1}
    check_out.check_out(site, stay.ref)
    assert retention.erase_due(site).kept == {"unproven": 1}
    house.update()
    assert len(retention.erase_due(site).erased) == 1


@pytest.mark.both_registries
@pytest.mark.usefixtures("a_year_later", "gone")
@pytest.mark.parametrize("named", ["person", "house"])
def test_a_police_hold_blocks_deletion_until_it_is_released(site, named) -> None:
    person, house = ("王伟", "") if named == "person" else ("", "H00001")
    holds.add(site, Order("杭公〔2030〕5号", "钱塘分局", 0), person, house)
    assert retention.erase_due(site).kept == {"hold": 1}
    kept = retention.keeps(site, "王伟")
    assert kept is not None
    assert "杭公〔2030〕5号" in kept.what
    holds.release(site, "杭公〔2030〕5号")
    assert len(retention.erase_due(site).erased) == 1


@pytest.mark.usefixtures("a_year_later", "gone")
def test_an_open_case_blocks_it_too(site) -> None:
    with site.registry.writing() as session:
        lease = session.query(Lease).one()
        session.add(Case(ref="C00001", house_id=lease.house_id, person_id=lease.person_id,
                         party="tenant", party_name="", what="群租", opened_at_s=1))  # fmt: skip
    assert retention.erase_due(site).kept == {"case": 1}
    with site.registry.writing() as session:
        session.query(Case).one().closed_at_s = 2
    assert len(retention.erase_due(site).erased) == 1


@pytest.mark.both_registries
@pytest.mark.usefixtures("a_year_later")
def test_what_was_said_of_a_person_goes_with_them(site, open_site, house, stay) -> None:
    """The reason of a look, a case, the contract's number, the answer of a residence system."""
    person_id = people_view.show(site, "王伟").id
    police = hire(site, open_site, "赵刚", words.POLICE)
    people_view.reveal(police, "王伟", "王伟的妻子报案", SECRETS["赵刚"])
    ref = cases.open_case(site, "H00001", "tenant", "王伟在房内动手", stay=stay.ref).ref
    cases.close(site, ref, "王伟已调解")
    with site.registry.writing() as session:
        session.query(Lease).one().contract = "王伟-2030-7"
        for event_id in (f"{person_id}-1-aa", f"{stay.ref}-in-1-bb", "L000009-in-1-cc"):
            session.add(DeliveryReject(target="x", kind="person", event_id=event_id,
                                       reason="王伟已登记", at_s=1))  # fmt: skip
    said = [e.details["reason"] for e in audit_query.search(site, Wish(about="王伟")).entries]
    assert said == ["王伟的妻子报案", "王伟已调解"]
    check_out.check_out(site, stay.ref)
    house.update()

    assert retention.erase_due(site, dry_run=True).cases == (ref,)
    assert retention.erase_due(site).cases == (ref,)
    seen = audit_query.search(site, Wish(act="person.view")).entries
    assert [e.details for e in seen] == [{"person": person_id, "reason": ""}]
    [case] = cases.list_cases(site, closed=True)
    assert (case.who, case.what) == ("", "")
    with site.registry.session() as session:
        assert session.query(Lease).one().contract == ""
        assert session.query(LogText).count() == 0
        assert [one.reason for one in session.query(DeliveryReject).order_by("id")] == [
            "", "", "王伟已登记",
        ]  # fmt: skip
        log = " ".join(entry.details for entry in session.query(AuditEntry))
    assert "王伟" not in log
    assert audit_query.verify(site).whole


@pytest.mark.both_registries
@pytest.mark.usefixtures("house")
def test_a_case_of_nobody_here_goes_a_year_after_it_was_closed(site, monkeypatch) -> None:
    ref = cases.open_case(site, "H00001", "landlord", "陈建国擅自隔间").ref
    later = now_s() + YEAR_S
    for module in (retention, holds):
        monkeypatch.setattr(module, "now_s", lambda: later)
    assert retention.erase_due(site).cases == (), "it is open"
    with site.registry.writing() as session:
        session.query(Case).one().closed_at_s = later - 86_400
    assert retention.erase_due(site).cases == (), "it was closed a day ago"
    with site.registry.writing() as session:
        session.query(Case).one().closed_at_s = later - YEAR_S
    holds.add(site, Order("5号", "钱塘分局", 0), house="H00001")
    assert retention.erase_due(site).cases == (), "an order keeps it"
    holds.release(site, "5号")
    assert retention.erase_due(site).cases == (ref,)
    [case] = cases.list_cases(site, closed=True)
    assert (case.party, case.who, case.what) == ("landlord", "", "")
    assert logged(site, "case.erase") == [{"cases": [ref], "days": 365}]


@pytest.mark.both_registries
@pytest.mark.usefixtures("house")
def test_a_landlord_goes_a_year_after_the_house_was_closed(site, monkeypatch) -> None:
    houses.change(site, "H00001", houses.Wish(phone=PHONE, document=ID))
    ref = cases.open_case(site, "H00001", "landlord", "群租").ref
    houses.close(site, "H00001", "拆除")
    later = now_s() + YEAR_S
    for module in (retention, holds):
        monkeypatch.setattr(module, "now_s", lambda: later)
    assert retention.erase_due(site).houses == (), "a case is open"
    cases.close(site, ref, "已整改")
    assert retention.erase_due(site, dry_run=True).houses == ("H00001",)
    with site.registry.writing() as session:
        session.query(House).one().closed_at_s = later - 86_400
    assert retention.erase_due(site).houses == (), "it was closed a day ago"
    with site.registry.writing() as session:
        session.query(House).one().closed_at_s = later - YEAR_S
    holds.add(site, Order("5号", "钱塘分局", 0), house="H00001")
    assert retention.erase_due(site).houses == (), "an order keeps it"
    holds.release(site, "5号")
    assert retention.erase_due(site).houses == ("H00001",)
    seen = houses.contact(site, "H00001")
    assert (seen.landlord, seen.phone, seen.document) == ("", "", "")
    assert logged(site, "house.erase") == [{"days": 365, "houses": ["H00001"]}]


@pytest.mark.both_registries
@pytest.mark.usefixtures("stay")
def test_the_reason_of_a_look_cannot_be_changed_afterwards(site, open_site) -> None:
    police = hire(site, open_site, "赵刚", words.POLICE)
    people_view.reveal(police, "王伟", "案件17", SECRETS["赵刚"])
    with site.registry.writing() as session:
        row = session.query(LogText).one()
        row.text_sealed = site.vault.seal("log_texts", row.id, "text", b"0" * 16 + b"other")
    [entry] = audit_query.search(site, Wish(act="person.view")).entries
    assert entry.details["reason"] == ""
    verdict = audit_query.verify(site)
    assert (verdict.whole, verdict.texts_gone) == (False, (entry.id,))
    with site.registry.writing() as session:  # nor spoilt
        session.query(LogText).one().text_sealed = b"0" * 60
    assert audit_query.verify(site).texts_gone == (entry.id,)
    [entry] = audit_query.search(site, Wish(act="person.view")).entries
    assert entry.details["reason"] == ""


@pytest.mark.both_registries
@pytest.mark.usefixtures("stay")
def test_the_reason_of_a_look_cannot_vanish(site, open_site) -> None:
    police = hire(site, open_site, "赵刚", words.POLICE)
    people_view.reveal(police, "王伟", "案件17", SECRETS["赵刚"])
    assert audit_query.verify(site).whole
    raw(site, "DELETE FROM log_texts")
    [entry] = audit_query.search(site, Wish(act="person.view")).entries
    verdict = audit_query.verify(site)
    assert (verdict.whole, verdict.first_broken, verdict.texts_gone) == (False, None, (entry.id,))


@pytest.mark.usefixtures("a_year_later", "gone")
def test_only_those_whose_time_is_over(site, house) -> None:
    check_in.check_in(site, request(LI, cards=(card("0012345679"),)))
    done = retention.erase_due(site)
    assert (len(done.erased), done.kept) == (1, {"stay": 1})
    assert people_view.show(site, "李娜").erased_at_s is None
    assert house


def test_a_clerk_deletes_nothing(site, open_site) -> None:
    clerk = open_site(site.path, operator="李明")
    assert refused(retention.erase_due, clerk) == "role"
    assert refused(retention.set_days, clerk, 30) == "role"


# --- orders of the police --------------------------------------------------------------------


@pytest.mark.usefixtures("stay")
def test_an_order_is_written_down_once_and_released_by_who_may(site, open_site) -> None:
    supervisor = hire(site, open_site, "陈静", words.SUPERVISOR)
    order = Order(" 5号 ", "钱塘分局", now_s())
    operators.require(supervisor, "hold", SECRETS["陈静"])
    made = holds.add(supervisor, order, person="王伟")
    assert (made.number, made.stands) == ("5号", True)
    assert refused(holds.add, supervisor, order, person="王伟") == "twice"
    holds.add(supervisor, order, house="H00001")
    assert refused(holds.release, supervisor, "5号") == "role"
    assert len(holds.release(site, "5号")) == 2
    assert holds.list_holds(site) == []
    assert len(holds.list_holds(site, every=True)) == 2
    with pytest.raises(OperatorError, match="No order"):
        holds.release(site, "5号")
    with pytest.raises(OperatorError, match="one person or one house"):
        holds.add(site, order)


def test_a_clerk_gives_no_order(site, open_site) -> None:
    clerk = open_site(site.path, operator="李明")
    assert refused(holds.add, clerk, Order("5", "x", 0), person="王伟") == "role"


# --- who looked at what ----------------------------------------------------------------------


@pytest.mark.both_registries
@pytest.mark.usefixtures("stay")
def test_the_log_tells_who_looked_at_whom(site, open_site) -> None:
    police = hire(site, open_site, "赵刚", words.POLICE)
    check_in.check_in(site, request(LI, cards=(card("0012345679"),)))
    people_view.reveal(police, "王伟", "案件17", SECRETS["赵刚"])
    people_view.reveal(police, "李娜", "案件18")
    [entry] = audit_query.search(site, Wish(act="person.view", person="王伟")).entries
    assert (entry.operator, entry.details["reason"]) == ("赵刚", "案件17")
    both = audit_query.search(site, Wish(act="person.", operator="赵刚"))
    assert (both.total, len(both.entries)) == (2, 2)
    newest = audit_query.search(site, Wish(act="person.", limit=1))
    assert (newest.total, [e.details["reason"] for e in newest.entries]) == (2, ["案件18"])
    assert audit_query.search(site, Wish(about="L000001")).total == 1
    assert audit_query.search(site, Wish(about="l000001")).total == 1, "on either registry"
    assert audit_query.search(site, Wish(act="Person.")).total == 2
    assert audit_query.search(site, Wish(about="%")).total == 0, "no pattern, but text"
    assert audit_query.search(site, Wish(since_s=now_s() + 10)).total == 0
    assert audit_query.search(site, Wish(until_s=now_s() + 10)).total > 5
    assert refused(audit_query.search, open_site(site.path, operator="李明"), Wish()) == "role"


@pytest.mark.both_registries
def test_a_log_that_was_changed_is_not_whole(site) -> None:
    assert audit_query.verify(site).whole
    raw(site, "DROP TRIGGER audit_no_update", "UPDATE audit SET operator = '别人' WHERE id = 1")
    verdict = audit_query.verify(site)
    assert (verdict.whole, verdict.first_broken) == (False, 1)


def test_an_act_that_the_log_does_not_have_is_answered_by_those_it_has(site) -> None:
    found = audit_query.search(site, Wish(act="person.look"))
    assert (found.total, "site.init" in found.acts) == (0, True)
    assert audit_query.search(site, Wish(act="site.init")).acts == ()
