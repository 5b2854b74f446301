"""Bundles whose maker lies in a manifest that it signs: names, nothing at all, numbers (host)."""

from __future__ import annotations

import json
import os

import pytest

from controller_tool.services import (
    bundle_verify,
    export,
    journal_reach,
    journal_store,
    journal_tags,
    journal_verify,
)
from protocol import oaep, trust
from protocol.codes import KEY_AUDIT
from tests.unit.bundle_support import Journals, bundle, read, said_anew, write
from tests.unit.registry_support import Board


@pytest.fixture
def auditor(site, board, tmp_path, open_site):
    """The auditor's folder, exported at enrolment of two doors; it has pulled nothing."""
    Journals(board).write(access=50, alarm=5).pull(site)
    Journals(Board(site, "door-2")).write(access=30, alarm=5).pull(site)
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    return open_site(tmp_path / "auditor", "of the auditor")


def lied(site, auditor, tmp_path, change):
    """What the auditor's folder says of a bundle whose manifest went through ``change``."""
    files = read(bundle(site, tmp_path / "b"))
    said = json.loads(files["manifest.json"])
    change(said)
    kept = {c["id"] for c in said["controllers"]}
    files = {n: d for n, d in files.items() if "/" not in n or n.split("/")[0] in kept}
    return bundle_verify.verify(auditor, write(tmp_path / "bad", said_anew(site, files, said)))


def unchanged(said) -> None:
    pass


# --- names ----------------------------------------------------------------------------------


def swap_names(said) -> None:
    a, b = said["controllers"]
    a["name"], b["name"] = b["name"], a["name"]


def test_controllers_are_called_as_this_folder_calls_them(site, auditor, tmp_path) -> None:
    done = lied(site, auditor, tmp_path, swap_names)
    assert {c.device: c.rings[0].records for c in done.controllers} == {"door-1": 50, "door-2": 30}
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["name", "name"])
    assert {str(f) for f in done.flaws} == {
        "door-1: the bundle calls this controller door-2",
        "door-2: the bundle calls this controller door-1",
    }


def test_a_board_that_is_another_one_than_here_is_a_flaw(site, auditor, tmp_path) -> None:
    done = lied(site, auditor, tmp_path, lambda m: m["controllers"][0].update(board="nonsense"))
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["board"])
    assert "nonsense" in str(done.flaws[0])


def test_what_a_bundle_calls_rightly_is_no_flaw(site, auditor, tmp_path) -> None:
    """Negative control."""
    done = lied(site, auditor, tmp_path, unchanged)
    assert (done.ok, done.flaws) == (True, ())


def test_a_stranger_cannot_take_the_name_of_a_controller_that_is_known(
    site, auditor, tmp_path
) -> None:
    Journals(Board(site, "door-3")).write(access=3).pull(site)

    def change(said) -> None:
        ids = {device.id for device in auditor.devices()}
        said["controllers"] = [c for c in said["controllers"] if c["id"] not in ids]
        said["controllers"][0]["name"] = "door-1"

    done = lied(site, auditor, tmp_path, change)
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["name"])
    assert done.controllers[0].device == site.device("door-3").id, "told by its id"


def test_two_controllers_of_one_name_are_a_flaw(site, auditor, tmp_path) -> None:
    for name in ("door-3", "door-4"):
        Journals(Board(site, name)).write(access=3).pull(site)

    def change(said) -> None:
        for controller in said["controllers"]:
            if controller["name"] == "door-4":
                controller["name"] = "door-3"

    done = lied(site, auditor, tmp_path, change)
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["name"])
    assert len({c.device for c in done.controllers}) == 4


# --- nothing --------------------------------------------------------------------------------


def test_a_bundle_of_no_controller_is_not_whole(site, auditor, tmp_path) -> None:
    done = lied(site, auditor, tmp_path, lambda m: m.update(controllers=[]))
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["empty"])


def test_controllers_that_a_bundle_leaves_out_are_named(site, auditor, tmp_path) -> None:
    done = lied(site, auditor, tmp_path, lambda m: m["controllers"].pop(0))
    [left_out] = {d.name for d in auditor.devices()} - {c.device for c in done.controllers}
    assert done.ok, "the maker may have been asked for one alone"
    assert [note for note in done.notes if "not in the bundle" in note] == [
        f"Controllers of this folder that are not in the bundle: {left_out}"
    ]
    whole = bundle_verify.verify(auditor, tmp_path / "b")
    assert not any("not in the bundle" in note for note in whole.notes)


