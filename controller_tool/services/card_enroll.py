"""The next card at a controller's reader comes to this desk, and opens nothing (host).

The time begins with a ticket and ends with the card, with the time, or with this session: only the
session that asked is told, through the channel, and nothing of it is kept on the way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.credentials import Credential
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.services import boards, devices_ops
from protocol.codes import ERR_STATE, TICKET_ENROL
from protocol.constants import CREDENTIAL_MAX_BYTES
from protocol.names import CREDENTIAL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.client import Client
    from controller_tool.services.site import Site

MINUTES_MAX = 9  # a session lasts ten
ANY_READER = 255
_ASK_S = 0.5
_ROLES = ("desk", "technician")


@dataclass(frozen=True)
class Seen:
    """What a reader saw. bits: its length on the wire, 0 where that says nothing."""

    device: str
    reader: int
    bits: int
    credential: Credential


def wait(
    site: Site,
    name: str,
    minutes: int = 2,
    reader: int = ANY_READER,
    way: Way | None = None,
    notice: Notice | None = None,
) -> Seen:
    """The next card at that controller; OperatorError when none came in time."""
    device = site.device(name)
    site.require("ticket")
    count = boards.show(device.board).readers
    if reader != ANY_READER and reader >= count:
        raise OperatorError(
            t("{device} has no reader {reader}", device=name, reader=reader + 1),
            t("Its readers are 1 to {count}", count=count),
        )
    role = next((role for role in _ROLES if role in site.peers()), None)
    with dial(site, device, way, role, notice) as client:
        devices_ops.send_ticket(site, device, client, TICKET_ENROL, reader, 60 * minutes)
        if notice is not None:
            notice(t("{device} waits for a card, for {n} min", device=name, n=minutes))
        return wait_open(client, name)


def wait_open(client: Client, name: str, sleep: Callable[[float], None] = time.sleep) -> Seen:
    """The same, once the controller waits; it says itself when the time is over."""
    while True:
        try:
            told = client.credential()
        except DeviceError as error:
            if error.code != ERR_STATE:
                raise
            raise OperatorError(
                t("No card was presented at {device}", device=name),
                t("Run the command again and hold the card to its reader"),
            ) from None
        if told is not None:
            return _seen(name, told)
        sleep(_ASK_S)


def _seen(name: str, told: list[Any]) -> Seen:
    kind, bits, data, reader = told
    if kind not in CREDENTIAL_NAMES or not 0 < len(data) <= CREDENTIAL_MAX_BYTES:
        raise DeviceError(
            t("{device} sent what cannot be read", device=name),
            t("Run the command again; if it stays so, update the firmware"),
        )
    return Seen(name, reader, bits, Credential(kind, data))
