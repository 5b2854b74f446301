"""Checkpoints go on where the last one ended, and on nothing else (host)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from controller_tool.registry.records import JournalCheckpoint
from controller_tool.services import (
    journal_checkpoint,
    journal_store,
)
from protocol import cbor, chain
from protocol.constants import AAD_CHECKPOINT, RING_ALARM
from tests.unit.test_journal import pull, tamper


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    """Links of the chain that a checkpoint follows."""
    links: list[int] = []

    def link(c: bytes, body: bytes) -> bytes:
        links.append(len(links))
        return chain.link(c, body)

    counting = SimpleNamespace(start=chain.start, link=link)
    monkeypatch.setattr(journal_checkpoint, "chain", counting)
    return links


def take(site, board) -> bytes:
    envelope = journal_store.checkpoint(site, board.device)
    assert envelope is not None
    journal_store.store_checkpoint(site, board.device, envelope)
    return envelope


def test_a_checkpoint_goes_on_where_the_last_one_ended(site, board, written, counted) -> None:
    pens = [written, board.pen(RING_ALARM)]
    pens[1].write()
    for pen in pens:
        pull(site, board, pen)
    first = take(site, board)
    assert len(counted) == 61
    written.write()
    pull(site, board, written)
    del counted[:]
    assert take(site, board) != first
    assert len(counted) == 1


def test_a_checkpoint_that_no_head_agrees_with_is_not_built_upon(site, board, written, counted):
    pens = [written, board.pen(RING_ALARM)]
    for pen in pens:
        pull(site, board, pen)
    right = take(site, board)
    ids = [site.id, board.device.id_bytes]
    lies: list[cbor.Value] = [
        0,
        [*ids, 60, bytes(32), 0, bytes(32)],
        [*ids, 59, written.c, 0, pens[1].c],
        [site.id, site.id, 60, written.c, 0, pens[1].c],
        [*ids, "60", written.c, "0", pens[1].c],
    ]
    for lie in lies:
        envelope = site.sign(journal_checkpoint.CHECKPOINT_KEY, AAD_CHECKPOINT, cbor.encode(lie))
        with site.registry.writing() as session:
            session.add(
                JournalCheckpoint(
                    device_id=board.device.id, access_seq=60, alarm_seq=0, envelope=envelope,
                    taken_at_s=0,
                )
            )  # fmt: skip
        del counted[:]
        assert journal_store.checkpoint(site, board.device) == right
        assert len(counted) == 60


def test_a_checkpoint_is_not_given_for_a_ring_with_a_hole_before_the_last_one(site, board, written):
    pens = [written, board.pen(RING_ALARM)]
    for pen in pens:
        pull(site, board, pen)
    take(site, board)
    tamper(site, "DELETE FROM journal_records WHERE ring = 0 AND seq = 7")
    assert journal_store.checkpoint(site, board.device) is None


def test_the_same_checkpoint_again_is_nothing_new(site, board, written) -> None:
    pens = [written, board.pen(RING_ALARM)]
    for pen in pens:
        pull(site, board, pen)
    for _ in range(2):
        take(site, board)
    with site.registry.session() as session:
        assert session.execute(text("SELECT count(*) FROM journal_checkpoints")).scalar() == 1
