"""Modules of a pack that are loaded for their use have names of one letter (host)."""

from __future__ import annotations

import ast

import pytest

from controller_tool import resources
from controller_tool.pack import compiled_modules, packed_modules
from controller_tool.shrink.modules import shorten_modules

BOARDS = ("virtual_door", "virtual_charger16")


def trees(**sources: str) -> dict[str, ast.Module]:
    return {f"firmware.{name}": ast.parse(source) for name, source in sources.items()}


def test_imports_and_the_texts_that_let_go_follow_the_name() -> None:
    modules = trees(
        app="def f():\n    from firmware.seldom import g\n    forget('firmware.seldom')\n",
        seldom="def g():\n    return 'firmware.seldom is a text that says more'\n",
    )
    assert shorten_modules(modules, ["firmware.app"]) == {"firmware.seldom": "firmware.a"}
    said = ast.unparse(modules["firmware.app"])
    assert "from firmware.a import g" in said
    assert "forget('firmware.a')" in said
    assert "seldom is a text" in ast.unparse(modules["firmware.seldom"])


def test_what_is_asked_for_by_name_keeps_it() -> None:
    modules = trees(app="from firmware.door import x", door="x = 1")
    assert shorten_modules(modules, list(modules)) == {}
    assert ast.unparse(modules["firmware.app"]) == "from firmware.door import x"


def test_beyond_the_letters_names_stay_as_they_are_and_none_is_given_twice() -> None:
    modules = trees(**{f"m{n}": "" for n in range(60)})
    names = shorten_modules(modules, [])
    assert len(names) == len(set(names.values())) == 52
    assert not set(names.values()) & set(modules)


@pytest.mark.parametrize("board", BOARDS)
def test_a_pack_keeps_the_names_that_boot_and_kind_ask_for(board: str) -> None:
    made, meant = compiled_modules(board), packed_modules(board)
    assert len(made) == len(meant)
    kind = resources.describe_board(board)["kind"]
    assert {"firmware.app", f"firmware.{kind}", "firmware.wipe"} <= set(made)
    assert len([name for name in made if len(name) == len("firmware.a")]) > 30
