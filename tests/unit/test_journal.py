"""Journals in the registry: stored as they came, verified by office and auditor, read (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import DeviceError, OperatorError
from controller_tool.services import (
    export,
    journal_store,
    journal_verify,
)
from protocol import cbor, cose, trust
from protocol.codes import (
    KEY_CHECKPOINT,
    REASON_CARD,
    REASON_REVOKED,
)
from protocol.constants import AAD_CHECKPOINT, RECORD_BYTES, RING_ACCESS, RING_ALARM
from tests.unit.raw_registry import raw

if TYPE_CHECKING:
    from tests.unit.registry_support import Board, Pen

PAGE = 40
ANOTHER_REASON = (
    "UPDATE journal_records SET record = CAST(substr(record, 1, 7) || x'02' || substr(record, 9)"
    " AS BLOB) WHERE ring = 0 AND seq = 7"
)


def pull(site, board: Board, pen: Pen, oldest: int = 0) -> journal_store.Counts:
    """What services/pull.py does for one ring."""
    first = max(journal_store.next_seq(site, board.device, pen.ring), oldest)
    for start in range(first, len(pen.written), PAGE):
        page = b"".join(pen.written[start : start + PAGE])
        journal_store.append(site, board.device, pen.ring, page)
    nonce = os.urandom(16)
    return journal_store.append(site, board.device, pen.ring, b"", pen.head(nonce, oldest), nonce)


@pytest.fixture
def pens(board) -> list[Pen]:
    """Both rings of the board: 50 access records, 3 alarm records."""
    made = [board.pen(ring) for ring in (RING_ACCESS, RING_ALARM)]
    for pen, count in zip(made, (50, 3), strict=True):
        for _ in range(count):
            pen.write()
    return made


@pytest.fixture
def pulled(site, board, pens: list[Pen]) -> list[Pen]:
    for pen in pens:
        pull(site, board, pen)
    return pens


def tamper(site, *statements: str) -> None:
    acts = ("update", "delete")
    raw(site, *(f"DROP TRIGGER IF EXISTS journal_records_no_{act}" for act in acts), *statements)


# --- store ----------------------------------------------------------------------------------


def test_records_are_stored_once(site, board, pens) -> None:
    page = b"".join(pens[0].written[:10])
    first = journal_store.append(site, board.device, RING_ACCESS, page)
    again = journal_store.append(site, board.device, RING_ACCESS, page)
    assert (first.new, again.new, again.already_had) == (10, 0, 10)
    assert journal_store.next_seq(site, board.device, RING_ACCESS) == 10
    assert journal_store.next_seq(site, board.device, RING_ALARM) == 0


def test_a_record_that_comes_again_with_other_bytes_is_kept_beside_the_first(site, board, pens):
    record = pens[0].written[0]
    other = record[:-1] + bytes((record[-1] ^ 1,))
    journal_store.append(site, board.device, RING_ACCESS, record)
    counts = journal_store.append(site, board.device, RING_ACCESS, other)
    assert (counts.new, counts.conflicting) == (0, 1)
    with site.registry.session() as session:
        [row] = journal_store.rows(session, board.device.id, RING_ACCESS)
        [conflict] = journal_store.conflicts(session, board.device.id, RING_ACCESS)
    assert (row.record, conflict.record) == (record, other)


def test_what_was_overwritten_before_a_pull_is_counted_once(site, board, pens) -> None:
    pull(site, board, pens[0])
    for _ in range(30):
        pens[0].write()
    assert pull(site, board, pens[0], oldest=60).overwritten == 10
    assert pull(site, board, pens[0], oldest=60).overwritten == 0


def test_pages_and_heads_of_a_wrong_shape_are_refused(site, board, pens) -> None:
    nonce = bytes(16)
    good = pens[0].head(nonce)
    heads = [good[:-1], [RING_ALARM, *good[1:]], [*good[:2], b"short", *good[3:]], ["x", *good[1:]],
             [good[0], -1, *good[2:]]]  # fmt: skip
    with pytest.raises(DeviceError, match="wrong shape"):
        journal_store.append(site, board.device, RING_ACCESS, bytes(RECORD_BYTES - 1))
    for head in heads:
        with pytest.raises(DeviceError, match="wrong shape"):
            journal_store.append(site, board.device, RING_ACCESS, b"", head, nonce)


def test_a_checkpoint_says_what_is_held_of_both_rings(site, board, pulled) -> None:
    envelope = journal_store.checkpoint(site, board.device)
    keys = trust.verify(site.trust_object()).moduli(KEY_CHECKPOINT)
    assert envelope is not None
    fields = cbor.decode(bytes(cose.verify(envelope, AAD_CHECKPOINT, keys)))
    access, alarm = pulled
    assert fields == [site.id, board.device.id_bytes, 50, access.c, 3, alarm.c]


def test_no_checkpoint_of_a_ring_that_is_not_whole(site, board, pens) -> None:
    assert journal_store.checkpoint(site, board.device) is None
    pull(site, board, pens[1])
    assert journal_store.checkpoint(site, board.device) is None, "no head of the access ring"
    pull(site, board, pens[0], oldest=2)
    assert journal_store.checkpoint(site, board.device) is None, "its first records are missing"


# --- verify ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("pulled")
def test_a_genuine_journal_is_proven_by_both_keys(site, board) -> None:
    report = journal_verify.verify(site, board.device)
    assert (report.ok, report.keys, report.findings) == (True, ("tool", "audit"), ())
    assert [(r.ring, r.records, r.proven, r.head_seq) for r in report.rings] == [
        ("access", 50, 50, 50),
        ("alarm", 3, 3, 3),
    ]


@pytest.mark.parametrize(
    ("statement", "kind", "seq", "text"),
    [
        ("DELETE FROM journal_records WHERE ring = 0 AND seq = 7", "deleted", 7,
         "access ring: 7 deleted"),
        ("DELETE FROM journal_records WHERE ring = 1 AND seq >= 1", "truncated", 1,
         "alarm ring: cut off, 1–2 missing at the end"),
        ("UPDATE journal_records SET record = zeroblob(48) WHERE ring = 0 AND seq = 7", "replayed",
         7, "access ring: at 7 stands a copy of 0"),
        (ANOTHER_REASON, "changed", 7, "access ring: 7 changed"),
        ("UPDATE journal_records SET seq = -1 WHERE ring = 0 AND seq = 7", "replayed", -1,
         "access ring: at -1 stands a copy of 7"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("pulled")
def test_tampering_in_the_registry_is_named(site, board, statement, kind, seq, text):
    tamper(site, statement)
    report = journal_verify.verify(site, board.device)
    assert not report.ok
    first = report.findings[0]
    assert (first.kind, first.first_seq, str(first)) == (kind, seq, text)


@pytest.mark.parametrize("kept", [0, 40])
@pytest.mark.usefixtures("pulled")
def test_a_tail_that_was_removed_with_its_heads_is_missed(site, board, kept) -> None:
    """The operators' log remembers how far the controller was."""
    tamper(
        site,
        "DROP TRIGGER journal_heads_no_delete",
        "DELETE FROM journal_heads WHERE ring = 0",
        f"DELETE FROM journal_records WHERE ring = 0 AND seq >= {kept}",  # noqa: S608 - as above
    )
    report = journal_verify.verify(site, board.device)
    kinds = [(f.kind, f.first_seq, f.last_seq) for f in report.findings]
    assert kinds == [("no_head", kept, kept), ("truncated", kept, 49)]
    assert not report.ok


