"""Rosters of people: all or none, every fault by row and column, as often as they come (host)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from controller_tool.cli import run
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import Room
from controller_tool.registry.models import Card, Grant, Person
from controller_tool.registry.stays import Lease, RosterImport
from controller_tool.rules import words
from controller_tool.services import card_change, cards, roster
from controller_tool.services.desk import check_in, roster_template, tenant_import
from controller_tool.services.desk.tenant_import import Wish
from tests.unit.house_support import add_areas, add_house
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.roster_support import HEADER, LAST, csv_bytes, person, xlsx_bytes

if TYPE_CHECKING:
    from controller_tool.registry.houses import House

AFTER = (LAST + timedelta(days=2)).isoformat()
DAY_LATER = (LAST + timedelta(days=1)).isoformat()


@pytest.fixture
def house(site) -> House:
    Board(site, "door-1")
    add_areas(site)
    return add_house(site, rooms={"101": 2, "102": 2, "103": 4})


@pytest.fixture
def take(site, house, tmp_path):
    """Imports these rows into the house."""
    assert house.ref == "H00001"

    def do(*rows, dry_run: bool = False, header=HEADER, **wish) -> tenant_import.Imported:
        path = tmp_path / "roster.xlsx"
        path.write_bytes(xlsx_bytes(*rows, header=header))
        wish.setdefault("house", "H00001")
        return tenant_import.import_tenants(site, path, Wish(**wish), dry_run)

    return do


def contents(site) -> list[tuple[object, ...]]:
    """Every row of every table that an import may change."""
    with site.registry.session() as session:
        return [
            tuple(row)
            for table in (Person, Lease, Card, Grant)
            for row in session.execute(
                select(table.__table__).order_by(*table.__table__.primary_key)
            )
        ]


def stays(site, room: str | None = None) -> dict[str, tuple[str, str | None]]:
    """Name: room and reason of the end, of each person's newest stay."""
    query = (
        select(Person.name, Room.number, Lease.end_reason)
        .join(Lease, Lease.person_id == Person.id)
        .join(Room, Room.id == Lease.room_id)
    )
    with site.registry.session() as session:
        found = session.execute(query.order_by(Lease.ref))
        return {name: (number, end) for name, number, end in found if room in (None, number)}


def counts(done: tenant_import.Imported) -> dict[str, int]:
    return {word: count for word, count in done.counts.items() if count}


def refused(take, *rows, **more) -> list[tuple[int, str, str]]:
    with pytest.raises(roster.RosterRefused) as found:
        take(*rows, **more)
    return [(one.row, one.field, one.what) for one in found.value.faults]


def test_people_get_stays_and_cards_as_by_check_in(site, take) -> None:
    done = take(person(1), person(2, "102"))
    assert (counts(done), done.devices) == ({"new": 2}, ("door-1",))
    with site.registry.session() as session:
        [first, _] = session.scalars(select(Lease).order_by(Lease.ref))
        seen = check_in.view(site, session, first)
        [kept] = session.scalars(select(RosterImport))
    assert (seen.ref, seen.room, seen.kind, first.roster) == ("L000001", "101", "worker", "H00001")
    assert [card.devices for card in seen.cards] == [("door-1",)]
    assert (kept.source, kept.rows) == ("H00001", 2)


def test_the_same_roster_again_changes_nothing(site, take) -> None:
    rows = [[*person(1), "13800000001"], [*person(2), ""]]
    header = (*HEADER, "手机号")
    take(*rows, header=header)
    before = contents(site)
    assert counts(take(*rows, header=header)) == {"unchanged": 2}
    assert contents(site) == before


def test_a_card_that_was_made_to_end_sooner_still_does(site, take) -> None:
    take(person(1))
    was = cards.card_status(site, "K000001").until_min
    card_change.change(site, "K000001", card_change.Wish(until_min=was - 1440))
    take(person(1, 到期日期=DAY_LATER))
    assert cards.card_status(site, "K000003").until_min == was - 1440


def test_a_dry_run_says_all_and_changes_nothing(site, take) -> None:
    before = contents(site)
    done = take(person(1), dry_run=True)
    assert [(one.row, one.what, one.stay) for one in done.changes] == [(2, ("new",), "L000001")]
    assert contents(site) == before


def test_a_later_end_extends_stay_and_card(site, take) -> None:
    take(person(1))
    assert counts(take(person(1, 到期日期=DAY_LATER))) == {"extended": 1}
    with site.registry.session() as session:
        old, new = session.scalars(select(Card).order_by(Card.ref))
        [lease] = session.scalars(select(Lease))
    assert (old.state, new.state, new.until_min) == ("replaced", "issued", lease.until_min)


