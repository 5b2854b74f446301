"""Brings controllers' lists up to date and takes their receipts (host).

For each controller, in this order:
- its clock is brought in step, for the list carries dates;
- its state is compared with the registry's, before anything is signed for it;
- lists are sent until it is in step (services.push_lists): only a receipt counts as delivered;
- then its configuration, where this registry signed a newer one than it has.

A broken wire ends one controller's push and no other's; the next push goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import DeviceError, OperatorError, ToolError
from controller_tool.messages import t
from controller_tool.services import (
    compare,
    device_config,
    devices,
    forks,
    lists,
    standing,
    trust_push,
)
from controller_tool.services.devices_ops import (
    again_when_busy,
    in_parallel,
    list_role,
    sync_clock,
)
from controller_tool.services.push_lists import Sent, send_all
from protocol.codes import ERR_BUSY, ERR_TIME_REACH, LIST_DELTA, LIST_FULL

if TYPE_CHECKING:
    from controller_tool.client import Client, DeviceState
    from controller_tool.registry.models import Device
    from controller_tool.services.compare import Difference
    from controller_tool.services.site import Site

Progress = Callable[[str, int, int], None]
_CLOCK_LATER = (ERR_BUSY, ERR_TIME_REACH)  # a list may go ahead; whoever keeps it busy stops none


@dataclass(frozen=True)
class PushResult:
    """How one controller's push went; ``ok`` says whether its receipt is in.

    version, count: of the list now in force; kind: "full" or "delta", of the list that was sent
    last, empty when none was; changes, payload_bytes: records and bytes of all that were sent;
    resumed_at: offset from which an interrupted push went on; ended: cards that were ended here,
    for the controller held them as revoked; sent_bytes, received_bytes: all that went over the
    wire, handshake and frames included; seconds: from the first request to the receipt on an open
    session, session_s: with opening it.
    """

    device: str
    ok: bool
    what: str
    next_step: str = ""
    version: int = 0
    count: int = 0
    kind: str = ""
    changes: int = 0
    ended: tuple[Difference, ...] = ()
    payload_bytes: int = 0
    resumed_at: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    seconds: float = 0.0
    session_s: float = 0.0
    code: int | None = None


@dataclass(frozen=True)
class Order:
    """What a person asks for beyond the ordinary.

    force: a new full list even if nothing changed; accept_fork: a list of another registry may be
    replaced (services.forks); repair: compare first, and send a full list where what is stored is
    not what was signed.
    """

    force: bool = False
    accept_fork: bool = False
    repair: bool = False


def push(
    site: Site,
    names: list[str] | None = None,
    progress: Progress | None = None,
    way: Way | None = None,
    notice: Notice | None = None,
    **order: bool,
) -> list[PushResult]:
    """Pushes to the named controllers, or to all that are enrolled, side by side.

    order: fields of `Order`. Never raises for one controller's failure: each result says how it
    went.
    """
    chosen = site.chosen(names)
    _ = site.vault  # a wrong passphrase is one failure, not one of each controller

    def one(name: str) -> PushResult:
        try:
            return again_when_busy(
                lambda: push_device(site, site.device(name), progress, way, notice, **order)
            )
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
    **order: bool,
) -> PushResult:
    """Opens a session with one controller and pushes; raises a ToolError when that fails."""
    started = time.monotonic()
    with (
        dial(site, device, way, list_role(site), notice) as client,
        trust_push.in_step(site, device, client),
    ):
        result = push_open(site, device, client, progress, started, **order)
        what = device_config.send_newest(site, device, client)
        return replace(result, what=result.what + what)


def push_open(
    site: Site,
    device: Device,
    client: Client,
    progress: Progress | None = None,
    opened_at: float | None = None,
    **asked: bool,
) -> PushResult:
    """Pushes over a session that is open already (a desk keeps one while it works)."""
    order = Order(**asked)
    started = time.monotonic()
    wire = (0, 0) if opened_at else (client.session.sent_bytes, client.session.received_bytes)
    in_step = _sync_if_able(site, device, client)
    state = client.state()
    found = standing.note(site, device, state.epoch, state.version, state.digest)
    words, force = "", order.force
    ended: tuple[Difference, ...] = ()
    if order.accept_fork and found == standing.FORK:
        ended = tuple(forks.accept(site, device, client, state))
    if order.repair and state.version:
        words, differs = _repair(site, device, client, state, found)
        force = force or differs
    sent = send_all(site, device, client, state, force, progress)
    if sent.last is None and found != standing.IN_STEP:
        nonce, receipt = client.receipt()
        lists.record_receipt(site, device, receipt, nonce)
    if not in_step:
        _sync_after(site, device, client)
    devices.note_heard(site, device)
    now = time.monotonic()
    return PushResult(
        device.name, True, words + _what(sent) + _what_ended(ended),
        version=sent.last.version if sent.last else state.version,
        count=sent.last.count if sent.last else state.count,
        kind=_kind(sent), changes=sent.changes, ended=ended,
        payload_bytes=sent.payload_bytes, resumed_at=sent.resumed_at,
        sent_bytes=client.session.sent_bytes - wire[0],
        received_bytes=client.session.received_bytes - wire[1],
        seconds=now - started, session_s=now - (opened_at or started),
    )  # fmt: skip


def _repair(
    site: Site, device: Device, client: Client, state: DeviceState, found: str
) -> tuple[str, bool]:
    """What to say of it, and whether what is stored differs from what its version signs."""
    comparison = compare.compare_open(site, device, client, state, found)
    if comparison.intact:
        return t("nothing differs from version {version}; ", version=state.version), False
    if comparison.against == compare.NOW:
        return t("not what version {version} signs; ", version=state.version), True
    count = len(comparison.differences)
    return t("{n} cards not as version {version} signs; ", n=count, version=state.version), True


def _kind(sent: Sent) -> str:
    if sent.last is None:
        return ""
    return "full" if sent.last.kind == LIST_FULL else "delta"


def _what(sent: Sent) -> str:
    """One line for people."""
    if sent.last is None:
        return t("already up to date")
    what = t("receipt for version {version}", version=sent.last.version)
    if sent.last.kind == LIST_DELTA:
        what += t("; changes: {n}", n=sent.changes)
    if sent.last.left_out:
        what += t("; {n} cards had no room", n=sent.last.left_out)
    return what


def _what_ended(ended: tuple[Difference, ...]) -> str:
    if not ended:
        return ""
    named = ", ".join(f"{card.card} {card.holder}".rstrip() for card in ended)
    return t("; ended here, for it was ended there: {cards}", cards=named)


def _sync_if_able(site: Site, device: Device, client: Client) -> bool:
    """Whether the clock could be brought in step before the list was sent."""
    if client.clock_in_step:
        return True
    try:
        sync_clock(site, device, client)
    except OperatorError:
        return False
    except DeviceError as error:  # the list of a new epoch takes its time floor back
        if error.code not in _CLOCK_LATER:
            raise
        return False
    return True


def _sync_after(site: Site, device: Device, client: Client) -> None:
    """Once more, for the list has raised the time floor."""
    try:
        sync_clock(site, device, client)
    except DeviceError as error:
        if error.code != ERR_BUSY:  # its receipt is here: who keeps the clock busy cannot undo that
            raise