def test_a_record_that_came_again_with_other_content_is_named(site, board, pulled) -> None:
    changed = bytearray(pulled[0].written[3])
    changed[20] ^= 1
    journal_store.append(site, board.device, RING_ACCESS, bytes(changed))
    report = journal_verify.verify(site, board.device)
    assert [str(f) for f in report.findings] == ["access ring: 3 came again with other content"]
    assert not report.ok


def test_two_pulls_at_once_accuse_nobody(site, board, pens) -> None:
    """The first asks, the second asks and stores, then the first stores: its head is the older."""
    [access, _] = pens
    pull(site, board, access)
    pull(site, board, pens[1])
    before = journal_store.newest_head_id(site, board.device, RING_ACCESS)
    nonce = os.urandom(16)
    older = access.head(nonce)
    access.write()
    pull(site, board, access)
    journal_store.append(site, board.device, RING_ACCESS, b"", older, nonce, before)
    assert journal_verify.verify(site, board.device).ok
    # a controller that fell back is asked after the newer head was stored
    after = journal_store.newest_head_id(site, board.device, RING_ACCESS)
    journal_store.append(site, board.device, RING_ACCESS, b"", older, nonce, after)
    [finding] = journal_verify.verify(site, board.device).findings
    assert finding.kind == "rolled_back"


def test_a_controller_that_was_never_pulled_is_not_called_whole(site, board) -> None:
    report = journal_verify.verify(site, board.device)
    assert [f.kind for f in report.findings] == ["no_head", "no_head"]
    assert not report.ok


@pytest.mark.usefixtures("pulled")
def test_an_auditor_verifies_with_the_audit_key_alone(site, board, pulled, tmp_path, open_site):
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    auditor = open_site(tmp_path / "auditor", "of the auditor")
    report = journal_verify.verify(auditor, auditor.device("door-1"))
    assert (report.ok, report.keys) == (True, ("audit",))
    # the desk forges a grant and its own tag; only the auditor's tag it cannot make
    forged = board.pen(RING_ACCESS)
    forged.k_audit, forged.keys[1] = b"?" * 16, b"?" * 16
    for seq in range(50):
        forged.write(reason=REASON_REVOKED if seq == 20 else REASON_CARD)
    for seq in range(20, 50):
        record = forged.written[seq][:40] + pulled[0].written[seq][40:]
        tamper(auditor, f"UPDATE journal_records SET record = x'{record.hex()}' "  # noqa: S608
                        f"WHERE ring = 0 AND seq = {seq}")  # fmt: skip
    report = journal_verify.verify(auditor, auditor.device("door-1"))
    assert str(report.findings[0]) == "access ring: 20 changed"


@pytest.mark.usefixtures("pulled")
@pytest.mark.parametrize("role", ["installer", "technician"])
def test_a_folder_without_a_key_of_the_journal_says_so(site, tmp_path, open_site, role) -> None:
    export.export(site, role, tmp_path / role, "of that role")
    folder = open_site(tmp_path / role, "of that role")
    with pytest.raises(OperatorError, match="holds no key for the journal"):
        journal_verify.verify(folder, folder.device("door-1"))


@pytest.mark.usefixtures("pulled")
def test_a_sealed_audit_key_that_is_not_for_this_auditor_is_told(site, board) -> None:
    tamper(site, "UPDATE devices SET k_audit_alarm = zeroblob(384)")
    with pytest.raises(OperatorError, match="not sealed to this auditor"):
        journal_verify.verify(site, board.device)
