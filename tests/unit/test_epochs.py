"""A new epoch: list numbers and what the tool knows of them begin anew (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Device
from controller_tool.services import lists, standing, trust_plan, trust_store
from controller_tool.services.trust_change import carry_out
from protocol import cose, manifest
from protocol.codes import CLOCK_SYNCED, ERR_VERSION_JUMP
from protocol.constants import VERSION_JUMP_MAX
from protocol.messages import Refused

if TYPE_CHECKING:
    from tests.unit.registry_support import Board


def test_a_new_epoch_signs_lists_anew_and_knows_the_old_ones(site, board) -> None:
    old = board.update()
    carry_out(site, trust_plan.new_epoch(site))
    assert (site.epoch, trust_store.newest(site).epoch) == (2, 2)
    nonce = bytes(16)
    said = standing.note(site, board.device, 1, old.version, old.digest)
    assert said == standing.IN_STEP, "the list of the old epoch is ours"
    new = board.next()
    lists.mark_sent(site, board.device, new.version)
    data = board.receipt(new.version, new.digest, nonce, epoch=2)
    assert lists.record_receipt(site, board.device, data, nonce) == new.version
    assert standing.note(site, board.device, 1, new.version, new.digest) == standing.FORK


def judged(board: Board, signed: lists.SignedList, epoch: int, floor: int) -> None:
    """As the controller judges it, with that floor in that epoch."""
    m = manifest.parse(bytes(cose.open_envelope(signed.envelope).payload))
    at = (clock.now_s(), CLOCK_SYNCED, 0, 20_000)
    manifest.check(m, board.site.id, board.device.id_bytes, epoch, floor, *at)


def test_a_new_epoch_goes_on_where_the_numbers_are_high(site, board) -> None:
    lists.raise_floor(site, board.device, 3 * VERSION_JUMP_MAX)
    old = board.update()
    carry_out(site, trust_plan.new_epoch(site))
    new = board.next()
    assert new.version == old.version + 1 > VERSION_JUMP_MAX
    judged(board, new, epoch=2, floor=0)
    with pytest.raises(Refused) as refused:
        judged(board, new, epoch=2, floor=1)
    assert refused.value.code == ERR_VERSION_JUMP


def test_numbers_that_are_used_up_say_so(site, board) -> None:
    lists.raise_floor(site, board.device, manifest.NUMBER_MAX)
    with pytest.raises(OperatorError, match="used up") as caught:
        board.next()
    assert "new-epoch" in caught.value.next_step


def test_numbers_that_were_driven_up_count_no_more_in_a_new_epoch(site, board) -> None:
    old = board.update()

    def seen() -> None:
        assert standing.note(site, board.device, 1, 0x3FFFFFFF, bytes(32)) == standing.FORK
        with site.registry.writing() as session:
            standing.accept(site, session, session.get_one(Device, board.device.id))

    seen()
    with pytest.raises(OperatorError):
        board.next()
    carry_out(site, trust_plan.new_epoch(site))
    assert board.next().version == old.version + 1
    lists.raise_floor(site, board.device, old.version + 1)
    standing.note(site, board.device, 1, 0x3FFFFFFE, bytes(32))
    seen()  # it holds that list until one of the new epoch comes
    new = board.next()
    assert new.version == old.version + 2
    judged(board, new, epoch=2, floor=0)
