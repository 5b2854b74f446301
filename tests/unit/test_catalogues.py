"""The catalogue is compiled once, survives a spoiled cache, and English needs none (host)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller_tool import catalogues, messages
from controller_tool.messages import t


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache" / "catalogues"
    monkeypatch.setattr(catalogues, "_cache_dir", lambda: folder)
    return folder


@pytest.fixture
def unread() -> Iterator[None]:
    messages._chinese.cache_clear()
    yield
    messages._chinese.cache_clear()
    messages.set_language(None)


def refuse(*_: object) -> bytes:
    raise AssertionError("compiled or read again")


@pytest.mark.usefixtures("unread")
def test_english_loads_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "load", refuse)
    messages.set_language("en")
    assert (t("Stopped"), messages.name_of("role", "office")) == ("Stopped", "office")
    messages.set_language("zh")
    with pytest.raises(AssertionError):
        t("Stopped")


def test_po_files_are_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalogues.load().gettext("Stopped") == "已停止"
    assert [path.suffix for path in cache.iterdir()] == [".mo"]
    monkeypatch.setattr(catalogues, "compile_po", refuse)
    assert catalogues.load().gettext("Stopped") == "已停止"


def test_another_text_is_another_catalogue(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    for number in range(catalogues._KEPT + 3):
        text = f'msgid ""\nmsgstr ""\n\nmsgid "a"\nmsgstr "甲{number}"\n'
        (tmp_path / "room.po").write_text(text, encoding="utf-8")
        assert catalogues.load().gettext("a") == f"甲{number}"
    assert len(list(cache.iterdir())) == catalogues._KEPT


@pytest.mark.parametrize(
    "spoiled", [lambda _: b"", lambda b: b[: len(b) // 2], lambda b: bytes(len(b))]
)
def test_a_spoiled_cache_is_made_again(cache: Path, spoiled: Callable[[bytes], bytes]) -> None:
    catalogues.load()
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(spoiled(whole))
    assert catalogues.load().gettext("Stopped") == "已停止"
    assert kept.read_bytes() == whole


def test_a_home_that_takes_no_files_is_no_hindrance(cache: Path) -> None:
    cache.parent.write_bytes(b"a file where the folder should be")
    assert catalogues.load().gettext("Stopped") == "已停止"


def test_what_cannot_be_compiled_is_said_and_english_stays(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    (tmp_path / "room.po").write_text("<<<<<<< HEAD\n", encoding="utf-8")
    assert catalogues.load().gettext("Stopped") == "Stopped"
    assert "room.po" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "babel.messages", None)
    assert catalogues.load().gettext("Stopped") == "Stopped"
    assert "./dev setup" in capsys.readouterr().err
    assert not cache.exists()


def test_the_same_po_files_give_the_same_bytes() -> None:
    sources = sorted(catalogues.FOLDER.glob("*.po"))
    assert catalogues.compile_po(sources) == catalogues.compile_po(sources)
