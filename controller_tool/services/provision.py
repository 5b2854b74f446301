"""From a blank board to a working, enrolled controller, in one run (host).

In this order; each step finds out what an interrupted run has done already:

- the firmware is made; the board must answer at its prompt, be of the named kind where it can
  tell, and have our partitions: what fails here leaves no trace in the registry;
- the controller's own identity is made;
- what does not belong on it is removed, its journal area cleared, its key seeds laid;
- files are copied, each read back by its SHA-256; the configuration comes last, for a board
  without it stays at its prompt;
- it restarts; the tool calls on it through the real channel, sets its clock, takes its sealed
  audit keys, has it test itself, gives it its first list, and watches cards being tried;
- what came of it is noted for the commissioning record: a controller without that note was not
  finished, and the same command calls on it again.

`device flash` is the way to a controller; this one is for boards that already run MicroPython with
our partitions and cannot be flashed, and for virtual ones. From the identity on both are one.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from controller_tool.channel.address import Address, parse
from controller_tool.channel.dial import Identity, identity, open_session
from controller_tool.client import Client
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.messages import t
from controller_tool.repl import BoardRepl, NoReplError
from controller_tool.services import boards, devices, install, record, taps
from controller_tool.services.devices_ops import sync_clock
from controller_tool.services.push import PushResult, push_open

if TYPE_CHECKING:
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_START_S = 40.0
_START_STEP_S = 0.5
_GO_ON_S = 10.0  # for one that ran already, and may just have been plugged in


class Narrator(Protocol):
    """Is told what goes on, so that a person can watch."""

    def step(self, text: str) -> None:
        """A step begins."""

    def progress(self, done_bytes: int, total_bytes: int) -> None:
        """Copying has come so far."""


class Silent:
    """A narrator who says nothing."""

    def step(self, text: str) -> None:
        """Says nothing."""

    def progress(self, done_bytes: int, total_bytes: int) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Request:
    """What the person asked for.

    port: serial address or sim://; tcp: address on the network, once it is there; wifi: (ssid,
    password); again: the name is taken by a controller that this one replaces; taps: how many cards
    are tried at it at the end.
    """

    name: str
    port: str
    board: str
    kind: str | None = None
    tcp: str | None = None
    wifi: tuple[str, str] | None = None
    again: bool = False
    first_list: bool = True
    taps: int = 0


@dataclass(frozen=True)
class Provisioned:
    """The record of a commissioning, for print and for the file."""

    device: str
    id: str
    kind: str
    board: str
    firmware_bytes: int
    files_written: int
    files_kept: int
    clock: str
    self_test: dict[str, bool]
    first_list: PushResult | None
    info: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    firmware_sha256: str = ""
    trials: taps.Trials | None = None

    @property
    def ok(self) -> bool:
        """Whether every check passed, the first list is receipted and all cards were tried."""
        return (
            all(self.self_test.values())
            and (self.first_list is None or self.first_list.ok)
            and (self.trials is None or self.trials.ok)
        )


def plan(site: Site, request: Request) -> install.Plan:
    """What provisioning would do, without changing board or registry (the dry run)."""
    description = boards.show(request.board)
    image = install.firmware_files(description.folder)
    with BoardRepl(cable(site, request).place) as repl:
        board = install.check_board(repl, description)
        return install.Plan(
            request.name, description.folder, board, len(image), sum(map(len, image.values()))
        )


def provision(site: Site, request: Request, narrator: Narrator | None = None) -> Provisioned:
    """Provisions one board; running it again after any failure goes on where that stopped.

    Raises OperatorError, LinkError, DeviceError or ImageError with the next step.
    """
    started = time.monotonic()
    say = narrator or Silent()
    address = cable(site, request)
    done = go_on(site, request, say)
    if done is not None:
        return done
    say.step(t("Building the firmware for {board}", board=request.board))
    description = boards.show(request.board)
    image = install.firmware_files(description.folder)
    repl = _prompt(address, description, say)
    if repl is None:
        _require_made(site, request)
    with repl or nullcontext():
        new = devices.create(
            site, request.name, description.folder, request.kind, wifi=request.wifi,
            again=request.again,
        )  # fmt: skip
        copied = install.Copied(0, 0)
        if repl is not None:
            record.note(site, new.device, record.of_prompt(repl.probe()))
            copied = _install(repl, {**image, **install.identity_files(new)}, new, say)
    copied = install.with_firmware(copied, image)
    return call_first(site, request, new.device, copied, say, started)


def go_on(site: Site, request: Request, say: Narrator) -> Provisioned | None:
    """Calls again on a controller whose commissioning broke off behind its enrolment.

    None when there is no such one of that name, or another board is to replace it. OperatorError
    when it is not the one on the cable.
    """
    device = next((d for d in site.devices(enrolled=True) if d.name == request.name), None)
    if device is None or request.again or record.finished(site, device):
        return None
    if device.board != boards.show(request.board).folder:
        return None
    say.step(t("{name} was enrolled and not finished: going on with it", name=request.name))
    started = time.monotonic()
    try:
        return call_first(site, request, device, install.Copied(0, 0), say, started, _GO_ON_S)
    except (LinkError, DeviceError) as error:
        raise OperatorError(
            t("A controller named {name} is enrolled already, and not reached here ({why})",
              name=request.name, why=error.what),
            t("Plug in that one and run the command again; --again if this board replaces it"),
        ) from error  # fmt: skip


def call_first(
    site: Site,
    request: Request,
    device: Device,
    copied: install.Copied,
    say: Narrator,
    started: float,
    patience_s: float = _START_S,
) -> Provisioned:
    """The controller has its files and starts: call on it, and note what it is then.

    started: when all this began, by the monotonic clock.
    """
    say.step(t("Starting {name}", name=request.name))
    who = identity(site, device, "installer")
    if copied.sha256:
        record.note(site, device, {"firmware_sha256": copied.sha256})
    with _first_call(cable(site, request), who, patience_s) as client:
        devices.note_address(site, device, serial=request.port, tcp=_network(request))
        told = _commission(site, device, client, request, say)
    done = Provisioned(
        device.name, device.id, device.kind, device.board,
        firmware_bytes=copied.firmware_bytes,
        files_written=copied.written, files_kept=copied.kept,
        firmware_sha256=copied.sha256,
        seconds=time.monotonic() - started, **told,
    )  # fmt: skip
    record.note(site, device, record.of_call(site, done), finished=True)
    return done


def _require_made(site: Site, request: Request) -> None:
    """Without a prompt only what an earlier run has made can answer; OperatorError else."""
    if devices.standing(site, request.name, request.board, request.again) != devices.SAME:
        raise OperatorError(
            t("No prompt answers on {port}, and no controller {name} was made yet",
              port=request.port, name=request.name),
            t("To erase the board: device flash {name} --port {port} --board {board}",
              name=request.name, port=request.port, board=request.board),
        )  # fmt: skip


def _prompt(address: Address, description: boards.Board, say: Narrator) -> BoardRepl | None:
    """The prompt of a board that will do; None when a controller runs there already."""
    try:
        repl = BoardRepl(address.place)
    except NoReplError:
        say.step(t("No prompt: looking whether the controller runs already"))
        return None
    try:
        say.step(t("Checking the board"))
        install.check_board(repl, description)
    except BaseException:
        repl.close()
        raise
    return repl


def _install(
    repl: BoardRepl, files: dict[str, bytes], new: devices.NewDevice, say: Narrator
) -> install.Copied:
    """Puts the files on the board and restarts it."""
    repl.call("probe", "set_clock", *install.utc_fields())
    say.step(t("Preparing the journal area"))
    install.prepare_journal(repl, new.seed_slots)
    say.step(t("Copying the firmware"))
    copied = install.copy(repl, files, say.progress)
    repl.reset()
    return copied


def _commission(
    site: Site, device: Device, client: Client, request: Request, say: Narrator
) -> dict[str, Any]:
    """Everything that is asked of the controller through the channel for the first time."""
    say.step(t("Setting the clock"))
    clock = sync_clock(site, device, client)
    say.step(t("Taking the sealed audit keys"))
    sealed = client.enroll()
    info = client.info()
    devices.mark_enrolled(site, device, (sealed[0], sealed[1]), info)
    say.step(t("Self-test"))
    checks = client.self_test()
    first = None
    if request.first_list and _may_sign_lists(site):
        say.step(t("First list"))
        first = push_open(site, site.device(device.name), client)
    trials = taps.watch(site, device, client, request.taps, say.step) if request.taps else None
    return {
        "clock": clock.quality, "self_test": checks, "first_list": first, "info": info,
        "trials": trials,
    }  # fmt: skip


def _may_sign_lists(site: Site) -> bool:
    """An installer's folder signs no lists: the desk pushes the first one."""
    try:
        site.require("whitelist")
    except OperatorError:
        return False
    return True


def _first_call(address: Address, who: Identity, patience_s: float) -> Client:
    """A session with a controller that may still be starting."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return Client(open_session(address, who))
        except LinkError:
            if time.monotonic() > end:
                raise
            time.sleep(_START_STEP_S)


def cable(site: Site, request: Request) -> Address:
    """The serial port of a request; OperatorError for any other address."""
    address = parse(request.port, site.path / "sim")
    if address.kind != "serial":
        raise OperatorError(
            t("A blank board is provisioned over the cable"), t("Give --port with a serial port")
        )
    return address


def _network(request: Request) -> str | None:
    if request.tcp or not request.wifi or not request.port.startswith("sim://"):
        return request.tcp
    return request.port.replace("sim://", "sim+tcp://", 1)
