"""What follows a start that failed: another one at once, or the way out (MicroPython)."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Stand:
    """In the place of modules that a start asks for."""

    kept = 0
    is_whole = True
    keep: "Any" = None

    def whole(self, slot: int) -> bool:
        assert slot == 0
        return self.is_whole


STAND: "Any" = Stand()
sys.modules["board"] = STAND


def keep(_watchdog_ms: int, _pause_ms: int) -> None:
    STAND.kept += 1


STAND.keep = keep

from firmware import app  # noqa: E402 - it asks for `board`

packfs: "Any" = __import__("packfs")


def run(state: str, well: bool, whole: bool) -> int:
    """How often the way out was served after it."""
    sys.modules["slots"] = sys.modules["firmware.way_out"] = STAND
    app._ends_well = lambda _c: well
    packfs.mounted, packfs.state = 1, state
    STAND.kept, STAND.is_whole = 0, whole
    app.run()
    return int(STAND.kept)


def test_a_start_that_failed_serves_the_way_out_before_the_next() -> None:
    assert run("", False, True) == 1
    assert run("r", False, True) == 1
    assert run("", True, True) == 0


def test_on_trial_the_next_try_comes_at_once_as_long_as_there_is_another_firmware() -> None:
    assert run("t", False, True) == 0


def test_on_trial_without_another_firmware_the_way_out_is_served() -> None:
    assert run("t", False, False) == 1
