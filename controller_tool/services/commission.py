"""From a bare board to a commissioned controller: flashed, then called on over one cable (host).

Running it again after any failure begins anew with the same identity, as long as the controller was
never enrolled; `device provision` goes on with a board that was flashed and not called on yet.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.services import boards, devices, flash, install, provision
from controller_tool.sim import service as sim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller_tool.services.site import Site

_VIRTUAL = "sim://"


@dataclass(frozen=True)
class Commissioned:
    """The record of a commissioning from a bare board."""

    flashed: flash.Flashed
    provisioned: provision.Provisioned

    @property
    def ok(self) -> bool:
        """As of the provisioning."""
        return self.provisioned.ok


def commission(
    site: Site,
    request: provision.Request,
    image: flash.Image,
    say: provision.Narrator,
    baud: int = flash.BAUD,
) -> Commissioned:
    """Flashes and provisions one board; raises what `flash` and `provision` raise."""
    started = time.monotonic()
    described = boards.show(request.board)
    port = provision.cable(site, request).place
    say.step(t("Building the firmware for {board}", board=request.board))
    firmware = install.firmware_files(described.folder)
    made: list[devices.NewDevice] = []

    def contents() -> flash.Contents:
        new = devices.create(
            site, request.name, described.folder, request.kind, wifi=request.wifi,
            again=request.again,
        )  # fmt: skip
        made.append(new)
        return flash.Contents({**firmware, **install.identity_files(new)}, new.seed_slots)

    with _in_loader(site, request.port):
        flashed = flash.flash(port, described, image, contents, say, baud)
    if not flashed.restarted and not request.port.startswith(_VIRTUAL):
        say.step(t("Press reset on the board: its port cannot do that"))
    files = install.Copied(len(firmware), 0)
    provisioned = provision.call_first(site, request, made[0], firmware, files, say, started)
    return Commissioned(flashed, provisioned)


@contextlib.contextmanager
def _in_loader(site: Site, port: str) -> Iterator[None]:
    """A virtual board's cable has no lines: its two buttons are pressed, before and after."""
    if not port.startswith(_VIRTUAL):
        yield
        return
    board = sim.find(site.path / "sim", port.removeprefix(_VIRTUAL))
    board.stimulate("hold_boot", on=True)
    board.stimulate("reset")
    try:
        yield
    finally:
        board.stimulate("hold_boot", on=False)
        board.stimulate("reset")


def read_image(path: Path, board: str, trust: bool) -> flash.Image:
    """The image for a board of that name; see flash.read_image."""
    return flash.read_image(path, boards.show(board), trust)
