"""The supply goes and comes back, cleanly or not: what a controller keeps (host)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from protocol.codes import EVENT_BOOT, EVENT_SUPPLY_LOW
from protocol.constants import RING_ALARM

if TYPE_CHECKING:
    from hil_tests.controller import Controller

_NONCE_BYTES = 8
_BACK_MS = 15000


def held(controller: Controller) -> tuple[object, ...]:
    """What a controller must keep: its list."""
    state = controller.client.state()
    return state.version, state.digest, state.count


@pytest.mark.destructive
def test_power_cycles_lose_neither_list_nor_journal(
    controller: Controller, measure, repeats
) -> None:
    controller.issue_card()
    before, boot = held(controller), controller.client.info()["boot"]
    nonces = [controller.client.nonce()]
    controller.new_events(RING_ALARM)
    cycles = repeats(5, 100)
    controller.bench.watch()
    for number in range(cycles):
        controller.close()
        controller.bench.cut_power()
        time.sleep(0.2)
        began_s = time.monotonic()
        controller.bench.restore_power()
        assert controller.comes_back(), f"cycle {number + 1}"
        measure("supply back → first session", 1000 * (time.monotonic() - began_s), _BACK_MS,
                by="host")  # fmt: skip
        nonces.append(controller.client.nonce())
        assert held(controller) == before
    assert controller.client.info()["boot"] == boot + cycles
    events = [one.event for one in controller.new_events(RING_ALARM)]
    assert events.count(EVENT_BOOT) == cycles
    assert controller.bench.glitches() == 0, "the relay moved while the supply went or came"
    # a generator that begins alike after each start would repeat itself
    assert len(set(nonces)) == len(nonces)
    assert all(len(set(nonce)) > _NONCE_BYTES // 2 for nonce in nonces)
    controller.pull_journal()
    assert controller.findings() == []


@pytest.mark.destructive
def test_supply_that_chatters_leaves_list_and_journal_whole(
    controller: Controller, measure, repeats
) -> None:
    """A bad contact: on and off at random, mostly in the middle of a start."""
    before = held(controller)
    controller.close()
    controller.bench.watch()
    chosen = random.Random(7)
    for _ in range(repeats(6, 60)):
        controller.bench.cut_power()
        time.sleep(0.05 + chosen.random() / 10)
        controller.bench.restore_power()
        time.sleep(chosen.random())
    assert controller.comes_back()
    assert held(controller) == before
    measure("relay moved while the supply chatters", controller.bench.glitches(), limit=0,
            by="jig's counter", unit="times")  # fmt: skip
    controller.pull_journal()
    assert controller.findings() == []


@pytest.mark.destructive
@pytest.mark.virtual_only
def test_supply_that_sags_and_goes_leaves_list_and_journal_whole(charger: Controller) -> None:
    """A relay cannot lower a voltage: the virtual supply is told to, and then the jig cuts it."""
    assert charger.twin is not None
    before = held(charger)
    charger.twin.stimulate("steady_supply")
    charger.new_events(RING_ALARM)
    charger.twin.stimulate("sag_supply")
    assert charger.events_until(EVENT_SUPPLY_LOW, RING_ALARM)
    charger.close()
    charger.bench.cut_power()
    time.sleep(0.2)
    charger.bench.restore_power()
    assert charger.comes_back()
    assert held(charger) == before
    charger.twin.stimulate("steady_supply")
    charger.pull_journal()
    assert charger.findings() == []
