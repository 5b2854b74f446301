"""The desk keeps the registry and K_tool, and rewrites: what an auditor finds, and when not (host).

Three auditors hold the same key: one pulled once before, one had a folder from enrolment on and
pulled nothing, one meets the controller in the bundle for the first time.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.keys.certificates import certificate_pem, issue_ca, issue_peer_certificate
from controller_tool.keys.files import save_key, write_private_file
from controller_tool.services import (
    audit_pins,
    bundle_verify,
    export,
    journal_store,
    journal_verify,
)
from protocol.codes import EVENT_DENIED, EVENT_GRANTED, REASON_UNKNOWN_CARD, ROLE_DESK
from tests.unit.bundle_support import Journals, bundle, name_in, read, signed_anew, write
from tests.unit.desk_support import Forger
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from controller_tool.services.site import Site

DENIED_AT, PULLED, WRITTEN = 90, 120, 200


@pytest.fixture
def folders(site, tmp_path, open_site):
    """stranger, enrolled, pulled (auditors) and desk, by name; and the board's journal."""

    def folder(role: str, name: str) -> Site:
        export.export(site, role, tmp_path / name, "of that folder")
        opened: Site = open_site(tmp_path / name, "of that folder")
        return opened

    made: dict[str, Any] = {"stranger": folder("auditor", "stranger")}
    journals = Journals(Board(site, "door-1"))
    made |= {"enrolled": folder("auditor", "enrolled"), "pulled": folder("auditor", "pulled")}
    made |= {"desk": folder("desk", "desk"), "journals": journals}
    journals.write(access=DENIED_AT, alarm=5)
    journals.access.write(1, lambda pen: pen.write(EVENT_DENIED, REASON_UNKNOWN_CARD))
    journals.write(access=PULLED - DENIED_AT - 1).pull(made["pulled"], checkpoint=False)
    for ring, sealed in enumerate(board_keys(made["pulled"])):
        audit_pins.note(made["pulled"], made["pulled"].device("door-1"), ring, sealed, True)
    journals.pull(made["desk"]).write(access=WRITTEN - PULLED).pull(made["desk"])
    return made


def board_keys(folder: Site) -> tuple[bytes, bytes]:
    device = folder.device("door-1")
    assert device.k_audit_access is not None
    assert device.k_audit_alarm is not None
    return device.k_audit_access, device.k_audit_alarm


def judged(folder: Site, path) -> tuple[bool, list[tuple[str, int | None, int | None]]]:
    done = bundle_verify.verify(folder, path)
    assert not done.flaws
    [controller] = done.controllers
    return done.ok, [(f.kind, f.first_seq, f.last_seq) for f in controller.findings]


def granted(bodies: list[bytes]) -> None:
    """The denial becomes a grant."""
    assert bodies[DENIED_AT][6] == EVENT_DENIED
    body = bytearray(bodies[DENIED_AT])
    body[6:8] = EVENT_GRANTED, 1
    bodies[DENIED_AT] = bytes(body)


def believed_by_the_desk(desk: Site) -> bool:
    """Whether K_tool alone finds nothing: then the forgery is as good as a desk can make it."""
    device = desk.device("door-1")
    return journal_verify.verify(desk, device).ok


AUDITORS = ["stranger", "enrolled", "pulled"]


@pytest.mark.parametrize("who", AUDITORS)
def test_an_honest_desk_is_believed(folders, tmp_path, who) -> None:
    assert judged(folders[who], bundle(folders["desk"], tmp_path / "b")) == (True, [])


@pytest.mark.parametrize("who", AUDITORS)
def test_a_denial_that_became_a_grant_is_named(folders, tmp_path, who) -> None:
    with closing(Forger(folders["desk"], "door-1")) as forger:
        forger.rewrite(granted)
    assert believed_by_the_desk(folders["desk"])
    ok, found = judged(folders[who], bundle(folders["desk"], tmp_path / "b"))
    assert not ok
    assert ("changed", DENIED_AT, DENIED_AT) in found
    # who has the record says so as well
    assert (("conflicting", DENIED_AT, DENIED_AT) in found) == (who == "pulled")


