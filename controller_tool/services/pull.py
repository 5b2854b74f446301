"""Fetches controllers' journals into the registry (host).

For each ring: the head first, authenticated for a fresh nonce; then the records that the
registry lacks, page by page; each page is stored before the next is asked for, so that a broken
wire loses nothing. A desk then hands the controller a signed checkpoint of what it holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import ToolError
from controller_tool.services import devices, journal_store
from controller_tool.services.devices_ops import again_when_busy, in_parallel
from protocol.constants import RECORD_BYTES, RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

Progress = Callable[[str, int, int], None]
_CHECKPOINT_ROLES = ("desk", "hub")


@dataclass(frozen=True)
class PullResult:
    """How one controller's pull went.

    new: records stored now; already_had: of what was asked for; overwritten: gone before they
    were pulled; conflicting: differ from what is stored (see `journal verify`);
    checkpointed: whether the controller took a checkpoint.
    """

    device: str
    ok: bool
    what: str
    next_step: str = ""
    new: int = 0
    already_had: int = 0
    overwritten: int = 0
    conflicting: int = 0
    checkpointed: bool = False
    received_bytes: int = 0
    seconds: float = 0.0


def pull(
    site: Site,
    names: list[str] | None = None,
    progress: Progress | None = None,
    way: Way | None = None,
    notice: Notice | None = None,
) -> list[PullResult]:
    """Pulls from the named controllers, or from all that are enrolled, side by side."""
    chosen = site.chosen(names)
    _ = site.vault  # a wrong passphrase is one failure, not one of each controller

    def one(name: str) -> PullResult:
        try:
            return again_when_busy(
                lambda: pull_device(site, site.device(name), progress, way, notice)
            )
        except ToolError as error:
            return PullResult(name, False, error.what, error.next_step)

    return in_parallel(one, chosen)


def pull_device(
    site: Site,
    device: Device,
    progress: Progress | None = None,
    way: Way | None = None,
    notice: Notice | None = None,
) -> PullResult:
    """Opens a session with one controller and pulls; raises a ToolError when that fails."""
    with dial(site, device, way, None, notice) as client:
        return pull_open(site, device, client, progress)


def pull_open(
    site: Site, device: Device, client: Client, progress: Progress | None = None
) -> PullResult:
    """Pulls both rings over a session that is open already."""
    started = time.monotonic()
    rings = [_pull_ring(site, device, client, ring, progress) for ring in (RING_ACCESS, RING_ALARM)]
    checkpointed = _checkpoint(site, device, client)
    devices.note_heard(site, device)
    new = sum(counts.new for counts in rings)
    return PullResult(
        device.name,
        True,
        "",
        new=new,
        already_had=sum(counts.already_had for counts in rings),
        overwritten=sum(counts.overwritten for counts in rings),
        conflicting=sum(counts.conflicting for counts in rings),
        checkpointed=checkpointed,
        received_bytes=client.session.received_bytes,
        seconds=time.monotonic() - started,
    )


@dataclass
class _Sum:
    new: int = 0
    already_had: int = 0
    overwritten: int = 0
    conflicting: int = 0

    def add(self, counts: journal_store.Counts) -> None:
        self.new += counts.new
        self.already_had += counts.already_had
        self.overwritten += counts.overwritten
        self.conflicting += counts.conflicting


def _pull_ring(
    site: Site, device: Device, client: Client, ring: int, progress: Progress | None
) -> _Sum:
    after_head = journal_store.newest_head_id(site, device, ring)
    head = client.head(ring)
    wanted = journal_store.next_seq(site, device, ring)
    first = max(wanted, head.oldest_seq)
    total = _Sum()
    done = 0
    for page in client.records(ring, first, head.next_seq):
        total.add(journal_store.append(site, device, ring, page))
        done += len(page) // RECORD_BYTES
        if progress is not None:
            progress(device.name, done, head.next_seq - first)
    total.add(journal_store.append(site, device, ring, b"", head.value, head.nonce, after_head))
    return total


def _checkpoint(site: Site, device: Device, client: Client) -> bool:
    """Hands over a checkpoint where this folder may sign one and its role may say so."""
    if site.peers()[0] not in _CHECKPOINT_ROLES:
        return False
    envelope = journal_store.checkpoint(site, device)
    if envelope is None:
        return False
    client.put_checkpoint(envelope)
    return True
