"""A controller over the network (host)."""

from __future__ import annotations

import select
import socket

from controller_tool.channel.stream import Deadline, broken
from controller_tool.errors import LinkError
from controller_tool.messages import t

_STALL_S = 10.0


class TcpStream:
    """One TCP connection, without Nagle's delay (which costs a handshake 45 ms)."""

    def __init__(self, host: str, port: int, connect_timeout_s: float = 5.0) -> None:
        self.sent_bytes = 0
        self.received_bytes = 0
        try:
            self._socket = socket.create_connection((host, port), timeout=connect_timeout_s)
        except OSError as error:
            raise LinkError(
                t(
                    "No controller at {address} ({detail})",
                    address=f"{host}:{port}",
                    detail=error.strerror or str(error),
                ),
                t("Check its power and Wi-Fi, or use the cable: --via serial"),
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has arrived; b"" when the time is up; LinkError when it is closed."""
        try:
            readable, _, _ = select.select([self._socket], [], [], max(0.0, timeout_s))
            if not readable:
                return b""
            data = self._socket.recv(65536)
        except (OSError, ValueError) as error:
            raise broken(str(error)) from error
        if not data:
            raise broken(t("closed by the controller"))
        self.received_bytes += len(data)
        return data

    def write(self, data: bytes) -> None:
        """All of the data; LinkError when nothing moves for ten seconds."""
        rest = memoryview(data)
        while rest:
            deadline = Deadline(_STALL_S)
            try:
                _, writable, _ = select.select([], [self._socket], [], deadline.left_s)
                if not writable:
                    raise broken(t("it takes no more data"))
                sent = self._socket.send(rest)
            except (OSError, ValueError) as error:
                raise broken(str(error)) from error
            self.sent_bytes += sent
            rest = rest[sent:]

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()
