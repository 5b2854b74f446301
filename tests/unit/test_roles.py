"""Who looks, and who keeps order, changes nothing of what the desk writes down (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller_tool.clock import now_s
from controller_tool.registry.models import Card
from controller_tool.registry.records import AuditEntry
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import (
    card_change,
    card_grants,
    cards,
    holidays,
    ocpp_cards,
    profiles,
    roster,
    schedules,
    site_policy,
)
from controller_tool.services.desk import (
    areas,
    cases,
    check_in,
    house_import,
    house_points,
    house_view,
    houses,
    operator_secret,
    slip,
    verify,
)
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.operator_support import hire
from tests.unit.test_stays import card, request

if TYPE_CHECKING:
    from controller_tool.services.site import Site

DAY = 1440
HOUSE = houses.NewHouse("A-9", "新湾街9号", GRID, words.RURAL, 3, 3)


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch) -> None:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)


@pytest.fixture
def stay(site, board) -> str:
    assert board
    add_areas(site)
    add_house(site)
    return check_in.check_in(site, request()).ref


def terms(flags: int = 0) -> cards.Terms:
    now_min = now_s() // 60
    return cards.Terms(now_min, now_min + 5 * DAY, ("door-1",), flags)


ACTS = {
    "card": lambda site, _: cards.issue(site, card("0012345679"), terms(), None),
    "master": lambda site, _: cards.issue(site, card("0012345679"), terms(FLAG_MASTER), None),
    "emergency": lambda site, _: cards.issue(site, card("0012345679"), terms(FLAG_EMERGENCY), None),
    "collect": lambda site, _: cards.collect(site, "K000001"),
    "lost": lambda site, _: cards.lost(site, "K000001"),
    "grant": lambda site, _: card_grants.grant_all(site, "door-1"),
    "terms": lambda site, _: card_change.change(
        site, "K000001", card_change.Wish(until_min=now_s() // 60 + DAY)),
    "roster": roster.import_roster,
    "charge cards": ocpp_cards.import_list,
    "area": lambda site, _: areas.add(site, "330115", words.DISTRICT, "余杭区"),
    "people counted": lambda site, _: areas.survey(site, "330114", 1, 1),
    "house": lambda site, _: houses.add(site, HOUSE),
    "landlord": lambda site, _: houses.change(site, "H00001", houses.Wish(landlord="赵六")),
    "room": lambda site, _: houses.add_rooms(site, "H00001", ["103"], 2),
    "houses": house_import.import_houses,
    "door": lambda site, _: house_points.add(site, "H00001", house_points.NewPoint("door-1")),
    "no door": lambda site, _: house_points.remove(site, "H00001", "door-1"),
    "profile": lambda site, _: profiles.add(site, "夜班", profiles.Wish()),
    "schedule": lambda site, _: schedules.add(site, "白天", ["Mon-Fri 08:00-20:00"]),
    "holidays": lambda site, _: holidays.remove(site, (), past=True),
    "policy": lambda site, _: site_policy.change(site, site_policy.STRICT),
}  # fmt: skip


def refused(act, site: Site, path) -> str | None:
    try:
        act(site, path)
    except RuleRefused as error:
        return error.refusal.rule
    return None


@pytest.mark.usefixtures("stay")
@pytest.mark.parametrize("role", [words.AUDITOR, words.POLICE])
def test_auditors_and_the_police_write_nothing_of_the_desk(site, open_site, tmp_path, role) -> None:
    """Issuing a master card above all: what an auditor proves must not be what they did."""
    outsider = hire(site, open_site, "赵刚", role)
    with site.registry.session() as session:
        before = session.query(AuditEntry).count()
    path = tmp_path / "roster.csv"
    path.write_text("姓名\n", encoding="utf-8")
    done = {name for name, act in ACTS.items() if refused(act, outsider, path) != "role"}
    assert not done
    with site.registry.session() as session:
        assert (session.query(AuditEntry).count(), session.query(Card).count()) == (before, 1)


@pytest.mark.usefixtures("board")
def test_a_clerk_does_the_work_of_the_desk(site, open_site) -> None:
    add_areas(site)
    add_house(site, doors=())
    clerk = open_site(site.path, operator="李明")
    house_points.add(clerk, "H00001", house_points.NewPoint("door-1"))
    assert cards.issue(clerk, card(), terms(), None).state == "issued"
    assert cards.collect(clerk, "K000001").state == "collected"
    assert refused(ACTS["emergency"], clerk, None) == "role"  # no rule of houses stops that card


def test_an_auditor_compares_nobody_and_opens_no_case(site, open_site, stay) -> None:
    auditor = hire(site, open_site, "赵刚", words.AUDITOR)
    with pytest.raises(RuleRefused):
        verify.verify(auditor, stay, right=True)
    with pytest.raises(RuleRefused):
        cases.open_case(auditor, "H00001", "landlord", "群租")


def test_an_auditor_sees_the_first_character_of_every_name(site, open_site, stay) -> None:
    """In lists of cards, of cases, and of who stays in a house, as in `person show`."""
    auditor = hire(site, open_site, "赵刚", words.AUDITOR)
    cases.open_case(site, "H00001", "tenant", "群租", stay=stay)
    cases.open_case(site, "H00001", "landlord", "群租")
    house = house_view.show(auditor, "H00001")
    seen = (
        [one.holder for one in cards.list_cards(auditor)],
        [one.who for one in cases.list_cases(auditor)],
        [one.name for one in house.staying],
        house.landlord,
    )
    assert slip.of_stay(auditor, stay).rows[1][1] == "王*"
    assert seen == (["王*"], ["王*", "陈**"], ["王*"], "陈**")
    assert house_view.show(site, "H00001").landlord == "陈建国"
    assert cards.list_cards(site)[0].holder == "王伟"
