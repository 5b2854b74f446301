"""The suite fails when nothing is connected: else its passes would mean nothing (host)."""

import pytest

from controller_tool.errors import ToolError
from hil_tests import test_door
from hil_tests.bench import VirtualBench
from hil_tests.controller import Controller


@pytest.fixture
def cut_wire(controller: Controller, monkeypatch: pytest.MonkeyPatch):
    """The wire between relay and lock is cut."""
    assert isinstance(controller.bench, VirtualBench)
    monkeypatch.setattr("hil_tests.controller.PATIENCE_S", 2.0)
    controller.bench.disconnect_relay()
    yield
    controller.bench.reconnect_relay()


@pytest.mark.virtual_only
@pytest.mark.usefixtures("cut_wire")
@pytest.mark.parametrize(
    "case",
    [
        test_door.test_listed_card_releases_the_lock_for_a_while,
        test_door.test_exit_button_releases_the_lock,
    ],
)
def test_a_cut_wire_fails_the_suite(case, controller: Controller) -> None:
    with pytest.raises(AssertionError):
        case(controller)


@pytest.mark.virtual_only
def test_no_board_fails_the_suite(controller: Controller) -> None:
    nobody = Controller(controller.site, "nobody", controller.bench)
    with pytest.raises(ToolError):
        nobody.new_events()
