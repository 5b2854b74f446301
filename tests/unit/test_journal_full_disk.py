"""Exports onto a disk that is full: said so, nothing left over, no noise (host)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller_tool import disk
from controller_tool.errors import OperatorError
from controller_tool.services import hzaccess, journal_export
from controller_tool.services.journal_filter import Filter
from protocol.constants import RING_ACCESS
from tests.unit.test_journal import pull, tamper
from tests.unit.test_journal_cli import run, told

__all__ = ["run", "told"]  # fixtures
NAMES = ("log.csv", "log.ndjson", "log.xlsx")


class _Full:
    """A file on a disk that has room for so many bytes more; the rest of a file as it is."""

    def __init__(self, file, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(self._file.write(data))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name: str):
        return getattr(self._file, name)


@pytest.fixture
def full(monkeypatch):
    """From now on what is exported meets a full disk after so many bytes."""
    real = os.fdopen

    def set_room(room: int) -> None:
        monkeypatch.setattr(os, "fdopen", lambda *a: _Full(real(*a), room))

    return set_room


@pytest.mark.parametrize("room", [0, 20, 300])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("told")
def test_a_full_disk_is_told_and_nothing_stays(run, full, tmp_path, name, room) -> None:
    full(room)
    code, out, err = run("export", "--output", str(tmp_path / name))
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"No space left to write {tmp_path / name}",
        "  Make room there or write elsewhere, then try again",
    ]
    assert list(tmp_path.glob("log*")) == []


@pytest.mark.usefixtures("told")
def test_a_full_disk_leaves_no_folder_for_the_city(site, full, tmp_path) -> None:
    full(20)
    with pytest.raises(OperatorError, match="No space left to write"):
        hzaccess.export(site, Filter(), tmp_path / "city")
    assert list(tmp_path.glob("city*")) == []


def test_no_rights_are_still_called_that() -> None:
    denied = journal_export.unwritable(Path("x.csv"), PermissionError(errno.EACCES, "no"))
    assert str(denied) == "x.csv cannot be written: Check the folder and its permissions"
    assert not disk.is_full(PermissionError(errno.EACCES, "no"))


_LIMITED = """
import resource, signal, sys
from controller_tool.services import journal_sheet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    with open(sys.argv[2], "wb") as file:
        journal_sheet.write(file, ["a"], ([f"{n:0300d}"] for n in range(2000)))
except OSError as error:
    print("refused", error.errno)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX has it")
@pytest.mark.parametrize("size", [0, 1200, 100_000, 10_000_000])
def test_a_spreadsheet_that_has_no_room_complains_once(tmp_path, monkeypatch, size) -> None:
    """openpyxl's temporary files meet the same disk; they complained when they were let go of."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(size), str(tmp_path / "log.xlsx")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    why = errno.EFBIG if size else errno.ENOSPC  # at 0 no temporary folder takes anything
    refused = "" if size == 10_000_000 else f"refused {why}\n"
    assert (done.stdout, done.stderr) == (refused, "")
    assert [path.name for path in tmp_path.iterdir()] == ["log.xlsx"]


@pytest.mark.usefixtures("told")
@pytest.mark.sqlite_only  # test_postgresql has a server's
def test_a_registry_on_a_full_disk_says_so(site, board) -> None:
    tamper(site, "VACUUM")
    pen = board.pen(RING_ACCESS)
    pen.write()
    with site.registry.session() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    for _ in range(400):
        pen.write()
    with pytest.raises(OperatorError, match="No space left for the registry"):
        pull(site, board, pen)
