"""The desk as a whole: who may do what, who comes back, what its own folder can do (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from controller_tool import clock
from controller_tool.registry.houses import House
from controller_tool.registry.models import Operator, Person
from controller_tool.registry.stays import Duty, Hold, Lease, PairAct
from controller_tool.rules import duty, words
from controller_tool.rules.holds import Order
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import acceptance, cards, export, people
from controller_tool.services.city import delivery, doc_no
from controller_tool.services.desk import (
    cases,
    check_in,
    check_out,
    clips,
    duty_sheets,
    holds,
    house_view,
    houses,
    inspections,
    operator_secret,
    operators,
    people_view,
    residents,
    retention,
)
from controller_tool.services.desk.inspections import Written
from tests.unit.house_support import add_areas, add_house
from tests.unit.operator_support import hire
from tests.unit.test_privacy import YEAR_S
from tests.unit.test_stays import DAY, LI, WANG, card, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller_tool.services.site import Site
    from tests.unit.registry_support import Board

TRAVELLER = people.Holder("Ana Silva", "E12345678", document=words.PASSPORT)
POLICE_CASE = "杭公新〔2030〕17号"


@pytest.fixture
def desk(site: Site, board: Board, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A house with a door, an inspection and a case; scrypt costs nothing."""
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)
    assert board.device.points == 1
    add_areas(site)
    add_house(site, surveyed_at_s=1)
    inspections.inspect(site, "H00001", Written(words.ADMISSION, passed=True))
    cases.open_case(site, "H00001", "landlord", "群租")
    return site


# --- who may ---------------------------------------------------------------------------------

Act = tuple[str, "Callable[[Site, Path], object]"]
ACTS: dict[str, Act] = {
    "admit": (duty.ADMIT, lambda s, _: houses.admit(s, "H00001", dry_run=True)),
    "classify": (duty.CLASSIFY, lambda s, _: houses.classify(s, "H00001", words.STRICT, "整改")),
    "suspend": (duty.CLOSE_HOUSE, lambda s, _: houses.suspend(s, "H00001", "不再出租")),
    "close": (duty.CLOSE_HOUSE, lambda s, _: houses.close(s, "H00001", "不再出租")),
    "contact": (duty.SEE_DOCUMENTS, lambda s, _: houses.contact(s, "H00001")),
    "sanction": (duty.SANCTION, lambda s, _: cases.sanction(s, "C00001", words.FINE, "1号")),
    "case close": (duty.SANCTION, lambda s, _: cases.close(s, "C00001", "无违法事实")),
    "hold": (duty.HOLD, lambda s, _: holds.add(s, Order("5号", "分局", 0), house="H00001")),
    "retention": (duty.RETENTION, lambda s, _: retention.erase_due(s)),
    "operators": (duty.OPERATORS, lambda s, _: operators.add(s, "周强", words.CLERK)),
    "city count": (duty.EXPORT, lambda s, _: delivery.count(s, "folder")),
    "city": (duty.EXPORT, lambda s, to: delivery.to_folder(s, to / "city")),
    "recipient": (duty.EXPORT, lambda s, _: doc_no.choose(s, None)),
    "residents": (duty.EXPORT, lambda s, to: residents.export(s, "hotel", to / "r.csv")),
    "clips": (duty.EXPORT, lambda s, to: clips.export(s, clips.Wish(), to / "c.csv")),
    "duties": (duty.EXPORT, lambda s, to: duty_sheets.export(s, to / "d")),
    "acceptance": (duty.EXPORT, lambda s, to: acceptance.make(s, to / "a.zip")),
    "folders": (duty.FOLDERS, lambda s, to: export.export(s, "desk", to / "f", "another one")),
}  # fmt: skip


@pytest.mark.parametrize("named", ACTS)
def test_a_clerk_is_refused_with_a_way_out_and_a_head_is_not(
    desk, open_site, tmp_path, named
) -> None:
    act, call = ACTS[named]
    if named == "admit":
        houses.suspend(desk, "H00001", "整改")
    with pytest.raises(RuleRefused) as refused:
        call(open_site(desk.path, operator="李明"), tmp_path)
    refusal = refused.value.refusal
    assert (refusal.rule, "李明" in refusal.what, act in refusal.what) == ("role", True, True)
    assert "head" in refusal.way_out
    call(desk, tmp_path)


