"""What a controller says of itself, what it wrote down, and what a power cut leaves (host)."""

import pytest

from hil_tests.controller import Controller
from protocol.codes import EVENT_BOOT, EVENT_REX, EVENT_SELF_TEST
from protocol.constants import RING_ALARM


def test_every_part_passes_the_self_test(controller: Controller) -> None:
    controller.new_events(RING_ALARM)
    checks = controller.self_test()
    assert checks
    assert [name for name, passed in checks.items() if not passed] == []
    assert controller.events_until(EVENT_SELF_TEST, RING_ALARM)


def test_journal_is_whole_and_unaltered(controller: Controller) -> None:
    controller.bench.press_rex(100)
    controller.events_until(EVENT_REX)
    controller.pull_journal()
    assert controller.findings() == []


@pytest.mark.destructive
def test_power_cut_loses_neither_list_nor_journal(controller: Controller) -> None:
    controller.issue_card()
    before = controller.client.state()
    controller.new_events(RING_ALARM)
    controller.power_cycle()
    assert controller.events_until(EVENT_BOOT, RING_ALARM)
    after = controller.client.state()
    assert (after.version, after.digest, after.count) == (
        before.version, before.digest, before.count,
    )  # fmt: skip
    controller.pull_journal()
    assert controller.findings() == []
