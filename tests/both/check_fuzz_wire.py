"""The same thousand mutants for each parser of parsers_wire: refused alike everywhere (both).

What tests/unit/test_fuzz_parsers.py finds is kept in tests/vectors/fuzz.json and replayed here.
"""

from tests.both import spoiler
from tests.both.parsers_wire import PARSERS
from tests.both.support import raises


def test_mutants_meet_the_same_verdict_on_both_interpreters() -> None:
    spoiler.check(PARSERS)


def test_negative_control_a_foreign_exception_comes_through() -> None:
    def careless(_data: bytes) -> object:
        raise IndexError

    raises(IndexError, spoiler.check, {"request": (careless, b"")})


def test_negative_control_another_verdict_is_noticed() -> None:
    def lenient(_data: bytes) -> object:
        return b""

    raises(AssertionError, spoiler.check, {"request": (lenient, PARSERS["request"][1])})
