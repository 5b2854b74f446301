"""Packs that were built before are not built again, and never taken for others (host)."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cbor2
import platformdirs
import pytest

from controller_tool import pack, pack_cache, repl, resources

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {"firmware.app": b"code", "protocol.a": b"more"}
KEY = "ab" * 32


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and a process that knows nothing yet."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: str(tmp_path))
    monkeypatch.setattr(pack_cache, "_known", {})
    return pack_cache.cache_dir()


class Builder:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.built = 0

    def __call__(self) -> dict[str, bytes]:
        self.built += 1
        return dict(MODULES)


def anew(build: Builder) -> dict[str, bytes]:
    """As another process asks."""
    pack_cache._known.clear()
    return pack_cache.kept(KEY, build)


def test_what_was_built_once_comes_from_the_cache() -> None:
    build = Builder()
    assert anew(build) == anew(build) == MODULES
    assert build.built == 1


def test_what_a_caller_changes_is_its_own() -> None:
    pack_cache.kept(KEY, Builder()).clear()
    assert pack_cache.kept(KEY, Builder()) == MODULES


def opened_to_others(path: Path) -> None:
    path.chmod(0o666)


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def of_another_kind(path: Path) -> None:
    data = cbor2.dumps(["firmware.app"])
    path.write_bytes(hashlib.sha256(data).digest() + data)


def of_no_kind(path: Path) -> None:
    data = b"\xff"
    path.write_bytes(hashlib.sha256(data).digest() + data)


@pytest.mark.parametrize("spoil", [opened_to_others, linked, pipe, of_another_kind, of_no_kind])
def test_what_others_could_have_written_is_built_anew(cache: Path, spoil) -> None:
    build = Builder()
    anew(build)
    spoil(cache / KEY)
    assert anew(build) == MODULES
    assert build.built == 2


def test_an_entry_of_another_user_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    build = Builder()
    anew(build)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    anew(build)
    assert build.built == 2


@pytest.mark.parametrize("at", [0, 31, 32, -1])
def test_a_damaged_entry_is_built_anew(cache: Path, at: int) -> None:
    build = Builder()
    anew(build)
    data = bytearray((cache / KEY).read_bytes())
    data[at] ^= 1
    (cache / KEY).write_bytes(data)
    assert anew(build) == MODULES
    (cache / KEY).write_bytes(data[:20])
    assert anew(build) == MODULES
    assert build.built == 3


def test_a_cache_that_cannot_be_written_is_none(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    build = Builder()
    assert anew(build) == anew(build) == MODULES
    assert build.built == 2


def test_the_oldest_entries_go(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_cache, "KEPT_MAX", 3)
    for number in range(5):
        pack_cache.kept(f"{number:064x}", Builder())
    assert len(list(cache.iterdir())) == 3


def test_a_changed_file_or_fact_has_another_key(tmp_path: Path) -> None:
    one, other = tmp_path / "a.py", tmp_path / "b.py"
    one.write_text("x = 1")
    other.write_text("")
    first = pack_cache.key_of([one, other], "door", 1)
    assert pack_cache.key_of([other, one], "door", 1) == first
    keys = {first, pack_cache.key_of([one], "door", 1), pack_cache.key_of([one, other], "door", 2)}
    one.write_text("x = 2")
    keys.add(pack_cache.key_of([one, other], "door", 1))
    assert len(keys) == 4


def test_every_source_of_a_pack_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "_compiled", lambda board, version: {"a": f"{board} {version}"})
    seen = [pack._key("virtual_door", 1, "modules"), pack._key("virtual_charger", 1, "modules")]
    for asked in ("firmware_dir", "protocol_dir"):
        copy = tmp_path / asked
        shutil.copytree(getattr(resources, asked)(), copy)
        monkeypatch.setattr(resources, asked, lambda copy=copy: copy)
        (copy / "one_more.py").write_text("x = 1")
        seen.append(pack._key("virtual_door", 1, "modules"))
    maker = tmp_path / "pack.py"
    maker.write_text("")
    for name in pack._MAKERS:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(pack, "__file__", str(maker))
    seen.append(pack._key("virtual_door", 1, "modules"))
    assert len(set(seen)) == len(seen)


def test_packs_for_several_boards_at_once_are_made_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CPython 3.11 fails when two threads make syntax trees at once."""
    at_work, most = [], []

    def compiled(board: str, _: int) -> dict[str, bytes]:
        at_work.append(board)
        most.append(len(at_work))
        time.sleep(0.05)
        at_work.remove(board)
        return {"firmware.app": board.encode()}

    monkeypatch.setattr(pack, "_compiled", compiled)
    boards = ["virtual_door", "virtual_charger", "virtual_charger2", "virtual_doors4"]
    with ThreadPoolExecutor(len(boards)) as pool:
        made = list(pool.map(pack.compiled_modules, boards))
    assert [modules["firmware.app"].decode() for modules in made] == boards
    assert most == [1] * len(boards)


def test_a_board_is_asked_while_no_pack_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work = threading.Event()

    def compiled(_: str, __: int) -> dict[str, bytes]:
        at_work.set()
        with pytest.raises(TimeoutError):  # it waits for this pack
            pool.submit(repl._literal, "a").result(0.2)
        return dict(MODULES)

    monkeypatch.setattr(pack, "_compiled", compiled)
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(pack.compiled_modules, "virtual_door").result() == MODULES
    assert at_work.is_set()
