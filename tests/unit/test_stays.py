"""Check-in, check-out and what changes a stay, against a controller's side (host)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import House, HousePoint, Room
from controller_tool.registry.models import Card, Device, Grant, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import visits, words
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import card_change, cards, device_replace, explain, list_content
from controller_tool.services.desk import change_stay, check_in, check_out, proving, verify
from controller_tool.services.people import Holder
from protocol import cards as layout
from protocol.constants import CARD_RECORD_BYTES, FLAG_EMERGENCY
from tests.unit.house_support import add_areas, add_house, number
from tests.unit.registry_support import Board

WANG = Holder("王伟", "330199199001010011")
LI = Holder("李娜", number("33019919920202002"))
DAY = 1440


@pytest.fixture
def house(site, board) -> House:
    assert board.device.points == 1
    add_areas(site)
    return add_house(site)


def card(printed: str = "0012345678") -> credentials.Credential:
    return credentials.parse(printed, 0)


def request(holder: Holder = WANG, days: float = 60, **more) -> check_in.Request:
    now_min = now_s() // 60
    begin = more.pop("from_min", now_min)
    more.setdefault("cards", (card(),))
    return check_in.Request(
        holder, more.pop("house", "H00001"), more.pop("room", "101"), begin,
        now_min + int(days * DAY), **more,
    )  # fmt: skip


@pytest.mark.usefixtures("house")
def test_a_tenant_gets_a_card_that_ends_with_the_stay(site) -> None:
    stay = check_in.check_in(site, request())
    assert (stay.ref, stay.house, stay.room, stay.name) == ("L000001", "H00001", "101", "王伟")
    [issued] = stay.cards
    assert (issued.until_min, issued.devices, issued.state) == (
        stay.until_min,
        ("door-1",),
        "issued",
    )
    with site.registry.session() as session:
        [person] = session.scalars(select(Person))
        assert (person.sex, person.room) == ("M", "101")


@pytest.mark.usefixtures("house")
def test_one_id_number_lives_in_one_room(site) -> None:
    """In a second house, or room, it is refused until the first stay has ended or moves."""
    add_house(site, "H00002")
    check_in.check_in(site, request())
    other = card("0012345679")
    there = r"room 101 of house H00001 already \(L000001\)"
    for house_, room in (("H00002", "101"), ("H00001", "102")):
        with pytest.raises(RuleRefused, match=there) as no:
            check_in.check_in(site, request(cards=(other,), house=house_, room=room))
        assert no.value.refusal.rule == "elsewhere"
    host = check_in.check_in(site, request(LI, house="H00002", cards=(other,)))
    visit = request(days=0.5, kind=words.VISITOR, house="H00002", host=host.ref, cards=())
    assert check_in.check_in(site, visit).kind == words.VISITOR, "visiting is another thing"
    assert change_stay.move(site, "L000001", "H00002", "102").house == "H00002"


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("document", [words.ID_CARD, words.PASSPORT])
def test_nobody_is_checked_in_without_the_number_of_the_document(site, document) -> None:
    """By whatever way the service is called: else one person could stay under two entries."""
    for number_ in ("", " "):
        with pytest.raises(RuleRefused) as no:
            check_in.check_in(site, request(Holder("王伟", number_, document=document)))
        assert no.value.refusal.rule == "document"


@pytest.mark.usefixtures("house")
def test_a_stay_grows_into_no_other_stay_of_the_same_person(site) -> None:
    add_house(site, "H00002")
    check_in.check_in(site, request(days=10))
    begin = now_s() // 60 + 20 * DAY
    later = request(house="H00002", from_min=begin, days=40, cards=(card("0012345679"),))
    check_in.check_in(site, later)
    with pytest.raises(RuleRefused) as no:
        change_stay.extend(site, "L000001", begin + 1)
    assert no.value.refusal.rule == "elsewhere"
    change_stay.extend(site, "L000001", begin)


@pytest.mark.usefixtures("house")
def test_an_entry_that_changed_was_compared_with_nobody(site) -> None:
    """Whether it was found right or wrong before: it says something else now."""
    stay = check_in.check_in(site, request(days=10))
    for right, origin in ((True, "贵州"), (False, "安徽")):
        verify.verify(site, stay.ref, right)
        check_out.check_out(site, stay.ref)
        stay = check_in.check_in(site, request(WANG, days=10))
        with site.registry.session() as session:
            assert session.scalar(select(Person)).verified_good is right, "nothing changed"
        check_out.check_out(site, stay.ref)
        stay = check_in.check_in(site, request(replace(WANG, origin=origin), days=10))
        with site.registry.session() as session:
            person = session.scalar(select(Person))
            assert (person.verified_good, person.verified_at_s) == (None, None)


@pytest.mark.usefixtures("house")
def test_a_dry_run_leaves_nothing_behind(site) -> None:
    assert check_in.check_in(site, request(), dry_run=True).ref == "L000001"
    with site.registry.session() as session:
        assert [session.scalar(select(table)) for table in (Lease, Card, Grant, Person)] == [
            None
        ] * 4


@pytest.mark.usefixtures("house")
def test_what_a_rule_refuses_names_the_rule_and_leaves_nothing_behind(site) -> None:
    for printed, holder in (("0012345678", WANG), ("0012345679", LI)):
        check_in.check_in(site, request(holder, cards=(card(printed),)))
    third = Holder("张强", number("33019919930303003"))
    with pytest.raises(RuleRefused) as refused:
        check_in.check_in(site, request(third, cards=(card("0012345680"),)))
    assert refused.value.refusal.rule == "capacity"
    with site.registry.session() as session:
        assert len(list(session.scalars(select(Person)))) == 2


@pytest.mark.usefixtures("board")
def test_a_house_without_a_door_gives_no_card_but_registers(site) -> None:
    add_areas(site)
    add_house(site, doors=())
    with pytest.raises(OperatorError, match="no door"):
        check_in.check_in(site, request())
    assert check_in.check_in(site, request(cards=())).cards == ()


@pytest.mark.usefixtures("house")
def test_a_card_that_is_out_is_given_to_nobody_else(site) -> None:
    check_in.check_in(site, request())
    with pytest.raises(OperatorError, match="issued already"):
        check_in.check_in(site, request(LI))


@pytest.mark.usefixtures("house")
def test_check_out_is_deregistered_by_the_receipt_alone(site, board) -> None:
    check_in.check_in(site, request())
    board.update()
    done = check_out.check_out(site, "0012345678")
    assert (done.deregistered, done.pending, done.stay.end_reason) == (False, ("door-1",), "early")
    assert done.stay.cards[0].word == "pending 0/1"
    signed = board.next()
    board.take(signed, proven=False)
    assert not check_out.check_out(site, "L000001").deregistered, "sent is not proven"
    board.take(signed)
    again = check_out.check_out(site, "L000001")
    assert again.deregistered
    assert again.stay.ended_at_s == done.stay.ended_at_s, "doing it twice changes nothing"


@pytest.mark.usefixtures("house")
def test_co_tenants_end_independently(site) -> None:
    check_in.check_in(site, request())
    check_in.check_in(site, request(LI, days=30, cards=(card("0012345679"),)))
    check_out.check_out(site, "L000001")
    assert cards.card_status(site, "0012345679").state == "issued"


@pytest.mark.usefixtures("house")
def test_a_visitor_leaves_with_the_host(site) -> None:
    check_in.check_in(site, request())
    visit = request(LI, 0.5, kind=words.VISITOR, host="L000001", cards=(card("0012345679"),))
    assert check_in.check_in(site, visit).ref == "L000002"
    assert check_out.check_out(site, "L000001").visitors == ("L000002",)
    assert cards.card_status(site, "0012345679").state == "collected"


@pytest.mark.usefixtures("house")
def test_who_comes_back_as_soon_as_a_visit_is_over_is_no_visitor(site) -> None:
    check_in.check_in(site, request())
    now_min = now_s() // 60
    for days in (1, 2, 3):
        visit = request(
            LI, days, from_min=now_min + (days - 1) * DAY, kind=words.VISITOR, host="L000001",
            cards=(),
        )  # fmt: skip
        ref = check_in.check_in(site, visit).ref
        with site.registry.writing() as session:  # they left when it was over
            lease = session.query(Lease).filter_by(ref=ref).one()
            lease.ended_at_s, lease.end_reason = lease.until_min * 60, words.LEFT
    fourth = replace(visit, from_min=now_min + 3 * DAY, until_min=now_min + 3 * DAY + 60)
    with pytest.raises(RuleRefused) as caught:
        check_in.check_in(site, fourth)
    assert caught.value.refusal.rule == "visit_often"
    later = replace(visit, from_min=now_min + 8 * DAY, until_min=now_min + 9 * DAY)
    assert check_in.check_in(site, later).ref == "L000005"


@pytest.mark.usefixtures("house")
def test_a_visit_is_one_at_a_time_and_longer_only_within_the_week(site) -> None:
    check_in.check_in(site, request())
    check_in.check_in(site, request(LI, 10, room="102", cards=(card("0012345679"),)))
    guest = Holder("赵六", number("33019919930303003"))
    visit = request(guest, 0.25, kind=words.VISITOR, host="L000001", cards=())
    first = check_in.check_in(site, visit)
    with pytest.raises(RuleRefused, match=first.ref) as caught:
        check_in.check_in(site, replace(visit, host="L000002", room="102"))
    assert caught.value.refusal.rule == "visit_twice"
    assert change_stay.extend(site, first.ref, first.until_min + 60).until_min > first.until_min


@pytest.mark.usefixtures("house")
def test_a_host_has_so_many_visitors_at_once_and_no_more(site) -> None:
    check_in.check_in(site, request())
    for n in range(visits.GUESTS_MAX + 1):
        guest = Holder("赵六", number(f"330199199303030{n:02}"))
        visit = request(guest, 0.25, kind=words.VISITOR, host="L000001", cards=())
        if n < visits.GUESTS_MAX:
            check_in.check_in(site, visit)
    with pytest.raises(RuleRefused) as caught:
        check_in.check_in(site, visit)
    assert caught.value.refusal.rule == "guests"


@pytest.mark.usefixtures("house")
def test_an_extension_is_a_new_grant(site, board) -> None:
    stay = check_in.check_in(site, request())
    board.update()
    longer = change_stay.extend(site, "L000001", stay.until_min + 30 * DAY)
    assert longer.until_min == stay.until_min + 30 * DAY
    assert [(one.ref, one.state) for one in longer.cards] == [
        ("K000001", "replaced"), ("K000002", "issued"),
    ]  # fmt: skip
    assert longer.cards[1].until_min == longer.until_min


@pytest.mark.usefixtures("house")
def test_a_card_that_was_made_to_end_sooner_still_does(site) -> None:
    stay = check_in.check_in(site, request())
    sooner = stay.until_min - 20 * DAY
    card_change.change(site, "0012345678", card_change.Wish(until_min=sooner))
    change_stay.extend(site, "L000001", stay.until_min + DAY)
    assert cards.card_status(site, "0012345678").until_min == sooner
    change_stay.move(site, "L000001", "H00001", "102")
    assert cards.card_status(site, "0012345678").until_min == sooner


@pytest.mark.usefixtures("house")
def test_who_moves_takes_the_card_along_and_the_old_stay_ends(site) -> None:
    check_in.check_in(site, request())
    visit = request(LI, 0.5, kind=words.VISITOR, host="L000001", cards=(card("0012345679"),))
    check_in.check_in(site, visit)
    moved = change_stay.move(site, "L000001", "H00001", "102")
    assert (moved.ref, moved.room, [c.state for c in moved.cards]) == ("L000003", "102", ["issued"])
    with site.registry.session() as session:
        old = session.scalar(select(Lease).where(Lease.ref == "L000001"))
        guest = session.scalar(select(Lease).where(Lease.ref == "L000002"))
        assert old is not None
        assert guest is not None
        assert old.end_reason == words.MOVED
        assert guest.host_lease_id == session.scalar(
            select(Lease.id).where(Lease.ref == "L000003")
        ), "visitors follow"


def test_a_card_without_a_stay_is_held_to_the_class_as_well(site, house) -> None:
    now_min = now_s() // 60
    terms = cards.Terms(now_min, now_min + 300 * DAY)
    cards.issue(site, card("0012345690"), terms, None)
    emergency = cards.Terms(now_min, now_min + 300 * DAY, flags=FLAG_EMERGENCY)
    cards.issue(site, card("0012345691"), emergency, None)
    with site.registry.writing() as session:
        row = session.get_one(House, house.id)
        row.class4 = words.STRICT
        assert change_stay.hold_to_class(site, session, row) == ["K000003"]
        assert change_stay.hold_to_class(site, session, row) == []
    assert cards.card_status(site, "0012345690").until_min <= now_min + 30 * DAY + 1
    assert cards.card_status(site, "0012345691").until_min == terms.until_min


@pytest.mark.usefixtures("house")
def test_a_lost_card_is_replaced_by_another_one(site) -> None:
    check_in.check_in(site, request())
    cards.lost(site, "0012345678")
    stay = change_stay.add_card(site, "L000001", card("0012345679"))
    assert [c.state for c in stay.cards] == ["lost", "issued"]


def test_a_house_that_becomes_strict_shortens_what_is_out(site, house) -> None:
    check_in.check_in(site, request())
    now_min = now_s() // 60
    with site.registry.writing() as session:
        row = session.get_one(House, house.id)
        row.class4 = words.STRICT
        assert change_stay.hold_to_class(site, session, row) == ["L000001"]
        assert change_stay.hold_to_class(site, session, row) == []
    found = cards.card_status(site, "0012345678")
    assert now_min + 30 * DAY <= found.until_min <= now_min + 30 * DAY + 2


def test_a_room_door_opens_for_its_room_alone(site) -> None:
    """Four doors of one controller: an entrance, two rooms; the fourth is nobody's."""
    board = Board(site, "door-1", board="virtual_doors4")
    add_areas(site)
    add_house(site, doors=(("door-1", 0),))
    with site.registry.writing() as session:
        for point, room_number in ((1, "101"), (2, "102")):
            room = session.scalar(select(Room).where(Room.number == room_number))
            assert room is not None
            session.add(HousePoint(device_id=board.device.id, point=point, house_id=room.house_id,
                                   use=words.ROOM_DOOR, room_id=room.id))  # fmt: skip
    check_in.check_in(site, request())
    check_in.check_in(site, request(LI, room="102", cards=(card("0012345679"),)))
    assert points_opened(site, board) == {0b011, 0b101}
    board.update()
    [told] = explain.explain(site, "0012345678", "door-1", point=2)
    assert told.profile is not None
    assert (told.profile.name, told.profile.points) == ("resident", (1, 2))
    assert (told.now.granted, told.now.reason) == (False, "not_for_this_point")
    other = Board(site, "new", board="virtual_doors4")
    device_replace.replace(site, "door-1", "new")
    assert points_opened(site, other) == {0b011, 0b101}, "a controller in its place opens no more"
    check_out.check_out(site, "L000002")
    check_in.check_in(site, request(LI, room="101", cards=(card("0012345680"),)))
    assert points_opened(site, other) == {0b011}
    assert cards.card_status(site, "0012345680").devices == ("door-1",)


def points_opened(site, board: Board) -> set[int]:
    """Masks of the points that the cards of a controller's list open."""
    with site.registry.session() as session:
        device = session.get_one(Device, board.new.device.id)
        content = list_content.collect(site, session, device)
    masks = {row[0]: row[1] for row in content.profiles}
    payload = content.payload
    at = range(0, len(payload), CARD_RECORD_BYTES)
    return {masks[layout.profile(payload, place)] for place in at}


@pytest.mark.usefixtures("house")
def test_a_stay_whose_only_card_is_lost_goes_on_without_one(site, board) -> None:
    made = check_in.check_in(site, request())
    board.update()
    cards.lost(site, made.cards[0].ref)
    board.update()
    [line] = proving.proof(site, [made.ref]).words()
    assert line.startswith("no card is out, the stay goes on")
    assert line.endswith("deregistered")
