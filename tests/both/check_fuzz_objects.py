"""The same thousand mutants for each parser of parsers_objects: refused alike everywhere (both).

What tests/unit/test_fuzz_parsers.py finds is kept in tests/vectors/fuzz.json and replayed here.
"""

from tests.both import spoiler
from tests.both.parsers_objects import PARSERS


def test_mutants_meet_the_same_verdict_on_both_interpreters() -> None:
    spoiler.check(PARSERS)
