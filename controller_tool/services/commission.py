"""From a bare board to a commissioned controller: flashed, then called on over one cable (host).

Running it again after any failure finishes it:

- before its first contact it begins anew with the same identity, as long as the controller was
  never enrolled; `device provision` goes on with a board that was flashed and not called on yet
- after that, nothing is flashed again: the controller is called on once more (services.provision)
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.services import boards, devices, flash, install, provision, record
from controller_tool.sim import service as sim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.images import Image
    from controller_tool.services.site import Site

_VIRTUAL = "sim://"
# of an identity that is not made yet: what is told of a run must not depend on it
_STAND_IN = {f"/cfg/{name}": bytes(800) for name in ("key.der", "cert.der", "ca.der", "trust.cbor")}


@dataclass(frozen=True)
class Commissioned:
    """The record of a commissioning; flashed: None where an earlier run had done that."""

    flashed: flash.Flashed | None
    provisioned: provision.Provisioned

    @property
    def ok(self) -> bool:
        """As of the provisioning."""
        return self.provisioned.ok


@dataclass(frozen=True)
class Plan:
    """What a run would do, by the dry run; identity: "new", "the same again" or "replaces"."""

    name: str
    identity: str
    files: int
    look: flash.Look


def commission(
    site: Site,
    request: provision.Request,
    image: Image,
    say: provision.Narrator,
    baud: int = flash.BAUD,
    firmware: dict[str, bytes] | None = None,
) -> Commissioned:
    """Flashes and provisions one board; raises what `flash` and `provision` raise.

    firmware: its files by path, where they were made already.
    """
    started = time.monotonic()
    described = boards.show(request.board)
    port = provision.cable(site, request).place
    done = provision.go_on(site, request, say)
    if done is not None:
        return Commissioned(None, done)
    devices.standing(site, request.name, request.board, request.again)
    firmware = firmware or _firmware(request, described, say)
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
    record.note(site, made[0].device, record.of_flash(flashed))
    if not flashed.restarted and not request.port.startswith(_VIRTUAL):
        say.step(t("Press reset on the board: its port cannot do that"))
    files = install.with_firmware(install.Copied(len(firmware), 0), firmware)
    provisioned = provision.call_first(site, request, made[0].device, files, say, started)
    return Commissioned(flashed, provisioned)


def plan(
    site: Site,
    request: provision.Request,
    image: Image,
    say: provision.Narrator,
    baud: int = flash.BAUD,
) -> Plan:
    """What `commission` would do; neither the board nor the registry is changed."""
    described = boards.show(request.board)
    port = provision.cable(site, request).place
    identity = devices.standing(site, request.name, request.board, request.again)
    firmware = _firmware(request, described, say)
    contents = flash.Contents({**firmware, **_STAND_IN})
    with _in_loader(site, request.port):
        look = flash.look(port, described, image, contents, say, baud)
    return Plan(request.name, identity, len(firmware), look)


def _firmware(
    request: provision.Request, described: boards.Board, say: provision.Narrator
) -> dict[str, bytes]:
    say.step(t("Building the firmware for {board}", board=request.board))
    return install.firmware_files(described.folder)


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
