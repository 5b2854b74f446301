"""Where backups lie: what is taken along, kept and removed; full and closed disks."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.services import backup_read
from controller_tool.services.site_view import view
from tests.unit.backup_support import full_disk, live_in, made, tree
from tests.unit.registry_support import PASSPHRASE

if TYPE_CHECKING:
    from controller_tool.services.site import Site

# opens files of the restored folder as files; test_backup_registries has the other kind
pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def lived_in(site, board) -> Site:
    return live_in(site, board)


def test_nothing_is_written_over(lived_in, tmp_path) -> None:
    done = made(lived_in, tmp_path / "one.ctbackup")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    with pytest.raises(OperatorError, match="not empty"):
        backup_read.restore(done.file, taken, PASSPHRASE)
    with pytest.raises(OperatorError, match="is no backup"):
        made(lived_in, taken / "mine")
    assert (taken / "mine").read_text() == "mine"
    empty = tmp_path / "empty"
    empty.mkdir()
    backup_read.restore(done.file, empty, PASSPHRASE)
    assert (empty / "site.toml").is_file()
    assert made(lived_in, done.file).file == done.file, "a backup may be written anew"


def test_a_backup_in_the_folder_itself_is_none(lived_in, tmp_path) -> None:
    for place in (lived_in.path / "one", lived_in.path / "keys", lived_in.path):
        with pytest.raises(OperatorError, match="would be lost with it"):
            made(lived_in, place)
    link = tmp_path / "link"
    link.symlink_to(lived_in.path)
    with pytest.raises(OperatorError, match="would be lost with it"):
        made(lived_in, link / "one")


def test_what_is_no_plain_file_is_left_out_and_named(lived_in, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not of this folder")
    (lived_in.path / "records" / "link").symlink_to(outside / "secret")
    (lived_in.path / "linked").symlink_to(outside)
    os.mkfifo(lived_in.path / "pipe")
    (lived_in.path / "keys" / "half.pem.new").write_text("half")
    (lived_in.path / "sim").mkdir()
    (lived_in.path / "sim" / "flash").write_text("a virtual board's")
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert done.left_out == ("linked", "pipe", "records/link")
    backup_read.restore(done.file, tmp_path / "again", PASSPHRASE)
    there = tree(tmp_path / "again")
    assert not [name for name in there if re.search(r"link|pipe|new|sim", name)]


def test_the_newest_stay_and_other_files_are_left_alone(lived_in, tmp_path, monkeypatch) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    others = ["site-0000000000000000-20260101-000000.ctbackup", "note.txt",
              f"site-{lived_in.id.hex()}-20260101-000000.ctbackup.old"]  # fmt: skip
    for name in others:
        (place / name).write_text("not ours")
    moments = []
    real = clock.now_s()
    for day in range(4):
        monkeypatch.setattr(
            "controller_tool.services.backup.now_s", lambda day=day: real + day * 86400
        )
        moments.append(made(lived_in, place, keep=2).file.name)
    again = made(lived_in, place, keep=2)
    assert again.removed == (moments[2],)
    assert {path.name for path in place.iterdir()} == {moments[3], again.file.name, *others}
    with pytest.raises(OperatorError, match="needs a folder"):
        made(lived_in, tmp_path / "one.ctbackup", keep=2)


def test_nothing_is_removed_when_the_new_one_fails(lived_in, tmp_path, monkeypatch) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    first = made(lived_in, place, keep=1).file
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OperatorError, match="cannot be written"):
        made(lived_in, place, keep=1)
    assert list(place.iterdir()) == [first]


def test_a_dry_run_writes_nothing(lived_in, tmp_path) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    kept = made(lived_in, place)
    before = view(lived_in)
    told_of = made(lived_in, place, keep=1, dry_run=True)
    assert told_of.removed == (kept.file.name,)
    assert [path.name for path in place.iterdir()] == [kept.file.name]
    assert view(lived_in) == before
    seen = backup_read.restore(kept.file, tmp_path / "again", PASSPHRASE, dry_run=True)
    assert seen.dry_run
    assert not (tmp_path / "again").exists()


def test_what_a_killed_backup_left_is_cleared_once_it_is_old(lived_in, tmp_path) -> None:
    old, young = (lived_in.path / name for name in (".backup-old", ".backup-young"))
    for folder in (old, young):
        shutil.copytree(lived_in.path / "keys", folder)
    os.utime(old, (1, 1))
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert (old.exists(), young.exists()) == (False, True)
    assert not [name for name in done.left_out if name.startswith(".backup")]


# --- full and read-only disks ---------------------------------------------------------------


def test_a_full_disk_is_two_lines_and_nothing_stays(lived_in, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OperatorError) as refused:
        made(lived_in, tmp_path / "one.ctbackup")
    assert refused.value.what.endswith("cannot be written (No space left on device)")
    assert refused.value.next_step == "Make room there or write elsewhere, then try again"
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["office"]
    done = made(lived_in, tmp_path / "one.ctbackup")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OperatorError, match=r"cannot be made \(No space left"):
        backup_read.restore(done.file, tmp_path / "again", PASSPHRASE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["office", "one.ctbackup"]


def test_a_backup_is_good_though_the_log_takes_nothing(lived_in, tmp_path, monkeypatch) -> None:
    """The disk of the site folder is full: then a backup is needed most."""

    def refuse() -> None:
        raise OperatorError("No space left for the registry")

    monkeypatch.setattr(lived_in.registry, "writing", refuse)
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert not done.logged
    assert backup_read.verify(done.file, PASSPHRASE).files == done.files
