"""Deltas: the smallest update that fits, removals first, what a controller refuses (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import clock, credentials
from controller_tool.registry.models import Card, Device, Grant
from controller_tool.registry.records import ListVersion, SentCard
from controller_tool.services import cards, push
from protocol import cards as layout
from protocol import codes as c
from protocol import cose, manifest
from protocol.codes import LIST_DELTA, LIST_FULL
from protocol.constants import OVERLAY_RECORDS_MAX
from tests.unit.fake_whitelist import FakeWhitelist, connect

if TYPE_CHECKING:
    from tests.unit.registry_support import Board

FIRST = 12345678


def number(index: int) -> str:
    return f"{FIRST + index:010d}"


def issue(site, *indexes: int, days: int = 30) -> None:
    """Cards in one transaction: a house's worth of single ones would take minutes."""
    now_min = clock.now_s() // 60
    terms = cards.Terms(now_min - 1, now_min + days * 1440)
    site.unlock()
    with site.registry.writing() as session:
        devices = cards.grant_devices(session, None)
        for index in indexes:
            card = cards.add(site, session, credentials.parse(number(index)), terms, None)
            session.add_all(Grant(card_id=card.id, device_id=row.id) for row in devices)


@pytest.fixture
def door(board, monkeypatch) -> FakeWhitelist:
    device = FakeWhitelist(board)
    connect(monkeypatch, device)
    return device


def pushed(site, **order: Any) -> push.PushResult:
    [result] = push.push(site, ["door-1"], **order)
    assert result.ok, result
    return result


def key(board: Board, index: int) -> bytes:
    credential = credentials.parse(number(index))
    secret = board.site.secret(board.device, "card_key")
    return layout.card_key(secret, credential.type, credential.data)


def lengthen(site, index: int, days: int) -> None:
    with site.registry.writing() as session:
        card = cards.find(site, session, number(index))
        session.get_one(Card, card.id).until_min += days * 1440


def manifests(site) -> list[manifest.Manifest]:
    with site.registry.session() as session:
        rows = session.query(ListVersion).order_by(ListVersion.version)
        return [manifest.parse(bytes(cose.open_envelope(r.envelope).payload)) for r in rows]


def test_whoever_keeps_the_clock_busy_keeps_no_collected_card_alive(site, board, door) -> None:
    issue(site, 1, 2)
    pushed(site)
    door.clock_is_off_s, door.set_time_refused = 60, c.ERR_BUSY
    cards.collect(site, number(2))
    pushed(site)
    assert door.live() == {key(board, 1)}
    door.set_time_refused = c.ERR_REFUSED  # what is no reason to go on
    cards.collect(site, number(1))
    [result] = push.push(site, ["door-1"])
    assert not result.ok
    door.set_time_refused = None
    pushed(site)
    assert (door.live(), door.clock_is_off_s) == (set(), 0)


def test_the_first_list_is_full_and_a_change_is_a_delta(site, board, door) -> None:
    issue(site, *range(10))
    assert (pushed(site).kind, door.kinds) == ("full", [LIST_FULL])
    cards.collect(site, number(3))
    issue(site, 10)
    result = pushed(site)
    assert (result.kind, result.changes, result.payload_bytes) == ("delta", 2, 32)
    assert result.what == "receipt for version 2; changes: 2"
    assert door.live() == {key(board, i) for i in range(11) if i != 3}
    assert cards.card_status(site, number(3)).deregistered
    assert pushed(site).what == "already up to date"


def test_several_changes_that_wait_become_one_delta(site, door) -> None:
    issue(site, *range(10))
    pushed(site)
    for index in range(4):
        cards.collect(site, number(index))
        issue(site, 20 + index)
    assert (pushed(site).changes, door.kinds) == (8, [LIST_FULL, LIST_DELTA])


def test_a_delta_names_its_base_and_the_list_after_it(site, door) -> None:
    issue(site, *range(10))
    pushed(site)
    base = door.held.digest
    cards.collect(site, number(0))
    pushed(site)
    m = manifests(site)[1]
    assert (m.kind, m.base_version, m.base_digest) == (LIST_DELTA, 1, base)
    assert (m.result_digest, m.count, m.payload_bytes) == (door.held.digest, 10, 16)


def test_a_list_that_only_needs_refreshing_is_an_empty_delta(site, door, monkeypatch) -> None:
    issue(site, *range(3))
    pushed(site)
    later = clock.now_s() + 40 * 3600
    for place in ("controller_tool.services.list_state.now_s", "controller_tool.clock.now_s",
                  "controller_tool.services.list_signing.now_s",
                  "controller_tool.services.devices_ops.now_s"):  # fmt: skip
        monkeypatch.setattr(place, lambda: later)
    result = pushed(site)
    assert (result.kind, result.changes, door.held.version) == ("delta", 0, 2)
    assert door.issued_s == later


