"""When lists are signed, what controllers are believed, what is proven by receipts alone (host)."""

from __future__ import annotations

import os

import pytest

from controller_tool import clock, credentials
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.registry.models import Device, Setting
from controller_tool.registry.records import Receipt
from controller_tool.services import audit, card_grants, cards, list_state, lists
from controller_tool.services import standing as standings
from protocol import card_digest, cose, manifest, trust
from protocol import cards as layout
from protocol.codes import CLOCK_SYNCED, KEY_TICKET, KEY_WHITELIST
from protocol.constants import AAD_MANIFEST, CARD_RECORD_BYTES, FLAG_REVOKED
from tests.unit.registry_support import Board

CARD = "0012345678"
OTHER = "0012345679"


def issue(site, number: str = CARD, days: int = 30, devices=None) -> cards.CardStatus:
    now_min = clock.now_s() // 60
    terms = cards.Terms(now_min - 1, now_min + days * 1440, devices)
    return cards.issue(site, credentials.parse(number), terms, None)


def flags(signed: lists.SignedList) -> list[int]:
    starts = range(0, len(signed.payload), CARD_RECORD_BYTES)
    return [layout.flags(signed.payload, at) for at in starts]


def standing(
    board: Board, version: int, digest: bytes = bytes(32), epoch: int = 1, accept: bool = False
) -> str:
    found = standings.note(board.site, board.device, epoch, version, digest)
    if accept:
        with board.site.registry.writing() as session:
            standings.accept(board.site, session, session.get_one(Device, board.device.id))
    return found


def test_a_controller_takes_what_is_signed(site, board) -> None:
    issue(site)
    signed = board.next()
    keys = trust.verify(site.trust_object())
    payload = cose.verify(signed.envelope, AAD_MANIFEST, keys.moduli(KEY_WHITELIST))
    m = manifest.parse(bytes(payload))
    now = clock.now_s()
    manifest.check(m, site.id, board.device.id_bytes, 1, 0, now, CLOCK_SYNCED, 0, 20_000)
    taken = card_digest.Digest([profile[0] for profile in m.profiles])
    taken.update(signed.payload)
    assert (taken.digest(), taken.count) == (m.result_digest, 1) == (signed.digest, m.count)
    with pytest.raises(cose.UnknownKey):
        cose.verify(signed.envelope, AAD_MANIFEST, keys.moduli(KEY_TICKET))


def test_the_manifest_carries_the_head_of_the_operators_log(site, board) -> None:
    issue(site)
    with site.registry.session() as session:
        head = audit.head(session)
    signed = board.next()
    m = manifest.parse(bytes(cose.open_envelope(signed.envelope).payload))
    assert m.audit_head == head


def test_an_unchanged_list_is_signed_once_and_sent_until_its_receipt_is_in(site, board) -> None:
    issue(site)
    first = board.next()
    assert lists.next_for(site, board.device) == first
    board.take(first, proven=False)
    assert lists.next_for(site, board.device) == first
    board.take(first)
    assert lists.next_for(site, board.device) is None
    assert board.next(force=True).version == first.version + 1


def test_a_list_is_signed_anew_at_half_of_its_time(site, board, monkeypatch) -> None:
    first = board.update()
    later = clock.now_s() + 35 * 3600
    monkeypatch.setattr(list_state, "now_s", lambda: later)
    assert lists.next_for(site, board.device) is None
    monkeypatch.setattr(list_state, "now_s", lambda: later + 2 * 3600)
    assert board.next().version == first.version + 1


def test_a_collected_card_stays_listed_as_revoked(site, board) -> None:
    issue(site)
    assert flags(board.update()) == [0]
    cards.collect(site, CARD)
    assert flags(board.update()) == [FLAG_REVOKED]


def test_a_list_that_is_signed_may_be_on_its_way(site, board) -> None:
    """One desk signs; before it sends, another one ends the card."""
    issue(site)
    on_its_way = board.next()
    assert cards.collect(site, CARD).word == "pending 0/1"
    newer = board.next()
    assert flags(newer) == [FLAG_REVOKED]
    with pytest.raises(OperatorError, match="newer list was signed"):
        lists.mark_sent(site, board.device, on_its_way.version)
    assert cards.card_status(site, CARD).word == "pending 0/1"
    board.take(newer)
    assert cards.card_status(site, CARD).deregistered


