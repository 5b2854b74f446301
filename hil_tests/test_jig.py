"""The jig itself: its line does nothing twice and believes nothing that was spoiled (host)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import LinkError

if TYPE_CHECKING:
    from hil_tests.controller import Controller

_HZ = 50
_COUNTED_S = 1.0


def test_request_that_comes_again_is_answered_and_not_done_again(controller: Controller) -> None:
    """By the time stamp of what was done."""
    jig = controller.bench.jig
    line = jig.line("drive", pin=controller.bench.wiring["tamper"].pin, level=0)
    answer = jig.send(line)
    assert answer is not None
    assert jig.send(line) == answer
    assert jig.call("drive", pin=controller.bench.wiring["tamper"].pin, level=0) != answer[2]


def test_spoiled_line_is_as_if_it_had_not_come(controller: Controller) -> None:
    """Spoiled into another request that makes sense: only its sum is wrong."""
    jig = controller.bench.jig
    line = jig.line("count")
    assert jig.send(line.replace(b"count", b"hello")) is None
    assert jig.send(line) is not None


def test_what_the_jig_cannot_do_it_says(controller: Controller) -> None:
    with pytest.raises(LinkError, match="cannot fly"):
        controller.bench.jig.call("fly")


def test_pulses_keep_their_pace(charger: Controller, measure) -> None:
    jig, pin = charger.bench.jig, charger.bench.wiring["meter"].pin
    jig.call("pulses", pin=pin, milli_hz=1000 * _HZ)
    time.sleep(_COUNTED_S)
    count = jig.call("pulses", pin=pin, milli_hz=0)
    off = abs(count - _HZ * _COUNTED_S) / (_HZ * _COUNTED_S) * 100
    measure("meter pulses off their pace in a second", off, limit=20, by="host", unit="%")