def test_an_earlier_end_is_a_check_out_and_refused(take) -> None:
    take(person(1, 到期日期=DAY_LATER))
    [(row, column, what)] = refused(take, person(1))
    assert (row, column) == (2, "到期日期")
    assert what.startswith("the stay lasts until")


def test_another_room_moves_the_stay_with_its_card(site, take) -> None:
    take(person(1))
    assert counts(take(person(1, "102"))) == {"moved": 1}
    assert stays(site) == {"工人乙": ("102", None)}
    assert stays(site, "101") == {"工人乙": ("101", "moved")}


def test_another_card_ends_the_former_one(site, take) -> None:
    take(person(1))
    assert counts(take(person(1, 卡号="0099999999"))) == {"card": 1}
    with site.registry.session() as session:
        states = [card.state for card in session.scalars(select(Card).order_by(Card.ref))]
    assert states == ["replaced", "issued"]


def test_two_full_rooms_and_two_cards_are_swapped_in_one_go(site, take) -> None:
    take(*(person(n, room) for n, room in enumerate(["101", "101", "102", "102"])))
    swapped = [person(0, "102", 卡号="0012345002"), person(1), person(2, "101", 卡号="0012345000"),
               person(3, "102")]  # fmt: skip
    assert counts(take(*swapped)) == {"moved": 2, "card": 2, "unchanged": 2}
    assert stays(site) == {"工人甲": ("102", None), "工人乙": ("101", None),
                           "工人丙": ("101", None), "工人丁": ("102", None)}  # fmt: skip


def test_who_is_not_on_it_any_more_is_listed_and_ends_only_on_demand(site, take) -> None:
    take(person(1), person(2))
    done = take(person(1))
    assert [(one.name, one.what, one.stay) for one in done.leavers] == [
        ("工人丙", ("leaving",), "L000002")
    ]
    assert stays(site)["工人丙"] == ("101", None)
    assert take(person(1), leavers=words.KEEP).leavers == ()
    done = take(person(1), leavers=words.END)
    assert [one.what for one in done.leavers] == [("checked_out",)]
    assert done.devices == ("door-1",)  # holds the card of who has gone, until a push
    assert stays(site)["工人丙"] == ("101", "not_on_roster")


def test_a_leaver_leaves_bed_and_card_to_who_comes(site, take) -> None:
    take(person(1), person(2))
    newcomer = person(3, 卡号="0012345002")
    assert [column for _, column, _ in refused(take, person(1), newcomer)] == ["房间", "卡号"]
    take(person(1), newcomer, leavers=words.END)
    assert stays(site)["工人丁"] == ("101", None)


def test_another_source_has_leavers_of_its_own(take) -> None:
    take(person(1), source="甲厂")
    assert take(person(2), source="乙厂").leavers == ()


def test_every_rule_that_refuses_a_row_is_told_with_every_row(take) -> None:
    far = (LAST + timedelta(days=900)).isoformat()
    rows = [person(1), person(2), person(3, 到期日期=far), person(4, "999"), person(5, "102")]
    assert [(row, column) for row, column, _ in refused(take, *rows)] == [
        (4, "房间"), (4, "到期日期"), (5, "房间"),
    ]  # fmt: skip


def test_a_card_of_somebody_else_and_another_name_are_refused(take) -> None:
    take(person(1))
    rows = [person(2, 卡号="0012345001"), person(1, 姓名="别人")]
    assert refused(take, *rows) == [
        (2, "卡号", "this card is issued to somebody else (工人乙 H00001 101 K000001)"),
        (3, "姓名", "this ID number belongs to somebody of another name"),
        (3, "卡号", "the same as in row 2"),
    ]


def test_a_lost_card_is_a_fault_of_its_row(site, take) -> None:
    take(person(1))
    cards.lost(site, "0012345001")
    what = ("this card is lost (工人乙 H00001 101 K000001); it goes to nobody before: card found"
            " K000001")  # fmt: skip
    assert refused(take, person(1), person(2, 卡号="0012345001"))[-1] == (3, "卡号", what)
    assert refused(take, person(1))[0] == (2, "卡号", what), "nor to whom it was of"


def test_a_card_that_the_person_has_without_a_stay_goes_on_with_it(site, take, tmp_path) -> None:
    path = tmp_path / "cards.csv"
    path.write_bytes(csv_bytes(person(1)))
    roster.import_roster(site, path)
    assert counts(take(person(1))) == {"new": 1}
    with site.registry.session() as session:
        issued = [
            (c.state, c.lease_id is None) for c in session.scalars(select(Card).order_by(Card.ref))
        ]
    assert issued == [("replaced", True), ("issued", False)]


