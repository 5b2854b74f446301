"""boot.py by itself, with stand-ins for what it asks for (host)."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

BOOT = Path(__file__).parents[2] / "firmware" / "boot.py"


class _Chip(ModuleType):
    """board, packfs, slots and the rest in one; `done` is what it was asked to do."""

    def __init__(self, state: str) -> None:
        super().__init__("chip")
        self.done: list[str] = []
        self.chosen = state
        self.state = ""
        self.in_service = False

    def mount(self) -> None:
        self.done.append("mount")
        self.state = self.chosen

    def watchdog(self, timeout_ms: int) -> None:
        self.done.append(f"watchdog {timeout_ms}")

    def run(self) -> None:
        self.done.append("run")

    def reset(self) -> None:
        self.done.append("reset")

    def rtc(self) -> _Chip:
        return self

    def memory(self) -> bytes:
        return b""

    def provisioned(self) -> bool:
        return True

    def is_retired(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: None


def start(monkeypatch: pytest.MonkeyPatch, state: str) -> list[str]:
    """What a start does when that is the state of the slot that it takes."""
    chip = _Chip(state)
    package = ModuleType("firmware")
    package.app = chip  # type: ignore[attr-defined]
    for name in ("micropython", "board", "gc", "packfs", "slots", "machine", "firmware.app"):
        monkeypatch.setitem(sys.modules, name, chip)
    monkeypatch.setitem(sys.modules, "firmware", package)
    exec(compile(BOOT.read_text(encoding="utf-8"), str(BOOT), "exec"), {})  # noqa: S102
    return chip.done


def test_a_firmware_on_trial_is_watched_before_anything_of_it_is_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert start(monkeypatch, "t") == ["mount", "watchdog 60000", "run", "reset"]


def test_one_that_was_confirmed_brings_its_own_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(monkeypatch, "") == ["mount", "run", "reset"]
