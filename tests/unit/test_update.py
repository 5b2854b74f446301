"""`device update`: one controller's failure is its own; a trial that was left is proven (host)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.errors import LinkError
from controller_tool.services import firmware_bundle, update
from protocol.version import VERSION
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.firmware_bundle import Bundle

BOARD = "virtual-door"


class Controller:
    """Runs a firmware, and takes another one as a controller does."""

    def __init__(self, firmware: bytes = b"old", version: int = VERSION, trial: bool = False):
        self.said: dict[str, Any] = {"firmware": firmware, "version": version, "trial": trial}
        self.asked: list[str] = []
        self.coming = b""

    def info(self) -> dict[str, Any]:
        return dict(self.said)

    def begin_firmware(self, _role: int, _envelope: bytes) -> int:
        self.asked.append("begin")
        return 0

    def put_firmware(self, pack: bytes, _offset: int, _progress: Any = None) -> None:
        self.coming = pack[-32:]

    def commit_firmware(self) -> None:
        self.asked.append("commit")
        self.said.update(firmware=self.coming, version=VERSION + 1, trial=True)

    def prove_firmware(self) -> dict[str, bool]:
        self.asked.append("prove")
        self.said["trial"] = False
        return {"journal": True}


@pytest.fixture
def site_of(site, monkeypatch):
    """A site with these controllers; None stands for one that nobody reaches."""
    monkeypatch.setattr(update, "_RESTART_STEP_S", 0.0)

    def make(**controllers: Controller | None):
        for name in controllers:
            Board(site, name)

        @contextlib.contextmanager
        def dial(_site: Any, device: Any, *_: Any) -> Iterator[Controller]:
            found = controllers[device.name]
            if found is None:
                raise LinkError("nobody answers", "look")
            yield found

        monkeypatch.setattr(update, "dial", dial)
        return site

    return make


def bundle_of(site, version: int = VERSION + 1) -> dict[str, Bundle]:
    return {BOARD: firmware_bundle.make(site, BOARD, version)}


def test_one_that_fails_stops_no_other(site_of) -> None:
    odd, good = Controller(), Controller()
    odd.said.pop("firmware")  # of an answer that nobody expects
    site = site_of(a=odd, b=None, c=good)
    first, second, third = update.update(site, ["a", "b", "c"], bundle_of(site))
    assert "fault of its own (KeyError)" in first.what
    assert (second.ok, second.what) == (False, "nobody answers")
    assert (third.ok, third.after) == (True, "0.1.1")
    assert good.asked == ["begin", "commit", "prove"]


@pytest.mark.parametrize("outdated", [False, True])
def test_a_trial_whose_proof_was_missed_is_proven_and_not_sent_again(site_of, outdated) -> None:
    controller = Controller()
    site = site_of(a=controller)
    bundles = bundle_of(site)
    controller.said.update(firmware=bundles[BOARD].digest, version=VERSION + 1, trial=True)
    [looked] = update.update(site, ["a"], bundles, outdated=outdated, dry_run=True)
    assert "would be proven" in looked.what
    assert controller.asked == []
    [done] = update.update(site, ["a"], bundles, outdated=outdated)
    assert (done.ok, done.sent_bytes, controller.asked) == (True, 0, ["prove"])


def test_what_is_not_outdated_is_left_alone(site_of) -> None:
    controller = Controller(version=VERSION + 1)
    site = site_of(a=controller)
    [done] = update.update(site, ["a"], bundle_of(site), outdated=True)
    assert (done.ok, done.what, controller.asked) == (True, "is not outdated", [])


def test_one_that_went_back_is_not_called_updated(site_of, monkeypatch) -> None:
    controller = Controller()
    site = site_of(a=controller)
    monkeypatch.setattr(controller, "commit_firmware", lambda: None)
    [done] = update.update(site, ["a"], bundle_of(site))
    assert not done.ok
    assert "went back" in done.what


def test_a_check_that_fails_is_told_by_name(site_of, monkeypatch) -> None:
    controller = Controller()
    site = site_of(a=controller)
    monkeypatch.setattr(controller, "prove_firmware", lambda: {"journal": True, "list": False})
    [done] = update.update(site, ["a"], bundle_of(site))
    assert (done.ok, done.after, done.what) == (False, done.before, "failed its own test: list")
