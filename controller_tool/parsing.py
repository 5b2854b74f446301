"""Python sources are parsed by one thread at a time (host).

CPython 3.11 counts the depth of the trees that ast.parse makes for all threads together: two that
parse at once, as when several boards are flashed, end in a SystemError ("AST constructor recursion
depth mismatch"; CPython issue 106905).
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")

_PARSING = threading.RLock()


def parses(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """A function that parses sources or calls what does; it waits until no other thread does."""

    @functools.wraps(function)
    def alone(*given: _Given.args, **named: _Given.kwargs) -> _Made:
        with _PARSING:
            return function(*given, **named)

    return alone
