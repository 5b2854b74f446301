"""Service access: a grant of the office opens a controller's prompt for a while (host).

The grant is signed by the firmware key, which stays in the office, for one controller, one peer and
some minutes, and is good until a date. Whoever holds that peer's folder presents it over the cable.
A controller in service serves no door: its relays are in their fail state.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from controller_tool.channel.address import parse
from controller_tool.channel.dial import SIM_FOLDER, Notice, Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import LinkError, OperatorError
from controller_tool.messages import t
from controller_tool.repl import BoardRepl, NoReplError
from controller_tool.services import audit, peers
from controller_tool.services.devices_ops import sync_clock
from protocol import cbor, cose
from protocol.constants import AAD_SERVICE, ID_BYTES

if TYPE_CHECKING:
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_KEY = "firmware"
_DAY_S = 86400
_ROLES = ("technician", "installer")
_START_S = 40.0
_STEP_S = 0.5


@dataclass(frozen=True)
class Grant:
    """What a grant says. peer: id of who may use it, hex; until_s: the first second after it."""

    device: str
    peer: str
    minutes: int
    until_s: int


def grant(
    site: Site, name: str, peer: str, minutes: int, days: int, *, dry_run: bool = False
) -> tuple[Grant, bytes]:
    """A grant and its bytes for a file; they are empty in a dry run. Raises OperatorError."""
    device = site.device(name)
    site.pinned_certificate(device)
    site.require(_KEY)
    found = peers.find(site, peer)
    if found.role not in _ROLES or found.revoked:
        raise OperatorError(
            t("Peer {id} is no technician or installer who is let in", id=found.id),
            t("See ids, labels and roles with: site show"),
        )
    made = Grant(name, found.id, minutes, now_s() + days * _DAY_S)
    if dry_run:
        return made, b""
    fields: list[cbor.Value] = [
        site.id, device.id_bytes, bytes.fromhex(found.id), made.until_s, minutes
    ]  # fmt: skip
    data = site.sign(_KEY, AAD_SERVICE, cbor.encode(fields))
    with site.registry.writing() as session:
        audit.append(
            session, site.operator, "device.service_grant", name=name, peer=found.id,
            minutes=minutes, until_s=made.until_s,
        )  # fmt: skip
    return made, data


def read(site: Site, name: str, path: Path) -> tuple[Grant, bytes]:
    """The grant in a file, and its bytes; OperatorError unless it is this folder's to use.

    Its signature is the controller's to judge.
    """
    device = site.device(name)
    try:
        data = path.read_bytes()
        fields = cbor.decode(bytes(cose.open_envelope(data).payload))
        _, _, whose, until_s, minutes = cast("list[Any]", fields)
        whose, until_s, minutes = bytes(whose), int(until_s), int(minutes)
    except (OSError, ValueError, TypeError) as error:
        raise OperatorError(
            t("{path} holds no grant", path=path),
            t("Ask the office for one: device service grant {device}", device=name),
        ) from error
    if cast("list[Any]", fields)[:2] != [site.id, device.id_bytes] or len(whose) != ID_BYTES:
        raise _not_ours(t("This grant is for another controller than {device}", device=name), name)
    if whose not in peers.own(site):
        raise _not_ours(t("This grant is for peer {id}, not for this folder", id=whose.hex()), name)
    if until_s <= now_s():
        raise _not_ours(t("This grant is over"), name)
    return Grant(name, whose.hex(), minutes, until_s), data


def _not_ours(what: str, name: str) -> OperatorError:
    return OperatorError(
        what, t("Ask the office for one: device service grant {device}", device=name)
    )


def opened(
    site: Site, name: str, path: Path, port: str | None = None, notice: Notice | None = None
) -> tuple[Grant, str]:
    """Open it; the grant and the serial port on which its prompt answers now."""
    device = site.device(name)
    said, data = read(site, name, path)
    address, place = _cable(site, device, port)
    role = next(role for role in site.peers() if site.peer(role).id.hex() == said.peer)
    with dial(site, device, Way("serial", address), role, notice) as client:
        sync_clock(site, device, client)  # it judges the grant's date by it
        client.open_service(data)
    _await_prompt(place)
    return said, place


def _cable(site: Site, device: Device, port: str | None) -> tuple[str, str]:
    """The cable's address as it was given or noted, and its serial port; OperatorError for none."""
    text = port or device.serial_address
    found = parse(text, site.path / SIM_FOLDER) if text else None
    if text is None or found is None or found.kind != "serial":
        raise OperatorError(
            t("Service access goes over the cable alone"), t("Give --port with a serial port")
        )
    return text, found.place


def _await_prompt(place: str) -> None:
    end_s = time.monotonic() + _START_S
    while True:
        try:
            BoardRepl(place).close()
        except LinkError:
            if time.monotonic() > end_s:
                raise
            time.sleep(_STEP_S)
        else:
            return


def close(site: Site, name: str, port: str | None = None) -> bool:
    """Restart it into its firmware; False when it was not in service."""
    device = site.device(name)
    _, place = _cable(site, device, port)
    try:
        with BoardRepl(place) as repl:
            repl.reset()
    except NoReplError:
        return False
    return True
