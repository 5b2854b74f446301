"""Pulling: what is missing is fetched wherever it lies, and what has come stays (host)."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.client import Head
from controller_tool.errors import DeviceError, LinkError
from controller_tool.services import journal_rows, journal_store, pull
from protocol import records, sector_header
from protocol.codes import ERR_BUSY, EVENT_GRANTED
from protocol.constants import RECORD_BYTES, RING_ACCESS, RING_ALARM
from tests.unit.test_journal import tamper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.unit.registry_support import Board, Pen

_PAGE = 40


class Controller:
    """Both rings of one controller as their pages come over a wire that may break."""

    def __init__(self, pens: list[Pen], breaks_after: int | None = None) -> None:
        self.pens = pens
        self.oldest = [0, 0]
        self.breaks_after = breaks_after
        self.sent = 0
        self.checkpoints: list[bytes] = []
        self.session: Any = self
        self.received_bytes = 0

    def head(self, ring: int) -> Head:
        nonce = os.urandom(16)
        return Head(nonce, self.pens[ring].head(nonce, self.oldest[ring]))

    def records(self, ring: int, ranges: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        for first, end in ranges:
            for seq in range(first, end, _PAGE):
                if self.breaks_after is not None and self.sent >= self.breaks_after:
                    raise LinkError("the wire broke", "again")
                begin = max(seq, self.oldest[ring])
                page = self.pens[ring].written[begin : min(begin + _PAGE, end)]
                self.sent += len(page)
                yield b"".join(page)

    def sector_headers(self, *_: int) -> Iterator[bytes]:
        yield b""

    def audit_key(self, _: int) -> bytes:
        return bytes(384)

    def put_checkpoint(self, envelope: bytes) -> None:
        self.checkpoints.append(envelope)


@pytest.fixture
def pens(board) -> list[Pen]:
    made = [board.pen(ring) for ring in (RING_ACCESS, RING_ALARM)]
    for pen, count in zip(made, (500, 7), strict=True):
        for _ in range(count):
            pen.write()
    return made


def pulled(site, board: Board, controller: Controller) -> pull.PullResult:
    client: Any = controller
    return pull.pull_open(site, board.device, client)


def stored(site, board: Board, ring: int = RING_ACCESS) -> list[int]:
    with site.registry.session() as session:
        return [row.seq for row in journal_rows.rows(session, board.device.id, ring)]


def test_the_account_says_where_every_record_is(site, board, pens) -> None:
    controller = Controller(pens)
    first = pulled(site, board, controller)
    assert (first.new, first.already_had, first.overwritten, first.missing) == (507, 0, 0, 0)
    pens[0].write()
    again = pulled(site, board, controller)
    assert (again.new, again.already_had, again.written) == (1, 507, 508)


def test_what_was_overwritten_is_counted_and_what_is_new_of_it_told_once(site, board, pens) -> None:
    controller = Controller(pens)
    controller.oldest[0] = 60
    first = pulled(site, board, controller)
    assert (first.new, first.overwritten, first.newly_overwritten) == (447, 60, 60)
    again = pulled(site, board, controller)
    assert (again.overwritten, again.newly_overwritten, again.written) == (60, 0, 507)


def test_a_broken_wire_costs_nothing_that_had_come(site, board, pens) -> None:
    with pytest.raises(LinkError):
        pulled(site, board, Controller(pens, breaks_after=4 * _PAGE))
    assert stored(site, board) == list(range(4 * _PAGE))
    controller = Controller(pens)
    result = pulled(site, board, controller)
    assert (result.new, result.already_had) == (507 - 4 * _PAGE, 4 * _PAGE)
    assert controller.sent == 507 - 4 * _PAGE, "nothing comes twice"


def test_a_gap_in_the_registry_is_filled_while_the_controller_has_the_records(site, board, pens):
    pages = [b"".join(pens[0].written[first : first + 50]) for first in (0, 100, 300)]
    for page in pages:
        journal_store.append(site, board.device, RING_ACCESS, page)
    result = pulled(site, board, Controller(pens))
    assert (result.new, result.already_had, result.missing) == (357, 150, 0)
    assert stored(site, board) == list(range(500))


def test_records_that_the_controller_withholds_are_missing_not_overwritten(site, board, pens):
    class Withholding(Controller):
        def records(self, ring: int, ranges: Iterable[tuple[int, int]]) -> Iterator[bytes]:
            for page in super().records(ring, ranges):
                whole = [page[at : at + RECORD_BYTES] for at in range(0, len(page), RECORD_BYTES)]
                yield b"".join(r for r in whole if records.unpack(r[:32]).seq not in range(80, 90))

    result = pulled(site, board, Withholding(pens))
    assert (result.new, result.overwritten, result.missing) == (497, 0, 10)
    assert not result.checkpointed


def test_a_ring_that_lets_records_go_during_the_pull_says_so(site, board, pens) -> None:
    class Overtaken(Controller):
        def records(self, ring: int, ranges: Iterable[tuple[int, int]]) -> Iterator[bytes]:
            self.oldest[RING_ACCESS] = 200
            return super().records(ring, ranges)

    controller = Overtaken(pens)
    result = pulled(site, board, controller)
    assert (result.new, result.overwritten, result.missing) == (307, 200, 0)
    again = pulled(site, board, controller)
    assert (again.new, again.overwritten, again.missing) == (0, 200, 0)
    assert again.newly_overwritten == 200


def test_a_checkpoint_is_kept_when_the_controller_took_it(site, board, pens) -> None:
    controller = Controller(pens)
    assert pulled(site, board, controller).checkpointed
    pens[0].write(EVENT_GRANTED)
    assert pulled(site, board, controller).checkpointed
    assert len(controller.checkpoints) == 2


def test_a_controller_that_had_checkpoints_enough_does_not_spoil_the_pull(
    site, board, pens, monkeypatch
) -> None:
    monkeypatch.setattr(pull, "_BUSY_PAUSE_S", 0)

    class Busy(Controller):
        def put_checkpoint(self, _: bytes) -> None:
            raise DeviceError("busy", "later", ERR_BUSY)

    result = pulled(site, board, Busy(pens))
    assert (result.new, result.ok, result.checkpointed) == (507, True, False)


def test_a_checkpoint_that_found_no_room_is_offered_again(site, board, pens, monkeypatch) -> None:
    monkeypatch.setattr(pull, "_BUSY_PAUSE_S", 0)

    class BusyOnce(Controller):
        tries = 0

        def put_checkpoint(self, envelope: bytes) -> None:
            self.tries += 1
            if self.tries == 1:
                raise DeviceError("busy", "later", ERR_BUSY)
            super().put_checkpoint(envelope)

    assert pulled(site, board, BusyOnce(pens)).checkpointed


def test_a_damaged_sector_header_far_ahead_is_not_where_the_next_pull_begins(site, board) -> None:
    headers = [
        sector_header.pack(0, 1, 0, n, bytes(32), bytes(16), bytes(16)) for n in (84, 1 << 30)
    ]
    journal_store.append_sectors(site, board.device, RING_ACCESS, b"".join(headers))
    with site.registry.session() as session:
        assert journal_rows.newest_sector(session, board.device.id, RING_ACCESS, 500) == 84


def test_what_one_controller_sends_never_costs_the_results_of_another(
    site, board, monkeypatch
) -> None:
    def sends(_site: Any, device: Any, *_: Any) -> pull.PullResult:
        if device.name == board.device.name:
            raise IndexError("a shape that nobody thought of")
        return pull.PullResult(device=device.name, new=7)

    monkeypatch.setattr(pull, "pull_device", sends)
    monkeypatch.setattr(site, "chosen", lambda _: [board.device.name, "other"])
    monkeypatch.setattr(site, "device", lambda name: SimpleNamespace(name=name))
    bad, good = pull.pull(site)
    assert (bad.ok, good.ok, good.new) == (False, True, 7)
    assert "IndexError" in bad.what
    assert bad.next_step


def test_conflicts_are_kept_as_evidence_and_bounded(site, board, pens, monkeypatch) -> None:
    monkeypatch.setattr(journal_store, "_CONFLICTS_MAX", 5)
    pulled(site, board, Controller(pens))
    changed = [record[:-1] + bytes((record[-1] ^ 1,)) for record in pens[0].written[:9]]
    for _ in range(2):
        counts = journal_store.append(site, board.device, RING_ACCESS, b"".join(changed))
        assert counts.conflicting == 9
    with site.registry.session() as session:
        assert len(journal_store.conflicts(session, board.device.id, RING_ACCESS)) == 5


def test_a_number_that_no_controller_reaches_is_not_stored(site, board) -> None:
    with pytest.raises(DeviceError, match="wrong shape"):
        journal_store.append(site, board.device, RING_ACCESS, b"\xff" * RECORD_BYTES)


def test_a_record_that_the_registry_lost_comes_again(site, board, pens) -> None:
    pulled(site, board, Controller(pens))
    tamper(site, "DELETE FROM journal_records WHERE ring = 0 AND seq IN (3, 7)")
    again = pulled(site, board, Controller(pens))
    assert (again.new, again.missing) == (2, 0)
    assert stored(site, board) == list(range(500))
