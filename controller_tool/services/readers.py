"""How a controller's readers fare, and keys of OSDP readers (host).

A reader gets a key by ``pair`` and in no other way. The key is made here, kept as a secret setting
of the signed configuration (so a controller that takes this one's place has it), and given by a
ticket of its own under the key that the reader has until then: the one of the configuration before,
or the factory's, which everybody knows, only when that was said.

What becomes of a reader that refuses: the configuration before is signed anew, so that what worked
goes on; so it is when the ticket was not given, for want of a shut door or of a controller that
takes it. One that fell silent in between may have either key: the new one stays, and the next
`pair` with the old one's configuration is for a person to decide.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import LinkError, OperatorError, ToolError
from controller_tool.messages import t
from controller_tool.services import boards, device_config, devices_ops
from protocol.codes import TICKET_PAIR_READER
from protocol.names import PAIRING_NAMES, READER_TROUBLE_NAMES
from protocol.osdp import KEY_BYTES
from protocol.osdp_panel import PAIR_DONE, PAIR_NONE, PAIR_REFUSED, PAIR_RUNS, PAIR_UNSURE
from protocol.settings import OSDP_KEYS

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_LOOK_S = 0.5
_REST_S = 1.5  # between sessions: settings come into force when nobody is there for a second
_FORCE_S = 60  # until its doors are shut
_PAIR_S = 40  # a reader that rests is asked again after five


@dataclass(frozen=True)
class State:
    """One reader, from 1. troubles, pairing (since the start): by their names in protocol/names."""

    reader: int
    troubles: tuple[str, ...]
    pairing: str
    has_key: bool


@dataclass(frozen=True)
class Paired:
    """What pairing came to. version: of the configuration that counts now."""

    device: str
    reader: int
    outcome: str
    version: int


@dataclass
class _Attempt:
    """begun: from then on the reader may have the new key."""

    begun: bool = False


def troubles(told: int) -> tuple[str, ...]:
    """Names of the troubles in a reader's byte."""
    return tuple(word for bit, word in READER_TROUBLE_NAMES.items() if told & bit)


def states(
    site: Site, name: str, way: Way | None = None, notice: Notice | None = None
) -> list[State]:
    """Each reader of a controller, as it says itself."""
    device = site.device(name)
    with dial(site, device, way, device_config.role(site), notice) as client:
        info = client.info()
    signed = device_config.newest(site, device)
    keys = signed.settings.get(OSDP_KEYS, []) if signed else []
    return [
        State(
            number + 1,
            troubles(trouble),
            PAIRING_NAMES.get(pairing, "?"),
            number < len(keys) and bool(keys[number]),
        )
        for number, (trouble, pairing) in enumerate(
            zip(info["reader_trouble"], info["reader_pairing"], strict=True)
        )
    ]


def pair(
    site: Site,
    name: str,
    reader: int,
    factory: bool = False,
    way: Way | None = None,
    notice: Notice | None = None,
) -> Paired:
    """Give a reader (from 1) a new key of its own; OperatorError when it did not take it.

    factory: it is as it left the factory, and is to have its first key now.
    """
    device = site.device(name)
    site.require("ticket")
    before = _keys(site, device, reader)
    if not factory and not before[reader - 1]:
        raise OperatorError(
            t("Reader {reader} of {device} has no key of its own yet", reader=reader, device=name),
            t("Set it to its factory state, and give its first key with --factory"),
        )
    after = [*before[: reader - 1], os.urandom(KEY_BYTES), *before[reader:]]
    attempt = _Attempt()
    try:
        version = _put(site, device, after, way, notice)
        outcome = _give(site, device, reader, factory, way, notice, attempt)
    except ToolError:
        if not attempt.begun:
            _take_back(site, device, before, after, way, notice)
        raise
    if outcome == PAIR_REFUSED:
        _put(site, device, before, way, notice)
        raise OperatorError(
            t("Reader {reader} of {device} refused the key", reader=reader, device=name),
            t("If it was reset, run the command with --factory; else it keeps the key before"),
        )
    if outcome != PAIR_DONE:
        raise OperatorError(
            t("Reader {reader} of {device} fell silent while it got its key",
              reader=reader, device=name),
            t("Look with: device reader list {device}. If it is refused, reset it and pair it "
              "with --factory", device=name),
        )  # fmt: skip
    return Paired(name, reader, PAIRING_NAMES[outcome], version)


