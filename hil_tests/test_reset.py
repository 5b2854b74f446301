"""What a relay does while the chip is reset, sits in its ROM loader, or hangs (host)."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from hil_tests.test_latency import unlock_time_ms

if TYPE_CHECKING:
    from hil_tests.controller import Controller

_WATCHDOG_RESET = 3  # machine.WDT_RESET
_WATCHDOG_MS = 8000
_LOADER_S = 3.0


@pytest.mark.destructive
def test_no_relay_moves_through_resets_and_the_rom_loader(
    controller: Controller, measure, repeats
) -> None:
    controller.close()
    controller.bench.watch()
    for _ in range(repeats(3, 20)):
        controller.bench.press("en", 200)
        time.sleep(1.0)
    controller.bench.drive("boot", on=True)
    time.sleep(0.1)
    controller.bench.press("en", 200)
    time.sleep(_LOADER_S)
    in_loader = controller.bench.powers()
    controller.bench.drive("boot", on=False)
    time.sleep(0.1)
    controller.bench.press("en", 200)
    time.sleep(0.4)
    assert controller.comes_back()
    assert not in_loader
    measure("relay moved during resets and in the ROM loader", controller.bench.glitches(),
            limit=0, by="jig's counter", unit="times")  # fmt: skip


@pytest.mark.destructive
def test_reset_drops_a_released_lock(door: Controller, measure) -> None:
    door.close()  # first: it takes a while, and the lock is released for one second here
    mark = door.bench.mark()
    door.bench.press("rex", 400)
    assert door.bench.moved(mark, powered=True) is not None
    began_us = door.bench.drive("en", on=True)
    locked_us = door.bench.moved(mark, powered=False)
    door.bench.drive("en", on=False)
    assert locked_us is not None
    measure("EN down → lock without power", door.bench.passed_ms(began_us, locked_us), limit=200)
    assert door.comes_back()


@pytest.mark.destructive
def test_watchdog_ends_a_firmware_that_hangs(door: Controller, measure, not_measured) -> None:
    """Hung while the lock is released: what makes it hang must not be in the firmware."""
    if door.twin is None:
        why = "nothing outside a real chip can hang its firmware, and no firmware has a hook for it"
        not_measured("watchdog: hang → lock without power", why)
        pytest.skip(why)
    held_s = unlock_time_ms(door) / 1000
    door.close()
    pid = door.twin.counters()["pid"]
    mark = door.bench.mark()
    door.bench.press("rex", 400)
    released_us = door.bench.moved(mark, powered=True)
    assert released_us is not None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(held_s + 1)
    assert door.bench.powers(), "it locked by itself: it did not hang"
    locked_us = door.bench.moved(mark, powered=False, within_ms=_WATCHDOG_MS + 4000)
    assert locked_us is not None, "the watchdog did not bite"
    measure("watchdog: hang → lock without power", door.bench.passed_ms(released_us, locked_us),
            limit=_WATCHDOG_MS + 1000)  # fmt: skip
    assert door.comes_back()
    assert door.client.info()["reset_cause"] == _WATCHDOG_RESET
