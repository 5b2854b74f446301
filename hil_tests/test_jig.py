"""The jig itself: its line does nothing twice and believes nothing that was spoiled (host)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import LinkError
from hil_tests.jig.device import jig_line

if TYPE_CHECKING:
    from hil_tests.controller import Controller

_HZ = 50
_COUNTED_S = 1.0


def test_request_that_comes_again_is_answered_and_not_done_again(controller: Controller) -> None:
    """By the time stamp of what was done."""
    jig = controller.bench.jig
    pin = controller.bench.wiring["tamper"].pin
    when = jig.call("drive", pin=pin, level=0)
    again = jig.repeat("drive", pin=pin, level=0)
    assert again == when
    assert jig.call("drive", pin=pin, level=0) != when


def test_spoiled_line_is_as_if_it_had_not_come(controller: Controller) -> None:
    jig = controller.bench.jig
    line = bytearray(jig_line.seal([1, "count", {}]))
    line[5] ^= 1
    assert jig.send(bytes(line)) is None
    jig.hello()


def test_what_the_jig_cannot_do_it_says(controller: Controller) -> None:
    with pytest.raises(LinkError, match="cannot fly"):
        controller.bench.jig.call("fly")


def test_pulses_keep_their_pace(controller: Controller, measure) -> None:
    wires = controller.bench.wiring
    if "meter" not in wires:
        pytest.skip("no meter is wired to this board")
    jig, pin = controller.bench.jig, wires["meter"].pin
    jig.call("pulses", pin=pin, milli_hz=1000 * _HZ)
    time.sleep(_COUNTED_S)
    count = jig.call("pulses", pin=pin, milli_hz=0)
    off = abs(count - _HZ * _COUNTED_S) / (_HZ * _COUNTED_S) * 100
    measure("meter pulses off their pace in a second", off, limit=20, by="host", unit="%")