def _keys(site: Site, device: Device, reader: int) -> list[bytes]:
    """Of all its readers, as they were signed here last; b"" for none."""
    board = boards.show(device.board)
    count = int(board.capabilities.get("readers", 1))
    if not board.capabilities.get("osdp"):
        raise OperatorError(
            t("{device} has no OSDP readers", device=device.name),
            t("Readers of other kinds have no keys"),
        )
    if not 1 <= reader <= count:
        raise OperatorError(
            t("{device} has no reader {reader}", device=device.name, reader=reader),
            t("Its readers are 1 to {count}", count=count),
        )
    signed = device_config.newest(site, device)
    keys: list[bytes] = list(signed.settings.get(OSDP_KEYS, [])) if signed else []
    return keys + [b""] * (count - len(keys))


def _take_back(
    site: Site,
    device: Device,
    before: list[bytes],
    after: list[bytes],
    way: Way | None,
    notice: Notice | None,
) -> None:
    """No reader was given the new keys: those before are signed anew, sent now or by a push."""
    signed = device_config.newest(site, device)
    if signed is None or signed.settings.get(OSDP_KEYS) != after:
        return
    changes: dict[int, Any] = {OSDP_KEYS: before if any(before) else None}
    try:
        device_config.change(site, device.name, changes, way=way, notice=notice)
    except ToolError:
        device_config.change(site, device.name, changes, later=True)


def _put(
    site: Site, device: Device, keys: list[bytes], way: Way | None, notice: Notice | None
) -> int:
    """Sign and send a configuration with these keys; its version."""
    changes: dict[int, Any] = {OSDP_KEYS: keys if any(keys) else None}
    return device_config.change(site, device.name, changes, way=way, notice=notice).version


def _give(
    site: Site,
    device: Device,
    reader: int,
    factory: bool,
    way: Way | None,
    notice: Notice | None,
    attempt: _Attempt,
) -> int:
    """Once the configuration is in force, have the reader given its key; what became of it.

    In as few sessions as it takes: a controller counts them, and lets nobody in too often.
    """
    deadline = time.monotonic() + _FORCE_S
    told = False
    while time.monotonic() < deadline:
        time.sleep(_REST_S)
        with dial(site, device, way, device_config.role(site), notice) as client:
            if client.config().in_force:
                return _ask(site, device, client, reader, factory, attempt)
        if not told and notice is not None:
            told = True
            notice(t("{device}: waits until its doors are shut", device=device.name))
    raise OperatorError(
        t("The configuration of {device} is not in force yet", device=device.name),
        t("Shut its doors, then run the command again"),
    )


def _ask(
    site: Site, device: Device, client: Client, reader: int, factory: bool, attempt: _Attempt
) -> int:
    try:
        devices_ops.send_ticket(site, device, client, TICKET_PAIR_READER, reader - 1, int(factory))
    except LinkError:  # nobody knows whether it came
        attempt.begun = True
        raise
    attempt.begun = True
    return _outcome(client, reader)


def _outcome(client: Client, reader: int) -> int:
    deadline = time.monotonic() + _PAIR_S
    while time.monotonic() < deadline:
        pairing = int(client.info()["reader_pairing"][reader - 1])
        if pairing not in (PAIR_NONE, PAIR_RUNS):
            return pairing
        time.sleep(_LOOK_S)
    return PAIR_UNSURE