@pytest.mark.parametrize("who", AUDITORS)
def test_an_inserted_record_is_named(folders, tmp_path, who) -> None:
    with closing(Forger(folders["desk"], "door-1")) as forger:
        forger.rewrite(lambda bodies: bodies.insert(50, bodies[49]))
    assert believed_by_the_desk(folders["desk"])
    ok, found = judged(folders[who], bundle(folders["desk"], tmp_path / "b"))
    assert not ok
    # the first number at which something else stands than the controller wrote
    assert ("changed", 50, 50) in found


@pytest.mark.parametrize(("who", "kept", "missed"), [
    ("pulled", 100, [("truncated", 100, PULLED - 1)]),
    ("pulled", PULLED, []),
    ("enrolled", 100, []),
    ("enrolled", PULLED, []),
    ("stranger", 100, []),
])  # fmt: skip
def test_a_tail_that_was_cut_is_missed_as_far_as_the_auditor_has_been(
    folders, tmp_path, who, kept, missed
) -> None:
    """With heads, checkpoints and the log. Limit: what came after the auditor's own last pull."""
    genuine = folders["desk"]
    with closing(Forger(genuine, "door-1")) as forger:
        forger.forget_after(PULLED)
        if kept < PULLED:  # the controller was never asked at 100: the desk makes a head, unproven
            forger.rewrite(lambda bodies: bodies.__delitem__(slice(kept, None)))
    assert believed_by_the_desk(genuine)
    ok, found = judged(folders[who], bundle(genuine, tmp_path / "b"))
    if kept < PULLED:
        assert ("false_head", kept, kept) in found, "no auditor takes a head that the desk made"
    assert [f for f in found if f[0] == "truncated"] == missed
    assert ok == (kept == PULLED)


