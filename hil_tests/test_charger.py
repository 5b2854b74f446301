"""A charging port: started by a card, metered by pulses, switched off by smoke (host).

The jig is plug, card, meter (an HLW8012's pulses), smoke, emergency stop and key; it sees the
load's own terminals.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from controller_tool.services import ports
from controller_tool.sim.loads import hlw_milli_hz
from hil_tests.checks import KEY_MS
from protocol.codes import EVENT_CHARGE_ENDED, EVENT_RELAY_WELD
from protocol.codes import PORT_IDLE as IDLE
from protocol.constants import RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hil_tests.controller import Controller

_WATTS = 220
_SHOWN_S = 6.0
_OFF_PERCENT = 5
_LIMIT_MS = 500
_START_MS = 10000  # it looks at the port first


@pytest.fixture
def charging(charger: Controller) -> Iterator[tuple[Controller, float]]:
    """A vehicle that a card started, drawing power; and how long that took, ms."""
    bench = charger.bench
    card = charger.issue_card()
    # the session before has ended when its current was seen to be gone
    assert charger.within(lambda: ports.ask(charger.client, charger.name).ports[0].state == IDLE)
    bench.drive("plug", on=True)
    time.sleep(0.5)
    mark = bench.mark()
    shown = bench.swipe(card)
    closed_us = bench.moved(mark, powered=True, within_ms=_START_MS)
    assert closed_us is not None, "the port did not close"
    draw(charger, _WATTS)
    yield charger, bench.passed_ms(shown.last_us, closed_us)
    draw(charger, 0)
    bench.drive("plug", on=False)
    time.sleep(0.5)
    bench.press("key", KEY_MS)
    time.sleep(KEY_MS / 1000 + 0.5)
    assert charger.locked()


def draw(charger: Controller, watts: float) -> None:
    """The meter of the first port counts as if so much flowed."""
    row = charger.bench.wiring.description["wiring"]["meters"][0]
    pin = charger.bench.wiring["meter"].pin
    charger.bench.jig.call("pulses", pin=pin, milli_hz=hlw_milli_hz(row, watts))


@pytest.mark.destructive
def test_card_starts_a_port_and_its_meter_tells_the_power(charging, measure) -> None:
    charger, started_ms = charging
    measure("card, last bit → load powered", started_ms, _START_MS)
    time.sleep(_SHOWN_S)
    told = ports.ask(charger.client, charger.name).ports[0].power_dw / 10
    measure("meter off the jig's pulses", abs(told - _WATTS) / _WATTS * 100, _OFF_PERCENT,
            by="device ports", unit="%")  # fmt: skip


@pytest.mark.destructive
@pytest.mark.parametrize("what", ["fire", "estop"])
def test_smoke_and_emergency_stop_take_the_power_away(charging, measure, what: str) -> None:
    charger, _ = charging
    charger.new_events()
    mark = charger.bench.mark()
    began_us = charger.bench.drive(what, on=True)
    opened_us = charger.bench.moved(mark, powered=False)
    draw(charger, 0)
    charger.bench.drive(what, on=False)
    assert opened_us is not None
    measure(f"{what} → load without power", charger.bench.passed_ms(began_us, opened_us), _LIMIT_MS)
    assert charger.events_until(EVENT_CHARGE_ENDED)


@pytest.mark.destructive
def test_current_through_an_open_relay_is_told_as_a_weld(charging) -> None:
    charger, _ = charging
    charger.new_events(RING_ALARM)
    charger.bench.drive("estop", on=True)
    time.sleep(0.5)
    charger.bench.drive("estop", on=False)  # the pulses go on
    assert charger.events_until(EVENT_RELAY_WELD, RING_ALARM)