# --- numbers --------------------------------------------------------------------------------

STEPS, FAR = 2000, 1 << 17


@pytest.fixture
def steps(key_steps: list[int], monkeypatch) -> list[int]:
    """Spare steps of keys that are made, where few are allowed."""
    monkeypatch.setattr(journal_reach, "STEPS", STEPS)
    return key_steps


def far_record(number: int = FAR) -> bytes:
    return number.to_bytes(4, "big") + bytes(44)


def with_strangers(files, said, count: int, sealed: bytes) -> None:
    """Controllers of a desk's invention, each with a record and a head at a number far off."""
    ring = {"records": 1, "ranges": [[FAR, FAR]], "heads": 1, "sectors": 0, "conflicts": 0,
            "long": 10, "head": {"next_seq": FAR, "chain": "00" * 32}}  # fmt: skip
    for number in range(count):
        ident = f"{number:016x}"
        said["controllers"].append(
            {"id": ident, "name": ident, "board": "x", "rings": {"access": ring, "alarm": ring}}
        )
        files |= {f"{ident}/device.der": b"x", f"{ident}/checkpoints.cbor": b""}
        for name in ("access", "alarm"):
            files |= {f"{ident}/{name}/{kind}.bin": b"" for kind in ("sectors", "conflicts")}
            files |= {
                f"{ident}/{name}/records.bin": far_record(),
                f"{ident}/{name}/heads.bin": bytes(16) + FAR.to_bytes(4, "big") + bytes(76),
                f"{ident}/{name}/audit-key.bin": sealed,
            }


def test_invented_controllers_cost_one_budget_and_the_true_ones_are_judged(
    site, auditor, tmp_path, steps
) -> None:
    files = read(bundle(site, tmp_path / "b"))
    said = json.loads(files["manifest.json"])
    [modulus] = trust.verify(site.trust_object()).moduli(KEY_AUDIT)
    with_strangers(files, said, 5, oaep.seal(modulus, b"x" * 16, os.urandom))
    said["controllers"].sort(key=lambda controller: controller["id"])
    lie = write(tmp_path / "bad", said_anew(site, files, said))
    done = bundle_verify.verify(auditor, lie)
    assert sum(steps) <= STEPS
    assert not done.ok
    assert [c.device for c in done.controllers] == [
        {d.id: d.name for d in auditor.devices()}.get(c["id"], c["id"]) for c in said["controllers"]
    ], "told in the manifest's order"
    for controller in done.controllers:
        known = controller.device.startswith("door-")
        assert controller.ok == known
        assert {f.kind for f in controller.findings} == (set() if known else {"too_far"})


def test_a_controller_that_lies_costs_its_own_verdict_alone(
    site, board, tmp_path, open_site, steps
) -> None:
    """It comes first and would use nearly all; a ring that was overwritten needs 336 as well."""
    Journals(board).write(access=50, alarm=5).pull(site)
    Journals(Board(site, "door-2")).write(access=5, alarm=1500).pull(site)
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    journal_store.append(site, board.device, 0, far_record(STEPS - 100))
    files = read(bundle(site, tmp_path / "b"))
    said = json.loads(files["manifest.json"])
    said["controllers"].sort(key=lambda controller: controller["name"])
    made = write(tmp_path / "sorted", said_anew(site, files, said))
    auditor = open_site(tmp_path / "auditor", "of the auditor")
    done = bundle_verify.verify(auditor, made)
    assert sum(steps) <= STEPS
    assert [(c.device, c.ok) for c in done.controllers] == [("door-1", False), ("door-2", True)]


@pytest.mark.usefixtures("auditor")
def test_a_lying_controller_of_this_registry_costs_no_more_either(
    site, board, tmp_path, steps
) -> None:
    assert journal_verify.verify(site, board.device).ok, "the control"
    for ring in (0, 1):
        journal_store.append(site, board.device, ring, far_record())
    done = journal_verify.verify(site, board.device)
    assert sum(steps) <= STEPS
    said = [str(finding) for finding in done.findings]
    assert said == [
        f"{ring} ring: {FAR} not judged: too far beyond all that is there"
        for ring in ("access", "alarm")
    ]
    assert not any(ring.ok for ring in done.rings)
    assert [ring.unproven for ring in done.rings] == [1, 1]
    files = read(bundle(site, tmp_path / "b"))
    disclosed = files[f"{board.device.id}/access/tool-t.bin"]
    assert len(disclosed) == 50 * journal_tags.T_BYTES, "nor does handing it on"
