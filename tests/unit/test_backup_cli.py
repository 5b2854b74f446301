"""`site backup` and `site restore` as typed."""

from __future__ import annotations

import errno
import json
import sqlite3
import tempfile
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli
from tests.unit.backup_support import live_in

if TYPE_CHECKING:
    from controller_tool.services.site import Site

# opens files of the restored folder as files; test_backup_registries has the other kind
pytestmark = [pytest.mark.sqlite_only, pytest.mark.usefixtures("at_the_desk")]


@pytest.fixture
def lived_in(site, board) -> Site:
    return live_in(site, board)


def test_the_commands_say_what_they_did(lived_in, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["site", "backup", "one.ctbackup", "--site", str(lived_in.path)]) == 0
    assert "one.ctbackup" in capsys.readouterr().out
    assert cli.run(["site", "backup", "--verify", "one.ctbackup"]) == 0
    assert "The backup is whole" in capsys.readouterr().out
    assert cli.run(["site", "restore", "one.ctbackup", "again", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True
    command = ["site", "restore", "one.ctbackup", "again", "--operator", "李明"]
    assert cli.run(command) == 0
    out = capsys.readouterr().out
    assert "Next: push" in out
    with sqlite3.connect("again/registry.sqlite") as registry:
        last = registry.execute("SELECT operator, act FROM audit ORDER BY id DESC").fetchone()
    registry.close()
    assert last == ("李明", "site.restore")
    assert cli.run(command) == 1
    assert capsys.readouterr().err.splitlines() == [
        "again exists and is not empty", "  Name a new folder"]  # fmt: skip
    assert cli.run(["site", "show", "--site", "again", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["restored_from_s"] > 0


def test_a_wrong_use_is_told(tmp_path, capsys) -> None:
    assert cli.run(["site", "backup", "--verify", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.splitlines()[1] == "  Name the file that site backup wrote"
    assert cli.run(["site", "backup", "--verify", "x", "--keep", "3"]) == 2
    assert cli.run(["site", "restore", str(tmp_path / "none"), "again"]) == 2


def test_a_folder_without_rights_is_two_lines(lived_in, tmp_path, capsys, monkeypatch) -> None:
    place = tmp_path / "closed"
    place.mkdir(mode=0o500)

    def closed(*_: object, **__: object) -> None:  # as it answers to all but root
        raise PermissionError(errno.EACCES, "Permission denied", str(place))

    monkeypatch.setattr(tempfile, "mkstemp", closed)
    command = ["site", "backup", str(place / "x"), "--site", str(lived_in.path)]
    assert cli.run(command) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{place / 'x'} cannot be written (Permission denied)",
        "  Check the folder and its permissions",
    ]