def test_a_house_that_is_not_admitted_takes_nobody(site, take) -> None:
    add_house(site, "H00002", state=words.KNOWN, doors=())
    with pytest.raises(OperatorError, match="H00002 is not admitted"):
        take(person(1), house="H00002")


def test_rows_may_name_their_houses(site, take) -> None:
    add_house(site, "H00002")
    header = (*HEADER, "地址编码")
    rows = [[*person(1), "A-H00001"], [*person(2), "h00002"], [*person(3), "H9"]]
    wrong = refused(take, *rows, header=header, house=None, source="甲厂")
    assert wrong == [(4, "地址编码", "There is no house H9")]
    done = take(*rows[:2], header=header, house=None, source="甲厂")
    assert [one.house for one in done.changes] == ["H00001", "H00002"]


def test_a_roster_without_cards_registers_people(site, take) -> None:
    rows = [[cell for place, cell in enumerate(person(1)) if place not in {3, 4}]]
    header = tuple(name for name in HEADER if name not in {"卡号", "入住日期"})
    take(*rows, header=header)
    before = contents(site)
    assert counts(take(*rows, header=header)) == {"unchanged": 1}
    assert contents(site) == before


def test_a_dry_run_of_faults_shows_them_and_the_good_rows(site, take) -> None:
    done = take(person(1), person(2, 姓名=""), dry_run=True)
    assert (counts(done), [one.row for one in done.faults]) == ({"new": 1, "refused": 1}, [3])
    assert contents(site) == []


GOOD = [person(n, room) for n, room in enumerate(["101", "101", "102", "103", "103"])]
BAD = {
    "姓名": ["", "王" * 65, "#N/A", "a\x7fb"],
    "身份证号": ["", "330199", 330199199001010011, "3.3E+17", GOOD[0][1][:-2] + "00"],
    "房间": ["", "999", "1" * 40, "=1+1"],
    "卡号": ["12", "99999999999", "卡", 10**16],
    "入住日期": [
        "昨天",
        "1/2/2026",
        "2019-01-01",
        "2026-02-30",
        (LAST + timedelta(days=2)).isoformat(),
    ],
    "到期日期": ["", "长期", "31/12/2030", "2052-01-01", "2020-01-02", "2049-01-01"],
}
BLAMED = {"入住日期": {"入住日期", "到期日期"}}  # an end before a begin is said of the end


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, len(GOOD) - 1), st.sampled_from(HEADER), st.data())
def test_one_spoiled_cell_is_refused_by_its_row_and_column(site, take, place, column, data) -> None:
    before = contents(site)
    rows = [list(row) for row in GOOD]
    rows[place][HEADER.index(column)] = data.draw(st.sampled_from(BAD[column]))
    named = {(row, field) for row, field, _ in refused(take, *rows)}
    allowed = {(place + 2, one) for one in BLAMED.get(column, {column})}
    assert named
    assert named <= allowed
    assert contents(site) == before


def test_who_has_no_card_yet_and_whose_first_day_nobody_knows_are_on_one_roster_with_others(
    site, take
) -> None:
    done = take(person(1), person(2, 卡号="", 入住日期=""))
    assert counts(done) == {"new": 2}
    assert stays(site)["工人丙"] == ("101", None)
    with site.registry.session() as session:
        assert len(list(session.scalars(select(Card)))) == 1
    assert counts(take(person(1, 卡号=""), person(2, 卡号=""))) == {"unchanged": 2}, "says nothing"


@pytest.mark.usefixtures("house")
def test_the_template_is_a_roster_to_fill_in(site, tmp_path) -> None:
    path = tmp_path / "template.xlsx"
    roster_template.write(path)
    book = load_workbook(path)
    book.active.append([])
    for place, value in enumerate(person(1), 0):
        name = HEADER[place]
        column = next(c.column for c in book.active[2] if c.value == name)
        book.active.cell(3, column, value)
    book.save(path)
    assert counts(tenant_import.import_tenants(site, path, Wish("H00001"))) == {"new": 1}


def test_the_command_shows_what_would_change(site, take, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    take(person(1))
    path = tmp_path / "roster.csv"
    path.write_bytes(csv_bytes(person(1, "102"), person(2), ["总计", "2"]))
    common = ["--site", str(site.path), "--lang", "en"]
    assert run(["tenant", "import", str(path), "--house", "H00001", "--dry-run", *common]) == 0
    out, said = capsys.readouterr()
    assert "left out: 4 (总计)" in said
    assert "moved" in out
    assert "2 rows: new 1, moved 1; nothing was changed" in out
    path.write_bytes(csv_bytes(person(1, "999")))
    assert run(["tenant", "import", str(path), "--house", "H00001", *common]) == 1
    assert "House H00001 has no room 999" in capsys.readouterr().out
