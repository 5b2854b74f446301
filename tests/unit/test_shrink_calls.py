"""What one place calls is written there, and does what it did (host)."""

from __future__ import annotations

import ast
import asyncio
from typing import Any

import pytest

from controller_tool.shrink.calls import write_in

LOG = "log = []\n\ndef say(x):\n    log.append(x)\n    return x\n\nheld = [say]\n\n"


def written(source: str) -> tuple[str, int]:
    """(the module afterwards, how many functions went)."""
    trees = {"firmware.app": ast.parse(LOG + source)}
    count = write_in(trees, [])
    return ast.unparse(trees["firmware.app"]), count


def outcome(source: str, argument: object) -> tuple[object, list[Any]]:
    """What `run` returns or raises, and what it said on the way."""
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - the source is this test's own
    found: object
    try:
        found = scope["run"](argument)
        if asyncio.iscoroutine(found):
            found = asyncio.run(found)
    except Exception as error:  # noqa: BLE001 - to be compared
        found = type(error)
    return found, scope["log"]


WRITTEN = {
    "a statement": "def f(x):\n    say(x)\n\ndef run(n):\n    f(n)\n    return say(-1)",
    "guards": (
        "def f(x):\n    if x < 1:\n        return 'low'\n    if x > 1:\n        say(x)\n"
        "        return 'high'\n    return 'one'\n\ndef run(n):\n    y = f(n)\n    return say(y)"
    ),
    "falls off its end": (
        "def f(x):\n    if x:\n        return 5\n\ndef run(n):\n    y = f(n)\n    return say(y)"
    ),
    "a returned call may return anywhere": (
        "def f(x):\n    for i in range(9):\n        if i == x:\n            return say(i)\n\n"
        "def run(n):\n    return f(n)"
    ),
    "a parameter that changes": (
        "def f(x):\n    x += 1\n    say(x)\n    return x\n\n"
        "def run(n):\n    y = f(n)\n    return (y, n)"
    ),
    "arguments are worked out once, in their order": (
        "def f(x, y):\n    say((y, x, x))\n    return y\n\n"
        "def run(n):\n    z = f(y=say(n), x=say(n + 1))\n    return z"
    ),
    "a default": "def f(x, y=7):\n    say(x + y)\n\ndef run(n):\n    f(n)\n    return 1",
    "names of both": (
        "def f(x):\n    y = x + 1\n    say(y)\n    return y\n\n"
        "def run(n):\n    y = 5\n    z = f(n)\n    return (y, z)"
    ),
    "a test": (
        "def f(x):\n    say(x)\n    return x > 1\n\n"
        "def run(n):\n    if not f(n):\n        return say('no')\n    return say('yes')"
    ),
    "errors": (
        "def f(x):\n    try:\n        return 6 // x\n    except ZeroDivisionError as error:\n"
        "        say('zero')\n        return error.args\n    finally:\n        say('end')\n\n"
        "def run(n):\n    y = f(n)\n    return say(y)"
    ),
    "awaited": (
        "async def f(x):\n    say(x)\n    if x:\n        return 1\n    return 2\n\n"
        "async def run(n):\n    y = await f(n)\n    say(y)\n    return y"
    ),
    "a private method": (
        "class K:\n    def __init__(self, n):\n        self.n = n\n"
        "    def _f(self, d):\n        if d:\n            self.n += d\n            return True\n"
        "        return False\n"
        "    def go(self, d):\n        if self._f(d):\n            say('did')\n"
        "        return self.n\n\n"
        "def run(n):\n    k = K(3)\n    return (k.go(n), k.go(0))"
    ),
}


@pytest.mark.parametrize("source", WRITTEN.values(), ids=WRITTEN)
def test_a_function_of_one_call_goes_and_nobody_can_tell(source: str) -> None:
    after, count = written(source)
    assert count >= 1, after
    assert "def f(" not in after
    assert "def _f(" not in after
    for argument in range(4):
        assert outcome(after, argument) == outcome(LOG + source, argument)


KEPT = {
    "two calls": "def f(x):\n    say(x)\n\ndef run(n):\n    f(n)\n    f(n)",
    "also a value": "def f(x):\n    say(x)\n\ntable = [f]\n\ndef run(n):\n    f(n)",
    "spelled in a string": "def f(x):\n    say(x)\n\ndef run(n):\n    f(n)\n    return 'f'",
    "calls itself": "def f(x):\n    if x:\n        f(x - 1)",
    "a generator": "def f(x):\n    yield x\n\ndef run(n):\n    for x in f(n):\n        say(x)",
    "called every time round": (
        "def f(x):\n    say(x)\n    return len(log) > x\n\n"
        "def run(n):\n    while not f(n):\n        pass"
    ),
    "not reached in any case": (
        "def f(x):\n    say(x)\n    return x\n\ndef run(n):\n    y = n and f(n)\n    return y"
    ),
    "something comes before it": (
        "def f(x):\n    say(x)\n    return x\n\ndef run(n):\n    y = say(0) + f(n)\n    return y"
    ),
    "adds to what it may change": (
        "class K:\n    n = 1\n    def _f(self):\n        self.n = 5\n        return 1\n"
        "    def go(self):\n        self.n += self._f()\n"
    ),
    "returns out of a loop, and the caller goes on": (
        "def f(x):\n    for i in range(x):\n        return i\n\n"
        "def run(n):\n    y = f(n)\n    say(y)"
    ),
    "a coroutine that somebody else starts": (
        "async def f(x):\n    say(x)\n\nasync def run(n):\n    task = f(n)\n    await task"
    ),
    "its caller's variable hides what it means": (
        "def f(x):\n    return len(x)\n\ndef run(n):\n    len = 5\n    y = f(n)\n    return y + len"
    ),
    "an error would leave its variables in a coroutine": (
        "def f(x):\n    y = bytes(x)\n    say(len(y))\n    say(y)\n\nasync def run(n):\n"
        "    try:\n        f(n)\n    except ValueError:\n        say('bad')"
    ),
    "overridden": (
        "class A:\n    def _f(self):\n        return 1\n"
        "    def go(self):\n        return self._f()\n\n"
        "class B(A):\n    def _f(self):\n        return 2\n"
    ),
    "a property": (
        "class K:\n    @property\n    def _f(self):\n        return 1\n"
        "    def go(self):\n        return self._f\n"
    ),
    "called from outside its class too": (
        "class K:\n    def _f(self):\n        return 1\n    def go(self):\n"
        "        return self._f()\n\ndef run(n):\n    return K()._f() + K().go()"
    ),
    "called on another object": (
        "class K:\n    def _f(self):\n        return 1\n    def go(self, other):\n"
        "        return other._f()\n"
    ),
}


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_what_somebody_could_tell_stays(source: str) -> None:
    after, count = written(source)
    assert count == 0
    assert after == ast.unparse(ast.parse(LOG + source))


def test_what_its_variables_held_is_let_go_where_the_caller_goes_on() -> None:
    after, _ = written(
        "def f(x):\n    y = bytes(x)\n    say(y)\n\ndef run(n):\n    f(n)\n    return say(n)"
    )
    assert "in1_y = None" in after
