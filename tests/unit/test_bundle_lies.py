"""Bundles whose maker lies in a manifest that it signs: names, nothing at all, numbers (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool.services import bundle_verify, export
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


def test_two_controllers_of_one_name_are_a_flaw(site, auditor, tmp_path) -> None:
    for name in ("door-3", "door-4"):
        Journals(Board(site, name)).write(access=3).pull(site)

    def change(said) -> None:
        for controller in said["controllers"]:
            if controller["name"] == "door-4":
                controller["name"] = "door-3"

    done = lied(site, auditor, tmp_path, change)
    assert (done.ok, [f.kind for f in done.flaws]) == (False, ["name"])


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
