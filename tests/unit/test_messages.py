"""Every sentence that the tool says has its Chinese counterpart, with the same fields (host)."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller_tool import messages
from controller_tool.messages import t

ROOT = Path(__file__).resolve().parents[2]


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each literal that is given to ``t`` in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
            for argument in node.args:
                for part in ast.walk(argument):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.lineno, part.value


def everywhere() -> dict[str, str]:
    """Each sentence of the tool and one place where it stands."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "controller_tool").rglob("*.py")):
        for line, text in sentences(path.read_text(encoding="utf-8")):
            found.setdefault(text, f"{path.relative_to(ROOT)}:{line}")
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.fixture
def chinese() -> Iterator[dict[str, str]]:
    messages.set_language("zh")
    yield messages._catalogue()
    messages.set_language(None)


def test_every_sentence_has_a_chinese_counterpart(chinese) -> None:
    spoken = everywhere()
    assert len(spoken) > 100
    missing = [f"{place}  {text!r}" for text, place in spoken.items() if text not in chinese]
    assert not missing, "\n".join(missing)


def test_counterparts_have_the_same_fields(chinese) -> None:
    wrong = [text for text, translated in chinese.items() if fields(text) != fields(translated)]
    assert wrong == []


def test_a_sentence_is_filled_after_it_is_translated(chinese) -> None:
    assert t("Stopped") == chinese["Stopped"] != "Stopped"
    messages.set_language("en")
    assert t("Stopped") == "Stopped"
    assert t("no such {thing} here", thing="sentence") == "no such sentence here"


def test_what_is_not_a_sentence_is_not_taken_for_one() -> None:
    source = 't("a {n}", n="x"); t(names[k]); other("b"); t("c" if d else "e")'
    assert [text for _, text in sentences(source)] == ["a {n}", "c", "e"]