def test_a_card_that_was_never_signed_needs_no_proof(site, board) -> None:
    issue(site)
    assert cards.collect(site, CARD).deregistered
    assert board.update().count == 0


def test_a_card_issued_again_is_live_and_its_former_issue_is_dead(site, board) -> None:
    former = issue(site)
    board.update()
    cards.collect(site, CARD)
    again = issue(site)
    signed = board.update()
    assert flags(signed) == [0]
    assert cards.card_status(site, former.ref).deregistered
    assert cards.card_status(site, again.ref).word == "issued"


def hold_at_most(board: Board, count: int) -> None:
    with board.site.registry.writing() as session:
        session.get_one(Device, board.device.id).cards_max = count


def test_more_cards_than_the_board_holds_are_not_issued(site, board) -> None:
    hold_at_most(board, 1)
    issue(site)
    with pytest.raises(OperatorError, match="holds 1 cards and would get 2"):
        issue(site, OTHER)
    assert [card.credential for card in cards.list_cards(site)] == [
        cards.card_status(site, CARD).credential
    ]
    Board(site, "door-2")
    issue(site, OTHER, devices=("door-2",))
    with pytest.raises(OperatorError, match="holds 1 cards and would get 2"):
        card_grants.grant_all(site, "door-1")


def test_a_full_board_learns_of_every_end(site, board) -> None:
    """What has ended, and what it never saw, makes room: no card keeps another one alive."""
    issue(site)
    issue(site, "0012345677")
    board.update()
    issue(site, OTHER)
    hold_at_most(board, 2)
    cards.collect(site, CARD)
    signed = board.update()
    assert (signed.count, signed.left_out) == (2, 0), "the ended card leaves, the new one comes"
    assert cards.card_status(site, CARD).deregistered
    assert flags(signed) == [0, 0]
    hold_at_most(board, 3)
    signed = board.next(force=True)
    assert sorted(flags(signed)) == [0, 0, FLAG_REVOKED]


def test_a_card_that_the_board_never_saw_waits_for_room(site, board) -> None:
    issue(site)
    board.update()
    issue(site, OTHER)
    hold_at_most(board, 1)
    assert lists.next_for(site, board.device) is None
    signed = board.next(force=True)
    assert (signed.count, signed.left_out) == (1, 1)
    board.take(signed)
    assert lists.next_for(site, board.device) is None
    cards.collect(site, CARD)
    assert flags(board.update()) == [0], "now it has its place"
    assert cards.card_status(site, CARD).deregistered


def test_a_board_that_holds_less_than_it_did_gets_no_list(site, board) -> None:
    issue(site)
    issue(site, OTHER)
    board.update()
    hold_at_most(board, 1)
    with pytest.raises(DeviceError, match="holds 1 cards and would get 2"):
        board.next(force=True)


def test_more_rules_than_fit_an_envelope_are_refused(site, board) -> None:
    with site.registry.writing() as session:
        days = list(range(1, 600))
        session.get(Setting, "holidays").value = str(days)
    with pytest.raises(OperatorError, match="holidays"):
        lists.next_for(site, board.device)


def test_standings(site, board) -> None:
    assert standing(board, 0) == standings.BLANK
    first = board.update()
    assert standing(board, 1, first.digest) == standings.IN_STEP
    issue(site)
    second = board.next()
    assert standing(board, 1, first.digest) == standings.BEHIND
    board.take(second, proven=False)
    assert standing(board, 2, second.digest) == standings.UNRECEIPTED
    assert lists.next_for(site, board.device) is None, "it is there: only its receipt is missing"


