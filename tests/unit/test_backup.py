"""Backups of a site folder: whole, sealed, refused when altered, restored into a new folder."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import sqlite3
import tempfile
import threading
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from controller_tool import cli, clock, messages
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.services import (
    backup,
    backup_content,
    backup_read,
    backup_seal,
    cards,
    people,
)
from controller_tool.services.backup_content import Contents, File
from controller_tool.services.site_view import view
from tests.unit.registry_support import PASSPHRASE
from tests.unit.test_cards import CARD, issue

if TYPE_CHECKING:
    from controller_tool.services.site import Site

# opens files of the restored folder as files; test_backup_registries has the other kind
pytestmark = pytest.mark.sqlite_only
NAME, ID_NUMBER = "王伟", b"330199199001010011"


@pytest.fixture
def told(monkeypatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrases.VARIABLE, PASSPHRASE)
    messages.set_language(None)


@pytest.fixture
def lived_in(site, board) -> Site:
    """A site with a card on a door, and a commissioning record."""
    issue(site, holder=people.Holder(NAME, ID_NUMBER.decode(), "A-101", "13800000000"))
    board.update()
    (site.path / "records").mkdir()
    (site.path / "records" / "5号楼 door-1.html").write_text("record", encoding="utf-8")
    return site  # type: ignore[no-any-return]


def made(site: Site, target: Path, **more) -> backup.Made:
    return backup.make(site, target, **more)


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of each file by its name, without the registry: that one lives."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("registry.sqlite")
    }


# --- there and back -------------------------------------------------------------------------


def test_a_restored_folder_has_everything_and_opens(lived_in, tmp_path, open_site) -> None:
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert (done.left_out, done.removed, done.logged) == ((), (), True)
    restored = backup_read.restore(done.file, tmp_path / "again", PASSPHRASE)
    assert (restored.controllers, restored.cards_issued, restored.pending) == (1, 1, ("door-1",))
    assert tree(tmp_path / "again") == tree(lived_in.path)
    again = open_site(tmp_path / "again")
    assert again.sign("whitelist", b"x", b"y") == lived_in.sign("whitelist", b"x", b"y")
    assert cards.card_status(again, CARD).holder == NAME
    assert view(again).audit_ok
    assert view(again).restored_from_s == done.made_at_s
    assert view(lived_in).restored_from_s is None
    assert view(lived_in).last_backup_s is not None


def test_only_the_owner_may_read_backup_and_folder(lived_in, tmp_path) -> None:
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert done.file.stat().st_mode & 0o777 == 0o600
    backup_read.restore(done.file, tmp_path / "again", PASSPHRASE)
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "again").rglob("*")
             if path.is_file()}  # fmt: skip
    assert modes == {0}
    assert (tmp_path / "again").stat().st_mode & 0o777 == 0o700


def test_no_name_no_number_and_no_key_can_be_read_in_a_backup(lived_in, tmp_path) -> None:
    raw = made(lived_in, tmp_path / "one.ctbackup").file.read_bytes()
    registry = (lived_in.path / "registry.sqlite").read_bytes()
    wal = lived_in.path / "registry.sqlite-wal"
    registry += wal.read_bytes() if wal.exists() else b""
    assert NAME.encode() in registry, "else this would prove nothing"
    for plain in (NAME.encode(), ID_NUMBER, b"PRIVATE KEY", b"SQLite", b"door-1", b"site.toml"):
        assert plain not in raw


def test_the_format_is_what_its_page_says(lived_in, tmp_path) -> None:
    """Read with nothing of ours, by the docstrings of backup_seal and backup_content."""
    raw = made(lived_in, tmp_path / "one.ctbackup").file.read_bytes()
    salt, length = raw[5:21], int.from_bytes(raw[21:23], "big")
    wrapped, header = raw[23 : 23 + length], raw[: 23 + length]
    stretched = Scrypt(salt=wrapped[5:21], length=32, n=2**15, r=8, p=1).derive(PASSPHRASE.encode())
    registry_key = AESGCM(stretched).decrypt(wrapped[21:33], wrapped[33:], b"registry key")
    backups = HKDFExpand(hashes.SHA256(), 32, b"backups").derive(registry_key)
    seal = AESGCM(HKDFExpand(hashes.SHA256(), 32, b"file" + salt).derive(backups))
    pieces = [raw[at : at + 2**20 + 16] for at in range(len(header), len(raw), 2**20 + 16)]
    content = b""
    for number, piece in enumerate(pieces):
        last = bytes((number == len(pieces) - 1,))
        content += seal.decrypt(number.to_bytes(11, "big") + last, piece, header)
    length = int.from_bytes(content[:4], "big")
    listed, content = json.loads(content[4 : 4 + length]), content[4 + length :]
    for name, size, digest in listed["files"]:
        assert sha256(content[:size]).hexdigest() == digest, name
        content = content[size:]
    assert content == b""
    assert listed["site"] == lived_in.id.hex()
    assert "registry.sqlite" in [name for name, _, _ in listed["files"]]


def test_pieces_of_any_length_come_back(lived_in, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(backup_seal, "PIECE_BYTES", 64)
    seal = backup_seal.new_seal(lived_in.vault, b"w")
    for size in (0, 1, 63, 64, 65, 128, 129, 1000):
        file = io.BytesIO()
        writer = backup_seal.Writer(file, seal)
        data = os.urandom(size)
        for at in range(0, size, 50):
            writer.write(data[at : at + 50])
        writer.finish()
        file.seek(len(seal.header))
        reader = backup_seal.Reader(file, tmp_path, seal)
        assert reader.read(size) == data
        reader.end()


# --- while others work ----------------------------------------------------------------------


def test_a_backup_while_others_write_is_of_one_moment(lived_in, tmp_path, open_site) -> None:
    """Another desk issues cards all the time: no backup has a card without its grant."""
    stop = threading.Event()
    more = threading.Semaphore(0)
    other = open_site(lived_in.path, operator="李明")
    trouble: list[Exception] = []

    def work() -> None:
        number = 0
        try:
            while not stop.is_set() and number < 3000:
                number += 1
                issue(other, f"{70_000_000 + number:010d}")
                more.release()
        except Exception as error:  # noqa: BLE001 - told below
            trouble.append(error)

    desk = threading.Thread(target=work)
    desk.start()
    try:
        files = []
        for number in range(3):
            assert more.acquire(timeout=60), trouble
            files.append(made(lived_in, tmp_path / f"{number}.ctbackup").file)
    finally:
        stop.set()
        desk.join()
    assert not trouble
    counts = []
    for number, file in enumerate(files):
        folder = tmp_path / f"again-{number}"
        backup_read.restore(file, folder, PASSPHRASE)
        again = open_site(folder)
        assert view(again).audit_ok
        with sqlite3.connect(folder / "registry.sqlite") as registry:
            [cards_there] = registry.execute("SELECT count(*) FROM cards").fetchone()
            [granted] = registry.execute("SELECT count(DISTINCT card_id) FROM grants").fetchone()
            [issued] = registry.execute(
                "SELECT count(*) FROM audit WHERE act = 'card.issue'").fetchone()  # fmt: skip
        registry.close()
        assert cards_there == granted == issued
        counts.append(cards_there)
    assert counts == sorted(set(counts)), "each saw more"


def test_a_backup_keeps_nobody_from_writing(lived_in, tmp_path, open_site, monkeypatch) -> None:
    """Also while its copy is proven and sealed; what comes then is not in it."""
    other = open_site(lived_in.path, operator="李明")
    real = backup_read.read_through

    def read_through(*arguments):
        issue(other, "0077777777")
        return real(*arguments)

    monkeypatch.setattr("controller_tool.services.backup.read_through", read_through)
    done = made(lived_in, tmp_path / "one.ctbackup")
    monkeypatch.undo()
    assert backup_read.restore(done.file, tmp_path / "again", PASSPHRASE).cards_issued == 1
    assert len(cards.list_cards(lived_in)) == 2


def test_a_key_that_is_replaced_meanwhile_goes_with_its_registry(
    lived_in, tmp_path, monkeypatch
) -> None:
    """Files that changed while the registry was copied: both are taken again."""
    real, times = lived_in.registry.snapshot, []

    def snapshot(target: Path) -> None:
        real(target)
        times.append(target)
        if len(times) == 1:
            (lived_in.path / "keys" / "whitelist.pub.pem").write_text("another")

    monkeypatch.setattr(lived_in.registry, "snapshot", snapshot)
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert len(times) == 2
    backup_read.restore(done.file, tmp_path / "again", PASSPHRASE)
    assert (tmp_path / "again/keys/whitelist.pub.pem").read_text() == "another"


def test_files_that_never_rest_are_refused_and_no_file_is_left(
    lived_in, tmp_path, monkeypatch
) -> None:
    real, times = lived_in.registry.snapshot, []

    def snapshot(target: Path) -> None:
        real(target)
        times.append(target)
        (lived_in.path / "records" / "note").write_text(str(len(times)))

    monkeypatch.setattr(lived_in.registry, "snapshot", snapshot)
    with pytest.raises(OperatorError, match="change all the time"):
        made(lived_in, tmp_path / "one.ctbackup")
    assert len(times) == backup.TRIES
    assert [path.name for path in tmp_path.iterdir()] == ["office"]
    assert list(lived_in.path.glob(".backup-*")) == []


def test_a_damaged_registry_takes_no_good_backups_place(lived_in, tmp_path) -> None:
    done = made(lived_in, tmp_path / "one.ctbackup")
    good = done.file.read_bytes()
    lived_in.registry.close()
    with sqlite3.connect(lived_in.path / "registry.sqlite") as registry:
        registry.execute("PRAGMA foreign_keys=OFF")
        registry.execute("DELETE FROM devices")
    registry.close()
    with pytest.raises(OperatorError, match="registry is damaged"):
        made(lived_in, tmp_path / "one.ctbackup")
    assert done.file.read_bytes() == good


# --- altered, hostile, wrong ----------------------------------------------------------------


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


def test_the_independent_check_sees_a_changed_piece(lived_in, tmp_path) -> None:
    """Negative control of the format's test: the cipher is what refuses."""
    raw = made(lived_in, tmp_path / "one.ctbackup").file.read_bytes()
    with pytest.raises(InvalidTag):
        AESGCM(bytes(32)).decrypt(bytes(12), raw[200:], None)


# --- places ---------------------------------------------------------------------------------


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


# --- full and read-only disks ---------------------------------------------------------------


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


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


@pytest.mark.usefixtures("told")
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


# --- the command line -----------------------------------------------------------------------


@pytest.mark.usefixtures("told")
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


@pytest.mark.usefixtures("told")
def test_a_wrong_use_is_told(tmp_path, capsys) -> None:
    assert cli.run(["site", "backup", "--verify", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.splitlines()[1] == "  Name the file that site backup wrote"
    assert cli.run(["site", "backup", "--verify", "x", "--keep", "3"]) == 2
    assert cli.run(["site", "restore", str(tmp_path / "none"), "again"]) == 2


def test_what_a_killed_backup_left_is_cleared_once_it_is_old(lived_in, tmp_path) -> None:
    old, young = (lived_in.path / name for name in (".backup-old", ".backup-young"))
    for folder in (old, young):
        shutil.copytree(lived_in.path / "keys", folder)
    os.utime(old, (1, 1))
    done = made(lived_in, tmp_path / "one.ctbackup")
    assert (old.exists(), young.exists()) == (False, True)
    assert not [name for name in done.left_out if name.startswith(".backup")]
