"""Sends one open controller list after list until it is in step (host).

- what it holds and the registry says decide about each list (services.list_update)
- a list that was sent before goes on where the controller says that it ends
- only its receipt counts as delivered
- a delta that it cannot take is followed by a full list at once
- a number that it calls too low, for it once held one that nobody here was told of (its receipt was
  lost, then its list), is followed by a higher one
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import DeviceError
from controller_tool.messages import t
from controller_tool.services import lists
from protocol.codes import (
    ERR_BASE,
    ERR_CAPACITY,
    ERR_DIGEST,
    ERR_STATE,
    ERR_VERSION_LOW,
    LIST_DELTA,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.client import Client, DeviceState
    from controller_tool.registry.models import Device
    from controller_tool.services.lists import SignedList
    from controller_tool.services.site import Site

    Progress = Callable[[str, int, int], None]

LISTS_MAX = 6  # what takes away, a refused delta, the rest, some refused for their number
LOW_STEPS = (0, 64, 4096)  # how far to go beyond a number that was too low; a jump has its limit
# a controller that lost its base, holds more beside it than it said, or a base that has rotted
FULL_AFTER = (ERR_BASE, ERR_CAPACITY, ERR_DIGEST, ERR_STATE)


@dataclass
class Sent:
    """What went over the wire in one push. last: the list that is in force now."""

    last: SignedList | None = None
    changes: int = 0
    payload_bytes: int = 0
    resumed_at: int = 0


def send_all(
    site: Site,
    device: Device,
    client: Client,
    state: DeviceState,
    force: bool = False,
    progress: Progress | None = None,
) -> Sent:
    """Everything that the controller lacks; ``state`` is what it has just reported.

    Raises a ToolError when it refuses, or is not in step after LISTS_MAX lists.
    """
    sent = Sent()
    full = False
    known_there = False
    steps = list(LOW_STEPS)
    for _ in range(LISTS_MAX):
        signed = lists.next_for(site, device, force, state, full)
        if signed is None:
            return sent
        try:
            resumed_at = _send(site, device, client, signed, progress, known_there)
        except DeviceError as error:
            if error.code == ERR_VERSION_LOW and steps:
                lists.raise_floor(site, device, signed.version + steps.pop(0))
            elif signed.kind == LIST_DELTA and error.code in FULL_AFTER:
                full = True
            elif error.code == ERR_STATE and not known_there:
                known_there = True  # a part of it, which a restored registry forgot
            else:
                raise
            continue
        sent.last = signed
        sent.changes += signed.changes
        sent.payload_bytes += len(signed.payload)
        sent.resumed_at = resumed_at
        if not signed.rest:
            return sent
        force = full = known_there = False
        state = client.state()
    raise DeviceError(
        t("{device} is not in step after {n} lists", device=device.name, n=LISTS_MAX),
        t("Push again"),
    )


def _send(
    site: Site,
    device: Device,
    client: Client,
    signed: SignedList,
    progress: Progress | None,
    known_there: bool,
) -> int:
    """Sends one signed list; the offset from which the controller wanted it."""

    def reached(done: int, total: int) -> None:
        if progress is not None:
            progress(device.name, done, total)

    sent_before = known_there or site.device(device.name).list_version_sent >= signed.version
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