def test_a_delta_that_is_no_smaller_is_a_full_list(site, door) -> None:
    issue(site, 0)
    pushed(site)
    cards.collect(site, number(0))
    assert (pushed(site).kind, door.kinds) == ("full", [LIST_FULL, LIST_FULL])


def test_what_has_no_room_beside_the_base_is_a_full_list(site, door) -> None:
    issue(site, *range(20))
    pushed(site)
    door.held.overlay = OVERLAY_RECORDS_MAX - 2
    issue(site, 20, 21)
    assert pushed(site).kind == "delta", "exactly full"
    issue(site, 22)
    assert pushed(site).kind == "full"
    door.held.overlay = OVERLAY_RECORDS_MAX
    door.merge()
    issue(site, 23)
    assert pushed(site).kind == "delta"


def test_a_controller_that_says_nothing_of_an_overlay_gets_full_lists(site, door) -> None:
    door.without_deltas = True
    issue(site, *range(5))
    pushed(site)
    cards.collect(site, number(0))
    assert (pushed(site).kind, door.kinds) == ("full", [LIST_FULL, LIST_FULL])


# --- removals first -------------------------------------------------------------------------


def rows(site, index: int) -> list[tuple[int, int | None]]:
    with site.registry.session() as session:
        card = cards.find(site, session, number(index))
        found = session.query(SentCard).filter_by(card_id=card.id)
        return [(row.first_version, row.dead_from_version) for row in found]


