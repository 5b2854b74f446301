"""New firmware for controllers, through the channel (host).

For each controller, in this order; running it again after any failure goes on where that stopped:

- it is asked what it runs: what it has already is not sent
- the signed manifest, then the pieces that are not there yet; the controller proves the pack, puts
  it on trial and starts anew
- it is called on again: a firmware that runs proves its list, its journal and a decision, and only
  then stays. Whatever goes wrong before, the controller goes back to what it ran, by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import DeviceError, LinkError, OperatorError, ToolError, own_fault
from controller_tool.messages import t
from controller_tool.services import boards, devices, firmware_bundle
from controller_tool.services.devices_ops import again_when_busy, in_parallel
from protocol import codes as c
from protocol.version import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.firmware_bundle import Bundle
    from controller_tool.services.push import Progress
    from controller_tool.services.site import Site

_ROLES = ("installer", "desk", "technician", "hub")
_RESTART_S = 90.0
_RESTART_STEP_S = 1.0


@dataclass(frozen=True)
class Updated:
    """How it went with one controller; before, after: versions as text, "?" where not told.

    sent_bytes: of the pack; ok with none: it has that firmware already, or a newer one.
    """

    device: str
    ok: bool
    before: str
    after: str
    what: str
    next_step: str = ""
    sent_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Order:
    """What is asked beside the names.

    outdated: what runs a version as high or higher is left alone; dry_run: so is everything.
    """

    outdated: bool = False
    dry_run: bool = False


def bundles_for(site: Site, names: Sequence[str], given: Sequence[Bundle]) -> dict[str, Bundle]:
    """The bundle of each board of these controllers: what was given, else made and signed here."""
    found = {bundle.board: bundle for bundle in given}
    for board in sorted({boards.show(site.device(name).board).name for name in names}):
        if board not in found:
            if given:
                raise OperatorError(
                    t("No bundle that was given is for the board {board}", board=board),
                    t("Give one for each board, or name the controllers that are meant"),
                )
            found[board] = firmware_bundle.make(site, board)
    return found


def update(
    site: Site,
    names: Sequence[str],
    bundles: Mapping[str, Bundle],
    *,
    progress: Progress | None = None,
    way: Way | None = None,
    notice: Notice | None = None,
    **order: bool,
) -> list[Updated]:
    """Updates these controllers, side by side; one failure does not stop the others.

    order: fields of `Order`.
    """
    wanted = Order(**order)
    _ = site.vault  # a wrong passphrase is one failure, not one of each controller

    def one(name: str) -> Updated:
        device = site.device(name)
        bundle = bundles[boards.show(device.board).name]
        try:
            return again_when_busy(
                lambda: _Call(site, device, bundle, way, notice).carry_out(wanted, progress)
            )
        except ToolError as error:
            what, next_step = _told(error)
            return Updated(name, False, "?", "?", what, next_step)
        except Exception as error:  # noqa: BLE001 - whatever one says, the others go on
            failed = own_fault(error)
            return Updated(name, False, "?", "?", failed.what, failed.next_step)

    return in_parallel(one, list(names))


@dataclass(frozen=True)
class _Call:
    """One controller, what it is to run, and how it is reached."""

    site: Site
    device: Device
    bundle: Bundle
    way: Way | None
    notice: Notice | None

    def carry_out(self, order: Order, progress: Progress | None) -> Updated:
        started = time.monotonic()
        with self._dial() as client:
            info = client.info()
            before = _version(info)
            there = info["firmware"] == self.bundle.digest
            if there and not info.get("trial"):
                return self._kept(before, t("has it already"))
            if not there and order.outdated and info.get("version", 0) >= self.bundle.version:
                return self._kept(before, t("is not outdated"))
            if order.dry_run:
                return self._foreseen(before, info)
            sent = 0
            if not there:
                sent = self._send(client, progress)
        if not there:
            self._say(t("{device} starts its new firmware", device=self.device.name))
        checks, info = self._prove(time.monotonic() + _RESTART_S)
        ok = all(checks.values())
        failed = ", ".join(name for name, passed in checks.items() if not passed)
        return Updated(
            self.device.name, ok, before, _version(info) if ok else before,
            t("failed its own test: {checks}", checks=failed) if not ok
            else t("proven and in force") if checks else t("has it already"),
            "" if ok else t("It goes back to what it ran; see its journal"),
            sent, time.monotonic() - started,
        )  # fmt: skip

    def _kept(self, before: str, what: str) -> Updated:
        return Updated(self.device.name, True, before, before, what)

    def _foreseen(self, before: str, info: Mapping[str, Any]) -> Updated:
        """What the order would do; a version that is not higher wants root."""
        bundle = self.bundle
        if info["firmware"] == bundle.digest:
            return self._kept(
                before,
                t(
                    "{version} would be proven; nothing was changed",
                    version=text_of(bundle.version),
                ),
            )
        if info.get("version", 0) >= bundle.version and not bundle.endorsements:
            return Updated(
                self.device.name, False, before, before,
                t("would refuse {version}: it is not higher", version=text_of(bundle.version)),
                _wants_root(),
            )  # fmt: skip
        return self._kept(
            before,
            t("{version} would be sent; nothing was changed", version=text_of(bundle.version)),
        )

    def _say(self, text: str) -> None:
        if self.notice is not None:
            self.notice(text)

    def _dial(self) -> Client:
        role = next((role for role in _ROLES if role in self.site.peers()), None)
        return dial(self.site, self.device, self.way, role, self.notice)

    def _send(self, client: Client, progress: Progress | None) -> int:
        """Everything up to the restart; bytes of the pack that went over the wire."""
        for endorsement in self.bundle.endorsements:
            client.begin_firmware(c.KEY_ROOT, endorsement)
        offset = client.begin_firmware(c.KEY_FIRMWARE, self.bundle.envelope)
        name = self.device.name
        told = None if progress is None else lambda done, total: progress(name, done, total)
        client.put_firmware(self.bundle.pack, offset, told)
        client.commit_firmware()
        return len(self.bundle.pack) - offset

    def _prove(self, until: float) -> tuple[dict[str, bool], dict[str, Any]]:
        """Calls on it until it runs the new firmware, and has it prove itself."""
        failure: ToolError | None = None
        while time.monotonic() < until:
            time.sleep(_RESTART_STEP_S)
            try:
                with self._dial() as client:
                    info = client.info()
                    if info["firmware"] != self.bundle.digest:
                        raise _went_back(self.device)
                    checks = client.prove_firmware() if info["trial"] else {}
                    devices.note_heard(self.site, self.device, client.info())
                    return checks, info
            except LinkError as error:
                failure = error
        raise failure or LinkError(
            t("{device} does not answer since its restart", device=self.device.name),
            t("It goes back to what it ran within half an hour; then try again"),
        )


def _went_back(device: Device) -> DeviceError:
    return DeviceError(
        t("{device} went back to the firmware that it ran before", device=device.name),
        t("Pull its journal: it says why; then report this"),
    )


def _version(info: Mapping[str, Any]) -> str:
    return text_of(info["version"]) if isinstance(info.get("version"), int) else "?"


def _wants_root() -> str:
    return t("A lower version wants root: site firmware-endorse FILE")


def _told(error: ToolError) -> tuple[str, str]:
    """What to do now, where the reply alone does not say it."""
    next_step = {
        c.ERR_VERSION_LOW: _wants_root(),
        c.ERR_KEY_UNKNOWN: t("It does not know that firmware key yet: push it first"),
        c.ERR_BASE: t("What stands beside its firmware is older: use `device flash`, by cable"),
        c.ERR_BUSY: t("Somebody is at its door, or a port charges: try again later"),
        c.ERR_UNKNOWN_OPERATION: t("Its firmware cannot be updated this way: use `device flash`"),
    }.get((isinstance(error, DeviceError) and error.code) or c.OK)
    return error.what, next_step or error.next_step
