"""The harness itself: what a check may rely on (both)."""

import sys

from tests.both.support import raises


def test_raises_returns_the_exception() -> None:
    error = raises(ValueError, int, "no number")
    assert isinstance(error, ValueError)


def test_raises_fails_when_nothing_is_raised() -> None:
    raises(AssertionError, raises, ValueError, int, "1")


def test_raises_lets_other_exceptions_through() -> None:
    raises(ValueError, raises, KeyError, int, "no number")


def test_interpreter_is_one_of_the_two() -> None:
    assert sys.implementation.name in ("cpython", "micropython")
