"""Opens an authenticated channel to a controller of the site (host).

The ways are tried in order: what ``--port`` says, else the network, else the cable, each as the
registry last knew it. A controller that is busy says for how long; the tool says so and waits,
up to a bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller_tool.channel import preface
from controller_tool.channel.address import Address, connect, parse
from controller_tool.channel.secure import SecureStream, client_context
from controller_tool.channel.session import Session
from controller_tool.client import Client
from controller_tool.errors import LinkError, OperatorError
from controller_tool.messages import t

if TYPE_CHECKING:
    import ssl

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

Notice = Callable[[str], None]
BUSY_WAIT_MAX_S = 75
SIM_FOLDER = "sim"  # in a site folder: the virtual boards that it started


@dataclass(frozen=True)
class Identity:
    """Who knocks and at whose door: all that a channel needs to know.

    role, peer_id: of the peer certificate; peer_key: HMAC of the device's link root (32 bytes);
    pinned_der: the controller's certificate.
    """

    role: int
    peer_id: bytes
    peer_key: bytes
    cert_path: Path
    key_path: Path
    password: str
    device_id: bytes
    device_name: str
    pinned_der: bytes

    def context(self) -> ssl.SSLContext:
        """TLS settings for this pair of peers."""
        return client_context(self.cert_path, self.key_path, self.password, self.pinned_der)


@dataclass(frozen=True)
class Way:
    """How to reach a controller: as the command line says it.

    via: "serial", "wifi" or None for whichever answers; port: an address that overrides both.
    """

    via: str | None = None
    port: str | None = None


def identity(site: Site, device: Device, role: str | None = None) -> Identity:
    """The identity with which this site folder calls on ``device``; None: its first role."""
    peer = site.peer(role)
    return Identity(
        role=peer.role,
        peer_id=peer.id,
        peer_key=site.peer_key(device, peer),
        cert_path=Path(peer.cert_path),
        key_path=Path(peer.key_path),
        password=peer.password,
        device_id=device.id_bytes,
        device_name=device.name,
        pinned_der=site.pinned_certificate(device),
    )


def dial(
    site: Site,
    device: Device,
    way: Way | None = None,
    role: str | None = None,
    notice: Notice | None = None,
) -> Client:
    """An open session with ``device``.

    Raises OperatorError when no address is known or none can be read, LinkError when nobody
    answers at any, and DeviceError when the controller refuses us or is not the one that was
    provisioned.
    """
    who = identity(site, device, role)
    failure: LinkError | None = None
    unreadable: OperatorError | None = None
    root = site.path / SIM_FOLDER
    for text in _addresses(device, way or Way()):
        try:
            address = parse(text, root)
        except OperatorError as error:
            unreadable = unreadable or error
            continue
        try:
            return Client(open_session(address, who, notice))
        except LinkError as error:
            failure = failure or error
    if failure is not None:
        raise LinkError(f"{device.name}: {failure.what}", failure.next_step) from failure
    raise unreadable or OperatorError(
        t("No address is known for {device}", device=device.name), t("Give --port")
    )


def open_session(
    address: Address,
    who: Identity,
    notice: Notice | None = None,
    context: ssl.SSLContext | None = None,
) -> Session:
    """Wire, preface and TLS to one address; waits while the controller says that it is busy."""
    context = context or who.context()
    waited_s = 0
    while True:
        stream = connect(address)
        try:
            knock = preface.knock(stream, who)
            if knock.wait_s is None:
                secure = SecureStream(stream, context, who.device_id, who.pinned_der)
                secure.handshake(knock.early)
                return Session(secure, who.device_name)
        except BaseException:
            stream.close()
            raise
        stream.close()
        waited_s += knock.wait_s
        if waited_s > BUSY_WAIT_MAX_S:
            raise LinkError(
                t("{device} stays busy", device=who.device_name), t("Try again in a minute")
            )
        if notice is not None:
            notice(t("{device} asks to wait {wait_s} s"
                     " (another session, or too many in this minute)",
                     device=who.device_name, wait_s=knock.wait_s))  # fmt: skip
        time.sleep(knock.wait_s)


def _addresses(device: Device, way: Way) -> list[str]:
    """As they were given or noted; one that names nothing must not bar the others."""
    if way.port:
        return [way.port]
    known = {"wifi": device.tcp_address, "serial": device.serial_address}
    wanted = [way.via] if way.via else ["wifi", "serial"]
    return [text for text in map(known.get, wanted) if text]