def test_an_auditor_changes_nothing_at_the_desk(desk, open_site) -> None:
    auditor = hire(desk, open_site, "赵刚", words.AUDITOR)
    for call in (
        lambda: check_in.check_in(auditor, request()),
        lambda: check_out.check_out(auditor, "L000001"),
        lambda: inspections.inspect(auditor, "H00001", Written(words.PERIODIC, passed=True)),
    ):
        with pytest.raises(RuleRefused) as refused:
            call()
        assert refused.value.refusal.rule == "role"


# --- a stricter class ------------------------------------------------------------------------


@pytest.mark.both_registries
def test_a_stricter_class_moves_the_end_of_the_card_and_a_dry_run_says_so(desk, board) -> None:
    begin = clock.now_s() // 60 + DAY  # tomorrow: the new end does not hang on this minute
    stay = check_in.check_in(desk, request(from_min=begin, days=200))
    board.update()
    tried = houses.classify(desk, "H00001", words.STRICT, "屡次整改", dry_run=True)
    assert tried.shortened == (stay.ref,)
    assert cards.card_status(desk, "0012345678").until_min == stay.until_min
    done = houses.classify(desk, "H00001", words.STRICT, "屡次整改")
    assert done.shortened == (stay.ref,)
    now = cards.card_status(desk, "0012345678")
    assert (now.until_min, now.state) == (begin + 30 * DAY, "issued")
    assert cards.card_status(desk, "K000001").state == "replaced"
    board.update()
    assert cards.card_status(desk, "K000001").deregistered, "the longer card is proven dead"


# --- who comes back --------------------------------------------------------------------------


@pytest.mark.both_registries
@pytest.mark.parametrize("holder", [WANG, TRAVELLER], ids=["id card", "passport"])
def test_who_comes_back_after_deletion_is_somebody_new(desk, board, monkeypatch, holder) -> None:
    first = check_in.check_in(desk, request(holder))
    board.update()
    check_out.check_out(desk, first.ref)
    board.update()
    now = clock.now_s() + YEAR_S
    with monkeypatch.context() as later:
        for module in (retention, holds):
            later.setattr(module, "now_s", lambda: now)
        assert retention.erase_due(desk).erased == (first.person_id,)
    with desk.registry.session() as session:
        assert people.known(desk, session, holder) is None
    again = check_in.check_in(desk, request(holder))
    assert again.person_id != first.person_id
    assert people_view.show(desk, holder.id_number).id == again.person_id
    assert people_view.show(desk, first.ref).name == "", "what was deleted stays deleted"
    assert retention.erase_due(desk).erased == (), "the new stay keeps the new data alone"


# --- a desk's own folder ---------------------------------------------------------------------


def test_a_desks_folder_checks_people_in_and_knows_who_is_there(desk, open_site, tmp_path) -> None:
    stay = check_in.check_in(desk, request(TRAVELLER))
    holds.add(desk, Order(POLICE_CASE, "钱塘分局", 0), person=stay.ref)
    export.export(desk, "desk", tmp_path / "desk", "another one")
    there = open_site(tmp_path / "desk", "another one", "李明")
    with pytest.raises(RuleRefused) as refused:
        check_in.check_in(there, request(TRAVELLER, cards=(card("0012345679"),)))
    assert refused.value.refusal.rule == "duplicate", "found again by the passport"
    new = check_in.check_in(there, request(LI, cards=(card("0012345679"),)))
    assert (new.ref, [one.devices for one in new.cards]) == ("L000002", [("door-1",)])
    assert len(house_view.show(there, "H00001").staying) == 2
    assert check_out.check_out(there, stay.ref).pending == (), "no list was ever sent"
    assert [one.number for one in holds.list_holds(there)] == [POLICE_CASE]
    with there.registry.session() as session:
        roles = {one.name: one.role for one in session.scalars(select(Operator))}
    assert roles == {"王芳": words.HEAD, "李明": words.CLERK}
    with pytest.raises(RuleRefused):
        houses.classify(there, "H00001", words.STRICT, "屡次整改")


@pytest.mark.parametrize("role", ["hub", "auditor", "installer", "technician"])
def test_other_folders_hold_nobody(desk, open_site, tmp_path, role) -> None:
    stay = check_in.check_in(desk, request())
    holds.add(desk, Order(POLICE_CASE, "钱塘分局", 0), person=stay.ref)
    export.export(desk, role, tmp_path / role, "another one")
    there = open_site(tmp_path / role, "another one")
    with there.registry.session() as session:
        for table in (Person, Lease, Hold, PairAct, Duty, Operator):
            assert session.scalar(select(table)) is None, table
        assert (session.scalar(select(House)) is not None) == (role == "hub")
