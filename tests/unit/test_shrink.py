"""Names of a pack: the frequent ones first, and shared where nobody can tell (host)."""

from __future__ import annotations

import ast
from typing import Any

from controller_tool.shrink.names import short_names
from controller_tool.shrink.ordering import numbered
from controller_tool.shrink.renaming import shorten_private

LOG = "log = []\n\ndef say(x):\n    log.append(x)\n    return x\n\nheld = [say]\n\n"


def outcome(source: str, argument: object) -> tuple[object, list[Any]]:
    """What `run` returns, and what it said on the way."""
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - the source is this test's own
    return scope["run"](argument), scope["log"]


def test_names_first_code_never_runs_and_frequent_names_lead() -> None:
    rare = "\n".join(f"def r{n}(o):\n    return o.rare{n}\n" for n in range(200))
    source = LOG + rare + "\n".join(f"def s{n}(o):\n    return o.often\n" for n in range(9))
    tree = numbered(ast.parse(source + "\ndef run(n):\n    return n"))
    first = tree.body[0]
    assert isinstance(first, ast.While)
    assert isinstance(first.body[0], ast.Break)
    assert [ast.unparse(part) for part in first.body[1:3]] == ["_.o", "_.often"]
    assert outcome(ast.unparse(tree), 3) == (3, [])


def test_a_short_module_is_left_alone() -> None:
    tree = ast.parse(LOG)
    assert numbered(tree) is tree


def test_globals_share_a_name_where_no_module_mentions_both() -> None:
    one = ast.parse("first_thing = 1\nsecond_thing = first_thing\n")
    other = ast.parse("third_thing = 2\nfourth_thing = third_thing + first_thing\n")
    _, others = short_names({"firmware.app": one, "firmware.late": other}, set())
    assert others["third_thing"] == others["second_thing"]
    in_other = {others[name] for name in ("first_thing", "third_thing", "fourth_thing")}
    assert len(in_other) == 3


def test_what_a_class_starts_with_keeps_one_name_with_what_its_objects_make_of_it() -> None:
    source = (
        "class Counter:\n"
        "    _count = 3\n"
        "    _limit: int = _count + 2\n"
        "    def more(self):\n"
        "        self._count += 1\n"
        "        return self._count, self._limit\n"
    )
    tree = ast.parse(source)
    shorten_private({"firmware.app": tree})
    short = ast.unparse(ast.fix_missing_locations(tree))
    assert "_count" not in short
    found: dict[str, Any] = {}
    exec(short, found)  # noqa: S102 - our own source
    assert found["Counter"]().more() == (4, 5)
