"""Each board.py drives and reads the pins that its board.toml says, and no others (host).

The files run here on a `machine` that writes down what is made of which pin.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import resources
from controller_tool.board_rules.wiring import chip_uses

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = resources.board_folders()
# asked of a board at a start; safe_state() comes first, as in boot.py
ASKED = ("safe_state", "relays", "contactor", "readers", "inputs", "meters", "thermistors")
LATER = ("supply", "indicator", "station")


class Pin:
    """Writes down what it was made as; the last mode counts."""

    IN, OUT, OPEN_DRAIN, PULL_UP, IRQ_FALLING = 1, 3, 7, 2, 2
    made: dict[int, int]
    levels: dict[int, int]

    def __init__(
        self, number: int, mode: int = 0, _pull: int = -1, value: int | None = None
    ) -> None:
        self.number = number
        Pin.made[number] = mode or Pin.made.get(number, 0)
        if value is not None:
            Pin.levels[number] = value

    def value(self, _level: int | None = None) -> int:
        return 1


class Anything:
    """A driver or a bus: takes whatever it is given."""

    ATTN_11DB = INCREMENT = STA_IF = PHY_LAN8720 = 0

    def __init__(self, *_args: Any, **more: Any) -> None:
        for name in ("rx", "tx"):
            if isinstance(more.get(name), int):
                Pin(more[name], Pin.IN if name == "rx" else Pin.OUT)

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_more: 1_000_000 if name == "read_uv" else None


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A board's module on that machine, and its description."""
    Pin.made, Pin.levels = {}, {}
    description = resources.describe_board(request.param)
    folder = resources.board_dir(request.param)
    names = ("machine", "esp32", "network")
    for name in names:
        module = ModuleType(name)
        module.__getattr__ = lambda _name: Anything  # type: ignore[method-assign]
        monkeypatch.setitem(sys.modules, name, module)
    machine: Any = sys.modules["machine"]
    machine.Pin, machine.Signal = Pin, lambda pin, invert=False: (pin, invert)
    network: Any = sys.modules["network"]
    network.STA_IF = network.PHY_LAN8720 = 0
    monkeypatch.setattr("time.ticks_ms", lambda: 0, raising=False)
    monkeypatch.setattr("time.ticks_diff", lambda a, b: a - b, raising=False)
    monkeypatch.setattr("time.sleep_us", lambda _us: None, raising=False)
    before = set(sys.modules)
    for path in reversed(resources.chip_dirs(description["chip"])):
        monkeypatch.syspath_prepend(str(path))
    spec = importlib.util.spec_from_file_location("board_under_test", folder / "board.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield SimpleNamespace(code=module, told=description)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def asked(board: Any, names: tuple[str, ...] = ASKED + LATER) -> dict[int, int]:
    """Pins that a start makes, by their last mode."""
    for name in names:
        if hasattr(board.code, name):
            getattr(board.code, name)()
    return dict(Pin.made)


def test_board_py_uses_the_pins_of_board_toml_and_no_others(board: Any) -> None:
    used = asked(board)
    wired = {use.pin for use in chip_uses(board.told["wiring"])}
    rmii = set(board.told["wiring"].get("ethernet", {}).get("pins", []))
    assert set(used) - wired == set(), "board.py uses what board.toml does not tell"
    assert wired - rmii - set(used) == set(), "board.toml tells what board.py does not use"


def test_relays_are_off_before_anything_else_is_asked(board: Any) -> None:
    asked(board, ("safe_state",))
    wiring = board.told["wiring"]
    relays = {*wiring["relays"].values(), *wiring.get("spare_relays", {}).values()}
    own = {use.pin for use in chip_uses(wiring)} & relays
    own |= {wiring["contactor"]} if "contactor" in wiring else set()
    assert {Pin.levels.get(pin) for pin in own} <= {0}


def test_contacts_have_the_names_of_board_toml(board: Any) -> None:
    wiring = board.told["wiring"]
    assert set(board.code.inputs()) == {*wiring["inputs"], *wiring.get("lines", {})}


def test_what_is_1_when_active_is_not_inverted_and_the_reverse(board: Any) -> None:
    for name, contact in board.code.inputs().items():
        row = board.told["wiring"]["inputs"].get(name)
        if row is None or isinstance(contact, Anything) or name == "mains":
            continue
        if isinstance(contact, tuple):  # a Signal
            assert (contact[0].number, contact[1]) == (row["pin"], row["active"] == 0), name
        elif isinstance(contact, Pin):
            assert (contact.number, row["active"]) == (row["pin"], 1), name
        else:
            first = board.told["wiring"]["expanders"][-1]["first"]
            assert first + contact._number == row["pin"], name
            assert contact._lit == (row["active"] == 0), name


def test_readers_and_meters_are_of_the_kinds_of_board_toml(board: Any) -> None:
    wiring = board.told["wiring"]
    kinds = [kind for kind, _, _ in board.code.readers()]
    assert set(kinds) == {row["kind"] for row in wiring["readers"]}
    if "meters" in wiring:
        assert [kind for kind, _, _ in board.code.meters()] == [r["kind"] for r in wiring["meters"]]


def test_negative_control_a_pin_that_differs_is_seen(board: Any) -> None:
    pins = {use.pin for use in chip_uses(board.told["wiring"])}
    other = next(pin for pin in range(50) if pin not in pins)
    light = board.told["wiring"]["indicator"]
    board.told["wiring"]["indicator"] = other
    with pytest.raises(AssertionError, match="does not tell"):
        test_board_py_uses_the_pins_of_board_toml_and_no_others(board)
    board.told["wiring"]["indicator"] = light
    board.told["wiring"].setdefault("bus", {})["more"] = other
    with pytest.raises(AssertionError, match="does not use"):
        test_board_py_uses_the_pins_of_board_toml_and_no_others(board)


def test_negative_control_a_relay_that_nobody_made_safe_is_seen(board: Any) -> None:
    board.told["wiring"]["spare_relays"] = {"forgotten": 20}
    with pytest.raises(AssertionError):
        test_relays_are_off_before_anything_else_is_asked(board)
