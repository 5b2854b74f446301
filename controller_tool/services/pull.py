"""Fetches controllers' journals into the registry (host).

For each ring: the head first, authenticated for a fresh nonce; then the records that the registry
lacks, wherever they lie, page by page; what has come is stored every half second and when the wire
breaks, so that nothing has to come twice. Then the headers of the sectors, with which the chain is
taken up behind what was overwritten, and the audit key as the controller itself sealed it. A desk
then hands the controller a signed checkpoint of what it holds. A charger's account of energy comes
next, and last the clock is brought in step, where this folder may (services.clock_step).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import DeviceError, ToolError, own_fault
from controller_tool.services import (
    audit_pins,
    clock_step,
    devices,
    energy_pull,
    journal_rows,
    journal_store,
)
from controller_tool.services.devices_ops import again_when_busy, in_parallel
from controller_tool.services.journal_checkpoint import checkpoint, store_checkpoint
from protocol.codes import ERR_BUSY
from protocol.constants import RECORD_BYTES

if TYPE_CHECKING:
    from controller_tool.client import Client, Head
    from controller_tool.registry.models import Device
    from controller_tool.services.devices_ops import ClockReport
    from controller_tool.services.site import Site

Progress = Callable[[str, int, int], None]
_CHECKPOINT_ROLES = ("desk", "hub")
_STORE_EVERY_S = 0.5
_STORE_PAGES = 50
_BUSY_TRIES = 3
_BUSY_PAUSE_S = 2.0
_ROUNDS_MAX = 3  # a ring that goes on meanwhile lets records go: what is missing is asked for anew


@dataclass(frozen=True)
class Account:
    """Of all records that one ring or controller ever wrote: where they are now.

    new: stored by this pull; already_had: stored before it; overwritten: gone from the controller
    before anybody fetched them; missing: neither here nor there, and not overwritten.
    newly_overwritten: of the overwritten, those that the pull before this one could still have
    had; conflicting: came again with other content (see `journal verify`).
    """

    new: int = 0
    already_had: int = 0
    overwritten: int = 0
    missing: int = 0
    newly_overwritten: int = 0
    conflicting: int = 0

    def __add__(self, other: Account) -> Account:
        pairs = zip(self.__dict__.values(), other.__dict__.values(), strict=True)
        return Account(*(mine + more for mine, more in pairs))

    @property
    def written(self) -> int:
        """Records that the controller has ever written."""
        return self.new + self.already_had + self.overwritten + self.missing


@dataclass(frozen=True)
class PullResult(Account):
    """How one controller's pull went; the account of both its rings.

    checkpointed: whether the controller took a checkpoint; energy: slots that a charger's account
    of energy brought; clock: how that was and what was done about it, None where it was not told.
    """

    device: str = ""
    ok: bool = True
    what: str = ""
    next_step: str = ""
    checkpointed: bool = False
    energy: int = 0
    clock: ClockReport | None = None
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
            return PullResult(device=name, ok=False, what=error.what, next_step=error.next_step)
        except Exception as error:  # noqa: BLE001 - whatever one sends, the others' results stay
            failed = own_fault(error)
            return PullResult(device=name, ok=False, what=failed.what, next_step=failed.next_step)

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
        result = pull_open(site, device, client, progress)
        return replace(result, clock=clock_step.keep(site, device, client))


def pull_open(
    site: Site, device: Device, client: Client, progress: Progress | None = None
) -> PullResult:
    """Pulls both rings over a session that is open already."""
    started = time.monotonic()
    account = Account()
    for ring in journal_rows.RINGS:
        account += _Ring(site, device, client, ring, progress).pull()
    checkpointed = _checkpoint(site, device, client)
    charges = device.kind == energy_pull.CHARGER
    energy = energy_pull.pull_open(site, device, client).new if charges else 0
    devices.note_heard(site, device)
    return PullResult(
        **account.__dict__,
        device=device.name,
        checkpointed=checkpointed,
        energy=energy,
        received_bytes=client.session.received_bytes,
        seconds=time.monotonic() - started,
    )


def pull_ring(site: Site, device: Device, client: Client, ring: int) -> Account:
    """One ring over a session that is open already; no checkpoint is given."""
    return _Ring(site, device, client, ring, None).pull()


class _Ring:
    """One ring of one controller, being pulled."""

    def __init__(
        self, site: Site, device: Device, client: Client, ring: int, progress: Progress | None
    ) -> None:
        self._site = site
        self._device = device
        self._client = client
        self._ring = ring
        self._progress = progress
        self._counts = journal_store.Counts()

    def pull(self) -> Account:
        after_head = journal_store.newest_head_id(self._site, self._device, self._ring)
        head = self._client.head(self._ring)
        had = self._stored(head.next_seq)
        self._fetch_all(head)
        self._fetch_headers(head.next_seq)
        audit_pins.note(
            self._site, self._device, self._ring, self._client.audit_key(self._ring), True
        )
        self._count(b"", head, after_head)
        # what is still missing may have been let go meanwhile: then the ring reaches less far now
        oldest = head.oldest_seq
        if self._stored(head.next_seq) + self._gone(oldest) < head.next_seq:
            oldest = min(self._client.head(self._ring).oldest_seq, head.next_seq)
        gone = self._gone(oldest)
        missing = head.next_seq - self._stored(head.next_seq) - gone
        counts = self._counts
        return Account(counts.new, had, gone, missing, counts.overwritten, counts.conflicting)

    def _gone(self, oldest_seq: int) -> int:
        return oldest_seq - self._stored(oldest_seq)

    def _stored(self, before_seq: int) -> int:
        with self._site.registry.session() as session:
            return journal_rows.stored(session, self._device.id, self._ring, 0, before_seq)

    def _fetch_all(self, head: Head) -> None:
        for _ in range(_ROUNDS_MAX):
            ranges = journal_rows.missing_ranges(
                self._site, self._device, self._ring, head.oldest_seq, head.next_seq
            )
            if not ranges:
                return
            new = self._counts.new
            self._fetch(ranges)
            if self._counts.new == new:  # it does not have them any more
                return

    def _fetch(self, ranges: list[tuple[int, int]]) -> None:
        total = sum(end - first for first, end in ranges)
        done = 0
        # beside the wire, which would stand still else; leaving the block waits for what is stored
        with ThreadPoolExecutor(1) as beside:
            storing: list[Future[None]] = []
            for pages in _batches(self._client.records(self._ring, ranges)):
                for earlier in storing:
                    earlier.result()
                storing = [beside.submit(self._count, pages)]
                done += len(pages) // RECORD_BYTES
                if self._progress is not None:
                    self._progress(self._device.name, done, total)
            for last in storing:
                last.result()

    def _fetch_headers(self, end_seq: int) -> None:
        with self._site.registry.session() as session:
            newest = journal_rows.newest_sector(session, self._device.id, self._ring, end_seq)
        for page in self._client.sector_headers(self._ring, newest, end_seq):
            journal_store.append_sectors(self._site, self._device, self._ring, page)

    def _count(self, page: bytes, head: Head | None = None, after_head: int | None = None) -> None:
        value, nonce = (None, None) if head is None else (head.value, head.nonce)
        self._counts += journal_store.append(
            self._site, self._device, self._ring, page, value, nonce, after_head
        )


def _batches(pages: Iterator[bytes]) -> Iterator[bytes]:
    """Pages put together, for half a second each; what came before an error comes before it."""
    held: list[bytes] = []
    since_s = time.monotonic()
    try:
        for page in pages:
            held.append(page)
            late = time.monotonic() - since_s >= _STORE_EVERY_S
            if late or len(held) >= _STORE_PAGES:
                yield b"".join(held)
                held.clear()
                since_s = time.monotonic()
    except ToolError:
        yield b"".join(held)
        raise
    yield b"".join(held)


def _checkpoint(site: Site, device: Device, client: Client) -> bool:
    """Hands over a checkpoint where this folder may sign one and its role may say so."""
    if site.peers()[0] not in _CHECKPOINT_ROLES:
        return False
    envelope = checkpoint(site, device)
    if envelope is None:
        return False
    for _ in range(_BUSY_TRIES):
        try:
            client.put_checkpoint(envelope)
        except DeviceError as error:
            if error.code != ERR_BUSY:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            store_checkpoint(site, device, envelope)
            return True
    return False  # it had no room, or many in this hour; what was pulled is stored