@pytest.mark.parametrize("lost", ["older list", "no list"])
def test_a_controller_that_fell_back_has_its_receipts_pending_again(site, board, lost) -> None:
    first = board.update()
    issue(site)
    board.update()
    cards.collect(site, CARD)
    board.update()
    assert cards.card_status(site, CARD).deregistered
    reported = (1, first.digest) if lost == "older list" else (0, bytes(32))
    assert standing(board, *reported) == standings.ROLLED_BACK
    assert cards.card_status(site, CARD).word == "pending 0/1"
    assert board.update().version == 4, "its floor may be 3"
    assert cards.card_status(site, CARD).deregistered


@pytest.mark.parametrize("version", [1, 7, 70_000])
def test_a_list_that_was_never_signed_here_is_a_fork(site, board, version) -> None:
    issue(site)
    board.update()
    cards.collect(site, CARD)
    board.update()
    foreign = os.urandom(32)
    assert standing(board, version, foreign) == standings.FORK
    assert cards.card_status(site, CARD).word == "pending 0/1"
    for force in (False, True):
        with pytest.raises(DeviceError, match="did not sign"):
            lists.next_for(site, board.device, force)
    assert standing(board, version, foreign, accept=True) == standings.FORK
    signed = board.next()
    assert standing(board, version, foreign) == standings.FORK, "the wire broke: it holds good"
    assert board.next() == signed
    assert standing(board, version, os.urandom(32)) == standings.FORK
    with pytest.raises(DeviceError, match="did not sign"):
        board.next()
    standing(board, version, foreign, accept=True)
    board.take(signed)
    assert signed.version == max(version, 2) + 1
    assert flags(signed) == [FLAG_REVOKED]
    assert cards.card_status(site, CARD).deregistered
    assert standing(board, signed.version, signed.digest) == standings.IN_STEP


def test_a_restored_registry_does_not_revive_a_card_in_silence(
    site, board, open_site, tmp_path, disk_image
) -> None:
    issue(site)
    board.update()
    backup = disk_image(site, tmp_path / "backup")
    cards.collect(site, CARD)
    dead = board.update()
    restored = open_site(backup)
    there = restored.device("door-1")
    assert standings.note(restored, there, 1, dead.version, dead.digest) == standings.FORK
    with pytest.raises(DeviceError, match="did not sign"):
        lists.next_for(restored, there)


def test_a_fork_that_is_gone_is_forgotten(board) -> None:
    first = board.update()
    standing(board, 5, os.urandom(32))
    standing(board, first.version, first.digest)
    assert board.next().version > 5


def test_another_epoch_is_a_fork(board) -> None:
    signed = board.update()
    assert standing(board, 1, signed.digest, epoch=2) == standings.FORK


def false_receipts(board: Board, signed: lists.SignedList, nonce: bytes) -> dict[str, bytes]:
    good = board.receipt(signed.version, signed.digest, nonce)
    stranger = Board(board.site, "door-2")
    return {
        "one bit": good[:-1] + bytes((good[-1] ^ 1,)),
        "another question": board.receipt(signed.version, signed.digest, os.urandom(16)),
        "another controller": stranger.receipt(signed.version, signed.digest, nonce),
        "cut off": good[:-2],
        "no receipt": b"",
    }


@pytest.mark.parametrize(
    "case", ["one bit", "another question", "another controller", "cut off", "no receipt"]
)
def test_a_false_receipt_proves_nothing(site, board, case) -> None:
    signed = board.next()
    board.take(signed, proven=False)
    nonce = os.urandom(16)
    with pytest.raises(DeviceError, match="not genuine"):
        lists.record_receipt(site, board.device, false_receipts(board, signed, nonce)[case], nonce)
    assert board.device.list_version_receipted == 0
    with site.registry.session() as session:
        assert session.query(Receipt).count() == 0


def test_a_genuine_receipt_for_a_foreign_list_is_kept_and_proves_nothing(site, board) -> None:
    board.take(board.next(), proven=False)
    nonce = os.urandom(16)
    with pytest.raises(DeviceError, match="did not sign"):
        lists.record_receipt(site, board.device, board.receipt(1, os.urandom(32), nonce), nonce)
    assert board.device.list_version_receipted == 0
    with site.registry.session() as session:
        assert [row.signed_here for row in session.query(Receipt)] == [False]
    with pytest.raises(DeviceError, match="did not sign"):
        board.next(force=True)
