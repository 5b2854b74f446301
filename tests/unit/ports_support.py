"""Replies of a charger about its ports, made up, and a charger that gives them (host)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from controller_tool.client import DeviceTime
from controller_tool.errors import DeviceError
from protocol import cbor, cose
from protocol.codes import CLOCK_SYNCED, PORT_IDLE

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = bytes(8)


def port(state: int = PORT_IDLE, key: bytes = b"", power_dw: int = 0, **more: Any) -> list[Any]:
    """One port's row of a reply. more: energy_mwh, seconds, temperature, trouble, last_end."""
    row = [
        state, key, power_dw, more.pop("energy_mwh", 0), more.pop("seconds", 0),
        more.pop("temperature", None), more.pop("trouble", 0), more.pop("last_end", None),
    ]  # fmt: skip
    assert not more, more
    return row


def reply(*ports: list[Any], **more: Any) -> list[Any]:
    """A whole reply. more: limit_w, power_dw, latches, contactor, temperature."""
    station = [
        more.pop("limit_w", 3000), more.pop("power_dw", sum(row[2] for row in ports)),
        more.pop("latches", 0), more.pop("contactor", 2), more.pop("temperature", None),
    ]  # fmt: skip
    assert not more, more
    return [station, list(ports)]


class Charger:
    """In place of `dial`: tells what it is given, and refuses tickets with `code` if that is set.

    tickets: what it was told, as (action, point, argument). replies: of get_ports, the last again
    and again; an error among them is raised. clock: the quality of its clock.
    """

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies) or [reply(port())]
        self.code: int | None = None
        self.tickets: list[tuple[int, ...]] = []
        self.calls = 0
        self.clock = CLOCK_SYNCED
        self.clock_asked = 0

    @contextmanager
    def dial(self, *_: object, **__: object) -> Iterator[Charger]:
        self.calls += 1
        yield self

    def nonce(self) -> bytes:
        return bytes(16)

    def time(self) -> DeviceTime:
        self.clock_asked += 1
        return DeviceTime(0, 0, self.clock, 0)

    def ports(self) -> Any:
        told = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(told, Exception):
            raise told
        return told

    def do_ticket(self, envelope: bytes) -> None:
        fields: Any = cbor.decode(bytes(cose.open_envelope(envelope).payload))
        self.tickets.append(tuple(fields[3:]))
        if self.code is not None:
            raise DeviceError("pile-1 refused do_ticket: bad_argument", "", self.code)
