"""A backup that was altered, or that somebody wrote to do harm, changes nothing anywhere."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import OperatorError
from controller_tool.services import backup_content, backup_read, backup_seal
from controller_tool.services.backup_content import Contents, File
from tests.unit.backup_support import live_in, made
from tests.unit.registry_support import PASSPHRASE

if TYPE_CHECKING:
    from controller_tool.services.site import Site

# opens files of the restored folder as files; test_backup_registries has the other kind
pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def lived_in(site, board) -> Site:
    return live_in(site, board)


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]


def test_any_change_is_refused_before_anything_is_unpacked(lived_in, tmp_path, monkeypatch) -> None:
    raw = made(lived_in, tmp_path / "one.ctbackup").file.read_bytes()
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: pytest.fail("unpacked"))
    monkeypatch.setattr(os, "fsync", lambda *_: pytest.fail("unpacked"))
    monkeypatch.setattr("controller_tool.registry.sealing._SCRYPT_COST", 2**15)
    bad = tmp_path / "bad.ctbackup"
    changes = {
        "cut": [raw[:-1], raw[: len(raw) // 2], raw[:200], raw[:20], b""],
        "longer": [raw + b"x", raw + raw],
        "flipped": [
            flipped(raw, at) for at in (0, 5, 21, 30, 60, 110, len(raw) // 2, len(raw) - 1)
        ],
    }
    for how, ones in changes.items():
        for one in ones:
            bad.write_bytes(one)
            with pytest.raises(OperatorError):
                backup_read.verify(bad, PASSPHRASE)
            with pytest.raises(OperatorError):
                backup_read.restore(bad, tmp_path / "again", PASSPHRASE)
            assert not (tmp_path / "again").exists(), how
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".again")] == []


def test_pieces_cannot_change_places(lived_in, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(backup_seal, "PIECE_BYTES", 1024)
    raw = made(lived_in, tmp_path / "one.ctbackup").file.read_bytes()
    header = 5 + 16 + 2 + int.from_bytes(raw[21:23], "big")
    pieces = [raw[at : at + 1040] for at in range(header, len(raw), 1040)]
    for others in ([*pieces[1::-1], *pieces[2:]], pieces[:-1], [*pieces, pieces[-1]], pieces[1:]):
        (tmp_path / "bad").write_bytes(raw[:header] + b"".join(others))
        with pytest.raises(OperatorError, match="damaged or was altered"):
            backup_read.verify(tmp_path / "bad", PASSPHRASE)


def test_another_passphrase_or_folder_opens_nothing(lived_in, tmp_path) -> None:
    done = made(lived_in, tmp_path / "one.ctbackup")
    with pytest.raises(OperatorError, match="passphrase does not open"):
        backup_read.restore(done.file, tmp_path / "again", "another passphrase")
    stranger = tmp_path / "stranger"
    stranger.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(OperatorError, match="no backup of a site folder"):
        backup_read.verify(stranger, PASSPHRASE)


HOSTILE = [
    "../evil", "keys/../../evil", "/etc/evil", "//evil", "a//b", "./x", "a/./b", "..", ".", "",
    "C:evil", "C:\\evil", "a\\b", "keys/x:stream", "con", "keys/NUL.txt", "a/b/c/d/e/f/g/h/i",
    "x" * 241, "a\0b", "a\nb", "tail.", "tail ", " head", "site.toml/x", "SITE.TOML", "keys",
]  # fmt: skip


def sealed(site: Site, path: Path, contents: Contents, bodies: bytes) -> Path:
    """Somebody with the passphrase writes what he likes."""
    seal = backup_seal.new_seal(site.vault, (site.path / "keys/registry.key").read_bytes())
    with path.open("wb") as file:
        writer = backup_seal.Writer(file, seal)
        writer.write(contents.encode() + bodies)
        writer.finish()
    return path


def contents_with(site: Site, *files: File) -> tuple[Contents, bytes]:
    """The least that a folder has, and these."""
    bodies = [(name, name.encode()) for name in backup_content.NEEDED]
    needed = [File(name, len(data), sha256(data).hexdigest()) for name, data in bodies]
    contents = Contents(site.id.hex(), "x", "office", 1, 1, (*needed, *files))
    return contents, b"".join(data for _, data in bodies)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused(site, tmp_path, name) -> None:
    contents, bodies = contents_with(site, File(name, 4, sha256(b"evil").hexdigest()))
    path = sealed(site, tmp_path / "hostile", contents, bodies + b"evil")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    with pytest.raises(OperatorError, match="damaged or was altered"):
        backup_read.restore(path, tmp_path / "again", PASSPHRASE)
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


def test_sizes_that_are_not_there_are_refused(site, tmp_path) -> None:
    digest = sha256(b"").hexdigest()
    for size in (1, 1 << 30, 1 << 62, 10**400):
        contents, bodies = contents_with(site, File("big", size, digest))
        path = sealed(site, tmp_path / "hostile", contents, bodies)
        with pytest.raises(OperatorError, match="damaged or was altered"):
            backup_read.restore(path, tmp_path / "again", PASSPHRASE)


@pytest.mark.parametrize("text", [
    b"", b"{", b"[]", b"null", b'{"format":1}', b"[" * 100_000, b'{"format":"1"}',
    b'{"format":1,"site":1,"name":"","role":"","epoch":1,"made_at_s":1,"files":[]}',
])  # fmt: skip
def test_a_list_that_is_none_is_refused(site, tmp_path, text) -> None:
    seal = backup_seal.new_seal(site.vault, (site.path / "keys/registry.key").read_bytes())
    path = tmp_path / "hostile"
    with path.open("wb") as file:
        writer = backup_seal.Writer(file, seal)
        writer.write(len(text).to_bytes(4, "big") + text)
        writer.finish()
    with pytest.raises(OperatorError):
        backup_read.verify(path, PASSPHRASE)


def test_a_list_of_huge_length_is_not_read(site, tmp_path) -> None:
    seal = backup_seal.new_seal(site.vault, (site.path / "keys/registry.key").read_bytes())
    path = tmp_path / "hostile"
    with path.open("wb") as file:
        writer = backup_seal.Writer(file, seal)
        writer.write(b"\xff\xff\xff\xff")
        writer.finish()
    with pytest.raises(OperatorError, match="damaged or was altered"):
        backup_read.verify(path, PASSPHRASE)
