"""A backup of one kind of registry restores into either; restored, each goes on as it should."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from controller_tool.errors import OperatorError
from controller_tool.registry import copying, records
from controller_tool.registry.models import Base
from controller_tool.rules import words
from controller_tool.services import audit, backup, backup_read, cards, push, site_file
from controller_tool.services.desk import areas, change_stay, check_in
from controller_tool.services.site import REGISTRY_FILE
from controller_tool.services.site_view import view
from protocol.constants import RING_ACCESS
from tests.unit.fake_whitelist import FakeWhitelist, connect
from tests.unit.house_support import add_areas, add_house
from tests.unit.registry_support import PASSPHRASE
from tests.unit.test_deltas_push import issue, key, number, pushed
from tests.unit.test_journal import pull
from tests.unit.test_stays import LI, card, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.site import Site

pytestmark = pytest.mark.both_registries
_OWN = ("audit", "devices", "sent_cards", "known_contents", "operators")  # what a restore changes


@pytest.fixture
def lived_in(site, board, monkeypatch) -> Site:
    """Cards, some of them ended, lists with receipts, a journal."""
    connect(monkeypatch, FakeWhitelist(board))
    issue(site, *range(20))
    pushed(site)
    cards.collect(site, number(3))
    pushed(site)
    pen = board.pen(RING_ACCESS)
    for _ in range(30):
        pen.write()
    pull(site, board, pen)
    made: Site = site
    return made


@pytest.fixture(params=["into a file", "into a database"])
def target(request, postgresql) -> Iterator[str]:
    """Where the registry goes: "" or the URL of an empty database."""
    if request.param == "into a file":
        yield ""
        return
    name = postgresql.database()
    yield postgresql.url(name)
    postgresql.drop(name)


def rows(site: Site) -> dict[str, list[Any]]:
    """Every row of every table but those that a restore changes."""
    found = {}
    with site.registry.session() as session:
        for table in Base.metadata.sorted_tables:
            if table.name not in _OWN:
                lines = session.execute(select(table).order_by(*table.primary_key))
                found[table.name] = [tuple(line) for line in lines]
    return found


def test_every_row_arrives_and_the_folder_goes_on(
    lived_in, board, open_site, tmp_path, target
) -> None:
    before = rows(lived_in)
    assert before["journal_records"]
    assert before["receipts"]
    file = backup.make(lived_in, tmp_path / "one.ctbackup").file
    backup_read.restore(file, tmp_path / "again", PASSPHRASE, registry=target)
    again = open_site(tmp_path / "again")
    assert rows(again) == before
    assert site_file.read(again.path).registry == target
    assert (again.path / REGISTRY_FILE).exists() == (not target)
    assert view(again).audit_ok
    issue(again, 50)  # numbers go on counting behind those that came
    cards.collect(again, number(4))
    [result] = push.push(again, ["door-1"])
    assert result.ok, result
    assert pushed(again).what == "already up to date"
    assert cards.card_status(again, number(3)).deregistered
    with again.registry.session() as session:
        assert audit.first_broken(session) is None
    assert key(board, 4)


def test_rows_come_behind_those_of_their_own_table_that_they_refer_to(
    lived_in, tmp_path, target, open_site
) -> None:
    """A server gives a row that was changed after the others; a visitor follows a host who moved
    to a newer stay: in neither kind of registry do rows come in the order of what they refer to."""
    add_areas(lived_in)
    add_house(lived_in)
    check_in.check_in(lived_in, request(cards=(card("0087654321"),)))
    visit = request(LI, 0.5, kind=words.VISITOR, host="L000001", cards=(card("0087654322"),))
    check_in.check_in(lived_in, visit)
    change_stay.move(lived_in, "L000001", "H00001", "102")
    areas.survey(lived_in, "330114", 10, 20)
    file = backup.make(lived_in, tmp_path / "one.ctbackup").file
    backup_read.restore(file, tmp_path / "again", PASSPHRASE, registry=target)
    assert rows(open_site(tmp_path / "again")) == rows(lived_in)


def test_a_restored_folder_leaves_the_database_alone_that_it_came_from(
    lived_in, open_site, tmp_path
) -> None:
    with lived_in.registry.session() as session:
        acts = session.scalar(select(func.count()).select_from(records.AuditEntry))
    file = backup.make(lived_in, tmp_path / "one.ctbackup").file
    backup_read.restore(file, tmp_path / "again", PASSPHRASE)
    again = open_site(tmp_path / "again")
    assert again.facts.registry == ""
    issue(again, 50)
    with lived_in.registry.session() as session:
        now = session.scalar(select(func.count()).select_from(records.AuditEntry))
    assert now == acts + 1, "that a backup was made"


def test_a_database_that_is_taken_is_not_touched(lived_in, tmp_path, postgresql) -> None:
    name = postgresql.database()
    postgresql.run("CREATE TABLE mine (x int)", name)
    file = backup.make(lived_in, tmp_path / "one.ctbackup").file
    with pytest.raises(OperatorError):
        backup_read.restore(file, tmp_path / "again", PASSPHRASE, registry=postgresql.url(name))
    assert not (tmp_path / "again").exists()
    postgresql.drop(name)


def test_a_snapshot_is_one_file_without_a_journal_beside_it(lived_in, tmp_path) -> None:
    lived_in.registry.snapshot(tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"office", "copy"}
    with sqlite3.connect(tmp_path / "copy") as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        [count] = copy.execute("SELECT count(*) FROM cards").fetchone()
    copy.close()
    assert count == 20


def test_rows_are_copied_in_batches(lived_in, tmp_path, monkeypatch, open_site) -> None:
    monkeypatch.setattr(copying, "ROWS_A_BATCH", 3)
    file = backup.make(lived_in, tmp_path / "one.ctbackup").file
    backup_read.restore(file, tmp_path / "again", PASSPHRASE)
    assert rows(open_site(tmp_path / "again")) == rows(lived_in)
