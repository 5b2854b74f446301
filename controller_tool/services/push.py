"""Brings controllers' lists up to date and takes their receipts (host).

For each controller, in this order:
- its clock is brought in step, for the list carries dates;
- its state is compared with the registry's, before anything is signed for it;
- the list is announced; one that was sent before goes on where the controller says that it ends;
- the rest is sent, committed, and the receipt checked: only that counts as delivered.

A broken wire ends one controller's push and no other's; the next push goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import DeviceError, OperatorError, ToolError
from controller_tool.messages import t
from controller_tool.services import devices, lists, standing, trust_push
from controller_tool.services.devices_ops import in_parallel, sync_clock

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class PushResult:
    """How one controller's push went; ``ok`` says whether its receipt is in.

    version, count: of the list now in force; payload_bytes: its size; resumed_at: offset from
    which an interrupted push went on; sent_bytes, received_bytes: all that went over the wire,
    handshake and frames included; seconds: from the first request to the receipt on an open
    session, session_s: with opening it.
    """

    device: str
    ok: bool
    what: str
    next_step: str = ""
    version: int = 0
    count: int = 0
    payload_bytes: int = 0
    resumed_at: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    seconds: float = 0.0
    session_s: float = 0.0
    code: int | None = None


def push(
    site: Site,
    names: list[str] | None = None,
    progress: Progress | None = None,
    way: Way | None = None,
    notice: Notice | None = None,
    force: bool = False,
    accept_fork: bool = False,
) -> list[PushResult]:
    """Pushes to the named controllers, or to all that are enrolled, side by side.

    Never raises for one controller's failure: each result says how it went. accept_fork: a list
    of another registry may be replaced (services.standing).
    """
    chosen = site.chosen(names)
    _ = site.vault  # a wrong passphrase is one failure, not one of each controller

    def one(name: str) -> PushResult:
        try:
            return push_device(site, site.device(name), progress, way, notice, force, accept_fork)
        except ToolError as error:
            code = error.code if isinstance(error, DeviceError) else None
            return PushResult(name, False, error.what, error.next_step, code=code)

    return in_parallel(one, chosen)


def push_device(
    site: Site,
    device: Device,
    progress: Progress | None = None,
    way: Way | None = None,
    notice: Notice | None = None,
    force: bool = False,
    accept_fork: bool = False,
) -> PushResult:
    """Opens a session with one controller and pushes; raises a ToolError when that fails."""
    started = time.monotonic()
    with (
        dial(site, device, way, _role(site), notice) as client,
        trust_push.in_step(site, device, client),
    ):
        return push_open(site, device, client, progress, force, started, accept_fork)


def push_open(
    site: Site,
    device: Device,
    client: Client,
    progress: Progress | None = None,
    force: bool = False,
    opened_at: float | None = None,
    accept_fork: bool = False,
) -> PushResult:
    """Pushes over a session that is open already (a desk keeps one while it works)."""
    started = time.monotonic()
    sent, received = (
        (0, 0) if opened_at else (client.session.sent_bytes, client.session.received_bytes)
    )
    in_step = _sync_if_able(site, device, client)
    state = client.state()
    found = standing.note(
        site, device, state.epoch, state.version, state.digest, accept_fork=accept_fork
    )
    signed = lists.next_for(site, device, force=force)
    resumed_at = 0
    if signed is None:
        version, count, payload_bytes = state.version, state.count, 0
        what = t("already up to date")
        if found != standing.IN_STEP:
            nonce, receipt = client.receipt()
            lists.record_receipt(site, device, receipt, nonce)
    else:
        resumed_at = _send(site, device, client, signed, progress)
        version, count, payload_bytes = signed.version, signed.count, len(signed.payload)
        what = t("receipt for version {version}", version=version)
        if signed.left_out:
            what += t("; {n} cards had no room", n=signed.left_out)
    if not in_step:
        sync_clock(site, device, client)  # the list has raised the time floor
    devices.note_heard(site, device)
    ended = time.monotonic()
    return PushResult(
        device.name, True, what,
        version=version, count=count, payload_bytes=payload_bytes, resumed_at=resumed_at,
        sent_bytes=client.session.sent_bytes - sent,
        received_bytes=client.session.received_bytes - received,
        seconds=ended - started, session_s=ended - (opened_at or started),
    )  # fmt: skip


def watch(
    site: Site,
    names: list[str] | None,
    report: Callable[[list[PushResult]], None],
    way: Way | None = None,
    pause: Callable[[float], None] = time.sleep,
    rounds: int | None = None,
) -> None:
    """Pushes again and again, pausing 1 s after success and up to 300 s after failures."""
    delay_s = 1.0
    while rounds is None or rounds > 0:
        results = push(site, names, way=way)
        report(results)
        delay_s = 1.0 if all(r.ok for r in results) else min(300.0, delay_s * 2)
        rounds = None if rounds is None else rounds - 1
        pause(delay_s)


def _sync_if_able(site: Site, device: Device, client: Client) -> bool:
    """Whether the clock could be brought in step before the list was sent."""
    if client.clock_in_step:
        return True
    try:
        sync_clock(site, device, client)
    except OperatorError:
        return False
    return True


def _send(
    site: Site,
    device: Device,
    client: Client,
    signed: lists.SignedList,
    progress: Progress | None,
) -> int:
    """Sends one signed list; the offset from which the controller wanted it."""

    def reached(done: int, total: int) -> None:
        if progress is not None:
            progress(device.name, done, total)

    sent_before = site.device(device.name).list_version_sent >= signed.version
    # from here on the controller may come to know the cards of this list
    lists.mark_sent(site, device, signed.version)
    offset = client.begin_list(signed.envelope) if sent_before else 0
    reached(offset, len(signed.payload))
    nonce, receipt = client.put_list(signed.envelope, signed.payload, offset, reached)
    proven = lists.record_receipt(site, device, receipt, nonce)
    if proven != signed.version:
        raise DeviceError(
            t("{device} proves version {version}, not the one that was sent",
              device=device.name, version=proven),
            t("Push again"),
        )  # fmt: skip
    return offset


def _role(site: Site) -> str | None:
    """The role that may push: a desk or hub before an installer."""
    for role in ("desk", "hub", "installer"):
        if role in site.peers():
            return role
    return None
