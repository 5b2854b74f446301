"""Any history of sessions, cuts, refusals and days leaves an account that is right (host)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.firmware.energy_history_model import History, Process

if TYPE_CHECKING:
    from collections.abc import Iterator

_PORT = st.integers(0, 4)
_PERSON = st.integers(2, 90)
_CHANGE = st.sampled_from([1, 1, 1, 2, 2, 3, 5, 20])  # of the flash, in one step
_CUT = st.tuples(_CHANGE, st.sampled_from([0, 1, 2, 4, -1])).map(lambda cut: {"cut": cut})
_REFUSED = st.tuples(_CHANGE, st.integers(0, 2)).map(lambda how: {"refuse": how})
_TROUBLE: st.SearchStrategy[dict[str, Any]] = st.one_of(st.just({}), st.just({}), _CUT, _REFUSED)
STEPS = st.one_of(
    st.tuples(st.just("begin"), _PORT, _PERSON, st.booleans()),
    st.tuples(st.just("begin"), _PORT, _PERSON, st.just(False)),
    st.tuples(st.just("begin"), _PORT, _PERSON, st.just(False)),
    st.tuples(st.just("minutes"), st.sampled_from([1, 40]), _CUT),
    st.tuples(st.just("minutes"), st.sampled_from([1, 1, 2, 9, 40, 60]), _TROUBLE),
    st.tuples(st.just("end"), _PORT, _TROUBLE),
    st.tuples(st.just("end"), _PORT, _TROUBLE),
    st.tuples(st.just("quiet"), st.integers(1, 3), _TROUBLE),
    st.tuples(st.just("midnight"), st.integers(1, 3)),
    st.tuples(st.just("set_back"), st.sampled_from([1, 1, 2, 40])),
    st.tuples(st.just("clock")),
    st.tuples(st.just("restart"), st.sampled_from([False, False, True])),
)
_HISTORY = st.lists(STEPS, min_size=20, max_size=60)


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    served = Process()
    yield served
    served.close()


def live_through(history: list[tuple[Any, ...]], process: Process, spoil: str = "") -> Counter[str]:
    """Returns how often what happened."""
    lived = History(process, spoil or None)
    lived.begin(5, 91, False)  # somebody charges
    for name, *arguments in history:
        getattr(lived, name)(*arguments)
    lived.finish()
    return lived.tally


@pytest.mark.timeout(3600)  # of the long form
def test_any_history_leaves_an_account_that_is_right(process, full) -> None:
    tally: Counter[str] = Counter()

    @settings(max_examples=4000 if full else 120, derandomize=not full, database=None)
    @given(history=_HISTORY)
    def lived(history: list[tuple[Any, ...]]) -> None:
        tally.update(live_through(history, process))

    lived()
    print(dict(tally))
    assert not [what for what in ("cut", "refused", "done") if not tally[what]]


@pytest.mark.parametrize(
    "spoil",
    [
        "what was refused stays",
        "the ledger comes between a spend and its commit",
        "a start does not count",
        "no ledger is written",
        "a day that comes back is a new one",
    ],
)
def test_a_broken_ring_is_noticed(spoil: str, process) -> None:
    """Negative control: the same histories find what they are for."""

    @settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate])
    @given(history=_HISTORY)
    def lived(history: list[tuple[Any, ...]]) -> None:
        live_through(history, process, spoil)

    with pytest.raises(AssertionError):
        lived()
