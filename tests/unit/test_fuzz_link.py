"""Hypothesis against the link layer: any faults, any pauses of the controller (host)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.constants import LINK_CREDIT_BYTES
from tests.both.line import RING_BYTES, Faults, Line, pattern

PAUSES = st.lists(
    st.tuples(st.integers(1, 1500), st.integers(1, 700)),
    max_size=4,
    unique_by=lambda pause: pause[0],
).map(tuple)
LENGTHS = st.integers(0, 2500)
EXAMPLES = settings().max_examples // 8  # each carries thousands of bytes through two links


@settings(max_examples=EXAMPLES)
@given(down=LENGTHS, up=LENGTHS, pauses=PAUSES)
def test_a_clean_line_never_overflows_the_ring(
    down: int, up: int, pauses: tuple[tuple[int, int], ...]
) -> None:
    line = Line()
    line.connect()
    assert line.carry(pattern(down), pattern(up, 5), pauses) == (pattern(down), pattern(up, 5))
    assert line.dropped == 0
    assert line.most_in_ring <= RING_BYTES


@settings(max_examples=EXAMPLES)
@given(
    down=LENGTHS,
    up=LENGTHS,
    pauses=PAUSES,
    every=st.integers(200, 20000),
    seed=st.integers(0, 0xFFFFFF),
    kinds=st.sampled_from(["d", "c", "x", "dcx"]),
    noise=st.binary(max_size=300),
)
def test_a_lossy_line_delivers_every_byte_in_order(
    down: int,
    up: int,
    pauses: tuple[tuple[int, int], ...],
    every: int,
    seed: int,
    kinds: str,
    noise: bytes,
) -> None:
    line = Line(Faults(every, seed, kinds), noise)
    line.connect()
    assert line.carry(pattern(down), pattern(up, 5), pauses) == (pattern(down), pattern(up, 5))
    assert line.watch.most_bytes <= LINK_CREDIT_BYTES


@settings(max_examples=EXAMPLES)
@given(
    steps=st.lists(st.integers(0, 80), min_size=1, max_size=4),
    seed=st.integers(0, 0xFFFFFF),
    every=st.integers(300, 5000),
)
def test_sessions_begun_anew_at_any_moment_start_clean(
    steps: list[int], seed: int, every: int
) -> None:
    line = Line(Faults(every, seed))
    for number, count in enumerate(steps):
        line.connect(bytes((number, 1, 2, 3)))
        line.host.write(pattern(700, number))
        line.device.write(pattern(700, number + 50))
        for _ in range(count):
            line.step()
    line.connect(b"last")
    assert line.carry(pattern(600, 90), pattern(600, 91)) == (pattern(600, 90), pattern(600, 91))
