"""`journal verify` and `journal bundle` on a registry, and what they say (host)."""

from __future__ import annotations

import json
import os

import pytest

from controller_tool import cli, messages
from controller_tool.cli import common
from controller_tool.keys import passphrase
from controller_tool.services import (
    audit_pins,
    export,
    journal_evidence,
    journal_verify,
    journal_words,
)
from controller_tool.services.journal_findings import Report
from protocol import cbor
from protocol.constants import AAD_CHECKPOINT, RING_ACCESS, RING_ALARM
from tests.unit.bundle_support import Journals
from tests.unit.raw_registry import tool
from tests.unit.registry_support import PASSPHRASE


@pytest.fixture
def journals(site, board) -> Journals:
    return Journals(board).write(access=200, alarm=1500).pull(site)


@pytest.fixture
def run(site, capsys, monkeypatch):
    """Carries out a command; returns exit code, output, error lines."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    monkeypatch.delenv(common.OPERATOR_VARIABLE, raising=False)

    def run_(*words: object):
        code = cli.run(["journal", *map(str, words), "--site", str(site.path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run_
    messages.set_language(None)


def change(site, statement: str, *values: object) -> None:
    with tool(site) as opened:
        for table in ("journal_sectors", "journal_checkpoints", "audit_pins", "journal_records"):
            for act in ("update", "delete", "replace"):
                opened.run(f"DROP TRIGGER IF EXISTS {table}_no_{act}")
        opened.run(statement, *values)


def kinds(site) -> list[tuple[str, str, int | None, int | None]]:
    report = journal_verify.verify(site, site.device("door-1"))
    return [(f.ring, f.kind, f.first_seq, f.last_seq) for f in report.findings]


WHOLE = ("alarm", "overwritten", 0, 335)


@pytest.mark.usefixtures("journals")
def test_a_ring_that_was_overwritten_before_its_first_pull_is_whole(site) -> None:
    assert kinds(site) == [WHOLE]
    assert journal_verify.verify(site, site.device("door-1")).ok


@pytest.mark.usefixtures("journals")
def test_without_its_sector_headers_it_is_not(site) -> None:
    change(site, "DELETE FROM journal_sectors WHERE ring = 1")
    assert kinds(site) == [("alarm", "deleted", 0, 335)]
    report = journal_verify.verify(site, site.device("door-1"))
    assert report.notes[0] == "alarm ring: 336–1499 could not be proven, being behind a break"


@pytest.mark.usefixtures("journals")
def test_a_header_that_was_altered_is_named(site) -> None:
    change(site, "UPDATE journal_sectors SET header = CAST(substr(header, 1, 63) || x'00' AS BLOB)"
                 " WHERE ring = 0 AND first_seq = 84")  # fmt: skip
    assert ("access", "false_sector", 84, 84) in kinds(site)


def test_a_checkpoint_that_the_chain_does_not_pass_is_a_fork(site, journals) -> None:
    said = [site.id, journals.board.device.id_bytes, 150, bytes(32), 1500, journals.alarm.pen.c]
    envelope = site.sign("checkpoint", AAD_CHECKPOINT, cbor.encode(said))
    change(site, "INSERT INTO journal_checkpoints VALUES (9, ?, 150, 1500, ?, 1)",
           journals.board.device.id, envelope)  # fmt: skip
    # 84 is the last sector header before it, which the chain does pass
    assert kinds(site) == [("access", "forked", 84, 149), WHOLE]


@pytest.mark.parametrize("ruin", ["signed with another key", "of another controller", "no CBOR"])
def test_a_checkpoint_that_is_none_is_named(site, journals, ruin) -> None:
    said = [site.id, journals.board.device.id_bytes, 200, journals.access.pen.c, 1500,
            journals.alarm.pen.c]  # fmt: skip
    key = "ticket" if ruin == "signed with another key" else "checkpoint"
    said[1] = b"12345678" if ruin == "of another controller" else said[1]
    payload = b"\xff" if ruin == "no CBOR" else cbor.encode(said)
    change(site, "INSERT INTO journal_checkpoints VALUES (9, ?, 200, 1500, ?, 1)",
           journals.board.device.id, site.sign(key, AAD_CHECKPOINT, payload))  # fmt: skip
    assert {k for _, k, _, _ in kinds(site)} == {"overwritten", "false_checkpoint"}
    assert not journal_verify.verify(site, site.device("door-1")).ok


def test_a_checkpoint_is_read_once_it_is_signed(site, journals) -> None:
    with site.registry.session() as session:
        held = journal_evidence.envelopes(session, journals.board.device.id)
    keys = journal_evidence.checkpoint_keys(site)
    for ring, lap in ((RING_ACCESS, journals.access), (RING_ALARM, journals.alarm)):
        read = journal_evidence.checkpoints(held, keys, site.id, journals.board.device, ring)
        assert read.good == [(len(lap.pen.written), lap.pen.c)]
        assert journal_evidence.checkpoints(held, [], site.id, journals.board.device, ring).false


# --- pins -----------------------------------------------------------------------------------


def test_another_sealed_audit_key_is_a_finding_for_good(site, journals) -> None:
    audit_pins.note(site, journals.board.device, RING_ALARM, os.urandom(384), True)
    assert kinds(site) == [WHOLE, ("alarm", "audit_key_changed", None, None)]
    assert not journal_verify.verify(site, site.device("door-1")).ok


def test_the_same_key_is_noted_once_from_each_side(site, journals) -> None:
    device = journals.board.device
    for _ in range(2):
        for at_controller in (True, False):
            audit_pins.note(site, device, RING_ACCESS, device.k_audit_access, at_controller)
    with site.registry.session() as session:
        judged = audit_pins.judge(session, device.id, RING_ACCESS, device.k_audit_access)
    assert judged == audit_pins.Judged(changed=False, at_controller=True)
    assert kinds(site) == [WHOLE]


@pytest.mark.usefixtures("journals")
def test_a_registry_whose_key_was_exchanged_is_found_by_its_pin(site, monkeypatch) -> None:
    change(site, "UPDATE devices SET k_audit_access = ?", os.urandom(384))
    monkeypatch.setattr(journal_verify, "unseal", lambda *_: b"?" * 16)
    assert ("access", "audit_key_foreign", None, None) in kinds(site)


@pytest.mark.parametrize(
    ("own", "told", "held", "shown", "judged"),
    [("", "", "", "b", ()), ("", "", "a", "b", ("changed",)), ("", "a", "", "b", ("changed",)),
     ("", "ab", "", "", ("changed",)), ("a", "", "a", "a", ()), ("a", "", "a", "b", ("foreign",)),
     ("a", "b", "a", "a", ("disputed",)), ("a", "", "b", "a", ("disputed",)),
     ("a", "b", "b", "b", ("foreign", "disputed")), ("ab", "", "a", "a", ("changed",)),
     ("ab", "", "a", "c", ("changed", "foreign"))],
)  # fmt: skip
def test_what_the_controller_showed_outweighs_what_was_told(
    site, board, own, told, held, shown, judged
) -> None:
    change(site, "DELETE FROM audit_pins")
    for keys, at_controller in ((own, True), (told, False)):
        for key in keys:
            audit_pins.note(site, board.device, RING_ACCESS, key.encode(), at_controller)
    with site.registry.session() as session:
        found = audit_pins.judge(
            session, board.device.id, RING_ACCESS, shown.encode(), held.encode()
        )
    said = {name for name in ("changed", "foreign", "disputed") if getattr(found, name)}
    assert (said, found.at_controller) == (set(judged), bool(own))


def test_what_was_told_is_not_handed_on_where_the_controller_has_shown_its_key(
    site, board, tmp_path, open_site
) -> None:
    device = board.device
    audit_pins.note(site, device, RING_ACCESS, os.urandom(384), False)
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    auditor = open_site(tmp_path / "auditor", "of the auditor")
    with auditor.registry.session() as session:
        judged = audit_pins.judge(session, device.id, RING_ACCESS, device.k_audit_access)
    assert judged == audit_pins.Judged(changed=False, at_controller=False)


# --- at the terminal ------------------------------------------------------------------------


@pytest.mark.usefixtures("journals")
def test_verify_says_what_it_cannot_know(run) -> None:
    code, out, err = run("verify")
    assert (code, err) == (0, "")
    assert "Judged is what came before the newest head" in out
    assert "events that never reached the journal" in out


@pytest.mark.usefixtures("journals")
def test_a_bundle_is_made_and_judged(run, tmp_path) -> None:
    code, out, err = run("bundle", "--output", tmp_path / "b.zip")
    assert (code, "1364 records of 1 controllers" in out, "discloses" in err) == (0, True, True)
    code, out, _ = run("verify", "--bundle", tmp_path / "b.zip")
    assert (code, "whole" in out) == (0, True)
    code, out, _ = run("verify", "--bundle", tmp_path / "b.zip", "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["maker_known"]) == (0, True, True)


@pytest.mark.usefixtures("journals")
def test_a_bundle_that_is_not_whole_is_exit_one(site, run, tmp_path) -> None:
    change(site, "DELETE FROM journal_records WHERE ring = 0 AND seq = 7")
    run("bundle", "--output", tmp_path / "b")
    code, out, err = run("verify", "--bundle", tmp_path / "b")
    assert (code, "NOT WHOLE" in out, "access ring: 7 deleted" in out) == (1, True, True)
    assert err.startswith("What next: keep the bundle")


def flood(site, count: int) -> None:
    """False heads before everything else, a deleted and an altered record behind them."""
    device = site.device("door-1").id
    heads = [(n, device, os.urandom(16), n % 200) for n in range(100, 100 + count)]
    with tool(site) as opened:
        for head in heads:
            opened.run(
                "INSERT INTO journal_heads (id, device_id, ring, nonce, next_seq, chain, boot,"
                " oldest_seq, tool_mac, audit_mac, pulled_at_s) SELECT ?, ?, 0, ?, ?, chain, boot,"
                " oldest_seq, tool_mac, audit_mac, 1 FROM journal_heads WHERE ring = 0 LIMIT 1",
                *head,
            )  # fmt: skip
    change(site, "DELETE FROM journal_records WHERE ring = 0 AND seq = 190")
    change(site, "UPDATE journal_records SET record = CAST(substr(record, 1, 20) || x'ee' ||"
                 " substr(record, 22) AS BLOB) WHERE ring = 0 AND seq = 100")  # fmt: skip


@pytest.mark.usefixtures("journals")
@pytest.mark.parametrize("of_a_bundle", [False, True])
def test_a_flood_of_findings_is_folded_and_hides_no_kind(site, run, tmp_path, of_a_bundle) -> None:
    flood(site, 3000)
    words = ["verify"]
    if of_a_bundle:
        run("bundle", "--output", tmp_path / "b")
        words += ["--bundle", tmp_path / "b"]
    code, out, _ = run(*words)
    lines = [line for line in out.splitlines() if "door-1: access ring: " in line]
    named = [line for line in lines if "could not be proven" not in line]
    assert (code, len(named)) == (1, 21)
    assert named[-1].endswith("more")
    assert "door-1: access ring: 190 deleted" in named
    assert "door-1: access ring: 100 changed" in named
    code, out, _ = run(*words, "--json")
    said = json.loads(out)
    [controller] = said["controllers"] if of_a_bundle else said
    assert len(controller["findings"]) <= 1000
    assert controller["findings_count"] > 3000
    assert {"deleted", "changed", "false_head"} <= {f["kind"] for f in controller["findings"]}


def test_many_breaks_are_folded_too() -> None:
    report = Report(1000)
    for first in range(0, 1000, 10):
        report.doubt(first, first + 5)
    said = [note for note in journal_words.notes([(RING_ACCESS, report)]) if "ring" in note]
    assert (len(said), said[-1]) == (21, "access ring: and 80 more behind a break")


def test_what_is_unproven_in_a_row_is_one_row() -> None:
    report = Report(100)
    for first, end in ((0, 10), (10, 20), (20, 20), (30, 40)):
        report.doubt(first, end)
    assert (report.unproven, report.unproven_ranges) == (30, [(0, 19), (30, 39)])


@pytest.mark.usefixtures("journals")
def test_each_ring_has_its_own_verdict_and_a_changed_record_its_column(site, run) -> None:
    change(site, "UPDATE journal_records SET record = CAST(substr(record, 1, 20) || x'ee' ||"
                 " substr(record, 22) AS BLOB) WHERE ring = 0 AND seq = 199")  # fmt: skip
    code, out, err = run("verify")
    header, access, alarm = (line.split() for line in out.splitlines()[:3])
    assert header[2:7] == ["records", "proven", "unproven", "changed", "head"]
    assert (code, access[2:6]) == (1, ["200", "199", "0", "1"])
    assert ("NOT WHOLE" in " ".join(access), "NOT WHOLE" in " ".join(alarm)) == (True, False)
    assert err.startswith("What next: keep a copy")
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("journals")
def test_an_audit_key_that_changed_spoils_its_own_ring_alone(site) -> None:
    audit_pins.note(site, site.device("door-1"), RING_ALARM, os.urandom(384), True)
    report = journal_verify.verify(site, site.device("door-1"))
    assert (report.ok, [ring.ok for ring in report.rings]) == (False, [True, False])


@pytest.mark.usefixtures("journals")
def test_a_cut_tail_is_pulled_again(site, run) -> None:
    change(site, "DELETE FROM journal_records WHERE ring = 0 AND seq > 150")
    code, _, err = run("verify")
    assert (code, err.startswith("What next: keep a copy")) == (1, True)


@pytest.mark.usefixtures("journals")
def test_what_is_no_bundle_is_one_line_and_what_next(run, tmp_path) -> None:
    code, _, err = run("verify", "--bundle", tmp_path / "nothing")
    assert (code, len(err.splitlines())) == (1, 2)
    assert run("verify", "door-1", "--bundle", tmp_path)[0] == 2
    assert run("bundle", "--output", tmp_path / "no" / "b")[0] == 1
