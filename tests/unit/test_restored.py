"""A restored registry is older than reality, and knows it: nothing comes back to life unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.registry.models import Device
from controller_tool.registry.records import AuditEntry, ListVersion
from controller_tool.services import (
    backup,
    backup_read,
    card_change,
    cards,
    compare,
    device_config,
    push,
    restored,
    standing,
)
from controller_tool.services.setting_words import parse
from protocol.codes import LIST_DELTA
from tests.unit.fake_whitelist import FakeWhitelist, connect
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_deltas_push import issue, key, number, pushed

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.site import Site


pytestmark = pytest.mark.usefixtures("door")


@pytest.fixture
def door(board, monkeypatch) -> FakeWhitelist:
    device = FakeWhitelist(board)
    connect(monkeypatch, device)
    return device


@pytest.fixture
def back(site, open_site, tmp_path) -> Callable[..., Site]:
    """Twenty cards proven, a backup, ``work`` done (and pushed), the backup restored."""

    def go_back(work: Callable[[], object] = lambda: None, push_it: bool = True) -> Site:
        issue(site, *range(20))
        pushed(site)
        file = backup.make(site, tmp_path / "one.ctbackup").file
        work()
        if push_it:
            pushed(site)
        backup_read.restore(file, tmp_path / "again", PASSPHRASE, "李明")
        again: Site = open_site(tmp_path / "again")
        return again

    return go_back


def test_a_card_collected_after_the_backup_does_not_open_again(site, board, door, back) -> None:
    again = back(lambda: cards.collect(site, number(3)))
    [refused] = push.push(again, ["door-1"])
    assert not refused.ok
    assert "door-1 holds a list that this registry did not sign" in refused.what
    assert "push --accept-fork" in refused.next_step
    assert key(board, 3) not in door.live()
    result = pushed(again, accept_fork=True)
    assert [d.card for d in result.ended] == [cards.card_status(again, number(3)).ref]
    assert "ended here, for it was ended there" in result.what
    assert key(board, 3) not in door.live()
    assert cards.card_status(again, number(3)).word == "deregistered"
    assert pushed(again).what == "already up to date"


def test_a_card_issued_after_the_backup_stays_out_until_it_is_granted_anew(
    site, board, door, back
) -> None:
    again = back(lambda: issue(site, 77))
    pushed(again, accept_fork=True)
    assert key(board, 77) not in door.live()
    issue(again, 77)
    pushed(again)
    assert key(board, 77) in door.live()


def test_what_was_proven_before_is_pending_until_the_door_was_heard(
    site, open_site, tmp_path
) -> None:
    """The lost registry may have issued that very card anew."""
    issue(site, *range(20))
    pushed(site)
    cards.collect(site, number(3))
    pushed(site)
    assert cards.card_status(site, number(3)).deregistered
    file = backup.make(site, tmp_path / "one.ctbackup").file
    backup_read.restore(file, tmp_path / "again", PASSPHRASE)
    again = open_site(tmp_path / "again")
    assert cards.card_status(again, number(3)).word == "pending 0/1"
    assert cards.card_status(again, number(4)).pending == ("door-1",)
    pushed(again)
    assert cards.card_status(again, number(3)).word == "deregistered"
    assert cards.card_status(again, number(4)).pending == ()


def test_no_number_is_signed_twice_with_other_content(site, door, back) -> None:
    """Neither one that was sent since the backup nor one that was signed and never arrived."""

    def work() -> None:
        for index in range(3):
            cards.collect(site, number(index))
            pushed(site)
        cards.collect(site, number(9))
        door.dies_at = 3  # signed, and lost on its way
        push.push(site, ["door-1"])

    again = back(work, push_it=False)
    pushed(again, accept_fork=True)
    here, there = numbers(again), numbers(site)
    after = {number: digest for number, digest in there.items() if number > min(here)}
    assert len(after) == 4
    assert not {number for number in here if number in after}
    assert min(set(here) - set(there)) > restored.LIST_JUMP


def numbers(site: Site) -> dict[int, bytes]:
    with site.registry.session() as session:
        return {row.version: row.result_digest for row in session.query(ListVersion)}


def test_without_the_jump_the_same_number_comes_twice(site, door, back, monkeypatch) -> None:
    """Negative control: the lost list is signed again under its number, with other content."""
    monkeypatch.setattr(restored, "LIST_JUMP", 0)

    def work() -> None:
        issue(site, 77)
        door.dies_at = 3
        push.push(site, ["door-1"])

    again = back(work, push_it=False)
    issue(again, 78)
    pushed(again, accept_fork=True)
    here, there = numbers(again), numbers(site)
    assert [number for number in here if there.get(number, here[number]) != here[number]]


def test_a_door_that_is_where_the_backup_was_gets_a_small_list(door, back) -> None:
    again = back(push_it=False)
    result = pushed(again)
    assert (result.kind, result.changes, door.kinds[-1]) == ("delta", 0, LIST_DELTA)
    assert door.held.version == 1 + restored.LIST_JUMP + 1
    assert pushed(again).what == "already up to date"


def test_a_card_that_only_the_lost_registry_sent_is_pending(site, board, door, back) -> None:
    """Issued before the backup, sent after it: nothing here knew that."""

    def before_and_after() -> None:
        pushed(site)

    issue(site, 99)
    again = back(before_and_after, push_it=False)
    issue(site, 98)
    assert cards.collect(again, number(99)).word == "pending 0/1"
    result = pushed(again, accept_fork=True)
    assert result.ok
    assert key(board, 99) not in door.live()
    assert cards.card_status(again, number(99)).word == "deregistered"


def test_a_card_not_sent_by_any_list_yet_counts_as_sent(site, open_site, tmp_path) -> None:
    issue(site, *range(5))
    pushed(site)
    issue(site, 50)
    file = backup.make(site, tmp_path / "one.ctbackup").file
    backup_read.restore(file, tmp_path / "again", PASSPHRASE)
    again = open_site(tmp_path / "again")
    assert cards.collect(site, number(50)).deregistered, "here nothing was sent: that is known"
    assert cards.collect(again, number(50)).word == "pending 0/1"
    pushed(again)
    assert cards.card_status(again, number(50)).deregistered


def test_a_card_that_was_lengthened_since_goes_back_to_its_former_end(site, back) -> None:
    until = 60 * 1440

    def lengthen() -> None:
        status = cards.card_status(site, number(3))
        wish = card_change.Wish(until_min=status.until_min + until)
        card_change.change(site, number(3), wish)

    again = back(lengthen)
    found = compare.compare(again, "door-1")
    assert [(d.fields, d.here) for d in found.differences] == [(("until_min",), compare.LIVE)]
    pushed(again, accept_fork=True)
    assert compare.compare(again, "door-1").standing == standing.IN_STEP


def test_a_door_out_of_reach_stays_pending_and_the_others_go_on(site, open_site, tmp_path) -> None:
    Board(site, "door-2")
    issue(site, *range(5))
    push.push(site)
    file = backup.make(site, tmp_path / "one.ctbackup").file
    done = backup_read.restore(file, tmp_path / "again", PASSPHRASE)
    assert done.pending == ("door-1", "door-2")
    again = open_site(tmp_path / "again")
    results: dict[str, Any] = {r.device: r.ok for r in push.push(again)}
    assert results == {"door-1": True, "door-2": False}
    assert cards.card_status(again, number(1)).pending == ("door-2",)


def test_the_log_says_who_restored_what(back) -> None:
    again = back()
    with again.registry.session() as session:
        last = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
        found = restored.newest(session)
    assert (last.operator, last.act) == ("李明", "site.restore")
    assert json.loads(last.details)["controllers"] == 1
    assert found is not None
    assert found.made_at_s == json.loads(last.details)["made_at_s"]


def test_a_folder_restored_twice_from_one_backup_is_told_apart(back, open_site, tmp_path) -> None:
    again = back()
    pushed(again, accept_fork=True)
    backup_read.restore(tmp_path / "one.ctbackup", tmp_path / "third", PASSPHRASE)
    third = open_site(tmp_path / "third")
    issue(third, 60)
    [refused] = push.push(third, ["door-1"])
    assert "did not sign" in refused.what
    pushed(third, accept_fork=True)
    assert set(numbers(third)) & set(numbers(again)) == {1}


def test_a_backup_of_a_restored_folder_can_be_restored(door, back, open_site, tmp_path) -> None:
    again = back()
    file = backup.make(again, tmp_path / "two.ctbackup").file
    backup_read.restore(file, tmp_path / "third", PASSPHRASE)
    third = open_site(tmp_path / "third")
    pushed(third, accept_fork=True)
    assert door.held.version == 1 + 2 * restored.LIST_JUMP + 1
    with third.registry.session() as session:
        assert session.get_one(Device, third.device("door-1").id).fork_seen is None


def test_a_configuration_signed_unseen_jumps_too(site, back) -> None:
    """The controller is not asked: it may hold one that was signed since, by the same number."""

    def change(of: Site, word: str) -> int:
        return device_config.change(of, "door-1", parse([word]), later=True).version

    signed = []
    again = back(lambda: signed.append(change(site, "unlock_time=7")), push_it=False)
    assert signed == [1]
    assert change(again, "unlock_time=8") == 1 + restored.CONFIG_JUMP
    assert change(again, "unlock_time=9") > 1 + restored.CONFIG_JUMP
