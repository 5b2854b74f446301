"""Hypothesis against every parser: only its own refusals ever come out (host).

A finding goes into tests/vectors/fuzz.json, which both interpreters replay.
"""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol import cbor
from protocol.link import Link
from tests.both import parsers_objects, parsers_wire
from tests.both.spoiler import Spoiler, verdict

PARSERS = {**parsers_objects.PARSERS, **parsers_wire.PARSERS}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-300, 70000)
    | st.binary(max_size=40)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.integers(-2, 22) | st.text(max_size=3), inner, max_size=22)
    ),
    max_leaves=20,
)
SHAPED = ("cbor", "manifest", "trust", "receipt", "request", "reply")


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.binary(max_size=400))
@example(data=b"")
def test_any_bytes(name: str, data: bytes) -> None:
    verdict(PARSERS[name][0], data)


@pytest.mark.parametrize("name", PARSERS)
@given(seed=st.integers(0, 0x3FFFFFFF), rounds=st.integers(1, 4))
def test_spoilt_samples(name: str, seed: int, rounds: int) -> None:
    spoiler = Spoiler(seed)
    data = PARSERS[name][1]
    for _ in range(rounds):
        data = spoiler.mutant(data)
        verdict(PARSERS[name][0], data)


@pytest.mark.parametrize("name", SHAPED)
@given(value=VALUES)
def test_good_cbor_of_another_shape(name: str, value: object) -> None:
    try:
        data = cbor.encode(value)
    except cbor.Malformed:
        return
    verdict(PARSERS[name][0], data)


@settings(max_examples=200)
@given(
    pieces=st.lists(st.binary(max_size=60), max_size=30),
    is_device=st.booleans(),
    opened=st.booleans(),
)
def test_any_line(pieces: list[bytes], is_device: bool, opened: bool) -> None:
    """Noise makes a link neither fail nor deliver anything, and never babble."""
    link = Link(is_device)
    if opened:
        link.open(b"abcd")
    for now_ms, piece in enumerate(pieces):
        link.receive(piece, now_ms)
        sent = 0
        while link.transmit(now_ms):
            sent += 1
        assert sent <= 1
    assert link.available == 0
