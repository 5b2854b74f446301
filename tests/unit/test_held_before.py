"""What stood in an entry that an order of the police keeps stays to be read (host)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from controller_tool import clock
from controller_tool.registry.models import Person
from controller_tool.registry.records import LogText
from controller_tool.rules import words
from controller_tool.rules.holds import Order
from controller_tool.services import audit_query
from controller_tool.services.desk import (
    check_in,
    check_out,
    held_before,
    holds,
    houses,
    operator_secret,
    people_view,
    retention,
    tenant_import,
)
from tests.unit import roster_support
from tests.unit.operator_support import hire, prove
from tests.unit.test_roles import stay
from tests.unit.test_stays import WANG, request

__all__ = ["stay"]  # a fixture
OLD = replace(WANG, phone="13800000001", employer="甲厂", origin="河南")
NEW = replace(WANG, phone="13900000009", employer="乙厂", origin="河南")
WAS = {"phone": "13800000001", "employer": "甲厂"}


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch) -> None:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)


def order(site, person: str = "", house: str = "") -> None:
    holds.add(site, Order("杭公〔2030〕5号", "钱塘分局", clock.now_s() - 1, None), person, house)


def kept(site, act: str = held_before.PERSON) -> list[dict[str, str]]:
    """What the log opens for whoever works with the site."""
    found = audit_query.search(site, audit_query.Wish(act=act)).entries
    return [json.loads(e.details["reason"]) if e.details["reason"] else {} for e in found]


@pytest.fixture
def known(site, stay) -> str:
    """Somebody with a phone and an employer, who has left; the stay."""
    check_out.check_out(site, stay)
    again = check_in.check_in(site, request(OLD, cards=()))
    check_out.check_out(site, again.ref)
    return again.ref


@pytest.mark.both_registries
@pytest.mark.parametrize("whom", ["person", "house"])
def test_a_check_in_goes_on_and_keeps_what_an_order_keeps(site, known, whom) -> None:
    order(site, **{whom: known if whom == "person" else "H00001"})
    check_in.check_in(site, request(NEW, cards=()))
    assert people_view.reveal(site, known, "核查").phone == NEW.phone, "the desk's work goes on"
    assert kept(site) == [WAS]
    with site.registry.session() as session:
        [entry] = audit_query.search(site, audit_query.Wish(act=held_before.PERSON)).entries
        assert entry.details["person"] == session.query(Person).one().id
        assert "13800000001" not in repr([row.text_sealed for row in session.query(LogText)])


def test_without_an_order_nothing_is_kept(site, known) -> None:
    assert known
    check_in.check_in(site, request(NEW, cards=()))
    assert kept(site) == []
    with site.registry.session() as session:
        assert session.query(LogText).count() == 0


def test_what_is_the_same_is_not_kept(site, known) -> None:
    order(site, person=known)
    check_in.check_in(site, request(OLD, cards=()))
    assert kept(site) == []


def test_a_roster_keeps_it_too(site, stay, tmp_path) -> None:
    assert stay
    path = tmp_path / "roster.csv"

    def take(phone: str) -> None:
        header = ("姓名", "身份证号", "房间", "卡号", "入住日期", "到期日期", "电话")
        path.write_bytes(
            roster_support.csv_bytes([*roster_support.person(1), phone], header=header)
        )
        tenant_import.import_tenants(site, path, tenant_import.Wish(house="H00001"))

    take("13800000001")
    order(site, person=roster_support.person(1)[1])
    take("13900000009")
    assert kept(site) == [{"phone": "13800000001"}]


@pytest.mark.both_registries
def test_a_landlord_of_a_held_house_is_kept(site, stay) -> None:
    assert stay
    houses.change(site, "H00001", houses.Wish("新街1号", landlord="赵六", phone="13800000001"))
    order(site, house="H00001")
    houses.change(site, "H00001", houses.Wish(landlord="别人", phone="", document="E12345678"))
    houses.change(site, "H00001", houses.Wish(mark="新"))
    assert houses.contact(site, "H00001").landlord == "别人"
    assert kept(site, held_before.HOUSE) == [
        {"landlord": "赵六", "phone": "13800000001", "document": ""}
    ]


def test_an_address_of_a_held_house_asks_for_no_passphrase(site, open_site, stay) -> None:
    assert stay
    houses.change(site, "H00001", houses.Wish(phone="13800000001"))
    order(site, house="H00001")
    locked = open_site(site.path)
    houses.change(locked, "H00001", houses.Wish("新街2号"))  # the guard of conftest.py looks


def test_a_look_at_what_was_kept_is_written_down_before_it_is_shown(site, known) -> None:
    order(site, person=known)
    check_in.check_in(site, request(NEW, cards=()))
    seen = audit_query.Wish(act="audit.held_seen")
    assert audit_query.search(site, seen).entries == ()
    [entry] = audit_query.search(site, audit_query.Wish(act=held_before.PERSON)).entries
    [look] = audit_query.search(site, seen).entries
    assert look.details == {"entries": [entry.id]}


def test_the_log_opens_it_to_those_who_see_whole_numbers(site, open_site, known) -> None:
    order(site, person=known)
    check_in.check_in(site, request(NEW, cards=()))
    auditor = prove(hire(site, open_site, "赵刚", words.AUDITOR))
    assert kept(auditor) == [{}]
    about = audit_query.Wish(about="13800000001")
    assert audit_query.search(auditor, about).entries == ()
    supervisor = prove(hire(site, open_site, "陈静", words.SUPERVISOR))
    assert kept(supervisor) == [WAS]
    assert audit_query.search(supervisor, about).entries


def test_it_goes_with_the_person_once_no_order_stands(site, known, monkeypatch) -> None:
    order(site, person=known)
    back = check_in.check_in(site, request(NEW, cards=()))
    check_out.check_out(site, back.ref)
    later = clock.now_s() + 400 * 86_400
    monkeypatch.setattr(retention, "now_s", lambda: later)
    assert retention.erase_due(site).erased == ()
    assert kept(site) == [WAS]
    holds.release(site, "杭公〔2030〕5号")
    assert len(retention.erase_due(site).erased) == 1
    assert kept(site) == [{}]
    assert audit_query.verify(site).whole


def test_it_goes_with_the_landlord(site, stay, monkeypatch) -> None:
    check_out.check_out(site, stay)
    houses.change(site, "H00001", houses.Wish(landlord="赵六"))
    order(site, house="H00001")
    houses.change(site, "H00001", houses.Wish(landlord=""))
    houses.close(site, "H00001", "拆除")
    later = clock.now_s() + 400 * 86_400
    monkeypatch.setattr(retention, "now_s", lambda: later)
    assert retention.erase_due(site).houses == ()
    holds.release(site, "杭公〔2030〕5号")
    assert retention.erase_due(site).houses == ("H00001",)
    assert kept(site, held_before.HOUSE) == [{}]
    assert retention.erase_due(site).houses == (), "and once"
    assert audit_query.verify(site).whole, "what the rules deleted is not missed"
