"""Backups of a site folder: whole, sealed, restored into a new folder."""

from __future__ import annotations

import io
import json
import os
import sqlite3
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

from controller_tool.errors import OperatorError
from controller_tool.services import backup, backup_read, backup_seal, cards
from controller_tool.services.site_view import view
from tests.unit.backup_support import ID_NUMBER, NAME, live_in, made, tree
from tests.unit.registry_support import PASSPHRASE
from tests.unit.test_cards import CARD, issue

if TYPE_CHECKING:
    from controller_tool.services.site import Site

# opens files of the restored folder as files; test_backup_registries has the other kind
pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def lived_in(site, board) -> Site:
    return live_in(site, board)


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


def opened(raw: bytes) -> bytes:
    """The content, with nothing of ours, by the docstring of backup_seal."""
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
    return content


def test_the_format_is_what_its_page_says(lived_in, tmp_path) -> None:
    """Its list is read by the docstring of backup_content."""
    content = opened(made(lived_in, tmp_path / "one.ctbackup").file.read_bytes())
    length = int.from_bytes(content[:4], "big")
    listed, content = json.loads(content[4 : 4 + length]), content[4 + length :]
    for name, size, digest in listed["files"]:
        assert sha256(content[:size]).hexdigest() == digest, name
        content = content[size:]
    assert content == b""
    assert listed["site"] == lived_in.id.hex()
    assert "registry.sqlite" in [name for name, _, _ in listed["files"]]


def test_the_independent_check_sees_a_changed_piece(lived_in, tmp_path) -> None:
    """Negative control of the format's test: the cipher is what refuses."""
    raw = made(lived_in, tmp_path / "one.ctbackup").file.read_bytes()
    with pytest.raises(InvalidTag):
        opened(raw[:-1] + bytes((raw[-1] ^ 1,)))


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
