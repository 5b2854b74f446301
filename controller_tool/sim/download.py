"""The loader of one virtual board: what chip it has, and what is wrong with it (host)."""

from __future__ import annotations

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
        self._faults: dict[str, Any] = {}

    def fault(self, faults: dict[str, Any]) -> None:
        """From the next loader on; raises BadStimulus where there is no such fault."""
        unknown = set(faults) - _FAULTS
        if unknown or faults.get("chip", self._chip) not in MODELS:
            raise BadStimulus(f"no fault of a loader: {faults}")
        self._faults = faults

    def make_loader(self) -> Loader:
        """As after a reset."""
        chip = self._faults.get("chip", self._chip)
        flash = RomFlash(
            self._folder.flash_path,
            self._faults.get("flash_bytes", 0),
            tuple(self._faults.get("stuck", ())),
        )
        silent = bool(self._faults.get("silent", False))
        return Loader(MODELS[chip], flash, self._mac, stubs.known(chip), silent)

    @staticmethod
    def turn(loader: Loader, cable: Cable) -> bool:
        """Let the loader hear what has arrived; True when it goes over to the firmware."""
        data = cable.to_loader()
        if not data:
            return False
        before = loader.baud
        cable.from_board(loader.hear(data, cable.host_baud()))
        if loader.baud != before:
            cable.board_baud(loader.baud)
        return loader.left

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
