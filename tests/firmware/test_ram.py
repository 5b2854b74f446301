"""The code of each kind of controller keeps to its share of the heap, and to itself (host)."""

from __future__ import annotations

import pytest

from controller_tool import resources
from controller_tool.pack import PACK_MAX_BYTES, build_pack, module_names
from tests.firmware.loading import heap_by_module

CODE_MAX_BYTES = 62 * 1024  # ADR-0017, ADR-0022
OTHERS = {
    "virtual_door": {"firmware.charger", "firmware.charge_sessions", "protocol.policy.charge_port"},
    "virtual_charger": {"firmware.door", "firmware.point", "protocol.policy.door"},
}
DRIVERS = {  # of each board, by its readers
    "virtual_door": {"virtual", "rdm6300"},
    "virtual_charger": {"virtual"},
    "virtual_charger2": {"virtual"},
    "virtual_charger10": {"virtual"},
    "virtual_charger12": {"virtual"},
    "virtual_charger16": {"virtual"},
    "virtual_door_wiegand": {"wiegand"},
    "virtual_door_pn532": {"pn532"},
    "virtual_door_rc522": {"rc522"},
    "virtual_door_osdp": {"osdp"},
    "virtual_doors4": {"virtual"},
    "esp32_devkitc": {"wiegand"},
    "esp32_devkitc_rdm6300": {"rdm6300"},
    "kincony_kc868_a8": {"rdm6300"},
    "olimex_esp32_evb": {"rdm6300"},
    "waveshare_s3_relay6": {"osdp"},
}
METERS = {  # of each charger
    "virtual_door": set(),
    "virtual_charger": {"analog"},
    "virtual_charger2": {"hlw8012"},
    "virtual_charger10": {"bl0942"},
    "virtual_charger12": {"bl0942"},
    "virtual_charger16": {"bl0942"},
    "kincony_kc868_a8": {"bl0942"},
}
SHARED = {"serial_line", "two_wires"}


def test_every_board_is_measured() -> None:
    assert set(DRIVERS) == set(resources.board_folders())
    kinds = {name: resources.describe_board(name)["kind"] for name in DRIVERS}
    assert {name for name, kind in kinds.items() if kind == "charger"} <= set(METERS)


@pytest.mark.parametrize("board", DRIVERS)
def test_a_pack_fits_its_slot(board: str) -> None:
    assert len(build_pack(board)) <= PACK_MAX_BYTES


@pytest.mark.parametrize("board", DRIVERS)
def test_code_fits_its_share_of_the_heap(board: str) -> None:
    taken = heap_by_module(board)
    assert taken["firmware.app"] > 10_000, "measured nothing"
    assert sum(taken.values()) <= CODE_MAX_BYTES, taken


@pytest.mark.parametrize(("board", "others"), OTHERS.items())
def test_no_controller_carries_the_other_kind_s_code(board: str, others: set[str]) -> None:
    names = module_names(board)
    assert not others & set(names)
    assert "firmware.ring" in names


@pytest.mark.parametrize(("board", "drivers"), DRIVERS.items())
def test_a_controller_carries_the_drivers_of_its_own_readers_alone(
    board: str, drivers: set[str]
) -> None:
    prefix = "firmware.readers."
    names = {n.removeprefix(prefix) for n in module_names(board) if n.startswith(prefix)}
    assert names - SHARED == drivers


@pytest.mark.parametrize(("board", "drivers"), METERS.items())
def test_a_controller_carries_the_drivers_of_its_own_meters_alone(
    board: str, drivers: set[str]
) -> None:
    prefix = "firmware.meters."
    names = {n.removeprefix(prefix) for n in module_names(board) if n.startswith(prefix)}
    assert names - {"results"} == drivers


def test_no_controller_carries_what_only_the_tool_uses() -> None:
    assert "protocol.names" not in module_names("virtual_door")
