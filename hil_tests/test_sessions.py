"""Many sessions, one after the other: nothing of the heap stays behind (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protocol.constants import RING_ALARM

if TYPE_CHECKING:
    from hil_tests.controller import Controller

_LOST_BYTES = 2048  # what a session leaves varies by a kilobyte; a leak grows with their number
_LOST_BLOCK_BYTES = 4096


@pytest.mark.timeout(7200)
def test_sessions_leave_the_heap_as_it_was(
    controller: Controller, measure, not_measured, repeats
) -> None:
    """By two peers in turn: each may begin six sessions a minute. The long form takes an hour."""
    free, largest = [], []
    for number in range(repeats(6, 700)):
        with controller.call(("desk", "installer")[number % 2]) as client:
            client.head(RING_ALARM)
            info = client.info()
        free.append(info["heap_free"])
        largest.append(info.get("idf_largest", 0))
    lost = max(0, free[1] - free[-1])
    measure("heap lost over sessions", lost, _LOST_BYTES, by="device info", unit="bytes")
    if controller.twin is not None or not largest[-1]:
        why = "a virtual board has no IDF heap; run --full on a real one"
        not_measured("esp32.idf_heap_info after many sessions", why)
        return
    lost = max(0, largest[1] - largest[-1])
    measure("largest IDF block lost over sessions", lost, _LOST_BLOCK_BYTES,
            by="esp32.idf_heap_info", unit="bytes")  # fmt: skip
