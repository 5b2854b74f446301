"""What a controller says of itself, what it wrote down (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol.codes import EVENT_SELF_TEST, EVENT_TAMPER
from protocol.constants import RING_ALARM

if TYPE_CHECKING:
    from hil_tests.controller import Controller


def test_every_part_passes_the_self_test(controller: Controller) -> None:
    controller.new_events(RING_ALARM)
    checks = controller.self_test()
    assert checks
    assert [name for name, passed in checks.items() if not passed] == []
    assert controller.events_until(EVENT_SELF_TEST, RING_ALARM)


def test_journal_is_whole_and_unaltered(controller: Controller) -> None:
    controller.new_events(RING_ALARM)
    controller.bench.press("tamper", 300)
    controller.events_until(EVENT_TAMPER, RING_ALARM)
    controller.pull_journal()
    assert controller.findings() == []
