"""The host's part of the keyed preface: shows that we hold the link key (host)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from controller_tool.channel.stream import ByteStream, Deadline, Reader
from controller_tool.errors import DeviceError, LinkError
from controller_tool.messages import t
from protocol import preface
from protocol.constants import NONCE_BYTES, PREFACE_GREETING_BYTES, PREFACE_VERDICT_BYTES

_GREETING_S = 5.0
_VERDICT_S = 5.0


class Caller(Protocol):
    """Who knocks at whose door; `controller_tool.channel.dial.Identity` is one."""

    @property
    def role(self) -> int: ...
    @property
    def peer_id(self) -> bytes: ...
    @property
    def peer_key(self) -> bytes: ...
    @property
    def device_id(self) -> bytes: ...
    @property
    def device_name(self) -> str: ...


@dataclass(frozen=True)
class Knock:
    """The controller's verdict.

    wait_s: None when TLS may follow, else how long it wants to be left alone; early: what it
    sent after the verdict.
    """

    wait_s: int | None
    early: bytes = b""


def knock(stream: ByteStream, who: Caller) -> Knock:
    """Runs the preface on a fresh wire (docs/protocol.md section 7).

    Raises LinkError when no controller speaks, DeviceError when it does not take our key or
    does not hold its own.
    """
    reader = Reader(stream)
    heard = reader.exactly(PREFACE_GREETING_BYTES, Deadline(_GREETING_S), t("greeting"))
    try:
        controller_nonce = preface.read_greeting(heard)
    except preface.Refused as error:
        raise LinkError(
            t("What answers at this address is not a controller"), t("Check the address")
        ) from error
    peer_nonce = os.urandom(NONCE_BYTES)
    stream.write(
        preface.answer(
            who.peer_key, who.device_id, who.role, who.peer_id, controller_nonce, peer_nonce
        )
    )
    try:
        verdict = reader.exactly(PREFACE_VERDICT_BYTES, Deadline(_VERDICT_S), t("admission"))
    except LinkError as error:  # a stranger is hung up on without a word
        raise _unknown(who) from error
    try:
        status, wait_s = preface.check_verdict(
            who.peer_key, who.device_id, who.peer_id, controller_nonce, peer_nonce, verdict
        )
    except preface.Refused as error:
        raise _unknown(who) from error
    return Knock(None if status == 0 else max(1, wait_s), reader.surplus())


def _unknown(who: Caller) -> DeviceError:
    return DeviceError(
        t("{device} hung up: it does not know our key or has shut it out,"
          " or another controller answers here",
          device=who.device_name),
        t("Check the address, and that this site folder is the one that provisioned it"),
    )  # fmt: skip
