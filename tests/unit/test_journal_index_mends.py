"""The index of the journals finds out by itself that rows are missing in it, and where (host)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from controller_tool.services import journal_index, journal_store
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.test_journal import tamper
from tests.unit.test_journal_index import page_of

# which records and which rows of the index somebody removed, from two rings with 60 records each
REMOVED = {
    "the first stored": ("seq < 20 AND ring = 0", 10),
    "the middle": ("seq BETWEEN 30 AND 49 AND ring = 0", 10),
    "the last stored": ("seq >= 40 AND ring = 1", 10),
    "as many records as rows": ("seq < 20 AND ring = 0", 20),
    "as many of the last as rows": ("seq >= 40 AND ring = 1", 20),
    "rows alone": ("false", 10),
}


@pytest.mark.parametrize("what", list(REMOVED))
def test_lost_records_do_not_hide_that_the_index_lost_rows(site, board, what) -> None:
    """A record that is gone leaves a row in the index, which must not stand for another's."""
    for ring in (RING_ACCESS, RING_ALARM):
        pen = board.pen(ring)
        for _ in range(60):
            pen.write()
        journal_store.append(site, board.device, ring, page_of(pen))
    records, rows = REMOVED[what]
    other = "ring = 0" if "ring = 1" in records else "ring = 1"
    streams = f"SELECT id FROM journal_streams WHERE {other}"  # noqa: S608 - names of ours
    tamper(
        site,
        f"DELETE FROM journal_records WHERE {records}",  # noqa: S608
        f"DELETE FROM journal_index WHERE id >> 32 IN ({streams})"  # noqa: S608
        f" AND (id & 0xFFFFFFFF) BETWEEN 5 AND {4 + rows}",
    )
    journal_index.ensure(site, site.devices())
    there = "SELECT count(*) FROM journal_records WHERE "
    indexed = f"SELECT count(*) FROM journal_index WHERE id >> 32 IN ({streams})"  # noqa: S608
    with site.registry.session() as session:
        assert session.scalar(text(there + other)) == session.scalar(text(indexed)) == 60


def test_what_is_whole_is_not_counted_again(site, board, written, monkeypatch) -> None:
    """Nor a registry that somebody altered, once every ring was looked at."""
    journal_store.append(site, board.device, RING_ACCESS, page_of(written))
    tamper(site, "DELETE FROM journal_records WHERE seq = 3")
    journal_index.ensure(site, site.devices())
    journal_index.ensure(site, site.devices())
    monkeypatch.setattr(journal_index, "size", lambda _: pytest.fail("it was counted"))
    monkeypatch.setattr(journal_index, "_has_each", lambda *_: pytest.fail("it was counted"))
    journal_index.ensure(site, site.devices())
