"""No card opens a room's door that is another one's, whatever was replaced or moved (host)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import House, HousePoint
from controller_tool.registry.models import Card, Grant
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import (
    card_change,
    card_grants,
    cards,
    device_replace,
    list_content,
    people,
)
from controller_tool.services.desk import (
    card_found,
    change_stay,
    check_in,
    check_out,
    house_points,
    houses,
    pair_acts,
    tenant_import,
)
from tests.unit.house_support import add_areas, add_house
from tests.unit.registry_support import Board
from tests.unit.roster_support import LAST, csv_bytes
from tests.unit.test_stays import DAY, LI, WANG, card, request

FOUR = "virtual_doors4"
HEADER = ("房屋", "姓名", "身份证号", "房间", "到期日期")
NOW_MIN = now_s() // 60


@pytest.fixture
def doors(site) -> Board:
    """An entrance (1), the doors of rooms 101 (2) and 102 (3); the fourth is nobody's."""
    board = Board(site, "door-1", board=FOUR)
    add_areas(site)
    add_house(site)
    for door, room in ((2, "101"), (3, "102")):
        house_points.add(site, "H00001", house_points.NewPoint("door-1", door, room=room))
    return board


def masks(site, device: str = "door-1") -> dict[str, int | None]:
    """Points of the cards that are out, by reference."""
    with site.registry.session() as session:
        found = session.execute(
            select(Card.ref, Grant.points_mask)
            .join(Grant, Grant.card_id == Card.id)
            .where(Grant.device_id == site.device(device).id, Card.state == "issued")
        )
        return {row[0]: row[1] for row in found}


def rule(call, *args, **more) -> str:
    with pytest.raises(RuleRefused) as caught:
        call(*args, **more)
    return caught.value.refusal.rule


def classify(site, class4: str, state: str = words.ADMITTED) -> None:
    with site.registry.writing() as session:
        house = session.scalars(select(House)).one()
        house.class4, house.state = class4, state


