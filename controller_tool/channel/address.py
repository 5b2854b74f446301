"""What a person writes after ``--port``, and the wire that it names (host).

- ``/dev/ttyUSB0``, ``COM3``, ``/dev/pts/5``: a serial port
- ``tcp://192.0.2.7:7443`` (the port may be left out) or ``192.0.2.7:7443``: the network
- ``sim://NAME``, ``sim+tcp://NAME``: cable and Wi-Fi of a virtual board of the site
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from controller_tool.channel.linked import LinkedStream
from controller_tool.channel.serial_port import SerialPort
from controller_tool.channel.tcp import TcpStream
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.constants import LINK_BAUD, TCP_PORT

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.channel.stream import ByteStream

ADDRESS_MAX = 128  # characters, as the registry keeps it
_HOST_PORT = re.compile(r"([^/\\:\s]+|\[[0-9a-fA-F:.]+\]):\d+")  # no path of a serial port


@dataclass(frozen=True)
class Address:
    """Where a controller can be reached.

    kind: "serial" (``place`` is a path) or "tcp" (``place`` is a host, ``port`` its port).
    """

    kind: str
    place: str
    port: int = 0

    def __str__(self) -> str:
        return f"tcp://{self.place}:{self.port}" if self.kind == "tcp" else self.place


def parse(text: str, sim_root: Path | None = None) -> Address:
    """The address that ``text`` names; OperatorError when it names none.

    sim_root: folder of the site's virtual boards, for ``sim://`` names.
    """
    address = _parsed(text, sim_root)
    if len(str(address)) > ADDRESS_MAX:
        raise OperatorError(
            t("The address is longer than {n} characters", n=ADDRESS_MAX),
            t("Name the host or port by something shorter"),
        )
    return address


def _parsed(text: str, sim_root: Path | None) -> Address:
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _tcp(f"tcp://{text}") if _HOST_PORT.fullmatch(text) else Address("serial", text)
    if scheme == "tcp":
        return _tcp(text)
    if scheme in ("sim", "sim+tcp"):
        if sim_root is None:
            raise OperatorError(t("Virtual boards belong to a site"), t("Give --site"))
        from controller_tool.sim import service as sim  # noqa: PLC0415 - not on every system

        board = sim.find(
            sim_root,
            rest,
            t("Give --port with the board's address: see `controller-tool sim list` in the folder "
              "that started it"),
        )  # fmt: skip
        return _tcp(f"tcp://{board.tcp_address}") if scheme == "sim+tcp" else Address(
            "serial", board.serial_port
        )  # fmt: skip
    raise OperatorError(
        t("Unknown kind of address: {text}", text=text),
        t("Write a serial port, tcp://HOST:PORT, sim://NAME or sim+tcp://NAME"),
    )


def is_network(text: str) -> bool:
    """Whether it names a place on the network; another kind would spoil each call that is noted."""
    if text.startswith("sim+tcp://"):
        return True
    try:
        return "sim://" not in text and parse(text).kind == "tcp"
    except OperatorError:
        return False


def connect(address: Address) -> ByteStream:
    """An open wire, made reliable; LinkError when nobody is there."""
    if address.kind == "tcp":
        return TcpStream(address.place, address.port)
    return LinkedStream(SerialPort(address.place, LINK_BAUD))


def _tcp(text: str) -> Address:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise OperatorError(
            t("Not a network address: {text}", text=text), t("Write tcp://HOST:PORT")
        )
    return Address("tcp", host, port or TCP_PORT)
