"""Evidence bundles: what is in them, who may make which, and how they are judged (host)."""

from __future__ import annotations

import errno
import io
import json
import os
import stat

import pytest

from controller_tool.errors import OperatorError
from controller_tool.services import (
    audit_pins,
    bundle_files,
    bundle_maker,
    bundle_manifest,
    bundle_output,
    bundle_verify,
    export,
    people,
)
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.bundle_support import Journals, bundle, name_in, read, signed_anew, write
from tests.unit.registry_support import Board
from tests.unit.test_cards import issue


@pytest.fixture
def journals(site, board, request) -> Journals:
    """Both rings, pulled; the test may say how many alarms."""
    return Journals(board).write(access=200, alarm=getattr(request, "param", 20)).pull(site)


@pytest.fixture
def auditor(site, board, tmp_path, open_site):
    """The auditor's folder, exported at enrolment: it has pulled nothing."""
    assert board.device.k_audit_access
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    return open_site(tmp_path / "auditor", "of the auditor")


# the board's journal is there before anything is asked of it
pytestmark = pytest.mark.usefixtures("journals")


@pytest.fixture(params=["folder", "packed.zip"])
def path(request, tmp_path):
    return tmp_path / request.param


# --- made and judged ------------------------------------------------------------------------


@pytest.mark.parametrize("journals", [1500], ids=["overwritten"], indirect=True)
def test_an_auditor_proves_a_bundle_with_the_audit_key(site, auditor, path) -> None:
    done = bundle_verify.verify(auditor, bundle(site, path))
    assert (done.ok, done.flaws, done.maker_known) == (True, (), True)
    [controller] = done.controllers
    said = [str(f) for f in controller.findings]
    assert said == ["alarm ring: 0–335 overwritten, the ring was full"]
    assert [(r.records, r.proven) for r in controller.rings] == [(200, 200), (1164, 1164)]
    assert set(controller.keys) == {"disclosed", "audit"}


def test_the_office_proves_its_own_bundle(site, path) -> None:
    assert bundle_verify.verify(site, bundle(site, path)).ok


def test_the_same_journal_makes_the_same_bundle(site, tmp_path) -> None:
    first, second = bundle(site, tmp_path / "a.zip"), bundle(site, tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    assert read(first) == read(bundle(site, tmp_path / "folder"))


def test_no_key_k_is_in_a_bundle(site, journals, tmp_path) -> None:
    everything = b"".join(read(bundle(site, tmp_path / "b", cards=True, people=True)).values())
    device = site.device("door-1")
    for secret in ("k_tool_access", "k_tool_alarm", "card_key", "receipt_key", "link_root"):
        assert site.secret(device, secret) not in everything
    for lap in journals.laps.values():
        assert not any(key in everything for key in (*lap.pen.keys, lap.pen.k_audit))


def test_a_bundle_is_for_its_owner_alone(site, tmp_path) -> None:
    folder, packed = bundle(site, tmp_path / "folder"), bundle(site, tmp_path / "b.zip")
    modes = {stat.S_IMODE(p.stat().st_mode) for p in folder.rglob("*") if p.is_file()}
    folders = {stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.rglob("*")) if p.is_dir()}
    assert (modes, folders, stat.S_IMODE(packed.stat().st_mode)) == ({0o600}, {0o700}, 0o600)


def test_an_auditors_own_bundle_holds_no_tag_keys_and_is_proven_by_who_can(
    site, auditor, journals, tmp_path
) -> None:
    journals.pull(auditor, checkpoint=False)
    made = bundle(auditor, tmp_path / "b")
    assert not any(name.endswith("tool-t.bin") for name in read(made))
    assert bundle_verify.verify(site, made).ok


def test_a_manifest_that_names_another_newest_head_is_found(site, tmp_path) -> None:
    """Who reads the manifest alone must not be told something else than the files say."""
    files = read(bundle(site, tmp_path / "b"))
    said = json.loads(files["manifest.json"])
    said["controllers"][0]["rings"]["access"]["head"]["next_seq"] += 1
    manifest = bundle_manifest.canonical(said)
    files |= {"manifest.json": manifest, "manifest.cose": bundle_maker.sign(site, manifest)}
    done = bundle_verify.verify(site, write(tmp_path / "bad", files))
    assert (done.ok, [flaw.kind for flaw in done.flaws]) == (False, ["head"])


# --- cards ----------------------------------------------------------------------------------


def test_cards_and_names_only_when_asked_for(site, board, tmp_path) -> None:
    issue(site, holder=people.Holder("张伟"))
    board.update()
    plain, cards = bundle(site, tmp_path / "plain"), bundle(site, tmp_path / "cards", cards=True)
    named = bundle(site, tmp_path / "named", cards=True, people=True)
    assert not any(name.endswith(("cards.json", "masks.bin")) for name in read(plain))
    [with_cards], [with_names] = (
        [data for name, data in read(made).items() if name.endswith("cards.json")]
        for made in (cards, named)
    )
    assert list(json.loads(with_cards).values()) == [{"ref": "K000001"}]
    assert list(json.loads(with_names).values()) == [{"ref": "K000001", "holder": "张伟"}]


@pytest.mark.parametrize("role", ["auditor", "hub"])
def test_who_has_no_cards_or_names_cannot_give_them_away(site, tmp_path, open_site, role):
    export.export(site, role, tmp_path / role, "of that role")
    folder = open_site(tmp_path / role, "of that role")
    with pytest.raises(OperatorError, match="does not know whose cards"):
        bundle(folder, tmp_path / "b", cards=True)
    assert not (tmp_path / "b").exists()


