"""Provisioning: looked at first, broken off, or met by a board in service (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.services import devices, provision
from controller_tool.services.virtual_house import VirtualHouse
from tests.e2e.conftest import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.sim import service as sim

DOOR = "door-1"
BOARD = "virtual-door"
REQUEST = provision.Request(DOOR, f"sim://{DOOR}", BOARD)


@pytest.fixture
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """A site of its own with one blank board."""
    folder = tmp_path_factory.mktemp("blank") / "site"
    with VirtualHouse.found(
        folder, "blank", PASSPHRASE, {DOOR: BOARD}, until_pid=os.getpid()
    ) as made:
        yield made


def operations(board: sim.Board) -> int:
    return int(board.counters()["flash"]["operations"])


def test_a_dry_run_changes_neither_board_nor_registry(blank: VirtualHouse) -> None:
    before = operations(blank.boards[DOOR])
    plan = provision.plan(blank.site, REQUEST)
    assert plan.firmware_bytes > 10_000
    assert operations(blank.boards[DOOR]) == before
    assert blank.site.devices() == []


@pytest.mark.parametrize("operation", [60, 300])
def test_a_run_that_breaks_is_continued_by_the_next(blank: VirtualHouse, operation: int) -> None:
    board = blank.boards[DOOR]
    board.stimulate("cut_at", operation=operation)
    with pytest.raises((LinkError, DeviceError)) as caught:
        provision.provision(blank.site, REQUEST)
    assert "\n" not in str(caught.value)
    identity = blank.site.device(DOOR).id
    board.stimulate("restore_power")
    board.wait_until_up()
    record = provision.provision(blank.site, REQUEST)
    assert record.ok, record
    assert record.id == identity
    assert blank.site.device(DOOR).enrolled_at_s is not None


def test_a_name_in_service_is_not_taken_twice(house: VirtualHouse) -> None:
    with pytest.raises(OperatorError, match="enrolled already"):
        provision.provision(house.site, REQUEST)


def test_a_board_of_another_site_is_left_alone(house: VirtualHouse, blank: VirtualHouse) -> None:
    port = house.boards[DOOR].serial_port
    with pytest.raises(OperatorError, match="No prompt answers") as caught:
        provision.provision(blank.site, provision.Request("door-9", port, BOARD))
    assert "device flash door-9" in caught.value.next_step
    assert blank.site.devices() == []
    devices.create(blank.site, "door-9", BOARD)  # as an earlier run has
    with pytest.raises(DeviceError, match="does not know our key"):
        provision.provision(blank.site, provision.Request("door-9", port, BOARD))
    assert blank.site.device("door-9").enrolled_at_s is None


def test_a_port_with_nothing_on_it_is_said_so(blank: VirtualHouse) -> None:
    with pytest.raises(LinkError, match="Cannot open"):
        provision.provision(blank.site, provision.Request("door-9", "/dev/no-such-port", BOARD))


def test_a_board_of_another_kind_is_refused_and_not_touched(blank: VirtualHouse) -> None:
    before = operations(blank.boards[DOOR])
    wrong = provision.Request(DOOR, f"sim://{DOOR}", "virtual-charger")
    for act in (provision.plan, provision.provision):
        with pytest.raises(OperatorError, match="is no virtual-charger") as caught:
            act(blank.site, wrong)
        assert caught.value.next_step == "Give --board virtual-door"
    assert operations(blank.boards[DOOR]) == before
    assert blank.site.devices() == []


def test_an_unknown_board_is_said_so(blank: VirtualHouse) -> None:
    with pytest.raises(OperatorError, match="No board is named toaster"):
        provision.provision(blank.site, provision.Request("door-9", f"sim://{DOOR}", "toaster"))
