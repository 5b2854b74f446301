"""The loader of one virtual board: what chip it has, and what is wrong with it (host)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from controller_tool.sim.readers import BadStimulus
from controller_tool.sim.rom import stubs
from controller_tool.sim.rom.flash import RomFlash
from controller_tool.sim.rom.loader import Loader
from controller_tool.sim.rom.models import MODELS

if TYPE_CHECKING:
    from controller_tool.sim.cable import Cable
    from controller_tool.sim.folder import Folder, Options

_FAULTS = {"chip", "flash_bytes", "silent", "stuck"}


class Download:
    """Makes the loader that a reset with the boot button held begins."""

    def __init__(self, folder: Folder, options: Options, description: dict[str, Any]) -> None:
        self._folder = folder
        self._mac = bytes.fromhex(options.unique)
        self._chip = str(description["chip"])
        self._charge = options.charge
        self._busy_until_s = 0.0
        self._answer = b""  # of a loader that is at work
        self._faults: dict[str, Any] = {}

    def fault(self, faults: dict[str, Any]) -> None:
        """From the next loader on; raises BadStimulus where there is no such fault."""
        unknown = set(faults) - _FAULTS
        if unknown or faults.get("chip", self._chip) not in MODELS:
            raise BadStimulus(f"no fault of a loader: {faults}")
        self._faults = faults

    def make_loader(self) -> Loader:
        """As after a reset."""
        self._busy_until_s, self._answer = 0.0, b""
        chip = self._faults.get("chip", self._chip)
        flash = RomFlash(
            self._folder.flash_path,
            self._faults.get("flash_bytes", 0),
            tuple(self._faults.get("stuck", ())),
        )
        silent = bool(self._faults.get("silent", False))
        return Loader(MODELS[chip], flash, self._mac, stubs.known(chip), silent)

    def turn(self, loader: Loader, cable: Cable) -> bool:
        """Let the loader hear what has arrived; True when it goes over to the firmware.

        With `charge` it hears nothing while its flash is busy, and answers only then, but for a
        stub that was given a block.
        """
        if self.wait_s():
            return False
        cable.from_board(self._answer)
        self._answer = b""
        data = cable.to_loader()
        if not data:
            return False
        before = loader.baud
        answer = loader.hear(data, cable.host_baud())
        busy_s, loader.flash.busy_us = loader.flash.busy_us / 1e6, 0.0
        if self._charge and busy_s:
            self._busy_until_s = time.monotonic() + busy_s
        if self.wait_s() and not loader.answers_first:
            self._answer = answer
        else:
            cable.from_board(answer)
        if loader.baud != before:
            cable.board_baud(loader.baud)
        return loader.left

    def wait_s(self) -> float:
        """Until the loader is done with its flash; 0 when it is."""
        return max(0.0, self._busy_until_s - time.monotonic())

    @staticmethod
    def figures(loader: Loader | None) -> dict[str, Any] | None:
        """For the counters; None while the firmware runs."""
        if loader is None:
            return None
        return {
            "stub": loader.is_stub,
            "baud": loader.baud,
            "erased": loader.flash.erased,
            "programmed": loader.flash.programmed,
        }