def test_an_auditors_own_heads_count_without_the_log_too(folders, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(journal_store, "noted_seq", lambda *_: 0)
    with closing(Forger(folders["desk"], "door-1")) as forger:
        forger.forget_after(PULLED)
        forger.rewrite(lambda bodies: bodies.__delitem__(slice(100, None)))
    _, found = judged(folders["pulled"], bundle(folders["desk"], tmp_path / "b"))
    assert ("truncated", 100, PULLED - 1) in found


def test_a_journal_remade_with_an_audit_key_of_the_desk_is_found_by_the_pin(
    folders, tmp_path
) -> None:
    with closing(Forger(folders["desk"], "door-1", (os.urandom(16), os.urandom(16)))) as forger:
        forger.rewrite(granted)
    made = bundle(folders["desk"], tmp_path / "b")
    for who, kind in (("enrolled", "audit_key_changed"), ("pulled", "audit_key_foreign")):
        ok, found = judged(folders[who], made)
        assert not ok
        assert found[-2:] == [(kind, None, None)] * 2
    assert ("changed", 0, 0) in judged(folders["enrolled"], made)[1], "no tag is the controller's"


def test_the_limit_who_never_saw_the_controller_believes_a_journal_that_was_remade(
    folders, tmp_path
) -> None:
    """Said in docs/security.md and docs/bundle.md, and by the tool itself."""
    with closing(Forger(folders["desk"], "door-1", (os.urandom(16), os.urandom(16)))) as forger:
        forger.rewrite(granted)
    done = bundle_verify.verify(folders["stranger"], bundle(folders["desk"], tmp_path / "b"))
    assert done.ok
    assert any("does not know the controller" in note for note in done.notes)
    assert any("not yet seen at the controller" in note for note in done.controllers[0].notes)


@pytest.fixture
def forged_and_honest(folders, tmp_path) -> list[Any]:
    """Two bundles; the first with audit keys of the desk."""
    honest = bundle(folders["desk"], tmp_path / "honest")
    with closing(Forger(folders["desk"], "door-1", (os.urandom(16), os.urandom(16)))) as forger:
        forger.rewrite(granted)
    return [bundle(folders["desk"], tmp_path / "forged"), honest]


def test_a_forged_bundle_that_comes_first_does_not_decide(folders, forged_and_honest) -> None:
    """To a folder that holds no key and has no pin; one pull settles it."""
    forged, honest = forged_and_honest
    auditor = folders["enrolled"]
    keys = board_keys(auditor)
    with closing(Forger(auditor, "door-1")) as forger:
        forger.forget_keys()
    for path in (forged, honest, forged):
        assert judged(auditor, path) == (True, []), "limit: nothing to compare with"
    for ring, sealed in enumerate(keys):
        audit_pins.note(auditor, auditor.device("door-1"), ring, sealed, True)
    assert judged(auditor, honest) == (True, [])
    ok, found = judged(auditor, forged)
    assert (ok, found[-2:]) == (False, [("audit_key_foreign", None, None)] * 2)
    assert judged(auditor, honest) == (True, []), "for good"


def test_a_key_that_was_only_told_does_not_spoil_the_controllers_own(
    folders, forged_and_honest
) -> None:
    """A folder whose pins a forged bundle had reached before it pulled."""
    forged, honest = forged_and_honest
    auditor = folders["pulled"]
    for ring, sealed in enumerate(board_keys(folders["desk"])):
        audit_pins.note(auditor, auditor.device("door-1"), ring, sealed, False)
    assert judged(auditor, honest) == (True, [])
    assert not judged(auditor, forged)[0]
    [controller] = bundle_verify.verify(auditor, honest).controllers
    assert any("once named another audit key" in note for note in controller.notes)


def test_a_registry_with_another_key_than_the_controllers_own_judges_bundles_by_the_latter(
    folders, forged_and_honest
) -> None:
    """The office or desk that made the folder exchanged the key in it."""
    forged, honest = forged_and_honest
    auditor = folders["pulled"]
    with closing(Forger(auditor, "door-1")) as forger:
        forger.hold_keys(board_keys(folders["desk"]))
    assert judged(auditor, honest) == (True, [])
    assert not judged(auditor, forged)[0]
    found = journal_verify.verify(auditor, auditor.device("door-1"))
    assert not found.ok
    assert "audit_key_foreign" in {f.kind for f in found.findings}


def test_an_older_bundle_as_if_it_were_new_is_found_by_who_has_been_further(
    folders, tmp_path
) -> None:
    desk = folders["desk"]
    with closing(Forger(desk, "door-1")) as forger:
        forger.forget_after(PULLED)
    old = bundle(desk, tmp_path / "b")
    assert judged(folders["pulled"], old) == (True, []), "as far as this auditor has been"
    folders["journals"].pull(folders["pulled"], checkpoint=False)
    ok, found = judged(folders["pulled"], old)
    assert (ok, found) == (False, [("truncated", PULLED, WRITTEN - 1)])


LET_GO, ALL = 336, 1500  # of the alarm ring, once it has gone round


@pytest.fixture
def gone_round(folders) -> Forger:
    """The alarm ring let records go that desk and auditor had pulled; the desk's forger."""
    desk, journals = folders["desk"], folders["journals"]
    journals.write(alarm=595).pull(folders["pulled"], checkpoint=False).pull(desk)
    journals.write(alarm=ALL - 600).pull(desk)
    return Forger(desk, "door-1")


@pytest.mark.parametrize("who", AUDITORS)
def test_a_ring_that_went_round_is_whole_to_everybody(folders, gone_round, tmp_path, who) -> None:
    """Also where the maker came too late for its beginning: nobody here had it."""
    gone_round.close()
    assert judged(folders[who], bundle(folders["desk"], tmp_path / "b")) == (True, [])
    late = folders["enrolled"]
    folders["journals"].pull(late, checkpoint=False)
    overwritten = ("overwritten", 0, LET_GO - 1)
    done = judged(folders["stranger"], bundle(late, tmp_path / "late"))
    assert done == (True, [overwritten])


@pytest.mark.parametrize("ring_kept", [0, 84, 200])
def test_old_records_that_the_desk_removed_are_missed_by_who_holds_them(
    folders, gone_round, tmp_path, ring_kept
) -> None:
    """Only as far as the auditor has been: the rest might have been overwritten."""
    with closing(gone_round):
        gone_round.forget_before(LET_GO, 1, vouchers=True)
    made = bundle(folders["desk"], tmp_path / "b")
    if ring_kept:  # of what this auditor pulled
        forget(folders["pulled"], ring_kept)
    ok, found = judged(folders["pulled"], made)
    wanted = [("deleted", ring_kept, LET_GO - 1)]
    wanted = ([("overwritten", 0, ring_kept - 1)] if ring_kept else []) + wanted
    assert (ok, found) == (False, wanted)
    [note] = bundle_verify.verify(folders["pulled"], made).notes
    assert "holds some of what was deleted" in note
    assert judged(folders["enrolled"], made) == (True, [("overwritten", 0, LET_GO - 1)]), "limit"


def forget(folder: Site, first: int) -> None:
    """This folder came too late for the first records."""
    with closing(Forger(folder, "door-1")) as forger:
        forger.forget_before(first, 1, vouchers=False)


@pytest.mark.parametrize("who", AUDITORS)
def test_old_records_that_a_checkpoint_covers_are_missed_by_everybody_with_a_key(
    folders, gone_round, tmp_path, who
) -> None:
    """The head at the checkpoint's number says from where on its maker held all."""
    with closing(gone_round):
        gone_round.forget_before(LET_GO, 1, vouchers=False)
    ok, found = judged(folders[who], bundle(folders["desk"], tmp_path / "b"))
    assert (ok, found) == (False, [("deleted", 0, LET_GO - 1)])
    assert not believed_by_the_desk(folders["desk"])


@pytest.mark.parametrize("who", AUDITORS)
def test_a_rewritten_bundle_with_a_new_manifest_is_found(folders, tmp_path, who) -> None:
    desk = folders["desk"]
    files = read(bundle(desk, tmp_path / "b"))
    name = name_in(files, 0, "records.bin")
    data = bytearray(files[name])
    data[48 * DENIED_AT + 6] = EVENT_GRANTED
    files[name] = bytes(data)
    ok, found = judged(folders[who], write(tmp_path / "bad", signed_anew(desk, files)))
    assert not ok
    assert ("changed", DENIED_AT, DENIED_AT) in found


def test_a_maker_that_the_peer_ca_never_saw_is_found(folders, tmp_path) -> None:
    """A key and certificate of the desk's own making, with a peer CA of its own beside it."""
    desk = folders["desk"]
    ca_key, ca = issue_ca("peer CA")
    key, certificate = issue_peer_certificate(ca_key, ca, ROLE_DESK)
    keys = desk.path / "keys"
    save_key(keys / "peer-desk.pem", key, desk.vault.key_password)
    write_private_file(keys / "peer-desk.crt.pem", certificate_pem(certificate))
    write_private_file(keys / "peer-ca.crt.pem", certificate_pem(ca))
    made = bundle(desk, tmp_path / "b")
    done = bundle_verify.verify(folders["pulled"], made)
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["maker"])


def test_a_verifier_without_pins_would_not_see_it(folders, tmp_path, monkeypatch) -> None:
    """Negative control of the pin."""
    with closing(Forger(folders["desk"], "door-1", (os.urandom(16), os.urandom(16)))) as forger:
        forger.rewrite(granted)
    monkeypatch.setattr(audit_pins, "judge", lambda *_: audit_pins.Judged(False, True))
    _, found = judged(folders["enrolled"], bundle(folders["desk"], tmp_path / "b"))
    assert "audit_key_changed" not in [f[0] for f in found]
