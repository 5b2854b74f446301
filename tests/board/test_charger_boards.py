"""Relays, meters, thermistors and inputs of the virtual charger boards (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mpremote.transport import TransportExecError

from controller_tool.errors import OperatorError
from controller_tool.pack import boot_files
from controller_tool.sim import service
from protocol.policy.thermistor import UNKNOWN, tenths_of_degree
from tests.board.prompt import Prompt, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.board.conftest import MakeBoard

BOARDS = {
    "virtual_charger2": 2,
    "virtual_charger10": 10,
    "virtual_charger12": 12,
    "virtual_charger16": 16,
}
EXPANDERS = [name for name in BOARDS if name != "virtual_charger2"]
ON_I2C = ["virtual_charger10", "virtual_charger16"]
ABSENT, STUCK, HELD = 1, 2, 3
LEVELS = (
    "(lambda told: [(p, told[1](i) // 1000) for i, p in enumerate(told[0])])(board.thermistors())"
)


def put_board_files(prompt: Prompt, board: str) -> None:
    """Everything beside boot.py, so that `import board` works at the prompt."""
    for path, data in boot_files(board).items():
        if path.endswith(".mpy"):
            prompt.transport.fs_writefile(path, data)


def begin(prompt: Prompt) -> None:
    """As boot does, and relays as the firmware takes them."""
    prompt.run("import board\nboard.safe_state()\nr = board.relays()")


@pytest.fixture
def charger(make_board: MakeBoard, request: pytest.FixtureRequest) -> Iterator[Prompt]:
    """The prompt of a board whose files are in place; its folder comes as the parameter."""
    board = make_board("c", request.param)
    with Prompt(board) as prompt:
        put_board_files(prompt, request.param)
        begin(prompt)
        yield prompt


def powered(board: service.Board) -> set[str]:
    return {name for name, on in board.counters()["outputs"].items() if on}


def soft_reset_of_chip(prompt: Prompt) -> None:
    before = prompt.board.counters()["resets"]["hard"]
    prompt.lose("import machine; machine.reset()")
    wait_for(lambda: prompt.board.counters()["resets"]["hard"] == before + 1)
    prompt.after_reset()


@pytest.mark.parametrize("charger", BOARDS, indirect=True)
def test_every_relay_is_a_port_of_its_own_and_read_back(charger: Prompt) -> None:
    ports = BOARDS[charger.board.options.board]
    assert charger.value("len(r)") == ports
    for port in range(ports):
        charger.run(f"r[{port}].value(1)")
        assert powered(charger.board) == {f"port{port + 1}"}
        assert charger.value("[one.value() for one in r]") == [
            int(other == port) for other in range(ports)
        ]
        charger.run(f"r[{port}].value(0)")
    assert powered(charger.board) == set()


@pytest.mark.parametrize("charger", BOARDS, indirect=True)
def test_each_move_of_a_relay_is_in_the_log(charger: Prompt) -> None:
    charger.run("r[1].value(1)\nr[1].value(1)\nr[1].value(0)")
    log = charger.board.counters()["relay_log"][-2:]
    assert [(entry["relay"], entry["on"]) for entry in log] == [("port2", True), ("port2", False)]
    assert log[0]["at_us"] <= log[1]["at_us"]


@pytest.mark.parametrize("charger", EXPANDERS, indirect=True)
def test_an_expander_keeps_its_state_through_a_reset_until_boot_makes_it_safe(
    charger: Prompt,
) -> None:
    enabled = "enable" in charger.board.folder.path.joinpath("start.json").read_text("utf-8")
    charger.run("r[0].value(1)\nr[len(r) - 1].value(1)")
    held = powered(charger.board)
    assert len(held) == 2
    soft_reset_of_chip(charger)
    assert powered(charger.board) == (set() if enabled else held)
    begin(charger)
    assert powered(charger.board) == set()
    charger.run("r[1].value(1)")
    assert powered(charger.board) == {"port2"}, "what was powered before stays off"


@pytest.mark.parametrize("charger", BOARDS, indirect=True)
def test_all_is_opened_at_once_without_a_reset_too(charger: Prompt) -> None:
    charger.run("for one in r: one.value(1)")
    charger.run("if hasattr(board, 'contactor'): board.contactor().value(1)")
    assert len(powered(charger.board)) >= len(charger.value("[0 for one in r]"))
    charger.run("board.safe_state()")
    assert powered(charger.board) == set()
    charger.run("r[1].value(1)")
    assert powered(charger.board) == {"port2"}


@pytest.mark.parametrize("charger", EXPANDERS, indirect=True)
def test_a_power_cut_opens_every_relay(charger: Prompt) -> None:
    charger.run("r[0].value(1)")
    charger.board.stimulate("cut_power")
    assert powered(charger.board) == set()
    charger.board.stimulate("restore_power")
    charger.after_reset()
    begin(charger)
    assert powered(charger.board) == set()


def test_a_board_that_was_stopped_is_without_power_until_it_is_started(
    make_board: MakeBoard,
) -> None:
    board = make_board("c", "virtual_charger16")
    with Prompt(board) as prompt:
        put_board_files(prompt, "virtual_charger16")
        begin(prompt)
        prompt.run("r[0].value(1)")
        assert powered(board) == {"port1"}
    service.stop(board.folder.path.parent, "c")
    assert powered(make_board("c", "virtual_charger16")) == set()


@pytest.mark.parametrize("charger", ON_I2C, indirect=True)
def test_a_bus_that_is_held_is_clocked_free_and_told_everything_again(charger: Prompt) -> None:
    charger.run("r[0].value(1)\nr[2].value(1)")
    charger.board.stimulate("i2c_fault", fault=HELD)
    charger.run("r[2].value(0)\nr[1].value(1)")
    assert powered(charger.board) == {"port1", "port2"}
    assert charger.value("[one.value() for one in list(r)[:3]]") == [1, 1, 0]
    assert charger.value("board._BUS[0].recoveries") == 1


@pytest.mark.parametrize("charger", ON_I2C, indirect=True)
@pytest.mark.parametrize("fault", [ABSENT, STUCK])
def test_a_bus_that_stays_away_is_an_error_that_waits_once(charger: Prompt, fault: int) -> None:
    charger.run("r[0].value(1)\nr[2].value(1)")
    charger.board.stimulate("i2c_fault", fault=fault)
    charger.run(
        "import time\nfailed = 0\n"
        "for one in r:\n    try:\n        one.value(0)\n    except OSError:\n        failed += 1\n"
    )
    assert charger.value("failed") == len(charger.value("[0 for one in r]"))
    assert charger.value("board._BUS[0].recoveries") < 4, "not one time-out after the other"
    with pytest.raises(TransportExecError, match="OSError"):
        charger.run("r[0].value()")
    assert powered(charger.board) == {"port1", "port3"}
    charger.board.stimulate("i2c_fault", fault=0)
    charger.run("time.sleep_ms(60)\nassert r[1].value() == 0")
    assert powered(charger.board) == set(), "what could not be said then is said now"


@pytest.mark.parametrize("charger", ON_I2C, indirect=True)
def test_with_the_bus_stuck_the_contactor_is_opened_and_boot_goes_on(charger: Prompt) -> None:
    charger.run("board.contactor().value(1)\nr[0].value(1)")
    charger.board.stimulate("i2c_fault", fault=STUCK)
    soft_reset_of_chip(charger)
    assert powered(charger.board) == {"port1"}, "a pin lets go in a reset, an expander does not"
    charger.run("import board\nboard.safe_state()")
    assert powered(charger.board) == {"port1"}
    assert charger.value("board.contactor().value()") == 0
    charger.run("board.contactor().value(1)\nboard.safe_state()")
    assert charger.value("board.contactor().value()") == 0
    charger.board.stimulate("i2c_fault", fault=0)
    charger.run("import time\ntime.sleep_ms(60)\nr = board.relays()\nr[4].value(0)")
    assert powered(charger.board) == set()


@pytest.mark.parametrize("charger", ON_I2C, indirect=True)
def test_an_expander_that_lost_its_supply_is_set_up_again(charger: Prompt) -> None:
    charger.run("r[0].value(1)")
    charger.board.stimulate("cut_expanders")
    assert powered(charger.board) == set()
    assert charger.value("r[0].value()") == 0, "read back, so that the firmware sees it"
    charger.run("r[3].value(1)")
    assert "port4" in powered(charger.board)


@pytest.mark.parametrize("charger", BOARDS, indirect=True)
def test_each_thermistor_has_its_own_channel(charger: Prompt) -> None:
    ports = BOARDS[charger.board.options.board]
    for port in range(1, ports + 1):
        charger.board.stimulate("set_temperature", celsius=20 + 3 * port, port=port)
    charger.board.stimulate("set_temperature", celsius=71)
    levels = charger.value(LEVELS)
    found = {point: round(tenths_of_degree(level) / 10) for point, level in levels}
    assert found == {port: 23 + 3 * port for port in range(ports)} | {255: 71}
    charger.board.stimulate("break_sensor", port=2)
    charger.board.stimulate("break_sensor", shorted=True)
    levels = charger.value(LEVELS)
    broken = {point for point, level in levels if tenths_of_degree(level) == UNKNOWN}
    assert broken == {1, 255}


@pytest.mark.parametrize("charger", BOARDS, indirect=True)
def test_inputs_rest_and_say_what_happens(charger: Prompt) -> None:
    look = (
        "{n: i.value() if hasattr(i, 'value') else int(i.read_uv() > 1500000)"
        " for n, i in board.inputs().items()}"
    )
    rest = charger.value(look)
    assert rest.pop("mains") == 1
    assert set(rest.values()) == {0}, rest
    smoke = "smoke" if "smoke" in rest else "fire"
    verbs = {
        smoke: "raise_smoke", "leakage": "trip_leakage", "estop": "press_estop",
        "tamper": "open_tamper", "reset": "turn_key",
    }  # fmt: skip
    for name, verb in verbs.items():
        charger.board.stimulate(verb, **({"ms": 60000} if verb == "turn_key" else {}))
        assert charger.value(look)[name] == 1, name
    charger.board.stimulate("clear_smoke")
    charger.board.stimulate("restore_leakage")
    charger.board.stimulate("release_estop")
    assert {charger.value(look)[name] for name in (smoke, "leakage", "estop")} == {0}


@pytest.mark.parametrize("charger", ["virtual_charger2"], indirect=True)
def test_plugs_and_buttons_belong_to_their_ports(charger: Prompt) -> None:
    look = "{n: i.value() for n, i in board.inputs().items() if n[:2] in ('pl', 'bu')}"
    charger.board.stimulate("plug_in", port=2)
    charger.board.stimulate("press_button", port=1, ms=60000)
    assert charger.value(look) == {"plug": 0, "plug2": 1, "button": 1, "button2": 0}
    charger.board.stimulate("unplug", port=2)
    assert charger.value(look)["plug2"] == 0
    with pytest.raises(OperatorError):
        charger.board.stimulate("plug_in", port=3)
