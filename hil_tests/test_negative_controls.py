"""The suite fails when something is missing: else its passes would mean nothing (host).

A second pytest is pointed at the twin as if it were a real controller with a real jig, by the site
folder, the name and the jig's serial port; then something is broken.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil_tests import test_door, twin, wiring
from hil_tests.jig import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hil_tests.controller import Controller

pytestmark = pytest.mark.virtual_only

_ROOT = Path(__file__).parents[1]
_OLDER = {"jig_play.py": b"# as it was last year\n" + client.files()["jig_play.py"]}
_DOOR = "virtual-door-wiegand"


@pytest.fixture
def subject(door: Controller) -> Iterator[Controller]:
    """One door is enough: its port and its jig's are given up for as long as the test lasts."""
    if door.bench.wiring.board != _DOOR:
        pytest.skip(f"shown with {_DOOR}")
    door.close()
    door.bench.jig.close()
    yield door
    door.bench.jig.open()
    door.bench.jig.hello()
    door.bench.rest()
    assert door.comes_back()


def suite(door: Controller, *more: str) -> tuple[int, str]:
    """Exit code and output of the suite on what it takes for a real controller."""
    assert door.jig is not None
    argv = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "hil_tests",
        "--site", str(door.site.path), "--name", door.name, "--board", _DOOR,
        "--jig", door.jig.serial_port, *more,
    ]  # fmt: skip
    environment = {**os.environ, "CONTROLLER_TOOL_PASSPHRASE": twin.PASSPHRASE}
    done = subprocess.run(
        argv, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def broken(door: Controller, how: str) -> Iterator[None]:
    """Something is wrong on the bench."""
    board, jig = door.twin, door.jig
    assert board is not None
    assert jig is not None
    port = jig.serial_port
    break_it, mend_it = {
        "relay": (
            lambda: board.stimulate("disconnect_relay", relay="lock"),
            lambda: board.stimulate("reconnect_relay", relay="lock"),
        ),
        "silent jig": (
            lambda: jig.stimulate("cut_power"),
            lambda: jig.stimulate("restore_power"),
        ),
        "old jig": (lambda: client.install(port, _OLDER), lambda: client.install(port)),
        "no board": (
            lambda: board.stimulate("cut_power"),
            lambda: board.stimulate("restore_power"),
        ),
    }[how]
    break_it()
    try:
        yield
    finally:
        mend_it()


def test_suite_passes_where_nothing_is_wrong(subject: Controller) -> None:
    code, said = suite(subject, "--check-wiring")
    assert code == 0, said
    assert "1 passed" in said


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("relay", "relays.lock (26) → jig pin 34"),
        ("silent jig", "is silent"),
        ("old jig", "another program than this checkout"),
        ("no board", "hil_tests: bench: "),
    ],
)
def test_suite_fails(subject: Controller, how: str, message: str) -> None:
    with broken(subject, how):
        code, said = suite(subject, "--check-wiring")
    assert code == 1, said
    assert message in said
    assert " passed" not in said


def test_suite_fails_on_another_board_than_was_named(subject: Controller) -> None:
    code, said = suite(subject, "--check-wiring", "--board", "esp32-devkitc")
    assert code == 1, said
    assert f"{subject.name} says that it is {_DOOR}, not esp32-devkitc" in said


def test_suite_fails_with_exchanged_wires_and_names_the_first(
    subject: Controller, tmp_path: Path
) -> None:
    text = wiring.WIRING.read_text("utf-8")
    crossed = tmp_path / "wiring.toml"
    crossed.write_text(text.replace("door = 26", "door = 13").replace("tamper = 13", "tamper = 26"))
    code, said = suite(subject, "--check-wiring", "--wiring", str(crossed))
    assert code == 1, said
    assert "door: jig pin 13 → controller inputs.door (32)" in said
    assert "seen instead: inputs.tamper" in said


@pytest.mark.parametrize(
    "case",
    [
        test_door.test_listed_card_releases_the_lock_for_a_while,
        test_door.test_exit_button_releases_the_lock,
    ],
)
def test_each_test_of_the_lock_fails_with_its_wire_cut(case, door: Controller) -> None:
    with broken(door, "relay"), pytest.raises(AssertionError):
        case(door)
    assert door.locked()