def test_a_controller_that_was_replaced_opens_the_same_rooms(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    assert masks(site) == {"K000001": 0b011}
    Board(site, "spare", board=FOUR)
    device_replace.replace(site, "door-1", "spare")
    assert masks(site) == {"K000001": 0b011}
    with site.registry.session() as session:
        points = list(session.scalars(select(HousePoint).order_by(HousePoint.point)))
        assert {point.device_id for point in points} == {site.device("door-1").id}
        assert [point.use for point in points] == ["entrance", "room", "room"]
        list_content.collect(site, session, site.device("door-1"))
    check_in.check_in(site, request(LI, room="102", cards=(card("0012345679"),)))
    assert masks(site)["K000002"] == 0b101


def test_all_doors_of_a_smaller_board_are_not_all_of_a_larger_one(site) -> None:
    add_areas(site)
    Board(site, "door-1")
    add_house(site)
    check_in.check_in(site, request())
    Board(site, "door-1", again=True, board=FOUR)
    assert masks(site) == {"K000001": 0b0001}


def test_a_spare_that_serves_a_house_of_its_own_replaces_nothing(site, doors) -> None:
    assert doors
    Board(site, "spare", board=FOUR)
    house_points.add(site, "H00001", house_points.NewPoint("spare", 4))
    with pytest.raises(OperatorError, match="of its own"):
        device_replace.replace(site, "door-1", "spare")


def test_a_controller_that_came_later_is_not_opened_to_every_tenant(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    Board(site, "later")
    house_points.add(site, "H00001", house_points.NewPoint("later", 1, room="102"))
    assert card_grants.grant_all(site, "later") == 0
    assert masks(site, "later") == {}


def test_a_barred_house_gets_no_card_that_was_issued_elsewhere(site, doors) -> None:
    assert doors
    Board(site, "other")
    cards.issue(site, card(), cards.Terms(NOW_MIN, NOW_MIN + DAY, ("other",)), None)
    classify(site, words.BARRED, words.SUSPENDED)
    assert card_grants.grant_all(site, "door-1") == 0
    classify(site, words.STRICT)
    assert card_grants.grant_all(site, "door-1") == 1


def test_a_card_of_a_stay_gets_nothing_more_in_a_barred_house(site, doors) -> None:
    assert doors
    stay = check_in.check_in(site, request())
    shorter = card_change.Wish(until_min=stay.until_min - 20 * DAY)
    classify(site, words.BARRED, words.SUSPENDED)
    card_change.change(site, "0012345678", shorter)
    longer = card_change.Wish(until_min=stay.until_min)
    assert rule(card_change.change, site, "0012345678", longer) == "barred"


def test_a_card_of_a_stay_does_not_begin_before_it(site, doors) -> None:
    assert doors
    check_in.check_in(site, request(from_min=NOW_MIN + 10 * DAY))
    with pytest.raises(OperatorError, match="begins with it"):
        card_change.change(site, "0012345678", card_change.Wish(from_min=NOW_MIN))


def test_a_card_that_was_found_opens_no_door_that_went_to_another_room(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    cards.lost(site, "0012345678")
    house_points.add(site, "H00001", house_points.NewPoint("door-1", 2, room="102"))
    with site.registry.writing() as session:
        lease = session.scalars(select(Lease)).one()
        lease.until_min -= 30 * DAY
        card_id = session.scalars(select(Card.id)).one()
        asked = pair_acts.Asked(words.FOUND, "K000001", "1", {"card_id": card_id})
        card_found.carry_out(site, session, asked)
    assert masks(site) == {"K000002": 0b001}
    assert cards.card_status(site, "K000002").until_min == lease.until_min


def test_a_door_that_goes_to_another_room_is_taken_from_the_first(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    house_points.add(site, "H00001", house_points.NewPoint("door-1", 2, room="102"))
    assert masks(site) == {"K000002": 0b001}


def visit(site, room: str = "101", hours: float = 20):
    return check_in.check_in(site, request(
        LI, hours / 24, kind=words.VISITOR, host="L000001", room=room,
        cards=(card("0012345679"),),
    ))  # fmt: skip


def test_a_visitor_is_let_into_the_hosts_room_alone(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    assert rule(visit, site, "102") == "visit_room"
    visit(site)
    assert rule(change_stay.move, site, "L000002", "H00001", "102") == "visit_room"


def test_visitors_leave_the_room_that_their_host_left(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    visit(site)
    change_stay.move(site, "L000001", "H00001", "102")
    assert set(masks(site).values()) == {0b101}


def test_visitors_leave_a_house_that_their_host_left(site, doors) -> None:
    assert doors
    Board(site, "door-2")
    add_house(site, "H00002", doors=(("door-2", 0),))
    check_in.check_in(site, request())
    visit(site)
    change_stay.move(site, "L000001", "H00002", "101")
    assert masks(site) == {}
    assert cards.card_status(site, "0012345679").state == "collected"


def roster_says(site, folder, house: str, room: str) -> None:
    """The tenant of 101 is on a roster for this room."""
    path = folder / "roster.csv"
    row = [house, WANG.name, WANG.id_number, room, LAST.isoformat()]
    path.write_bytes(csv_bytes(row, header=HEADER))
    tenant_import.import_tenants(site, path, tenant_import.Wish(None, source="employer"))


def test_visitors_go_where_a_roster_moves_their_host(site, doors, tmp_path) -> None:
    assert doors
    check_in.check_in(site, request())
    visit(site)
    roster_says(site, tmp_path, "H00001", "102")
    assert list(masks(site).values()) == [0b101, 0b101]


def test_visitors_leave_a_house_that_a_roster_moves_their_host_from(site, doors, tmp_path) -> None:
    assert doors
    Board(site, "door-2")
    add_house(site, "H00002", doors=(("door-2", 0),))
    check_in.check_in(site, request(roster="employer"))
    visit(site)
    roster_says(site, tmp_path, "H00002", "101")
    assert masks(site) == {}
    assert cards.card_status(site, "0012345679").state == "collected"


def test_the_old_reference_of_who_moved_says_no_deregistered(site, doors) -> None:
    assert doors
    check_in.check_in(site, request(cards=()))
    change_stay.move(site, "L000001", "H00001", "102")
    with pytest.raises(OperatorError, match="L000002"):
        check_out.check_out(site, "L000001")
    check_out.check_out(site, "L000002")
    assert check_out.check_out(site, "L000001").deregistered


@pytest.mark.parametrize("facts", [{"class4": words.BARRED}, {"state": words.KNOWN}])
def test_a_door_taken_away_for_a_moment_lets_no_card_into_a_house_that_issues_nothing(
    site, facts
) -> None:
    Board(site, "door-1")
    add_areas(site)
    add_house(site, **facts)
    house_points.remove(site, "H00001", "door-1")
    terms = cards.Terms(NOW_MIN, NOW_MIN + 3650 * DAY, ("door-1",))
    plain = cards.issue(site, card(), terms, people.Holder("李四")).ref
    new = house_points.NewPoint("door-1")
    with pytest.raises(RuleRefused, match=plain) as caught:
        house_points.add(site, "H00001", new)
    assert caught.value.refusal.rule == ("barred" if "class4" in facts else "admission")
    cards.collect(site, plain)
    assert len(house_points.add(site, "H00001", new).doors) == 1


def test_residents_of_a_barred_house_get_back_their_door_and_no_new_one(site, doors) -> None:
    assert doors
    check_in.check_in(site, request())
    Board(site, "later")
    houses.classify(site, "H00001", words.BARRED, "令1")
    house_points.remove(site, "H00001", "door-1")
    assert masks(site) == {"K000002": 0b010}
    back = house_points.add(site, "H00001", house_points.NewPoint("door-1"))
    assert (back.cards, back.without) == (1, 0)
    assert masks(site) == {"K000002": 0b011}
    more = house_points.add(site, "H00001", house_points.NewPoint("later"))
    assert (more.cards, more.without) == (0, 1)
    wider = house_points.add(site, "H00001", house_points.NewPoint("door-1", 4))
    assert (wider.cards, wider.without) == (0, 1)
    assert (masks(site), masks(site, "later")) == ({"K000002": 0b011}, {})
    with site.registry.writing() as session:
        house = session.query(House).one()
        house.class4, house.state = words.TRUSTED, words.ADMITTED
    assert house_points.add(site, "H00001", house_points.NewPoint("later")).cards == 1