# --- places ---------------------------------------------------------------------------------


def test_what_is_there_is_left_alone_without_force(site, path) -> None:
    made = bundle(site, path)
    before = read(made)
    with pytest.raises(OperatorError, match="there already"):
        bundle(site, path)
    assert read(made) == before
    bundle(site, path, force=True)


def test_force_replaces_bundles_alone(site, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("mine")
    with pytest.raises(OperatorError, match="no bundle"):
        bundle(site, tmp_path / "mine", force=True)
    assert (tmp_path / "mine" / "letter").read_text() == "mine"


@pytest.mark.parametrize("at", [0, 3, 9])
def test_a_full_disk_is_one_line_and_leaves_nothing(site, path, monkeypatch, at) -> None:
    def full(self, name, data, put):
        if len(self.files) == at:
            raise OSError(28, "No space left on device")
        put(self, name, data)

    for kind in (bundle_output._Folder, bundle_output._Zip):
        put = kind.put
        monkeypatch.setattr(kind, "put", lambda s, n, d, put=put: full(s, n, d, put))
    before = set(path.parent.iterdir())
    with pytest.raises(OperatorError, match="No space left"):
        bundle(site, path)
    assert set(path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("number", "next_step"),
    [(errno.ENOSPC, "Make room there or write elsewhere, then try again"),
     (errno.EACCES, "Check the folder and its permissions")],
)  # fmt: skip
def test_what_a_disk_refuses_is_told_from_what_it_forbids(
    site, path, monkeypatch, number, next_step
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    made = bundle(site, path.with_name(f"made-{path.name}"))
    for kind in (bundle_output._Folder, bundle_output._Zip):
        monkeypatch.setattr(kind, "put", refused)
    for name in ("_folder", "_check_directory"):
        monkeypatch.setattr(bundle_files, name, refused)
    for attempt in (lambda: bundle(site, path), lambda: bundle_verify.verify(site, made)):
        with pytest.raises(OperatorError) as told:
            attempt()
        assert told.value.next_step == next_step


# --- pins and makers ------------------------------------------------------------------------


def test_a_sound_bundle_leaves_a_pin_and_a_broken_one_does_not(site, auditor, tmp_path):
    device = auditor.device("door-1")
    other = os.urandom(384)
    files = read(bundle(site, tmp_path / "b"))
    files[name_in(files, RING_ALARM, "audit-key.bin")] = other
    bad = write(tmp_path / "bad", signed_anew(site, files))
    done = bundle_verify.verify(auditor, bad)
    assert [f.kind for f in done.controllers[0].findings if f.ring == "alarm"][
        -1
    ] == "audit_key_changed"
    assert bundle_verify.verify(auditor, tmp_path / "b").ok
    with auditor.registry.session() as session:
        judged = audit_pins.judge(session, device.id, RING_ACCESS, None)
    assert (judged.changed, judged.at_controller) == (False, False)


def test_a_key_that_was_seen_at_the_controller_is_said_no_more(site, auditor, tmp_path) -> None:
    device = auditor.device("door-1")
    before = bundle_verify.verify(auditor, bundle(site, tmp_path / "b")).controllers[0].notes
    for ring, sealed in enumerate((device.k_audit_access, device.k_audit_alarm)):
        assert sealed is not None
        audit_pins.note(auditor, device, ring, sealed, True)
    after = bundle_verify.verify(auditor, tmp_path / "b").controllers[0].notes
    assert any("not yet seen at the controller" in note for note in before)
    assert not any("not yet seen at the controller" in note for note in after)


def test_a_folder_without_a_peer_ca_cannot_know_the_maker(site, auditor, tmp_path) -> None:
    (auditor.path / "keys" / "peer-ca.crt.pem").unlink()
    done = bundle_verify.verify(auditor, bundle(site, tmp_path / "b"))
    assert (done.ok, done.maker_known) == (True, False)
    assert any("cannot be known" in note for note in done.notes)


def test_a_folder_with_no_audit_key_is_told_what_a_disclosed_key_is_worth(
    site, tmp_path, open_site
) -> None:
    made = bundle(site, tmp_path / "b")
    export.export(site, "technician", tmp_path / "technician", "of that role")
    folder = open_site(tmp_path / "technician", "of that role")
    done = bundle_verify.verify(folder, made)
    assert done.ok
    assert any("proves nothing against the maker" in note for note in done.notes)
    files = {n: d for n, d in read(made).items() if not n.endswith("tool-t.bin")}
    bare = bundle_verify.verify(folder, write(tmp_path / "bare", signed_anew(site, files)))
    assert (bare.ok, [f.kind for f in bare.flaws]) == (False, ["no_key"])


def test_several_controllers_are_judged_each_by_itself(site, auditor, tmp_path) -> None:
    second = Journals(Board(site, "door-2")).write(access=30, alarm=5).pull(site)
    files = read(bundle(site, tmp_path / "b"))
    name = f"{second.board.device.id}/access/records.bin"
    data = bytearray(files[name])
    data[48 * 7 + 20] ^= 1
    files[name] = bytes(data)
    done = bundle_verify.verify(auditor, write(tmp_path / "bad", signed_anew(site, files)))
    verdicts = {v.device: (v.ok, [str(f) for f in v.findings if f.kind != "overwritten"])
                for v in done.controllers}  # fmt: skip
    assert verdicts == {"door-1": (True, []), "door-2": (False, ["access ring: 7 changed"])}
    assert io.StringIO(str(done.controllers)), "and it can be printed"
