"""What a controller had no room for is asked again in a new session, and not for ever (host)."""

from __future__ import annotations

import time

import pytest

from controller_tool.errors import DeviceError
from controller_tool.services import devices_ops
from protocol.codes import ERR_BUSY, ERR_FLASH


class Work:
    """Fails so often before it succeeds."""

    def __init__(self, failures: int, code: int) -> None:
        self.left, self.code, self.calls = failures, code, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise DeviceError("door-1 refused", "", self.code)
        return "done"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def test_it_is_asked_again_after_a_pause(pauses: list[float]) -> None:
    work = Work(2, ERR_BUSY)
    assert devices_ops.again_when_busy(work) == "done"
    assert pauses == [devices_ops.RENEWAL_S] * 2


def test_not_for_ever() -> None:
    work = Work(99, ERR_BUSY)
    with pytest.raises(DeviceError):
        devices_ops.again_when_busy(work)
    assert work.calls == devices_ops.RENEWALS_MAX + 1


def test_other_refusals_are_told_at_once(pauses: list[float]) -> None:
    with pytest.raises(DeviceError):
        devices_ops.again_when_busy(Work(1, ERR_FLASH))
    assert pauses == []