def test_what_ends_does_not_wait_for_what_comes(site, door) -> None:
    issue(site, *range(300))
    pushed(site)
    cards.collect(site, number(7))
    issue(site, *range(1000, 1129))
    result = pushed(site)
    assert door.kinds == [LIST_FULL, LIST_DELTA, LIST_DELTA]
    assert [m.payload_bytes // 16 for m in manifests(site)] == [300, 1, 129]
    assert (result.version, result.changes, result.count) == (3, 130, 429)
    assert (rows(site, 7), rows(site, 1000)) == ([(1, 2)], [(3, None)])


def test_a_chunk_of_new_cards_and_one_that_ended_go_together(site, door) -> None:
    issue(site, *range(300))
    pushed(site)
    cards.collect(site, number(7))
    issue(site, *range(1000, 1128))
    assert (pushed(site).changes, door.kinds) == (129, [LIST_FULL, LIST_DELTA])


def test_what_ends_goes_before_a_full_list(site, door) -> None:
    issue(site, *range(30))
    pushed(site)
    cards.collect(site, number(0))
    issue(site, *range(1000, 1600))
    assert pushed(site).kind == "full"
    assert door.kinds == [LIST_FULL, LIST_DELTA, LIST_FULL]


def test_a_wire_that_breaks_between_leaves_the_ended_card_dead_and_proven(
    site, board, door
) -> None:
    """The list between shows what it shows: dead is dead, and what has not come is not there."""
    issue(site, *range(30))
    pushed(site)
    cards.collect(site, number(0))
    issue(site, *range(1000, 1600))
    door.dies_at = 6  # state, time, state, begin, chunk, commit of the first; then the next state
    [result] = push.push(site)
    assert not result.ok
    assert door.kinds == [LIST_FULL, LIST_DELTA]
    assert cards.card_status(site, number(0)).deregistered
    waiting = cards.card_status(site, number(1000))
    assert (waiting.pending, waiting.of) == (("door-1",), 0)
    assert cards.card_status(site, number(1)).pending == ()
    assert key(board, 0) not in door.live()
    pushed(site)
    assert cards.card_status(site, number(1000)).pending == ()
    assert len(door.live()) == 629


def test_a_list_between_never_revives_who_was_signed_and_not_sent(site, door) -> None:
    """A version that was signed and never sent shows cards that the next list does not."""
    issue(site, *range(30))
    pushed(site)
    issue(site, *range(1000, 1600))
    door.dies_at = 3  # state, time and state, then the announcement is lost
    push.push(site)
    assert rows(site, 1000) == [(2, None)]
    cards.collect(site, number(0))
    door.restart()
    door.dies_at = 6
    push.push(site)
    assert cards.card_status(site, number(1000)).pending == ("door-1",)
    assert rows(site, 1000) == [(2, 3)]
    pushed(site)
    assert rows(site, 1000) == [(4, None)]
    assert cards.card_status(site, number(1000)).pending == ()


def test_a_lease_that_grows_waits_and_one_that_shrinks_does_not(site, door) -> None:
    issue(site, *range(300))
    pushed(site)
    lengthen(site, 0, -3)
    for index in range(1, 140):
        lengthen(site, index, 3)
    pushed(site)
    assert door.kinds == [LIST_FULL, LIST_DELTA, LIST_DELTA]
    assert [m.payload_bytes // 16 for m in manifests(site)] == [300, 1, 139]


def test_a_card_issued_anew_with_a_longer_lease_ends_its_former_issue_first(site, door) -> None:
    """By its bytes the record only grows; by the registry somebody's card has ended."""
    now_min = clock.now_s() // 60
    issue(site, *range(300))
    pushed(site)
    former = cards.collect(site, number(5)).ref
    terms = cards.Terms(now_min - 100, now_min + 90 * 1440)
    again = cards.issue(site, credentials.parse(number(5)), terms, None).ref
    issue(site, *range(1000, 1200))
    door.dies_at = 6
    push.push(site)
    assert door.kinds == [LIST_FULL, LIST_DELTA]
    assert cards.card_status(site, former).deregistered
    assert cards.card_status(site, again).pending == (), "its record is there with its own dates"
    assert cards.card_status(site, number(1000)).pending == ("door-1",)
    pushed(site)
    assert cards.card_status(site, again).pending == ()


def test_a_full_board_takes_what_ends_and_what_comes(site, board, door) -> None:
    with site.registry.writing() as session:
        session.get_one(Device, board.device.id).cards_max = door.capacity = 300
    issue(site, *range(300))
    pushed(site)
    for index in range(200):
        cards.collect(site, number(index))
    issue(site, *range(1000, 1200))
    pushed(site)
    assert door.held.count == 300
    assert door.live() == {key(board, i) for i in (*range(200, 300), *range(1000, 1200))}


# --- what does not go as planned ------------------------------------------------------------


@pytest.mark.parametrize("code", [c.ERR_BASE, c.ERR_CAPACITY, c.ERR_DIGEST, c.ERR_STATE])
def test_a_refused_delta_is_followed_by_a_full_list_at_once(site, door, code) -> None:
    issue(site, *range(10))
    pushed(site)
    cards.collect(site, number(0))
    door.refuse = [code]
    result = pushed(site)
    assert (result.kind, result.version, door.wires) == ("full", 3, 2)
    assert cards.card_status(site, number(0)).deregistered


def test_another_refusal_is_told(site, door) -> None:
    issue(site, *range(10))
    pushed(site)
    cards.collect(site, number(0))
    door.refuse = [c.ERR_FLASH]
    [result] = push.push(site)
    assert (result.ok, result.code) == (False, c.ERR_FLASH)
    assert cards.card_status(site, number(0)).word == "pending 0/1"


def test_a_base_that_rotted_is_replaced(site, board, door) -> None:
    issue(site, *range(10))
    pushed(site)
    door.rot(key(board, 1), None)
    cards.collect(site, number(0))
    assert pushed(site).kind == "full"
    assert key(board, 1) in door.live()


def test_a_delta_whose_base_is_gone_is_signed_anew(site, door) -> None:
    issue(site, *range(10))
    pushed(site)
    before = (door.held, door.floor)
    issue(site, 10)
    door.dies_at = 3
    push.push(site)
    issue(site, 11)
    pushed(site)
    door.held, door.floor = before  # its flash was put back
    door.restart()
    issue(site, 12)
    result = pushed(site)
    assert (result.kind, result.count) == ("full", 13)
    assert result.version == 4
    assert all(m.base_version in (0, 1) for m in manifests(site))


@pytest.mark.parametrize("beyond", [0, 1, 60, 4000])
def test_a_number_that_is_too_low_is_followed_by_a_higher_one(site, door, beyond) -> None:
    """It held lists that nobody here was told of, and lost them: it cannot say how high it is."""
    issue(site, *range(10))
    pushed(site)
    door.floor = 2 + beyond
    issue(site, 10)
    result = pushed(site)
    assert door.held.version == result.version > 2 + beyond


def test_a_number_that_stays_too_low_is_told(site, door) -> None:
    issue(site, *range(10))
    door.floor = 60_000
    [result] = push.push(site)
    assert (result.ok, result.code) == (False, c.ERR_VERSION_LOW)
    assert "push" in result.next_step


def test_records_are_kept_of_the_newest_proven_list_and_of_newer_ones(site, door) -> None:
    issue(site, *range(5))
    for index in range(3):
        pushed(site)
        issue(site, 10 + index)
    door.dies_at = 3
    push.push(site)
    with site.registry.session() as session:
        found = session.query(ListVersion).order_by(ListVersion.version)
        kept = [(len(row.payload) // 16, row.count, bool(row.update)) for row in found]
    assert kept == [(0, 5, False), (0, 6, False), (7, 7, True), (8, 8, True)]
