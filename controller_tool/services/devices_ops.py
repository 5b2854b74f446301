"""What is done with one controller over an open channel: info, clock, self-test, tickets (host)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.services import boards, devices
from protocol import cbor
from protocol.codes import (
    CLOCK_SYNCED,
    ERR_BUSY,
    ERR_TIME_REACH,
    TICKET_DOOR_MODE,
    TICKET_UNLOCK,
)
from protocol.constants import AAD_TICKET, AAD_TIME
from protocol.names import CLOCK_NAMES, MODE_NAMES
from protocol.policy.door_modes import argument as mode_argument

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

RENEWALS_MAX = 2
RENEWAL_S = 10.0  # a controller that restarts serves again, its list proven, after some eight
_CLOCK_TOLERANCE_S = 1

Result = TypeVar("Result")


@dataclass(frozen=True)
class ClockReport:
    """A controller's clock before the contact, and what was done.

    offset_s: how far it was ahead of this computer; quality_before, quality: by their names;
    how: "kept", "set" or "set by a signed time"; of a pull also as in services.clock_step.
    """

    device: str
    offset_s: int
    quality_before: str
    quality: str
    how: str


def info(
    site: Site, name: str, way: Way | None = None, notice: Notice | None = None
) -> dict[str, Any]:
    """What the controller says of itself, kept in the registry as its last sign of life.

    clock: its quality by name; clock_offset_s: how far it is ahead of this computer.
    """
    device = site.device(name)
    with dial(site, device, way, notice=notice) as client:
        said, state = client.info(), client.state()
        offset_s = state.time_s - now_s()
    said["trust_version"] = state.trust_version
    devices.note_heard(site, device, said)
    clock = {"clock": CLOCK_NAMES.get(state.clock_quality, "?"), "clock_offset_s": offset_s}
    return {**said, **clock, **devices.trust_standing(site, site.device(name))}


def self_test(
    site: Site, name: str, way: Way | None = None, notice: Notice | None = None
) -> dict[str, bool]:
    """Each check of the controller's self-test and whether it passed."""
    device = site.device(name)
    role = "installer" if "installer" in site.peers() else "technician"
    with dial(site, device, way, role, notice) as client:
        return client.self_test()


def clock(
    site: Site,
    name: str,
    way: Way | None = None,
    notice: Notice | None = None,
    change: bool = True,
) -> ClockReport:
    """Compares the controller's clock with this computer's and, with ``change``, sets it."""
    device = site.device(name)
    with dial(site, device, way, notice=notice) as client:
        return sync_clock(site, device, client, change)


def sync_clock(site: Site, device: Device, client: Client, change: bool = True) -> ClockReport:
    """Brings an open controller's clock in step; a signed time where an unsigned one is refused.

    Raises OperatorError when the clock needs a signed time and this folder cannot sign one.
    """
    client.clock_in_step = False
    before = client.time()
    offset_s = before.time_s - now_s()
    quality_before = CLOCK_NAMES.get(before.clock_quality, "?")
    in_step = abs(offset_s) <= _CLOCK_TOLERANCE_S and before.clock_quality == CLOCK_SYNCED
    client.clock_in_step = in_step
    if in_step or not change:
        return ClockReport(device.name, offset_s, quality_before, quality_before, "kept")
    how = "set"
    try:
        client.set_time(now_s())
    except DeviceError as error:
        if error.code != ERR_TIME_REACH:
            raise
        payload = cbor.encode([site.id, device.id_bytes, client.nonce(), now_s()])
        client.set_signed_time(site.sign("ticket", AAD_TIME, payload))
        how = "set by a signed time"
    client.clock_in_step = True
    quality = CLOCK_NAMES.get(client.time().clock_quality, "?")
    return ClockReport(device.name, offset_s, quality_before, quality, how)


def ticket(
    site: Site,
    name: str,
    action: int,
    point: int = 0,
    argument: int = 0,
    way: Way | None = None,
    notice: Notice | None = None,
) -> None:
    """Carries out one physical action by a ticket, signed for a fresh nonce of the controller."""
    device = site.device(name)
    site.require("ticket")
    if action in (TICKET_UNLOCK, TICKET_DOOR_MODE) and device.kind != "door":
        raise OperatorError(t("{device} has no door", device=name), t("Name a door controller"))
    _require_point(device, action, point)

    def once() -> None:
        with dial(site, device, way, notice=notice) as client:
            send_ticket(site, device, client, action, point, argument)

    again_when_busy(once)


def send_ticket(
    site: Site, device: Device, client: Client, action: int, point: int, argument: int
) -> None:
    """The same in an open session, once."""
    fields: list[cbor.Value] = [
        site.id, device.id_bytes, client.nonce(), action, point, argument
    ]  # fmt: skip
    client.do_ticket(site.sign("ticket", AAD_TICKET, cbor.encode(fields)))


def _require_point(device: Device, action: int, point: int) -> None:
    """OperatorError for a door that the controller's board does not have."""
    count = boards.show(device.board).points
    if action in (TICKET_UNLOCK, TICKET_DOOR_MODE) and point >= count:
        raise OperatorError(
            t("{device} has no door {door}", device=device.name, door=point + 1),
            t("Its doors are 1 to {count}", count=count),
        )


def door_mode(
    site: Site,
    name: str,
    mode: str,
    point: int = 0,
    minutes: int = 0,
    way: Way | None = None,
    notice: Notice | None = None,
) -> None:
    """Commands a door's mode (a name of MODE_NAMES) for minutes; 0: until further notice."""
    number = {text: code for code, text in MODE_NAMES.items()}[mode]
    ticket(site, name, TICKET_DOOR_MODE, point, mode_argument(number, minutes), way, notice)


def list_role(site: Site) -> str | None:
    """The role of this folder that deals with lists: a desk or hub before an installer."""
    return next((role for role in ("desk", "hub", "installer") if role in site.peers()), None)


def again_when_busy(work: Callable[[], Result]) -> Result:
    """``work`` once more, with a new session, when a controller had no room for what it asked.

    Such a controller restarts as soon as the session is over and its door at rest.
    """
    for _ in range(RENEWALS_MAX):
        try:
            return work()
        except DeviceError as error:
            if error.code != ERR_BUSY:
                raise
            time.sleep(RENEWAL_S)
    return work()


def in_parallel(work: Callable[[str], Any], names: list[str]) -> list[Any]:
    """``work`` for each name, each in its own thread; results in the order of the names."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

    with ThreadPoolExecutor(max_workers=max(1, min(16, len(names)))) as pool:
        return list(pool.map(work, names))
