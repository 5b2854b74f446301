"""Every sentence that the tool says has its Chinese counterpart, with the same fields (host)."""

from __future__ import annotations

import ast
import gettext
import io
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import PoFileError

from controller_tool import catalogues, messages
from controller_tool.messages import t
from tests import catalogues as po
from tests.catalogues import Place

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

HINT = "run `./dev messages`, and translate what it names"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def unfinished(rooms: dict[str, Catalog]) -> list[str]:
    """What gettext would not take: entries without a text, and those marked fuzzy."""
    return [
        f"{name}: {entry.id!r}"
        for name, room in rooms.items()
        for entry in po.entries(room)
        if not entry.string or entry.fuzzy
    ]


def other_fields(rooms: dict[str, Catalog]) -> list[str]:
    return [
        f"{name}: {entry.id!r}"
        for name, room in rooms.items()
        for entry in po.entries(room)
        if entry.string and fields(str(entry.id)) != fields(str(entry.string))
    ]


@pytest.fixture
def chinese() -> Iterator[None]:
    messages.set_language("zh")
    yield
    messages.set_language(None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the PO files, to be spoiled."""
    return Path(shutil.copytree(catalogues.FOLDER, tmp_path / "po"))


def spoil(folder: Path, room: str, old: str, new: str) -> dict[str, Catalog]:
    path = folder / f"{room}.po"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    return po.rooms(folder)


def test_every_sentence_has_an_entry_and_every_entry_a_sentence() -> None:
    said = po.spoken()
    assert len(said) > 100
    found = po.compare(po.rooms(), said, po.sayable())
    missing = [f"{said[text][0].file}:{said[text][0].line}  {text!r}" for text in found.missing]
    assert not missing, "\n".join(["without an entry", *missing, HINT])
    orphaned = [f"{room}.po  {text!r}" for room, text in found.orphaned]
    assert not orphaned, "\n".join(["in no source", *orphaned, HINT])


def test_every_entry_is_translated_with_the_same_fields() -> None:
    rooms = po.rooms()
    assert unfinished(rooms) == []
    assert other_fields(rooms) == []


def test_no_sentence_has_two_entries() -> None:
    found = [f"{room}.po: {entry.id!r}" for room, entry in po.doubled(po.rooms())]
    assert not found, "\n".join(["in another room too", *found, HINT])


def test_compiled_catalogue_has_every_entry() -> None:
    compiled = catalogues.compile_po(sorted(catalogues.FOLDER.glob("*.po")))
    known = gettext.GNUTranslations(io.BytesIO(compiled))
    for room in po.rooms().values():
        for entry in po.entries(room):
            text = str(entry.id)
            told = known.pgettext(entry.context, text) if entry.context else known.gettext(text)
            assert told == entry.string


def test_a_gap_shows(folder: Path) -> None:
    stopped = 'msgid "Stopped"\nmsgstr "已停止"'
    rooms = spoil(folder, "channel", stopped, 'msgid "Halted"\nmsgstr "已停止"')
    found = po.compare(rooms, po.spoken(), po.sayable())
    assert (found.missing, found.orphaned) == (["Stopped"], [("channel", "Halted")])
    assert unfinished(rooms) == []
    rooms = spoil(
        folder, "channel", 'msgid "Halted"\nmsgstr "已停止"', 'msgid "Stopped"\nmsgstr ""'
    )
    assert unfinished(rooms) == ["channel: 'Stopped'"]
    rooms = spoil(folder, "channel", 'msgid "Stopped"\nmsgstr ""', f"#, fuzzy\n{stopped}")
    assert unfinished(rooms) == ["channel: 'Stopped'"]
    rooms = spoil(folder, "channel", f"#, fuzzy\n{stopped}", 'msgid "Stopped"\nmsgstr "{n}"')
    assert other_fields(rooms) == ["channel: 'Stopped'"]
    with pytest.raises(PoFileError):
        spoil(folder, "channel", 'msgid "Stopped"', "<<<<<<< HEAD")


def test_dev_messages_adds_beside_neighbours_and_removes_what_nobody_says(folder: Path) -> None:
    said, other = po.spoken(), po.sayable()
    new = {**said, "A new text of {n}": [Place("controller_tool/cli/sim.py", 1)]}
    del new["Stopped"]
    done = po.renew(folder, new, other - {"Stopped"})
    assert (done.missing, done.orphaned) == (["A new text of {n}"], [("channel", "Stopped")])
    assert unfinished(po.rooms(folder)) == ["sim: 'A new text of {n}'"]
    twin = 'msgid "Not a time: {when}"\nmsgstr "又"\n'
    with (folder / "update.po").open("a", encoding="utf-8") as file:
        file.write(f"\n{twin}")
    assert [room for room, _ in po.doubled(po.rooms(folder))] == ["update"]
    done = po.renew(folder, new, other - {"Stopped"})
    assert done.orphaned == [("update", "Not a time: {when}")]
    names = (folder / "names.po").read_text(encoding="utf-8")
    assert 'msgctxt "role"\nmsgid "office"' in names
    assert (
        po.room_for([Place("controller_tool/board_rules/new.py", 1)], po.rooms(folder)) == "boards"
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert po.renew(folder, new, other - {"Stopped"}).missing == []
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("chinese")
def test_a_sentence_is_filled_after_it_is_translated() -> None:
    assert t("Stopped") == "已停止"
    assert t("") == ""
    messages.set_language("en")
    assert t("Stopped") == "Stopped"
    assert t("no such {thing} here", thing="sentence") == "no such sentence here"


@pytest.mark.usefixtures("chinese")
def test_a_name_goes_by_its_group_and_else_by_the_word() -> None:
    assert messages.name_of("role", "office") == "办公室" == messages.chinese("role", "office")
    assert messages.name_of("reason", "malformed") == "格式错误"
    assert messages.chinese("reason", "malformed") == "malformed"
    messages.set_language("en")
    assert messages.name_of("role", "office") == "office"


def test_what_is_not_a_sentence_is_not_taken_for_one() -> None:
    source = 't("a {n}", n="x"); t(names[k]); other("b"); t("c" if d else "e")'
    assert [text for _, text in po.sentences(source)] == ["a {n}", "c", "e"]


def headings(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """Lists of two or more texts that are said as they are, such as the columns of a table."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.List, ast.Tuple)):
            calls = [one for one in node.elts if isinstance(one, ast.Call) and len(one.args) == 1]
            said = [
                str(one.args[0].value)
                for one in calls
                if isinstance(one.func, ast.Name) and one.func.id == "t"
                and isinstance(one.args[0], ast.Constant)
            ]  # fmt: skip
            if len(said) > 1:
                yield node.lineno, said


@pytest.mark.usefixtures("chinese")
def test_no_table_has_two_columns_of_one_chinese_name() -> None:
    seen = 0
    for path in sorted((po.ROOT / "controller_tool").rglob("*.py")):
        for line, said in headings(ast.parse(path.read_text(encoding="utf-8"))):
            names = [t(text) for text in said]
            assert len(set(names)) == len(names), f"{path.name}:{line}: {names}"
            seen += 1
    assert seen > 50, "a search that finds no table proves nothing"
