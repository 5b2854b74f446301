"""How fast a door decides, by the jig: last bit of the card to the lock's terminals (host).

A Wiegand frame ends with 25 ms of silence (firmware/readers/wiegand.py), part of the figure.
Times that a virtual board takes are those of this computer: only the way through all parts is
real, not the milliseconds. A virtual jig's process may be put off by the computer it runs on; a
frame with a gap of 20 ms is sent again, and counted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hil_tests.twin import UNLOCK_TIME
from protocol.codes import EVENT_GRANTED, EVENT_READER_DOUBTFUL
from protocol.setting_names import NAMES

if TYPE_CHECKING:
    from hil_tests.controller import Controller

_LIMIT_MS = 400
_TORN_US = 20000
_APART_S = 0.08


def unlock_time_ms(door: Controller) -> int:
    """As the controller was told, or by default."""
    by_default = NAMES[UNLOCK_TIME][3]
    assert by_default is not None
    told = door.client.config().settings.get(UNLOCK_TIME, by_default)
    return 100 * int(told[0] if isinstance(told, list) else told)


@pytest.mark.destructive
def test_decision_and_unlock_time(door: Controller, measure, repeats) -> None:
    card, wanted_ms = door.issue_card(), unlock_time_ms(door)
    for _ in range(repeats(8, 100)):
        assert door.locked()
        mark = door.bench.mark()
        shown = door.bench.swipe(card)
        released_us = door.bench.moved(mark, powered=True)
        assert released_us is not None
        measure(
            "card, last bit → lock", door.bench.passed_ms(shown.last_us, released_us), _LIMIT_MS
        )
        locked_us = door.bench.moved(mark, powered=False, within_ms=wanted_ms + 5000)
        assert locked_us is not None
        held_ms = door.bench.passed_ms(released_us, locked_us)
        measure("unlock time, off the setting", abs(held_ms - wanted_ms), limit=250)


def test_exit_button_latency(door: Controller, measure, repeats) -> None:
    for _ in range(repeats(5, 50)):
        assert door.locked()
        mark = door.bench.mark()
        began_us = door.bench.press("rex", 400)
        released_us = door.bench.moved(mark, powered=True)
        assert released_us is not None
        measure("exit button → lock", door.bench.passed_ms(began_us, released_us), _LIMIT_MS)


@pytest.mark.destructive
@pytest.mark.parametrize("pitch_us", [2000, 1000, 500, 250])
def test_wiegand_at_speed_back_to_back(
    door: Controller, measure, not_measured, repeats, pitch_us: int
) -> None:
    if "card_d0" not in door.bench.wiring:
        not_measured("Wiegand at speed", "no Wiegand reader on this board")
        pytest.skip("no Wiegand reader on this board")
    cards = door.issue_card(), door.issue_card()  # in turn: one that is held is told once
    frames, torn, sent = repeats(20, 200), 0, 0
    door.new_events()
    while sent < frames:
        shown = door.bench.swipe(cards[sent % 2], pitch_us)
        time.sleep(_APART_S)
        torn += shown.longest_us > _TORN_US
        sent += shown.longest_us <= _TORN_US
        assert torn <= frames, "the jig cannot keep its pitch on this computer"
    time.sleep(0.5)
    events = [one.event for one in door.new_events()]
    read, doubtful = events.count(EVENT_GRANTED), events.count(EVENT_READER_DOUBTFUL)
    assert read + doubtful + torn >= frames
    lost = f"frames of {frames} not read at {pitch_us} us a bit"
    measure(lost, max(0, frames - read), limit=frames // 10, by="journal", unit="frames")
